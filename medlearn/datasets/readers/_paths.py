"""Files and folders as a user names them: listed, opened, and suggested where they are missing."""

import difflib
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from medlearn.datasets.readers._problems import Unreadable, short

MAX_BYTES = 1_000_000_000  # of one file
_NO_PICTURES = ("Thumbs.db", "desktop.ini", "DICOMDIR")
LISTS = {".csv", ".json", ".tsv", ".txt", ".xlsx", ".xml"}  # of pictures, none themselves
_HIDDEN = (".", "__MACOSX")  # names that begin like this


def contents(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file; raise Unreadable and nothing else.

    Parameters
    ----------
    path : Path
        The file.
    limit : int
        Largest size in bytes.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= limit else b""
    except OSError as error:
        raise Unreadable(
            f"it cannot be opened ({error.strerror or short(error)})",
            "check the path and the rights to read",
        ) from error
    except ValueError as error:  # a zero byte in the name
        raise Unreadable("its name is impossible", "correct it where it is listed") from error
    if size > limit:
        raise Unreadable(f"it has more than {limit:,} bytes", "save it in parts")
    return data


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

    Hidden files and folders, and files that never hold a picture, are left out. A link that leads
    nowhere is yielded, so that it becomes a problem.
    """
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        is_hidden = any(part.startswith(_HIDDEN) for part in name.split("/"))
        if is_hidden or path.name in _NO_PICTURES:
            continue
        if path.is_file() or path.is_symlink():
            yield path, name


def is_file(path: Path) -> bool:
    """Say whether there is such a file, whatever the path consists of."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return False


def how_to_fix_missing(path: Path) -> str:
    """Return the advice for a file that is not there: a similar name, if its folder has one."""
    try:
        names = [child.name for child in path.parent.iterdir()]
    except (OSError, ValueError):
        return (
            "correct the path: its folder is not there either (paths start from root=..., or else "
            "from the table's own folder)"
        )
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if close:
        return f"correct the path, perhaps to {close[0]}"
    return "correct the path, or delete the row"


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
        candidates = self._listed().get(_key(name)) or self._listed().get(_key(name.split("/")[-1]))
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
                    self._by_name.setdefault(_key(form), []).append(path)
        return self._by_name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
