"""Decoded sets are kept in the cache folder: unchanged files are not decoded a second time.

One file per reader, folder and options, which the next version of the folder replaces. Its name is
a keyed hash, and `_sealed` says what it holds. A set is decoded anew if a file was changed, if the
readers are of another version, or if the kept one is damaged.
"""

import contextlib
import errno
import hashlib
import importlib.metadata
import os
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from medlearn import _files
from medlearn.datasets.readers import _identity, _sealed
from medlearn.datasets.readers._gather import Entry
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._problems import Problems, ReadResult

_ENDING = ".decoded"
_OURS = "[0-9a-f]" * 40 + _ENDING  # a digest; any other file is a user's
_DECODERS = ("pillow", "pydicom", "nibabel", "numpy")
_DAYS = 60  # after which a set that nobody read is removed
_LARGEST_SHARE = 0.25  # of the free disk that one set may take
_TICK = 50_000_000  # ns: two changes within it may bear one time stamp
_COARSE_TICK = 2_000_000_000  # of file systems that count whole seconds


@dataclass(frozen=True)
class Source:
    """What the result of a reader depends on, besides the readers' own version.

    Attributes
    ----------
    reader : str
        Name of the reader.
    root : Path
        The folder of the pictures.
    entries : sequence of Entry
        The pictures.
    options : Options
        How they are read.
    arguments : tuple
        Further arguments, with a repr that says all.
    files : sequence of Path
        Further files, such as masks.
    """

    reader: str
    root: Path
    entries: Sequence[Entry]
    options: Options
    arguments: tuple[Any, ...] = ()
    files: Sequence[Path] = field(default=())


def result(
    source: Source, problems: Problems, decode: Callable[[], ReadResult], is_used: bool
) -> ReadResult:
    """Return the kept result of a source, or decode it and keep it.

    Parameters
    ----------
    source : Source
        What the result depends on.
    problems : Problems
        With the problems so far, which the result depends on, too.
    decode : callable
        Returns the result from the files.
    is_used : bool
        False to decode and keep nothing.
    """
    secret = _secret(source.options.study) if is_used and source.entries else None
    if secret is None:
        return decode()
    stamps = [_stamp(path) for path in _paths_of(source)]
    path = _path(source, secret)
    material = (source, problems.rows(), stamps, _version())
    digest = hashlib.blake2b(repr(material).encode(), key=secret, digest_size=32).digest()
    kept = _sealed.read(path, digest, secret)
    if kept is not None:
        with contextlib.suppress(OSError):
            os.utime(path)
        return kept
    begin = time.time_ns()
    decoded = decode()
    if all(_is_settled(stamp, begin) for stamp in stamps):
        _keep(path, digest, secret, decoded)
    return decoded


def _secret(study: str | None) -> bytes | None:
    """Return the secret of a study; None where nothing can be kept."""
    try:
        if not os.access(_files.cache(), os.W_OK):
            return None
        return _identity.secret(study)
    except (OSError, ValueError):  # readers say so where they need a pseudonym
        return None


def _path(source: Source, secret: bytes) -> Path:
    name = source.reader, os.path.realpath(source.root), source.options
    digest = hashlib.blake2b(repr(name).encode(), key=secret, digest_size=20)
    return _files.cache() / "decoded" / f"{digest.hexdigest()}{_ENDING}"


def _paths_of(source: Source) -> list[Path]:
    return [entry.path for entry in source.entries] + list(source.files)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    """Return where a file really is, its size, and when its content and its entry changed."""
    try:
        status = path.stat()
        return os.path.realpath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns
    except (OSError, ValueError):
        return str(path), -1, 0, 0


def _is_settled(stamp: tuple[str, int, int, int], begin: int) -> bool:
    """Say whether a later change would show, and not bear the same time stamp."""
    changed = max(stamp[2:])
    tick = _TICK if stamp[2] % 1_000_000_000 else _COARSE_TICK
    return changed + tick < begin


@lru_cache(maxsize=1)
def _version() -> str:
    """Return a digest of the readers' own code and of the versions of the decoders."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.py"), folder.parent / "_crop.py"]):
        digest.update(path.read_bytes())
    versions = [importlib.metadata.version(name) for name in ("medlearn", *_DECODERS)]
    return " ".join([*versions, digest.hexdigest()])


def _keep(path: Path, digest: bytes, secret: bytes, decoded: ReadResult) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _remove_old(path.parent)
        if decoded.dataset.images.nbytes > _LARGEST_SHARE * shutil.disk_usage(path.parent).free:
            raise OSError(errno.ENOSPC, "the disk has too little space")
        _sealed.write(path, digest, secret, decoded)
    except OSError as error:
        warnings.warn(
            f"Decoded pictures are not kept in {path.parent} ({error.strerror or error}); "
            "cache=False does not try to.",
            stacklevel=4,
        )


def _remove_old(folder: Path) -> None:
    """Remove the sets that nobody has read for a long time."""
    oldest = time.time() - _DAYS * 86_400
    for path in folder.glob(_OURS):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
