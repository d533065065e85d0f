"""Run the benchmarks of a checkout: each is a program in benchmarks/ whose docstring says what it compares and how it is run.

The first command in a docstring is the benchmark; a command marked `# then:` follows it, often a summary of its table. Names of
programs and tables decide what belongs together: `learning_summary.csv` is made by learning_summary.py, and a table without a
program of its own by the one of the longest name that fits.
"""

import ast
import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from medlearn import _files
from tools import lessons

COMMAND = re.compile(
    r"^ *python (benchmarks/(\w+)\.py[^\[#\n]*)(?:\[[^#\n]*)?(?:# *(.*))?$", re.MULTILINE
)


def programs() -> dict[str, str]:
    """The docstring of each benchmark by its name; raises LookupError where the checkout's programs are not there."""
    paths = sorted((lessons.ROOT / "benchmarks").glob("*.py"))
    if not paths:
        raise LookupError(
            f"There are no benchmarks in {lessons.ROOT / 'benchmarks'}: an installed package carries their tables only. "
            "Clone the course, and run this command there."
        )
    told = {
        path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in paths
    }
    return {
        name: text
        for name, text in told.items()
        if any(found[2] == name for found in COMMAND.finditer(text))
    }


def commands(name: str, text: str) -> list[list[str]]:
    """What to run, in order, as arguments of Python: the benchmark `name`, then what its docstring lets follow."""
    found = list(COMMAND.finditer(text))
    first = next(each for each in found if each[2] == name)
    return [
        shlex.split(each[1])
        for each in [first, *(each for each in found if (each[3] or "").startswith("then:"))]
    ]


def makers(name: str, text: str) -> list[str]:
    """The programs that `commands` runs."""
    return list(dict.fromkeys(Path(each[0]).stem for each in commands(name, text)))


def maker(table: str, names: Iterable[str]) -> str | None:
    """The program that makes a table: of that name, or of the longest that the table's name begins with."""
    return max((name for name in names if table.startswith(name)), key=len, default=None)


def listing() -> Iterator[str]:
    """For each benchmark what it asks, then its tables with their rows and the CPU-time that they say they took."""
    told = programs()
    summaries = {each for name in told for each in makers(name, told[name])[1:]}
    yield "`bench NAME` adds the rows that are missing; `bench NAME --to FOLDER` measures all of them anew.\n"
    for name in (name for name in told if name not in summaries):
        yield name + "\n    " + " ".join(told[name].split("\n\n")[0].split())
        yield from (
            f"    {line}"
            for line in _tables(makers(name, told[name]), _files.folder("results"), told)
        )


def _tables(programs: list[str], folder: Path, names: Iterable[str]) -> list[str]:
    made = (path for path in sorted(folder.glob("*.csv")) if maker(path.stem, names) in programs)
    return [f"{path.name}: {_described(path)}" for path in made]


def _described(path: Path) -> str:
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    column = next((each for each in ("cpu_seconds", "seconds") if rows and each in rows[0]), None)
    seconds = (
        sum(float(row[column] or 0) for row in rows) if column and "summary" not in path.stem else 0
    )
    return f"{len(rows)} rows" + (f", {seconds / 60:.0f} CPU-minutes" if seconds >= 60 else "")


def run(
    name: str, only: str | None = None, minutes: float | None = None, to: Path | None = None
) -> Iterator[str]:
    """Run a benchmark and what follows it; yields where the tables lie.

    `only` and `minutes` go to the benchmark's own command. With `to`, an empty table in that folder is filled and the committed
    ones stay as they are. Raises LookupError for an unknown name and RuntimeError if a program ends with an error.
    """
    told = programs()
    if name not in told:
        raise LookupError(f"There is no benchmark {name}; there are {', '.join(told)}.")
    folder = Path(to or _files.folder("results")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    asked = [
        text
        for flag, value in (("--only", only), ("--minutes", minutes))
        if value is not None
        for text in (flag, str(value))
    ]
    for number, command in enumerate(commands(name, told[name])):
        arguments = [sys.executable, *command, *(() if number else asked)]
        if subprocess.call(
            arguments, cwd=lessons.ROOT, env=dict(os.environ, MEDLEARN_RESULTS=str(folder))
        ):
            raise RuntimeError(
                f"{command[0]} ended with an error; the rows that it had measured by then are in {folder}."
            )
    yield f"\nIn {folder}:"
    yield from (f"    {line}" for line in _tables(makers(name, told[name]), folder, told))
