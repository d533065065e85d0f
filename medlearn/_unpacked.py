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
_OF_THE_DESKTOP = {".ds_store", "thumbs.db", "desktop.ini"}  # made where a folder is looked at
_FIRST_LINE = "medlearn put these files here and may remove them; all others are yours."


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; it becomes `folder` if the block ends well, else it goes.

    Who calls holds the lock of `folder`: drafts of it that others left, as after a kill on Windows
    or in a container, are removed.

    Parameters
    ----------
    folder : Path
        The folder to make, with the list of its files.
    """
    _drafts.remove_dead(folder.parent)
    _drafts.remove_all(folder)
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
        From one without a list, nothing is removed. What the system refuses to remove stays, and
        then the list stays, too.
    """
    if not is_marked(folder):
        return
    listed = [path for path in _listed(folder) if _is_inside(path, folder)]
    for path in listed:
        if os.path.isfile(path):
            _unlink(path)
    if any(os.path.isfile(path) for path in listed):
        return
    _remove_files_of_the_desktop(folder)
    _unlink(folder / MARK)  # last: after a kill, the next call goes on
    parents = {parent for path in listed for parent in path.parents if folder in parent.parents}
    for parent in [*sorted(parents, reverse=True), folder]:  # the inner ones first
        with suppress(OSError):  # it is not empty
            parent.rmdir()


def remove_empty(folder: Path) -> None:
    """Remove a folder, listed or not, in which there is no file.

    Files that a desktop makes by itself, such as ``.DS_Store``, do not count.

    Parameters
    ----------
    folder : Path
        It stays if there is any other file in it.
    """
    if folder.is_symlink() or first_file(folder) is not None:
        return
    _remove_files_of_the_desktop(folder)
    for parent, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            os.rmdir(parent)


def first_file(folder: Path) -> Path | None:
    """Return the first file or link in a folder that is neither the list nor of the desktop.

    Parameters
    ----------
    folder : Path
        Folders in it are searched, links are not followed.
    """
    others = (path for path in _files(folder) if path.name.lower() not in _OF_THE_DESKTOP)
    return next((path for path in others if path != folder / MARK), None)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        yield from (Path(parent, name) for name in sorted([*names, *links]))


def _remove_files_of_the_desktop(folder: Path) -> None:
    """Remove them if nothing else is left: a reader would see an empty folder."""
    if first_file(folder) is None:
        for path in list(_files(folder)):
            if path.name.lower() in _OF_THE_DESKTOP:
                _unlink(path)


def _unlink(path: Path) -> None:
    with suppress(OSError):  # open on Windows, or in a folder that may not be changed
        path.unlink()


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
