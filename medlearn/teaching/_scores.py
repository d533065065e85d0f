"""What a learner has solved, kept on disk across lessons and sessions.

The file is ``progress.json`` in the cache folder. Two notebooks may write at once: each takes a
lock, reads, adds its own and writes the whole file under another name first. The environment
variable ``MEDLEARN_PROGRESS=off`` keeps nothing, so that a lesson run by a program prints the same
on every machine.
"""

import json
import os
from pathlib import Path

from filelock import FileLock, Timeout

from medlearn import _files

NAME, VARIABLE = "progress.json", "MEDLEARN_PROGRESS"
MARK = "medlearn progress of exercises, version 1"
LOCK_SECONDS = 5
Scores = dict[str, tuple[int, bool]]  # for each exercise: attempts, solved


def path() -> Path | None:
    """Return the file, or None if nothing is kept."""
    if os.environ.get(VARIABLE, "").casefold() in ("off", "0", "no", "none"):
        return None
    return _files.cache() / NAME


def read() -> Scores:
    """Return what is kept; nothing if the file cannot be reached."""
    try:
        file = path()
        if file is None or not file.exists():
            return {}
        with _lock(file):
            return _read(file)
    except (Timeout, OSError):
        return {}


def add(id: str, is_solved: bool) -> str:
    """Add an attempt at an exercise to the file; attempts after it was solved do not count.

    Parameters
    ----------
    id : str
        Of the exercise.
    is_solved : bool
        Whether the attempt solved it.

    Returns
    -------
    str
        Why it could not be kept, or nothing.
    """
    try:
        file = path()
        if file is None:
            return ""
        with _lock(file):
            scores = _read(file)
            attempts, was_solved = scores.get(id, (0, False))
            scores[id] = (attempts + (not was_solved), was_solved or is_solved)
            _files.write_text(file, _text(scores))
    except Timeout:
        return "another program holds the file"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def merged(first: Scores, second: Scores) -> Scores:
    """Return both: the larger number of attempts, and solved if either says so.

    Parameters
    ----------
    first, second : dict of str to (int, bool)
        Attempts, and whether solved.
    """
    both = dict(first)
    for id, (attempts, is_solved) in second.items():
        other_attempts, other_solved = both.get(id, (0, False))
        both[id] = (max(attempts, other_attempts), is_solved or other_solved)
    return dict(sorted(both.items()))


def _lock(file: Path) -> FileLock:
    return FileLock(file.with_name(f"{file.name}.lock"), timeout=LOCK_SECONDS)


def _read(file: Path) -> Scores:
    """What the file holds; a damaged one is set aside, and a sentence says so."""
    if not file.exists():
        return {}
    try:
        return _parsed(file.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError):
        aside = _set_aside(file)
        print(f"{file} holds no progress that can be read; it is now {aside.name}, and a new file")
        print("begins. What this session solved is not lost.")
        return {}


def _text(scores: Scores) -> str:
    rows = {id: {"attempts": row[0], "solved": row[1]} for id, row in sorted(scores.items())}
    return json.dumps({"file": MARK, "exercises": rows}, indent=1) + "\n"


def _parsed(text: str) -> Scores:
    content = json.loads(text)
    if content["file"] != MARK:
        raise ValueError("not a file of progress")
    return {
        str(id): (int(row["attempts"]), row["solved"] is True)
        for id, row in content["exercises"].items()
    }


def _set_aside(file: Path) -> Path:
    """Rename a damaged file to the first free name."""
    number = 1
    while (aside := file.with_name(f"progress.damaged-{number}.json")).exists():
        number += 1
    os.replace(file, aside)
    return aside
