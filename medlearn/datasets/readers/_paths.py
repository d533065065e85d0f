"""Files and folders as a user names them: listed, opened, and suggested where they are missing."""

import bisect
import difflib
import os
import stat
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from medlearn.datasets.readers._problems import Unreadable, short

_NEAR = 8  # names on either side that are compared with a missing one
MAX_BYTES = 1_000_000_000  # of one file
_NO_PICTURES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "dicomdir", "icon\r")  # in any case
LISTS = {".csv", ".json", ".tsv", ".txt", ".xlsx", ".xml"}  # of pictures, none themselves
# Names that begin like this, in any case: hidden, of macOS, waste baskets, previews of a server.
_HIDDEN = (".", "__macosx", "$recycle.bin", "#recycle", "system volume information", "@eadir")
_LIKE_PICTURES = {".bmp", ".dcm", ".gif", ".gz", ".jpeg", ".jpg", ".nii", ".png", ".tif", ".tiff"}
_NO_FILES = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


def contents(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file; raise Unreadable and nothing else.

    What is no regular file, such as a pipe or a device, is never opened: that could wait for ever.

    Parameters
    ----------
    path : Path
        The file.
    limit : int
        Largest size in bytes.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(*_no_regular_file(path, status.st_mode))
        size = status.st_size
        data = path.read_bytes() if size <= limit else b""
    except OSError as error:
        raise Unreadable(
            f"it cannot be opened ({error.strerror or short(error)})",
            "check the path and the rights to read",
        ) from error
    except Unreadable:
        raise
    except ValueError as error:  # a zero byte in the name
        raise Unreadable("its name is impossible", "correct it where it is listed") from error
    if size > limit:
        raise Unreadable(f"it has more than {limit:,} bytes", "save it in parts")
    return data


def _no_regular_file(path: Path, mode: int) -> tuple[str, str]:
    """Return what a path is that is no regular file, and how to fix it."""
    if stat.S_ISDIR(mode) and not os.access(path, os.R_OK | os.X_OK):
        return "it is a folder that may not be opened", "give yourself the rights to read it"
    noun = next((noun for is_of, noun in _NO_FILES if is_of(mode)), "a device")
    return f"it is {noun}, and no file", "take it out of the folder, or name a file instead"


def check_below(path: Path, root: Path) -> None:
    """Raise Unreadable if a file lies outside a folder, by its path or as a link.

    Parameters
    ----------
    path : Path
        The file.
    root : Path
        The folder, without links in its path (`Path.resolve`).
    """
    try:
        is_below = path.resolve().is_relative_to(root)
    except (OSError, ValueError, RuntimeError):  # an impossible name, or links in a circle
        return  # reading it says what is wrong
    if not is_below:
        raise Unreadable(
            "it lies outside the folder of the files, or is a link to such a place",
            "copy it into the folder, or pass the folder that holds all files",
        )


def folder(path: str | Path) -> Path:
    """Return a folder that exists; raise ValueError with a similar name if there is none."""
    expanded = Path(path).expanduser()
    if expanded.is_dir():
        return expanded
    if is_file(expanded):
        raise ValueError(
            f"{str(path)!r} is a file, but a folder is expected: unpack it if it is an archive, "
            "and read it with from_table if it is a table."
        )
    parent = expanded.parent
    names = [child.name for child in parent.iterdir() if child.is_dir()] if parent.is_dir() else []
    close = difflib.get_close_matches(expanded.name, names, n=1)
    hint = f"; do you mean {close[0]!r}?" if close else "; check the path."
    raise ValueError(f"There is no folder {str(path)!r}{hint}")


def files_below(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file below a folder in order, and its path from there with slashes.

    Hidden files and folders, and files that never hold a picture, are left out. What cannot be read
    is yielded, so that it becomes a problem: links that lead nowhere or to folders, pipes, folders
    that may not be opened, and empty folders that are named like a picture.
    """
    for path in sorted(root.rglob("*")):
        name = _as_text(path.relative_to(root).as_posix())
        is_hidden = any(part.casefold().startswith(_HIDDEN) for part in name.split("/"))
        if is_hidden or path.name.casefold() in _NO_PICTURES:
            continue
        if path.is_symlink() or not path.is_dir() or _is_no_use(path):
            yield path, name


def _as_text(name: str) -> str:
    """Return a name that can be written; bytes that are no UTF-8, as of old archives, as \\xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _is_no_use(folder: Path) -> bool:
    """Say whether a folder may not be opened, or is empty and named like a picture."""
    if not os.access(folder, os.R_OK | os.X_OK):
        return True
    return folder.suffix.lower() in _LIKE_PICTURES and next(folder.iterdir(), None) is None


def is_special(path: Path) -> bool:
    """Say whether a path leads to something that is no regular file, such as a pipe."""
    try:
        return path.exists() and not path.is_file()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Say whether there is such a file, whatever the path consists of."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return False


def how_to_fix_missing(path: Path) -> str:
    """Return the advice for a file that is not there: a similar name, if its folder has one."""
    try:
        names = _listed(str(path.parent), path.parent.stat().st_mtime_ns)
    except (OSError, ValueError):
        return (
            "correct the path: its folder is not there either (paths start from root=..., or else "
            "from the table's own folder)"
        )
    close = names.most_like(path.name)
    if close:
        return f"correct the path, perhaps to {close}"
    return "correct the path, or delete the row"


class _Names:
    """The names in a folder, in an order that finds similar ones without comparing all."""

    def __init__(self, names: list[str]) -> None:
        self.forward = sorted(names)
        self.backward = sorted(name[::-1] for name in names)
        self.by_stem = {key(PurePosixPath(name).stem): name for name in names}

    def most_like(self, name: str) -> str:
        """Return a name with another ending, or the most similar one; "" if none is similar."""
        with_other_ending = self.by_stem.get(key(PurePosixPath(name).stem))
        if with_other_ending:
            return with_other_ending
        near = _around(self.forward, name)
        near += [text[::-1] for text in _around(self.backward, name[::-1])]
        close = difflib.get_close_matches(name, near, n=1, cutoff=0.5)
        return close[0] if close else ""


@lru_cache(maxsize=16)
def _listed(folder: str, changed: int) -> _Names:
    """The names in a folder, listed once for all rows; `changed` is when it last changed."""
    return _Names(os.listdir(folder))


def _around(names: list[str], name: str) -> list[str]:
    """The names that stand next to a name in the order of the alphabet."""
    place = bisect.bisect(names, name)
    return names[max(place - _NEAR, 0) : place + _NEAR]


class Locator:
    """Find files of a folder by names that are nearly right: another slash, no ending, other case.

    The folder is listed once, when the first name is not found as it is written.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.completed: dict[str, str] = {}  # names as written, and what they were completed to
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str) -> Path | None:
        """Return the file, or None if there is none or several could be meant.

        Parameters
        ----------
        name : str
            Path from the folder, as a table or annotations write it.
        """
        name = name.strip().replace("\\", "/")
        path = self.root / name
        if not name or is_file(path):
            return path if name else None
        candidates = self._listed().get(key(name)) or self._listed().get(key(name.split("/")[-1]))
        if candidates is None or len(candidates) != 1:
            return None
        self.completed[name] = candidates[0].relative_to(self.root).as_posix()
        return candidates[0]

    def _listed(self) -> dict[str, list[Path]]:
        if self._by_name is None:
            self._by_name = {}
            for path, name in files_below(self.root):
                if path.suffix.lower() in LISTS:
                    continue
                bare = PurePosixPath(name).with_suffix("").as_posix()
                for form in {name, bare, path.name, path.stem}:
                    self._by_name.setdefault(key(form), []).append(path)
        return self._by_name


def key(name: str) -> str:
    """Return a name in one spelling: accents composed, letters small."""
    return unicodedata.normalize("NFC", name).casefold()
