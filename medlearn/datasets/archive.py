"""Unpack a zip archive without trusting it: only listed files, only with the listed content, only below one folder."""

import hashlib
import os
import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def unpack(archive: Path, folder: Path, root: str, checksums: dict[str, str], limit: int) -> None:
    """Put the files named in `checksums` (paths below `root` in the archive) into the new folder `folder`.

    The archive may hold more, and may be zipped anew by a mirror: what counts is the SHA-256 of each listed file.
    The folder appears whole or not at all. Raises ValueError, ending a sentence that names the archive, if a member
    would leave the folder, if the files exceed `limit` bytes, or if a file is missing, altered or unreadable.
    """
    unfinished = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _wanted(opened.infolist(), root, checksums, limit)
            for path, digest in checksums.items():
                if path not in members:
                    raise ValueError(f"the file {path!r} is missing from it")
                data = _read(opened, members[path])
                if hashlib.sha256(data).hexdigest() != digest:
                    raise ValueError(f"the file {path!r} in it is altered")
                (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
                (unfinished / path).write_bytes(data)
        os.replace(unfinished, folder)
    except _DAMAGED as error:
        raise ValueError(f"it is truncated or damaged ({error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _wanted(members, root: str, checksums: dict[str, str], limit: int) -> dict[str, zipfile.ZipInfo]:
    wanted = {}
    for member in members:
        if _escapes(member):
            raise ValueError(f"it is refused because its member {member.filename!r} would escape the folder")
        if member.filename.removeprefix(root + "/") in checksums:
            wanted[member.filename.removeprefix(root + "/")] = member
    if sum(member.file_size for member in wanted.values()) > limit:
        raise ValueError(f"it is refused because it would unpack to more than the {limit:,} bytes that its card allows")
    return wanted


def _escapes(member: zipfile.ZipInfo) -> bool:
    name = member.orig_filename.replace("\\", "/")
    return (name.startswith("/") or re.match("[A-Za-z]:", name) is not None or ".." in name.split("/")
            or "\0" in name or stat.S_ISLNK(member.external_attr >> 16))


def _read(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # An explicit length keeps a member that lies about its size from being inflated whole.
    with opened.open(member) as file:
        return file.read(member.file_size + 1)
