"""`course.py collect`: who solved what, read from the notebooks and progress files of students.

Files are only read, never run. What they say is a student's own word: it shows a teacher where a
class stands, and is not an examination.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from medlearn import _files
from medlearn._harmless import harmless
from medlearn.teaching import _table, check, exercises, language

LARGEST_FILE = 20_000_000  # bytes; lessons are below one million
MOST_FILES = 20_000
MOST_NAMED = 3  # ids that a sentence names
_VERDICT = re.compile(r"^(?:[✓✗!] )?(\d\d\.\d{1,2}): (.*)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
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
        If `to` exists and is not such a table. An older table of another content is kept under
        another name.
    """
    if to.exists() and not _is_collected(to):
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
    older = _replace(to, _as_csv(students, exercises))
    if older is not None:
        yield f"The older table is kept as {older}."
    yield from (f"Left out: {path}: {reason}" for path, reason in unread)
    yield (
        f"{to}: {len(students)} students, {len(exercises)} exercises. 1 means solved, 0 tried and "
        "not solved; an empty field means not tried."
    )


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
    unread: list[tuple[str, str]] = []
    for path in _notebooks_and_tables(folder):
        if leave_out is not None and path.resolve() == leave_out.resolve():
            continue
        file = path.relative_to(folder)
        solved, problem = _read_known(path)
        if problem:
            unread.append((harmless(str(file)), problem))
        if solved is not None:
            _merge(students.setdefault(_student(file), {}), solved)
    return students, unread


def _student(file: Path) -> str:
    """Whose file it is: of its folder's name, or of its own."""
    name = file.parts[0] if len(file.parts) > 1 else file.stem
    return unicodedata.normalize("NFC", name)  # macOS takes accents apart


def _read_known(path: Path) -> tuple[Solved | None, str]:
    """The exercises of the course in a file, None if there is no reading it; what was left out."""
    try:
        if _is_collected(path):
            return None, ""
        solved = _read_file(path)
    except UNREADABLE as error:
        return None, error.args[-1] if isinstance(error, OSError) else "it cannot be read"
    invented = [exercise for exercise in solved if not _is_exercise(exercise)]
    for exercise in invented:
        del solved[exercise]
    if not invented:
        return solved, ""
    named = ", ".join(map(harmless, invented[:MOST_NAMED]))
    return solved, f"{len(invented)} ids of no exercise: {named}"


def in_notebook(text: str) -> Solved:
    """Return the ids whose verdict stands below a cell of this notebook (JSON)."""
    right = language.in_all(check.RIGHT)
    solved: Solved = {}
    for cell in json.loads(text)["cells"]:
        for output in cell.get("outputs", []):
            if output.get("name") == "stdout":
                printed = "".join(output["text"])  # nbformat: a string, or a list of lines
                for id, verdict in _VERDICT.findall(_COLOUR.sub("", printed)):
                    _merge(solved, {id: verdict.strip() in right})
    return solved


def in_table(text: str) -> Solved:
    """Return the ids of a progress file: rows of id, attempts, solved."""
    return {id: is_solved for id, (_, is_solved) in _table.read_table(text).items()}


def _merge(solved: Solved, more: Solved) -> None:
    """Add exercises to a student's; one that was solved once counts as solved."""
    for id, is_solved in more.items():
        solved[id] = solved.get(id, False) or is_solved


def _as_csv(students: dict[str, Solved], exercises: list[str]) -> str:
    """The table as text: a row for each student, a column for each exercise."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["student", "solved", *exercises])
    for student, solved in sorted(students.items()):
        marks = [int(solved[id]) if id in solved else "" for id in exercises]
        rows.writerow([harmless(student), sum(solved.values()), *marks])
    return text.getvalue()


def _is_collected(path: Path) -> bool:
    """Whether a file is a table of this command."""
    with path.open("rb") as file:
        return file.read(8) == b"student,"


def _replace(to: Path, text: str) -> Path | None:
    """Write a table; an older one of another content is kept, and its new path returned."""
    content = text.encode("utf-8")
    older = _keep(to, to.read_bytes()) if to.exists() and to.read_bytes() != content else None
    _files.write_bytes(to, content)
    return older


def _keep(to: Path, older: bytes) -> Path:
    """Write an older table beside the one that replaces it, unless a killed run has done so."""
    number = 1
    while (copy := to.with_name(f"{to.stem}.older-{number}{to.suffix}")).exists():
        if copy.read_bytes() == older:
            return copy
        number += 1
    _files.write_bytes(copy, older)
    return copy


def _is_exercise(id: str) -> bool:
    """Whether the course has it: an invented id gets no column."""
    return id in exercises.ids()


def _read_file(path: Path) -> Solved:
    if path.stat().st_size > LARGEST_FILE:
        raise OSError(f"it is larger than {LARGEST_FILE // 1_000_000} MB")
    text = path.read_text(encoding="utf-8", errors="replace")
    return in_notebook(text) if path.suffix == ".ipynb" else in_table(text)


def _notebooks_and_tables(folder: Path) -> Iterator[Path]:
    """Notebooks and tables below a folder, in order, without links and hidden ones."""
    readable = (path for path in _files.visible_files(folder) if path.suffix in (".ipynb", ".csv"))
    for count, path in enumerate(readable, start=1):
        if count > MOST_FILES:
            raise ValueError(
                f"{folder} holds more than {MOST_FILES} notebooks and tables; collect class by "
                "class."
            )
        yield path
