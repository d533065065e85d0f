"""What is wrong with a user's files, as a table to work through instead of a stack trace."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from medlearn import _harmless
from medlearn._dataset import Dataset

COLUMNS = ("file", "row", "what", "how to fix")
_LONGEST_CELL = 300  # characters
_LONGEST_PATH = 4096
_LONGEST_REASON = 120
_MOST_ALIKE = 10  # rows of one kind that stand for themselves
_MOST_OF_A_FILE = 10_000  # rows; further ones are counted


class Unreadable(ValueError):
    """A file that cannot be used: what is wrong with it, and how to fix that."""

    def __init__(self, problem: str, fix: str):
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True)
class ReadResult:
    """What a reader returns: the images that could be read, and a table of all problems.

    Attributes
    ----------
    dataset : Dataset
        Every file that could be read; it may hold no image at all.
    problems : pandas.DataFrame
        One row per problem, with the columns ``file``, ``row`` (of a table; "" if there is none),
        ``what`` and ``how to fix``. A file that could not be read is left out of `dataset` and
        named here. Rows about duplicates and about text in the picture are warnings: these images
        stay. A name that a spreadsheet would take for a formula, such as "=1.png", begins with an
        apostrophe here.
    paths : dict of str to Path
        Where each named file is. File names in results hide the identifiers of patients; the real
        paths stand here only, and are never shown with the pseudonyms.
    """

    dataset: Dataset
    problems: pd.DataFrame
    paths: dict[str, Path] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ReadResult({self.dataset!r}, {len(self.problems)} problems)"


class Problems:
    """Collect problems; every sentence that a user reads about a file goes through `add`."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = []
        self._hidden: dict[str, str] = {}
        self._of_file: Counter[str] = Counter()

    def add(self, file: str, problem: str, fix: str, row: int | str = "") -> None:
        """Add a row; control characters of hostile files do not reach the page.

        After 10,000 rows of one file, further ones are counted and not kept.

        Parameters
        ----------
        file : str
            The file as the user names it; "" if a table names none.
        problem : str
            What is wrong, without a capital letter and a full stop.
        fix : str
            What to do about it.
        row : int or str
            Row of the table or of the annotations; "" if there is none.
        """
        self._of_file[file] += 1
        if self._of_file[file] > _MOST_OF_A_FILE:
            return
        cells = (_printable(text) for text in (row, problem, fix))
        self._rows.append((_printable(file, _LONGEST_PATH), *cells))

    def add_unreadable(self, file: str, error: Unreadable, row: int | str = "") -> None:
        """Add a row for a file that cannot be used.

        Parameters
        ----------
        file : str
            The file as the user names it.
        error : Unreadable
            What is wrong with it.
        row : int or str
            Row of the table; "" if there is none.
        """
        self.add(file, error.problem, error.fix, row)

    def hide(self, names: Mapping[str, str]) -> None:
        """Replace file names with patients in them, wherever a row names them.

        Parameters
        ----------
        names : mapping of str to str
            Names of files as the user writes them, and as rows may name them.
        """
        for name, pseudonym in names.items():
            if name != pseudonym:
                shown, replacement = (_printable(text, _LONGEST_PATH) for text in (name, pseudonym))
                self._hidden[shown] = replacement
                self._hidden[_stem(shown)] = _stem(replacement)

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the rows so far as they were added, with the number of those not kept."""
        further = []
        for file, number in self._of_file.items():
            if number > _MOST_OF_A_FILE:
                more = f"{number - _MOST_OF_A_FILE:,} further problems of this file are not listed"
                fix = "mend those that are listed, and read it again"
                further.append((_printable(file, _LONGEST_PATH), "", more, fix))
        return (*self._rows, *further)

    def table(self) -> pd.DataFrame:
        """Return the rows so far, in the order in which they were found.

        Where many files have one and the same problem, a single row counts them and names some.
        """
        alike_rows: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        all_rows = [self._without_patients(row) for row in self.rows()]
        for row in all_rows:
            alike_rows.setdefault(row[2:], []).append(row)
        many = {problem: rows for problem, rows in alike_rows.items() if len(rows) > _MOST_ALIKE}
        rows = []
        for row in all_rows:
            alike = many.get(row[2:])
            if alike is None:
                rows.append(row)
            elif row is alike[0]:
                rows.append(_folded(alike))
        return as_table(rows)

    def _without_patients(self, row: tuple[str, ...]) -> tuple[str, ...]:
        if not self._hidden:
            return row
        file, number, problem, fix = row
        words = re.split(r"([\s'\"]+|[,;:](?=\s))", problem)
        problem = "".join(self._hidden.get(word, word) for word in words)
        return self._hidden.get(file, file), number, problem, fix


def as_table(rows: Iterable[tuple[str, ...]]) -> pd.DataFrame:
    """Return rows of problems as a table in which no spreadsheet finds a formula.

    Parameters
    ----------
    rows : iterable of tuple
        One cell for each of `COLUMNS`.
    """
    return pd.DataFrame([map(_cell, row) for row in rows], columns=list(COLUMNS))


def _cell(value: object) -> object:
    return _harmless.harmless(value, _LONGEST_PATH) if isinstance(value, str) else value


def _stem(name: str) -> str:
    return re.sub(r"\.[^./]*$", "", name)


def _folded(rows: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return one row for many that differ in their file only."""
    file, _, problem, fix = rows[0]
    next_files = ", ".join(row[0] for row in rows[1:4])
    return file, "", f"{problem} ({len(rows)} files, also {next_files} ...)", fix


def short(error: BaseException) -> str:
    """Return the first line of an error's message, shortened, or else its type."""
    lines = str(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    reason = re.sub(r"\s*<[^<>]*0x[0-9A-Fa-f]+>", "", reason)  # no address in memory
    return reason[:_LONGEST_REASON].rstrip(".")


def _printable(text: object, longest: int = _LONGEST_CELL) -> str:
    characters = [char if char.isprintable() else "?" for char in str(text)]
    return "".join(characters)[:longest]
