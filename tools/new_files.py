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
        Why a file that differs is kept, such as ``"it may hold a student's work"``.

    Raises
    ------
    FileExistsError
        Before anything is written, if a file there differs from the one that would be written.
    OSError
        If a folder cannot be made.
    """
    for path, content in contents.items():
        if path.exists() and (not path.is_file() or path.read_bytes() != content):
            raise FileExistsError(
                f"{path} differs from the copy that would be written, so {reason}; choose another "
                "folder, or move that file away."
            )
    for folder in dict.fromkeys(path.parent for path in contents):
        _files.make_folder(folder, name)
    for path, content in contents.items():
        _files.write_bytes(path, content)
