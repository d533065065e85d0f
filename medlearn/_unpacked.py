"""Folders that medlearn filled: each holds the list of what was put there, and nothing else goes.

A folder without such a list may be read; it is somebody's own, and stays as it is.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medlearn import _drafts

MARK = "medlearn-unpacked.txt"
_FIRST_LINE = "medlearn put these files here and may remove them; all others are yours."


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; it becomes `folder` if the block ends well, else it goes.

    Parameters
    ----------
    folder : Path
        The folder to make, with the list of its files.
    """
    _drafts.remove_dead(folder.parent)
    draft = _drafts.beside(folder)
    try:
        yield draft
        _write_list(draft)
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def is_marked(folder: Path) -> bool:
    """Return whether medlearn made this folder, and has not removed its content.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """
    return (folder / MARK).is_file()


def remove(folder: Path) -> None:
    """Remove what the list of a folder names, the list, and the folders that are empty then.

    Parameters
    ----------
    folder : Path
        From one without a list, nothing is removed.
    """
    if not is_marked(folder):
        return
    listed = [path for path in _listed(folder) if _is_inside(path, folder)]
    for path in listed:
        if path.is_file():
            path.unlink()
    (folder / MARK).unlink()  # last: after a kill, the next call goes on
    parents = {parent for path in listed for parent in path.parents if folder in parent.parents}
    for parent in [*sorted(parents, reverse=True), folder]:  # the inner ones first
        with suppress(OSError):  # it is not empty
            parent.rmdir()


def _write_list(folder: Path) -> None:
    files = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in files)
    text = "\n".join([_FIRST_LINE, *names, ""])
    (folder / MARK).write_bytes(text.encode("utf-8", "surrogateescape"))


def _listed(folder: Path) -> list[Path]:
    text = (folder / MARK).read_bytes().decode("utf-8", "surrogateescape")
    return [folder / name for name in text.split("\n")[1:] if name and "\0" not in name]


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path lies in the folder, and not where a link or `..` leads."""
    return path.parent.resolve().is_relative_to(folder.resolve())
