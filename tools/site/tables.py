"""Read the committed tables."""

import csv
from dataclasses import dataclass
from pathlib import Path

from medlearn import _files


@dataclass(frozen=True)
class Table:
    """A committed table.

    Attributes
    ----------
    name : str
        Of its file, without ``.csv``.
    comments : list of str
        The lines at its head that begin with ``#``.
    columns : list of str
        The names of the columns.
    rows : list of list of str
        The cells.
    """

    name: str
    comments: list[str]
    columns: list[str]
    rows: list[list[str]]

    def records(self) -> list[dict[str, str]]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, row)) for row in self.rows]


def paths() -> list[Path]:
    """Return the files of all committed tables."""
    return sorted(_files.folder("results").glob("*.csv"))


def read(path: Path) -> Table:
    """Return the table in this file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    columns, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    return Table(path.stem, comments, columns, rows)


def records(name: str) -> list[dict[str, str]]:
    """Return the rows of the committed table of this name, such as ``"lessons"``."""
    return read(_files.folder("results") / f"{name}.csv").records()
