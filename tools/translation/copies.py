"""The lessons in another language in a folder of their own, beside which a learner's work stays."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from medlearn import _files
from tools import door, lessons
from tools.translation import apply, catalogues

WRITTEN = ".written.json"  # the digest of each notebook as it was written
PAGES = {"docs/glossary.md": "glossary", "docs/keras.md": "site"}
BESIDE = ("notebooks/lessons.toml", "notebooks/matplotlibrc", "LICENSE-LESSONS")


def folder(language: str) -> Path:
    """Return where `course.py` keeps its copies in a language, such as ``_zh_CN``."""
    return lessons.ROOT / f"_{language}"


def write(language: str, to: Path | None = None) -> Iterator[str]:
    """Write the lessons in a language, and yield what to print.

    A notebook that somebody has changed since it was written here stays as it is.

    Parameters
    ----------
    language : str
        Such as ``"zh_CN"``.
    to : Path, optional
        The folder; default: `folder`.
    """
    to = to or folder(language)
    for part in ("notebooks", "docs"):
        _files.make_folder(to / part, "The folder for the lessons")
    edited = _write_notebooks(language, to)
    for name, text in pages_of(language).items():
        _files.write_text(to / name, text)
    for name in BESIDE:
        shutil.copyfile(lessons.ROOT / name, to / name)
    if edited:
        yield f"Left as they are, because they hold your work: {', '.join(edited)}."
    yield f"The lessons are in {to / 'notebooks'}."


def _write_notebooks(language: str, to: Path) -> list[str]:
    """Write the notebooks; return the names of those that somebody has changed since."""
    record = to / WRITTEN
    digests = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    edited = []
    for name, text in notebooks(language).items():
        path = to / "notebooks" / name
        if path.exists() and _digest(path.read_bytes()) != digests.get(name):
            edited.append(name)
            continue
        _files.write_text(path, text)
        digests[name] = _digest(text.encode())
    _files.write_text(record, json.dumps(digests, indent=1))
    return edited


def pages_of(language: str) -> dict[str, str]:
    """Return what lessons link to, and the door, by the name of the file in the course."""
    pages = {name: page(name, language) for name in PAGES}
    translated = apply.notebook(lessons.read(door.path()), catalogues.read("site", language))
    return pages | {f"notebooks/{door.NAME}": lessons.as_text(translated)}


def notebooks(language: str) -> dict[str, str]:
    """Return the content of each lesson's notebook, by file name."""
    return {path.name: lessons.as_text(lesson(path, language)) for path in lessons.find([])}


def lesson(path: Path, language: str | None):
    """Return a lesson in a language.

    Parameters
    ----------
    path : Path
        The English notebook.
    language : str or None
        None: English.
    """
    notebook = lessons.read(path)
    if language is None:
        return notebook
    return apply.notebook(notebook, catalogues.read(path.name[:2], language))


def page(name: str, language: str | None, part: str | None = None) -> str:
    """Return a page of Markdown in a language.

    Parameters
    ----------
    name : str
        Its file, such as ``"docs/glossary.md"``.
    language : str or None
        None: English.
    part : str, optional
        The part of the course that it belongs to; default: as `PAGES` says.
    """
    text = (lessons.ROOT / name).read_text(encoding="utf-8")
    if language is None:
        return text
    return apply.page(text, name, catalogues.read(part or PAGES[name], language))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
