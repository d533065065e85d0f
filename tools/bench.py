"""Run the benchmarks of a checkout: programs in benchmarks/ that fill committed tables.

The docstring of a program says what it compares and, on indented lines, how it is run:

    python benchmarks/learning.py [--only TEXT]     # adds the rows that are missing
    python benchmarks/learning_summary.py           # then: summarises them

`bench NAME` runs the first command of NAME, then the commands marked ``# then:``. The names of
programs and tables decide what belongs together: ``learning_summary.csv`` is made by
``learning_summary.py``, and a table without a program of its own by the program with the longest
name that the table's name begins with.
"""

import ast
import csv
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medlearn import _files
from tools import lessons

BEGINNING = "python benchmarks/"


@dataclass(frozen=True)
class Command:
    """One command of a docstring: its words after ``python``, and the comment behind it."""

    words: tuple[str, ...]
    comment: str

    @property
    def program(self) -> str:
        """The name of the program that it runs, such as ``"learning"``."""
        return Path(self.words[0]).stem


@dataclass(frozen=True)
class Program:
    """A benchmark that can be run.

    Attributes
    ----------
    name : str
        Of its file, such as ``"learning"``.
    text : str
        Its docstring.
    commands : tuple of Command
        What runs it, then what follows it.
    """

    name: str
    text: str
    commands: tuple[Command, ...]

    @property
    def question(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join(self.text.split("\n\n")[0].split())

    @property
    def makers(self) -> tuple[str, ...]:
        """The names of the programs that its commands run, its own first."""
        return tuple(dict.fromkeys(command.program for command in self.commands))


def programs() -> dict[str, Program]:
    """Return each benchmark by its name.

    Raises
    ------
    LookupError
        If the checkout's programs are missing, as in an installed package.
    """
    folder = lessons.ROOT / "benchmarks"
    paths = sorted(folder.glob("*.py"))
    if not paths:
        raise LookupError(
            f"There are no benchmarks in {folder}: an installed package carries their tables only. "
            "Clone the course, and run this command there."
        )
    read = [_program(path) for path in paths]
    return {program.name: program for program in read if program.commands}


def maker(table: str, names: Iterable[str]) -> str | None:
    """Return the name of the program that makes a table, or None.

    Parameters
    ----------
    table : str
        The table's name without ``.csv``.
    names : iterable of str
        The names of the programs.
    """
    return max((name for name in names if table.startswith(name)), key=len, default=None)


def listing() -> Iterator[str]:
    """Yield for each benchmark its question and its tables, with their rows and CPU time."""
    every = programs()
    followers: set[str] = set()
    for program in every.values():
        followers.update(program.makers[1:])
    yield "`bench NAME` adds the missing rows; `bench NAME --to FOLDER` measures all rows anew.\n"
    for name, program in every.items():
        if name not in followers:
            yield f"{name}\n    {program.question}"
            yield from _tables(program, _files.folder("results"), every)


def run(
    name: str, only: str | None = None, minutes: float | None = None, to: Path | None = None
) -> Iterator[str]:
    """Run a benchmark and what follows it, and yield where the tables are.

    Parameters
    ----------
    name : str
        The benchmark.
    only : str, optional
        Only rows whose key contains this text.
    minutes : float, optional
        Begin no further row after so many minutes.
    to : Path, optional
        Fill the tables in this folder; default: the committed ones.

    Raises
    ------
    LookupError
        If there is no such benchmark.
    RuntimeError
        If a program ends with an error.
    """
    every = programs()
    if name not in every:
        raise LookupError(f"There is no benchmark {name}; there are {', '.join(every)}.")
    folder = Path(to or _files.folder("results")).resolve()
    _files.make_folder(folder, "The folder for the tables")
    options = ["--only", only] if only is not None else []
    options += ["--minutes", str(minutes)] if minutes is not None else []
    first, *following = every[name].commands
    _call([*first.words, *options], folder)
    for command in following:
        _call(command.words, folder)
    yield f"\nIn {folder}:"
    yield from _tables(every[name], folder, every)


def _program(path: Path) -> Program:
    """Read a program; it has no commands if its docstring does not say how to run it."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    commands = [command for line in text.splitlines() if (command := _command(line))]
    own = [command for command in commands if command.program == path.stem]
    following = [command for command in commands if command.comment.startswith("then:")]
    return Program(path.stem, text, (own[0], *following) if own else ())


def _command(line: str) -> Command | None:
    """The command on a line of a docstring, without the options in brackets, or None."""
    code, _, comment = line.strip().partition("#")
    if not code.startswith(BEGINNING):
        return None
    words = shlex.split(code.partition("[")[0])
    return Command(tuple(words[1:]), comment.strip())


def _call(words: Iterable[str], folder: Path) -> None:
    """Run a program whose tables go into the folder."""
    program, *options = words
    environment = dict(os.environ, MEDLEARN_RESULTS=str(folder))
    command = [sys.executable, program, *options]
    if subprocess.call(command, cwd=lessons.ROOT, env=environment):
        raise RuntimeError(
            f"{program} ended with an error; the rows that it had measured by then are in {folder}."
        )


def _tables(program: Program, folder: Path, names: Iterable[str]) -> Iterator[str]:
    """A line for each table in the folder that the program's commands make."""
    for path in sorted(folder.glob("*.csv")):
        if maker(path.stem, names) in program.makers:
            yield f"    {path.name}: {_size(path)}"


def _size(path: Path) -> str:
    """How many rows a table has, and the minutes that it says they took."""
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    if "summary" in path.stem:
        return f"{len(rows)} rows"
    seconds = sum(float(row.get("cpu_seconds", row.get("seconds")) or 0) for row in rows)
    return f"{len(rows)} rows" + (f", {seconds / 60:.0f} CPU-minutes" if seconds >= 60 else "")
