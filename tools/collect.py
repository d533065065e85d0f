"""`course.py collect`: who solved what, read from the notebooks and progress files of students.

Files are only read, never run. What they say is a student's own word: it shows a teacher where a
class stands, and is not an examination.
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from medlearn.teaching import _table, check, exercises
from medlearn.teaching._harmless import harmless

LARGEST_FILE = 20_000_000  # bytes; lessons are below one million
MOST_FILES = 20_000
_VERDICT = re.compile(r"^(\d\d\.\d{1,2}): (.*)$", re.MULTILINE)
# Whatever a damaged or hostile file may raise while it is read.
UNREADABLE = (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError, csv.Error)
Solved = dict[str, bool]  # for each exercise that a student met, whether it is solved


def write(folder: Path, to: Path) -> Iterator[str]:
    """Write a table of students and exercises, and yield what to print.

    Parameters
    ----------
    folder : Path
        Holds a folder for each student, or a file of the student's name. Notebooks (.ipynb) count,
        and what ``check.progress().save()`` wrote (.csv).
    to : Path
        The table: 1 solved, 0 tried, empty not met.

    Raises
    ------
    ValueError
        If there is nothing to read.
    FileExistsError
        If `to` exists and is not such a table.
    """
    if to.exists() and not to.read_bytes()[:8].startswith(b"student,"):
        raise FileExistsError(
            f"{to} exists and is not a table of this command; choose another name."
        )
    students, unread = read(folder, leave_out=to)
    if not students:
        raise ValueError(
            f"{folder} holds no notebook and no progress file; expected a folder or a file for "
            "each student."
        )
    exercises = sorted(set().union(*students.values()))
    with to.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "solved", *exercises])
        for student, solved in sorted(students.items()):
            marks = [int(solved[id]) if id in solved else "" for id in exercises]
            rows.writerow([harmless(student), sum(solved.values()), *marks])
    yield from (f"Left out: {path}: {reason}" for path, reason in unread)
    legend = "1 solved, 0 tried, empty not met"
    yield f"{len(students)} students, {len(exercises)} exercises: {to} ({legend})"


def read(
    folder: Path, leave_out: Path | None = None
) -> tuple[dict[str, Solved], list[tuple[str, str]]]:
    """Read what a class handed in.

    Parameters
    ----------
    folder : Path
        As for `write`.
    leave_out : Path, optional
        A file in it that does not count.

    Returns
    -------
    dict of str to dict
        For each student the exercises met, and whether each is solved.
    list of (str, str)
        The files left out, and the reason.
    """
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is not a folder; expected one that holds a folder or a file for each "
            "student."
        )
    students: dict[str, Solved] = {}
    unread = []
    for path in _files(folder):
        if leave_out is not None and path.resolve() == leave_out.resolve():
            continue
        name = path.relative_to(folder)
        student = name.parts[0] if len(name.parts) > 1 else path.stem
        try:
            solved = _read_file(path)
        except UNREADABLE as error:
            reason = error.args[-1] if isinstance(error, OSError) else "it cannot be read"
            unread.append((harmless(str(name)), reason))
            continue
        _merge(students.setdefault(student, {}), solved)
    return students, unread


def in_notebook(text: str) -> Solved:
    """Return the exercises whose verdict stands below a cell of this notebook (JSON)."""
    solved: Solved = {}
    for cell in json.loads(text)["cells"]:
        for output in cell.get("outputs", []):
            if output.get("name") == "stdout":
                printed = "".join(output["text"])  # nbformat: a string, or a list of lines
                for id, verdict in _VERDICT.findall(printed):
                    if _is_exercise(id):
                        _merge(solved, {id: verdict == check.RIGHT})
    return solved


def in_table(text: str) -> Solved:
    """Return the exercises of a progress file: rows of id, attempts, solved."""
    rows = _table.read_table(text)
    return {id: is_solved for id, (_, is_solved) in rows.items() if _is_exercise(id)}


def _merge(solved: Solved, more: Solved) -> None:
    """Add exercises to a student's; one that was solved once counts as solved."""
    for id, is_solved in more.items():
        solved[id] = solved.get(id, False) or is_solved


def _is_exercise(id: str) -> bool:
    """Whether the course has it: an invented id gets no column."""
    return id in exercises.ids()


def _read_file(path: Path) -> Solved:
    if path.stat().st_size > LARGEST_FILE:
        raise OSError(f"it is larger than {LARGEST_FILE // 1_000_000} MB")
    text = path.read_text(encoding="utf-8", errors="replace")
    return in_notebook(text) if path.suffix == ".ipynb" else in_table(text)


def _files(folder: Path) -> Iterator[Path]:
    """Notebooks and tables below a folder, in order, without links and hidden folders."""
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix in (".ipynb", ".csv") and path.is_file() and not path.is_symlink():
                count += 1
                if count > MOST_FILES:
                    raise ValueError(
                        f"{folder} holds more than {MOST_FILES} notebooks and tables; collect "
                        "class by class."
                    )
                yield path
