"""The table of what a learner has solved: shown by lesson, and saved for a teacher."""

import csv
from itertools import groupby
from pathlib import Path

from medlearn import _files
from medlearn.teaching import _scores, exercises
from medlearn.teaching.language import say

HEADER = ("id", "attempts", "solved")


class Progress(list):
    """Rows (id, attempts, solved), in the order of the ids; shown as a line for each lesson."""

    def __repr__(self) -> str:
        if not self:
            return say("No exercise checked yet.")
        lines = []
        for lesson, rows in groupby(self, key=lambda row: row[0][:2]):
            lines.append(_line(lesson, {id: (attempts, solved) for id, attempts, solved in rows}))
        solved_count = sum(solved for _, _, solved in self)
        count = len(exercises.ids())
        last = say("{solved} of {count} of the course solved", solved=solved_count, count=count)
        return "\n".join([*lines, last])

    def save(self, path: str | Path = "progress.csv") -> None:
        """Write a table that a teacher's `course.py collect` reads.

        A table that is there already is merged: what was solved in it stays solved.

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        ValueError
            If the file exists and is no such table, or holds more than one.
        """
        path = Path(path)
        scores = {id: (attempts, solved) for id, attempts, solved in self}
        if path.exists():
            scores = _scores.merged(_read_own(path), scores)
        lines = [",".join(HEADER)]
        lines += [f"{id},{attempts},{solved}" for id, (attempts, solved) in scores.items()]
        _files.write_text(path, "\r\n".join(lines) + "\r\n")


def read_table(text: str) -> _scores.Scores:
    """Return the exercises of a table, of what separates its columns in any country.

    Raises
    ------
    ValueError
        If the columns are not id, attempts and solved.
    """
    rows = _rows(text)
    if not {"id", "solved"} <= set(rows.fieldnames or ()):
        raise ValueError("expected a table of progress, with the columns id, attempts and solved")
    scores = {}
    for row in rows:
        attempts = row.get("attempts") or "0"
        is_solved = (row["solved"] or "").strip().casefold() in ("true", "1", "yes")
        scores[(row["id"] or "").strip()] = (int(attempts) if attempts.isdigit() else 0, is_solved)
    return scores


def _rows(text: str) -> csv.DictReader:
    lines = text.removeprefix("\ufeff").splitlines()
    first = lines[0] if lines else ""
    separator = next((sign for sign in ";\t" if sign in first), ",")
    return csv.DictReader(lines, delimiter=separator)


def _read_own(path: Path) -> _scores.Scores:
    """Return the exercises of a table that `save` wrote; refuse one of which more would be lost."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _rows(text)
        is_own = tuple(rows.fieldnames or ()) == HEADER and not any(None in row for row in rows)
    except (UnicodeDecodeError, csv.Error):
        is_own = False
    if not is_own:
        raise ValueError(
            f"{path} is no table of progress alone: expected the columns id, attempts and solved "
            "and no other, since what else it holds would be lost; choose another name."
        )
    return read_table(text)


def _line(lesson: str, scores: _scores.Scores) -> str:
    """A lesson's line, such as ``09 · 2 of 3 solved   open: 09.2 (3 attempts)``."""
    ids = sorted({*exercises.ids(lesson), *scores})
    solved = [id for id in ids if scores.get(id, (0, False))[1]]
    counts = {"lesson": lesson, "solved": len(solved), "count": len(ids)}
    line = say("{lesson} · {solved} of {count} solved", **counts)
    unsolved = [_open(id, scores.get(id, (0, False))[0]) for id in ids if id not in solved]
    listed = say("   open: {ids}", ids=", ".join(unsolved))
    return line + listed if unsolved else line


def _open(id: str, attempts: int) -> str:
    if not attempts:
        return id
    text = say("{id} ({attempts} attempts)" if attempts > 1 else "{id} ({attempts} attempt)")
    return text.format(id=id, attempts=attempts)
