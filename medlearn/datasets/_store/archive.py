"""Unpack a zip archive without trusting it: only expected files, and only below one folder."""

import contextlib
import errno
import hashlib
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from medlearn import _unpacked

RECORD = "first-use.sha256"  # lists what the files were when they first came
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    OverflowError,
)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive to read; whatever its damage makes Python raise becomes one ValueError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"it is truncated or damaged ({reason})") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise ValueError("it is truncated or damaged (an address in it lies outside)") from error


def unpack(archive: Path, folder: Path, root: str, checksums: dict[str, str], limit: int) -> None:
    """Unpack the files that have a checksum into a new folder, whole or not at all.

    The archive may hold more files, and a mirror may have packed it anew: only the content of the
    listed files counts.

    Parameters
    ----------
    archive : Path
        The zip archive.
    folder : Path
        The folder to make.
    root : str
        Folder in the archive below which the paths of `checksums` start.
    checksums : dict of str to str
        SHA-256 of every file by its path.
    limit : int
        Largest size of all files together in bytes.

    Raises
    ------
    ValueError
        With the end of a sentence that names the archive: if a member would leave the folder, if
        the files exceed `limit`, or if a file is missing, altered or unreadable.
    """
    pattern = rf"(?:{re.escape(root)}/)?(.+)"
    with _unpacked.whole_folder(folder) as unfinished, opened(archive) as source:
        members = _matching(source.infolist(), pattern)
        members = {path: members[path] for path in checksums if path in members}
        _check_size(members, limit)
        for path, expected in checksums.items():
            if path not in members:
                raise ValueError(f"the file {path!r} is missing from it")
            data = _read(source, members[path])
            if hashlib.sha256(data).hexdigest() != expected:
                raise ValueError(f"the file {path!r} in it is altered")
            _write(unfinished / path, data)


def unpack_first(archives: Iterable[Path], folder: Path, pattern: str, limit: int) -> None:
    """Unpack files without published checksums into a new folder, whole or not at all.

    The SHA-256 of what came is written beside the files, in RECORD, so that later reads notice a
    change.

    Parameters
    ----------
    archives : iterable of Path
        The zip archives.
    folder : Path
        The folder to make.
    pattern : str
        Regular expression of the files to unpack: their whole path, or the end of it after a slash.
    limit : int
        Largest size of the files of one archive in bytes.

    Raises
    ------
    ValueError
        As `unpack`, or if no file matches.
    """
    lines = []
    with _unpacked.whole_folder(folder) as unfinished:
        for archive in archives:
            with opened(archive) as source:
                members = _matching(source.infolist(), f"(?:.*/)?({pattern})")
                _check_size(members, limit)
                for path, member in members.items():
                    data = _read(source, member)
                    _write(unfinished / path, data)
                    lines.append(f"{hashlib.sha256(data).hexdigest()}  {path}\n")
        if not lines:
            raise ValueError("none of the files in it has the names that its card expects")
        (unfinished / RECORD).write_text("".join(sorted(lines)), encoding="utf-8")


def read_record(content: bytes) -> dict[str, str]:
    """Return the SHA-256 of each file by its path, as `unpack_first` recorded them.

    Parameters
    ----------
    content : bytes
        Of the file RECORD.

    Raises
    ------
    ValueError
        If it is no such record, or names a file outside its folder.
    """
    checksums = {}
    for line in content.decode("utf-8").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  (?!/)(.+)", line)
        if not match or ".." in PurePosixPath(match[2]).parts:
            raise ValueError("the record of checksums is damaged")
        checksums[match[2]] = match[1]
    if not checksums:
        raise ValueError("the record of checksums is empty")
    return checksums


def _matching(members: Sequence[zipfile.ZipInfo], pattern: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files that match, by group 1 of the pattern; refuse any dangerous member."""
    matching = {}
    for member in members:
        if _escapes(member):
            raise ValueError(
                f"it is refused because its member {member.filename!r} would escape the folder"
            )
        match = re.fullmatch(pattern, member.filename)
        if match and not member.is_dir():
            matching[match[1]] = member
    return matching


def _check_size(members: dict[str, zipfile.ZipInfo], limit: int) -> None:
    if sum(member.file_size for member in members.values()) > limit:
        raise ValueError(
            f"it is refused because it would unpack to more than the {limit:,} bytes that its card "
            "allows"
        )


def _escapes(member: zipfile.ZipInfo) -> bool:
    name = member.orig_filename.replace("\\", "/")
    is_absolute = name.startswith("/") or re.match("[A-Za-z]:", name) is not None
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return is_absolute or is_link or ".." in name.split("/") or "\0" in name


def _read(source: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # An explicit length keeps a member that lies about its size from being inflated whole.
    with source.open(member) as file:
        return file.read(member.file_size + 1)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
