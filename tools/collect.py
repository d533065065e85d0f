"""`course.py collect`: who solved what, read from the notebooks and progress files that students hand in.

Files are only read, never run. What they say is a student's own word: it shows a teacher where a class stands, and
is not an examination.
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from medlearn.teaching import check

LARGEST_FILE = 20_000_000  # bytes; lessons are below one million
MOST_FILES = 20_000
LONGEST_NAME = 80
_VERDICT = re.compile(r"^(\d\d\.\d{1,2}): (.*)$", re.MULTILINE)


def write(folder: Path, to: Path) -> Iterator[str]:
    """Write a table of students and exercises; yields what to print.

    In `folder` each student has a folder, or a file of the student's name; both notebooks (.ipynb) and what
    `check.progress().save()` wrote (.csv) count. Raises ValueError if there is nothing to read, or if `to` is something else.
    """
    if to.exists() and not to.read_bytes()[:8].startswith(b"student,"):
        raise FileExistsError(
            f"{to} exists and is not a table of this command; choose another name."
        )
    students, unread = read(folder, besides=to)
    if not students:
        raise ValueError(
            f"{folder} holds no notebook and no progress file; expected a folder or a file for each student."
        )
    exercises = sorted({id for found in students.values() for id in found})
    with to.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "solved", *exercises])
        for student, found in sorted(students.items()):
            marks = [{True: 1, False: 0, None: ""}[found.get(id)] for id in exercises]
            rows.writerow([harmless(student), sum(found.values()), *marks])
    yield from (f"Left out: {path}: {why}" for path, why in unread)
    yield f"{len(students)} students, {len(exercises)} exercises: {to} (1 solved, 0 tried, empty not met)"


def read(
    folder: Path, besides: Path | None = None
) -> tuple[dict[str, dict[str, bool]], list[tuple[str, str]]]:
    """For each student the exercises met, and whether each is solved; and the files left out, each with the reason."""
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is not a folder; expected one that holds a folder or a file for each student."
        )
    students: dict[str, dict[str, bool]] = {}
    unread = []
    for path in _files(folder):
        if besides is not None and path.resolve() == besides.resolve():
            continue
        name = path.relative_to(folder)
        student = name.parts[0] if len(name.parts) > 1 else path.stem
        try:
            found = (
                in_notebook(_content(path)) if path.suffix == ".ipynb" else in_table(_content(path))
            )
        except (
            OSError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
            RecursionError,
            csv.Error,
        ) as error:
            unread.append(
                (
                    harmless(str(name)),
                    error.args[-1] if isinstance(error, OSError) else "it cannot be read",
                )
            )
            continue
        known = students.setdefault(student, {})
        for id, solved in found.items():
            known[id] = known.get(id, False) or solved
    return students, unread


def in_notebook(text: str) -> dict[str, bool]:
    """Exercises whose verdict stands below a cell, and whether one of the verdicts is that it is solved."""
    found: dict[str, bool] = {}
    for cell in json.loads(text)["cells"]:
        for output in cell.get("outputs", []):
            if output.get("name") == "stdout":
                said = (
                    output["text"] if isinstance(output["text"], str) else "".join(output["text"])
                )
                for id, verdict in _VERDICT.findall(said):
                    found[id] = found.get(id, False) or verdict == check.RIGHT
    return found


def in_table(text: str) -> dict[str, bool]:
    """The same from a progress file: rows of id, attempts, solved."""
    rows = csv.DictReader(text.splitlines())
    return {
        row["id"]: row["solved"] == "True"
        for row in rows
        if re.fullmatch(r"\d\d\.\d{1,2}", row["id"] or "", re.ASCII)
    }


def harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula and no terminal for a command."""
    name = "".join(each if each.isprintable() else "?" for each in name)[:LONGEST_NAME]
    return f"'{name}" if name.lstrip()[:1] in tuple("=+-@|%＝＋－＠") else name


def _files(folder: Path) -> Iterator[Path]:
    """Notebooks and tables below a folder, in order; links are not followed, hidden folders not entered."""
    count = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if path.suffix in (".ipynb", ".csv") and path.is_file() and not path.is_symlink():
                count += 1
                if count > MOST_FILES:
                    raise ValueError(
                        f"{folder} holds more than {MOST_FILES} notebooks and tables; collect class by class."
                    )
                yield path


def _content(path: Path) -> str:
    if path.stat().st_size > LARGEST_FILE:
        raise OSError(f"it is larger than {LARGEST_FILE // 1_000_000} MB")
    return path.read_text(encoding="utf-8", errors="replace")
