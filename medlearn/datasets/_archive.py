"""Unpack a zip archive without trusting it: only listed files, only with the listed content, only below one folder."""

import contextlib
import errno
import hashlib
import lzma
import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

RECORD = (
    "first-use.sha256"  # beside files without a published checksum: what they were the first time
)
_DAMAGED = (
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
    """A zip archive to read from; whatever its damage makes Python raise becomes one ValueError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _DAMAGED as error:
        raise ValueError(
            f"it is truncated or damaged ({str(error) or type(error).__name__})"
        ) from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise ValueError("it is truncated or damaged (an address in it lies outside)") from error


def unpack(archive: Path, folder: Path, root: str, checksums: dict[str, str], limit: int) -> None:
    """Put the files named in `checksums` (paths below `root` in the archive) into the new folder `folder`.

    The archive may hold more, and may be zipped anew by a mirror: what counts is the SHA-256 of each listed file.
    The folder appears whole or not at all. Raises ValueError, ending a sentence that names the archive, if a member
    would leave the folder, if the files exceed `limit` bytes, or if a file is missing, altered or unreadable.
    """
    with whole(folder) as unfinished, opened(archive) as source:
        members = _wanted(source.infolist(), rf"(?:{re.escape(root)}/)?(.+)", limit, checksums)
        for path, digest in checksums.items():
            if path not in members:
                raise ValueError(f"the file {path!r} is missing from it")
            data = _read(source, members[path])
            if hashlib.sha256(data).hexdigest() != digest:
                raise ValueError(f"the file {path!r} in it is altered")
            _write(unfinished / path, data)


def unpack_first(archives: Iterable[Path], folder: Path, pattern: str, limit: int) -> None:
    """Put every file whose path, or its tail, matches `pattern` into the new folder `folder`, whole or not at all.

    For sets without published checksums: the SHA-256 of what came is written down beside the files, in RECORD, so
    that later reads notice a change. Raises ValueError as `unpack` does, or if nothing matches.
    """
    lines = []
    with whole(folder) as unfinished:
        for archive in archives:
            with opened(archive) as source:
                for path, member in _wanted(
                    source.infolist(), f"(?:.*/)?({pattern})", limit
                ).items():
                    data = _read(source, member)
                    _write(unfinished / path, data)
                    lines.append(f"{hashlib.sha256(data).hexdigest()}  {path}\n")
        if not lines:
            raise ValueError("none of the files in it has the names that its card expects")
        (unfinished / RECORD).write_text("".join(sorted(lines)), encoding="utf-8")


@contextlib.contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A folder to make and fill, which takes the name `folder` when the block ends well and vanishes when it does not."""
    unfinished = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        yield unfinished
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _wanted(
    members, pattern: str, limit: int, listed: Iterable[str] | None = None
) -> dict[str, zipfile.ZipInfo]:
    """The members to unpack, by the path below the folder: group 1 of `pattern`, if it is listed."""
    wanted = {}
    for member in members:
        if _escapes(member):
            raise ValueError(
                f"it is refused because its member {member.filename!r} would escape the folder"
            )
        found = re.fullmatch(pattern, member.filename)
        if found and not member.is_dir() and (listed is None or found[1] in listed):
            wanted[found[1]] = member
    if sum(member.file_size for member in wanted.values()) > limit:
        raise ValueError(
            f"it is refused because it would unpack to more than the {limit:,} bytes that its card allows"
        )
    return wanted


def _escapes(member: zipfile.ZipInfo) -> bool:
    name = member.orig_filename.replace("\\", "/")
    return (
        name.startswith("/")
        or re.match("[A-Za-z]:", name) is not None
        or ".." in name.split("/")
        or "\0" in name
        or stat.S_ISLNK(member.external_attr >> 16)
    )


def _read(source: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # An explicit length keeps a member that lies about its size from being inflated whole.
    with source.open(member) as file:
        return file.read(member.file_size + 1)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
