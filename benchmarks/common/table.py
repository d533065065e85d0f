"""Tables of results that grow a row at a time, so that a benchmark can be stopped and started.

Import this module first: it holds NumPy and TensorFlow to one thread, which is what a CPU-second
means in our tables. Then

    table.grow("transfer", __doc__, KEY, COLUMNS, ROWS, measure)

reads the command line (`--only TEXT`, `--minutes M`), calls `measure(*row) -> dict` for every row
that results/transfer.csv lacks, and appends what it returns, with the columns of `common.origin`
that say where the row comes from. The first lines of the file say the command, the processor and
the versions of the first row; the last two are printed first as well. The environment variable
MEDLEARN_RESULTS names another folder for the tables. Summaries (`write`) are made anew from such
tables within two minutes, so their rows do not say it again.
"""

import os

# Before NumPy and TensorFlow start their threads: on small matrices they only cost.
for _name in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
    os.environ[f"{_name}_THREADS"] = "1"

import argparse
from collections.abc import Callable, Iterable, Sequence
import csv
from datetime import date
import importlib.metadata
import io
from pathlib import Path
import platform
import time

import pandas as pd

from common import origin
from medlearn import _files
from medlearn.teaching.doctor import processor

LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-learn")
_LONGEST_PRINTED = 80  # characters; longer values are for the file only


def command_line(doc: str, **flags: str) -> argparse.Namespace:
    """Read the command line of a benchmark.

    Parameters
    ----------
    doc : str
        The benchmark's docstring, which ``--help`` prints.
    **flags : str
        Names of further yes-or-no flags, each with its help text.

    Returns
    -------
    argparse.Namespace
        ``only``, ``minutes``, and a bool for each flag.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="keep the rows whose key contains this text")
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="begin no further row after that"
    )
    for name, text in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    return parser.parse_args()


def path(name: str) -> Path:
    """Return the file of a table; it need not exist."""
    return Path(os.environ.get("MEDLEARN_RESULTS") or _files.folder("results")) / f"{name}.csv"


def read(name: str, text: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of a table.

    Parameters
    ----------
    name : str
        Name of the table without its ending.
    text : sequence of str
        Columns that are kept as they are written; if there are any, empty fields stay empty text.
    """
    return pd.read_csv(
        path(name), comment="#", dtype=dict.fromkeys(text, str), keep_default_na=not text
    )


def write(name: str, rows: Iterable[dict]) -> pd.DataFrame:
    """Write a summary anew, rounded to four decimals, and print it; a kill leaves the old one.

    Parameters
    ----------
    name : str
        Name of the table without its ending.
    rows : iterable of dict
        Values by column.
    """
    summary = pd.DataFrame(rows).round(4)
    _files.write_text(path(name), summary.to_csv(index=False, lineterminator="\n"))
    print(summary.to_string(index=False))
    return summary


def grow(
    name: str,
    command: str | argparse.Namespace,
    key: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[tuple],
    measure: Callable[..., dict],
) -> None:
    """Measure the rows that a table lacks; each is written before the next begins.

    Parameters
    ----------
    name : str
        Name of the table without its ending.
    command : str or argparse.Namespace
        The benchmark's docstring, or what `command_line` returned if it has flags of its own.
    key : sequence of str
        Names of the values in a row, which `measure` is called with.
    columns : sequence of str
        Names of what `measure` returns, rounded as it should be written.
    rows : iterable of tuple
        All rows of the table, in the order in which they should be measured.
    measure : callable
        A function from the values of a row to a dict of its results.
    """
    arguments = command_line(command) if isinstance(command, str) else command
    present = _begin(name, key, columns)
    processor_and_versions = machine()
    origin.of_row(name, *processor_and_versions)  # remembers the code as it is loaded now
    print(*processor_and_versions, sep="\n", flush=True)
    end = time.monotonic() + 60 * arguments.minutes
    for row in rows:
        if tuple(map(str, row)) in present or arguments.only not in " ".join(map(str, row)):
            continue
        if time.monotonic() > end:
            break
        present = _present(name, key)  # another process may fill the same table
        if tuple(map(str, row)) in present:
            continue
        result = dict(zip(key, row)) | measure(*row)
        source = origin.of_row(name, *processor_and_versions)
        _append(name, key, (*key, *columns, *_added((*key, *columns))), source | result)
        short = [value for value in result.values() if len(str(value)) < _LONGEST_PRINTED]
        print(*short, flush=True)


def _begin(name: str, key: Sequence[str], columns: Sequence[str]) -> set[tuple[str, ...]]:
    """Keys of the rows in the table; it is begun if there is none."""
    with _files.locked(path(name)):
        if not path(name).exists():
            head = (f"python benchmarks/{name}.py", *machine(), f"begun {date.today()}")
            comments = "".join(f"# {line}\n" for line in head)
            _files.write_text(path(name), comments + ",".join((*key, *columns)) + "\n")
        add_origin(name)
    return _present(name, key)


def _append(name: str, key: Sequence[str], names: Sequence[str], row: dict) -> None:
    """Add a row, unless another process has measured it meanwhile."""
    with _files.locked(path(name)):
        if tuple(str(row[column]) for column in key) in _present(name, key):
            return
        text = path(name).read_bytes().decode("utf-8")
        line = io.StringIO(newline="")
        csv.DictWriter(line, names, lineterminator="\n").writerow(row)
        _files.write_text(path(name), _whole_lines(text) + line.getvalue())


def _whole_lines(text: str) -> str:
    """The text without the half of a last row that a kill or a full disk left."""
    return text[: text.rfind("\n") + 1]


def _present(name: str, key: Sequence[str]) -> set[tuple[str, ...]]:
    """Keys of the rows in the table."""
    text = _whole_lines(path(name).read_bytes().decode("utf-8"))
    with io.StringIO(text, newline="") as stream:
        rows = csv.DictReader(line for line in stream if not line.startswith("#"))
        return {tuple(row[column] for column in key) for row in rows}


def add_origin(name: str) -> None:
    """Give an older table the columns of `origin`; what its rows do not know is "unknown".

    Parameters
    ----------
    name : str
        Name of the table without its ending.
    """
    lines = path(name).read_text(encoding="utf-8").splitlines(keepends=True)
    comments = [line for line in lines if line.startswith("#")]
    header, *rows = (line.rstrip("\n") for line in lines if not line.startswith("#"))
    added = _added(header.split(","))
    if added:
        known = origin.of_old_row(name)
        end = ",".join(known[column] for column in added)
        wider = [f"{header},{','.join(added)}", *(f"{row},{end}" for row in rows)]
        _files.write_text(path(name), "".join(comments) + "\n".join(wider) + "\n")


def _added(columns: Sequence[str]) -> list[str]:
    """The columns of `origin` that a table does not have; some programs write a few themselves."""
    return [column for column in origin.COLUMNS if column not in columns]


def machine() -> tuple[str, str]:
    """Return two lines: the processor, and the versions of the libraries that compute."""
    versions = ", ".join(f"{library} {_version(library)}" for library in LIBRARIES)
    return f"{processor()}, one thread", f"Python {platform.python_version()}, {versions}"


def _version(library: str) -> str:
    """Version of an installed library; TensorFlow may have the name of its smaller edition."""
    for name in (library, f"{library}-cpu"):
        for distribution in importlib.metadata.distributions(name=name):
            return distribution.version
    raise LookupError(f"{library} is not installed.")
