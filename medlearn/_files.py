"""Shipped folders, the cache folder, atomic writes, locks, and "do you mean" for misspelt names."""

import contextlib
import ctypes
import difflib
import inspect
import os
import secrets
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pooch
from filelock import FileLock, Timeout

from medlearn import _drafts

_PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT = {
    "datasets": "datasets",
    "results": "benchmarks/results",
    "style": "notebooks",
    "translations": "docs/translations",
}

MARK = "medlearn-cache.txt"  # in a cache folder that medlearn made or found empty
_MARK_TEXT = """This folder is a cache of medlearn. `python3 course.py clean --cache` removes what
medlearn put here and can make or fetch again; it leaves everything else.
"""
_SECONDS_OF_SILENCE = 5  # that a process waits for another one before it says so
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)
_seen: set[Path] = set()  # folders without drafts of processes that have ended


def folder(name: str) -> Path:
    """Return the folder of data cards, benchmark tables, the figures' style or translations.

    In a checkout these are the folders that a reader sees; in an installed wheel, their copies
    inside the package.

    Parameters
    ----------
    name : {"datasets", "results", "style", "translations"}
        Which folder.
    """
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / _IN_CHECKOUT[name]


def cache() -> Path:
    """Return the folder for downloads and features: ``MEDLEARN_CACHE``, or the user's cache folder.

    Raises
    ------
    OSError
        If the folder cannot be made; the message names it and the way out.
    """
    path = Path(os.environ.get("MEDLEARN_CACHE") or pooch.os_cache("medlearn")).expanduser()
    remedy = "set MEDLEARN_CACHE to a folder that you may write to"
    make_folder(path, "The cache folder", remedy)
    if not (path / MARK).exists():
        with contextlib.suppress(OSError):  # one may be allowed to read the folder only
            if all(_is_half_a_mark(name) for name in os.listdir(path)):
                write_text(path / MARK, _MARK_TEXT)
    return path


def make_folder(
    path: Path, name: str, remedy: str = "choose a folder that you may write to"
) -> None:
    """Make a folder and those above it, unless it is there.

    Parameters
    ----------
    path : Path
        The folder.
    name : str
        What the message calls it, such as ``"The cache folder"``.
    remedy : str
        What the reader of the message can do.

    Raises
    ------
    OSError
        If a file has its name, or the system refuses; the message says what to do.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{path} is a file" if os.path.isfile(path) else error.strerror
        raise OSError(f"{name} {path} cannot be made ({reason}): {remedy}.") from error


def demand_parent(path: Path) -> None:
    """Raise FileNotFoundError unless the folder exists in which a file is to be written.

    Parameters
    ----------
    path : Path
        The file.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {path.parent}: make it, or choose another place for {path.name}."
        )


def visible_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in order, without links, hidden files and hidden folders.

    Parameters
    ----------
    folder : Path
        Where to look.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and _may_be_file(path):
                yield path


def _may_be_file(path: Path) -> bool:
    """Whether this is a file and no link; where one may not look, who reads it says so."""
    try:
        return path.is_file() and not path.is_symlink()
    except OSError:
        return True


def _is_half_a_mark(name: str) -> bool:
    """Whether this is what a kill left of a mark that was being written."""
    return name.startswith(f".{MARK}.") and name.endswith(".partial")


def is_marked(folder: Path) -> bool:
    """Return whether a cache folder is medlearn's own: marked, or the one without MEDLEARN_CACHE.

    A user's folder that held something before medlearn used it is not.

    Parameters
    ----------
    folder : Path
        What `cache` returned.
    """
    return (folder / MARK).is_file() or folder.resolve() == Path(pooch.os_cache("medlearn"))


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file or folder; who has to wait says for whom.

    The system frees the lock of a process that dies.

    Parameters
    ----------
    path : Path
        What is locked; it need not exist, but its folder must.
    wait : bool
        Whether to wait as long as another process holds it, and not only for a few seconds.

    Raises
    ------
    BlockingIOError
        If another process holds it and this one does not wait; the message is who holds it.
    OSError
        If no lock can be kept there.
    """
    lock = _lock(path.with_name(f"{path.name}.lock"), wait)
    holder = path.with_name(f"{path.name}.lock.holder")
    try:
        lock.acquire(timeout=_SECONDS_OF_SILENCE)
    except Timeout:
        if not wait:
            raise _why_not(holder) from None
        name = _who_holds(holder)
        warnings.warn(
            f"{name} is at work on {path}; this process waits until it has ended.", stacklevel=3
        )
        lock.acquire()
    try:
        with contextlib.suppress(OSError):
            began = time.strftime("%Y-%m-%d %H:%M:%S")
            write_text(holder, f"process {os.getpid()} on {socket.gethostname()} since {began}")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _lock(path: Path, wait: bool) -> FileLock:
    """A lock of the system; who does not wait takes no file in its stead: a kill would leave it."""
    if wait or "fallback_to_soft" not in inspect.signature(FileLock.__init__).parameters:
        return FileLock(path)
    return FileLock(path, fallback_to_soft=False)


def _why_not(holder: Path) -> OSError:
    """Another process has the lock, or no lock can be kept: who holds one writes who it is."""
    if holder.exists():
        return BlockingIOError(_who_holds(holder))
    return OSError(f"In {holder.parent} no lock can be kept.")


def _who_holds(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8")[:200] or "another process"
    except (OSError, ValueError):
        return "another process"


def replace_folder(draft: Path, folder: Path) -> None:
    """Put a finished folder in the place of another one, which is removed.

    A kill leaves the old folder or the new one at its place; where the system cannot exchange two
    folders in one step, nothing for a moment, with the old one beside.

    Parameters
    ----------
    draft : Path
        The new folder, in the same parent folder; its name is gone afterwards.
    folder : Path
        The place; there may be nothing yet.
    """
    if not folder.exists():
        os.replace(draft, folder)
        return
    if _exchanged(draft, folder):
        shutil.rmtree(draft, ignore_errors=True)
        return
    old = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
    os.replace(folder, old)
    try:
        os.replace(draft, folder)
    except OSError:
        os.replace(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return whether this system can."""
    try:
        exchange = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux
        return False
    return exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a temporary file in the same folder, then rename it.

    A reader finds the old file or the new one, never a part of it. After a failure or a kill the
    old file is still there. What a killed process left of its temporary files is removed when a
    process writes to their folder for the first time.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    write : callable
        Called with the path of the temporary file, which it must write.
    """
    if path.parent not in _seen:
        _drafts.remove_dead(path.parent)
        _seen.add(path.parent)
    temporary = _drafts.beside(path)
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes as `write_atomically` does.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    data : bytes
        All of its content.
    """
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_atomically` does.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    text : str
        All of its content; line ends stay as they are.
    """
    write_bytes(path, text.encode("utf-8"))


def nearest(name: object, names: Iterable[str], count: int = 3) -> list[str]:
    """Return the names that are spelt like a given one, the most alike first.

    Parameters
    ----------
    name : object
        The name that was given; compared as text, upper and lower case alike.
    names : iterable of str
        The names that exist.
    count : int
        At most so many.
    """
    by_lower_case = {str(candidate).casefold(): str(candidate) for candidate in names}
    close = difflib.get_close_matches(str(name).casefold(), by_lower_case, n=count, cutoff=0.4)
    return [by_lower_case[lower] for lower in close]


def unknown(noun: str, name: object, names: Iterable[str], owner: str = "") -> str:
    """Return the sentence for a name that does not exist, with those that may have been meant.

    Parameters
    ----------
    noun : str
        What the name should be a name of, such as ``"data set"``.
    name : object
        The name that was given.
    names : iterable of str
        The names that exist.
    owner : str
        The owner of these names, such as a model's name; then the sentence begins with it.

    Examples
    --------
    >>> unknown("layer", "blok_1", ["block_0", "block_1"], "encoder")
    "encoder has no layer 'blok_1'; do you mean 'block_1' or 'block_0'?"
    """
    names = [str(candidate) for candidate in names]
    problem = f"{owner} has no {noun} {name!r}" if owner else f"There is no {noun} {name!r}"
    near = nearest(name, names)
    if near:
        return f"{problem}; do you mean {' or '.join(map(repr, near))}?"
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{problem}; there are {listed}." if names else f"{problem}; there are none."
