"""What is wrong with a user's files, as a table to work through instead of a stack trace."""

from dataclasses import dataclass

import pandas as pd

from medlearn._dataset import Dataset

COLUMNS = ("file", "row", "what", "how to fix")


class Unreadable(ValueError):
    """A file that cannot be used: what is wrong with it, and how to mend that."""

    def __init__(self, what: str, fix: str):
        super().__init__(f"{what}; {fix}")
        self.what, self.fix = what, fix


@dataclass(frozen=True)
class ReadResult:
    """What a reader brings: the good images as one `Dataset`, and a table of everything that was odd.

    dataset   every file that could be read; it may hold no image at all
    problems  one row per problem, with the columns file, row (of a table or a frame; "" if there is none), what, and
              how to fix. Files that could not be read are left out of `dataset` and named here; rows of duplicates and
              of text in the picture are warnings, and their images stay.
    """

    dataset: Dataset
    problems: pd.DataFrame

    def __repr__(self) -> str:
        return f"ReadResult({self.dataset!r}, {len(self.problems)} problems)"


class Problems:
    """Collects rows; `table()` gives them as a DataFrame."""

    def __init__(self):
        self._rows = []

    def add(self, file: str, what: str, fix: str, row: int | str = "") -> None:
        """One more row; control characters of hostile files do not reach the page."""
        self._rows.append(tuple(_plain(text) for text in (file, row, what, fix)))

    def table(self) -> pd.DataFrame:
        """The rows so far, in the order in which they were found."""
        return pd.DataFrame(self._rows, columns=list(COLUMNS))


def short(error: BaseException) -> str:
    """The first line of an error's message, at most 120 characters, or its kind."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:120].rstrip(".")


def _plain(text) -> str:
    return "".join(each if each.isprintable() else "?" for each in str(text))[:300]
