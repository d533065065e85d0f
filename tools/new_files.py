"""Files that a command writes for others: all of them, or none if one would replace other work."""

from collections.abc import Mapping
from pathlib import Path

from medlearn import _files


def write(contents: Mapping[Path, bytes], name: str, reason: str) -> None:
    """Write files, unless one is there already with another content.

    Parameters
    ----------
    contents : mapping of Path to bytes
        The content of each file; its folder is made if there is none.
    name : str
        What a message calls the folder, such as ``"The folder for the copies"``.
    reason : str
        What a file that differs may do, such as ``"hold a student's work"``.

    Raises
    ------
    FileExistsError
        Before anything is written, if a file there differs from the one that would be written.
    OSError
        If a folder cannot be made.
    """
    others = [path for path, content in contents.items() if _is_other(path, content)]
    if others:
        raise FileExistsError(
            f"{_listed(others)} may {reason}, or be of an earlier version of the course; "
            "choose another folder, or move away what is in this one."
        )
    for folder in dict.fromkeys(path.parent for path in contents):
        _files.make_folder(folder, name)
    for path, content in contents.items():
        _files.write_bytes(path, content)


def _is_other(path: Path, content: bytes) -> bool:
    return path.exists() and (not path.is_file() or path.read_bytes() != content)


def _listed(others: list[Path]) -> str:
    """The first of them, how many more there are, and that they differ: the start of a sentence."""
    if len(others) == 1:
        return f"{others[0]} differs from the copy that would be written, and it"
    more = "1 more file" if len(others) == 2 else f"{len(others) - 1} more files"
    return f"{others[0]} and {more} differ from the copies that would be written, and each"
