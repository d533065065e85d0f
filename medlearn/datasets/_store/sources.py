"""Where the files of a real data set come from: the cache, else the mirror, else the origin."""

import contextlib
import glob
import os
import re
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from medlearn import _files, _unpacked
from medlearn.datasets._catalogue import Card
from medlearn.datasets._store import download

_CANNOT_BE_READ = (
    "cannot be read (it is not shown, since it may hold a password): expected a plain path, or "
    "http://name:password@host/path with %2F, %23, %3F and %40 for /, #, ? and @ in the password."
)
Unpack = Callable[[Path, Path], None]  # puts what an archive holds, verified, into a new folder


def cache_folder(name: str) -> Path:
    """Return where the cache keeps the files of an archive, whether they are there or not."""
    return _files.cache() / "datasets" / name


def supplied_folder(card: Card) -> Path:
    """Return the folder in which a user puts archives that only the authors may give out."""
    return _files.cache() / "supplied" / card.name


def path_in_mirror(origin: str) -> str:
    """Return where a mirror holds an archive: ``host/path`` of its origin."""
    parts = urlsplit(origin)
    return parts.netloc + parts.path


def mirror() -> str | Path | None:
    """Return what ``MEDLEARN_MIRROR`` names: an http address, a folder, or None.

    Raises
    ------
    ValueError
        If it is an address of another kind, which would otherwise be passed over in silence, or
        one that cannot be read; what it holds is not shown then, as it may be a password.
    """
    written = os.environ.get("MEDLEARN_MIRROR", "").strip().rstrip("/")
    if not written:
        return None
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", written)  # of two letters: C: is a drive
    if scheme and scheme[1].lower() in ("http", "https"):
        address = scheme[1].lower() + written[len(scheme[1]) :]
        if not _is_plain(address):
            raise ValueError(f"MEDLEARN_MIRROR is an http address that {_CANNOT_BE_READ}")
        return address
    folder = Path(written).expanduser()
    if "@" in written and not folder.is_dir():
        raise ValueError(f"MEDLEARN_MIRROR is no folder that is here, and {_CANNOT_BE_READ}")
    if scheme:
        raise ValueError(
            f"MEDLEARN_MIRROR is an address of the kind {scheme[1]}:, but a folder or an http "
            "address is expected; write a folder as a plain path."
        )
    return folder


def _is_plain(address: str) -> bool:
    """Whether an address has a host, and its name and password, if any, can be told from the rest.

    A sign such as ``/`` in a password ends the host too early, and the rest would be shown.
    """
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and parts.port != 0  # a port that is no number raises
    except ValueError:
        return False
    return has_host and not (parts.query or parts.fragment or "@" in parts.path)


def ensure(card: Card, origin: str, folder: Path, limit: int, unpack: Unpack) -> None:
    """Fill a folder of the cache from the first source with a good archive, if it is not there yet.

    Parameters
    ----------
    card : Card
        Of the real set; it is named in errors.
    origin : str
        Address of the archive.
    folder : Path
        The folder to fill.
    limit : int
        Largest size of the archive in bytes.
    unpack : callable
        Called with the path of the archive and `folder`. It makes the folder whole or not at all,
        and raises ValueError for a bad archive.

    Raises
    ------
    ConnectionError
        If no source can be reached.
    ValueError
        If all sources that can be reached hold bad archives.
    OSError
        If the cache is full or read-only.
    """
    try:
        if not folder.is_dir():
            folder.parent.mkdir(exist_ok=True)
            with _files.locked(folder):
                if not folder.is_dir():
                    _fill_from_sources(card, origin, folder, limit, unpack)
        if _downloaded(folder).exists():  # a process was killed between its last two steps
            with contextlib.suppress(OSError):
                _downloaded(folder).unlink()
    except ConnectionError:
        raise
    except OSError as error:
        raise OSError(
            f"The data set {card.name!r} cannot be kept in {folder.parent} "
            f"({error.strerror or error}); make room there, or set MEDLEARN_CACHE to another "
            "folder."
        ) from error


def remove(folder: Path) -> str:
    """Remove what was unpacked into a folder that went bad; hold its lock.

    Nothing is removed that `_unpacked` does not list.

    Returns
    -------
    str
        The end of a sentence: what was done, and what to do next.
    """
    of_others = {path for path in _bad_copies(folder) if not _unpacked.is_marked(path)}
    for leftover in _bad_copies(folder):  # by a kill
        with contextlib.suppress(OSError):
            _unpacked.remove(leftover)
    advice = _remove(folder)
    for left in _bad_copies(folder) - of_others:
        advice += (
            f" What could not be removed, and files of yours that lay beside it, are in {left}."
        )
    return advice


def _bad_copies(folder: Path) -> set[Path]:
    return set(folder.parent.glob(f"{glob.escape(folder.name)}.*.bad"))


def _remove(folder: Path) -> str:
    if folder.exists() and not _unpacked.is_marked(folder):
        _unpacked.remove_empty(folder)  # whose files the user has moved away
    if folder.exists() and not _unpacked.is_marked(folder):
        return (
            f"medlearn has no record that it made {folder}, so nothing was removed: move that "
            "folder away, or set MEDLEARN_CACHE to another one, and load again."
        )
    if folder.exists():
        _remove_marked(folder)
    if not folder.exists():
        return "the bad copy has been removed: load again to fetch it anew."
    if _unpacked.is_marked(folder):
        return (
            f"the bad copy cannot be removed whole, as a file in it is in use or may not be "
            f"removed: close what uses it, or remove {folder} by hand, and load again."
        )
    kept = _unpacked.first_file(folder) or folder
    return (
        f"the bad copy has been removed: move your own files (such as {kept}), which are still in "
        f"{folder}, elsewhere, and load again."
    )


def _remove_marked(folder: Path) -> None:
    """Remove what the list names; what the user put beside it is in its old place afterwards."""
    bad = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.bad")
    with contextlib.suppress(OSError):  # on Windows, if a file in it is open
        os.replace(folder, bad)  # out of sight at once, then file by file
    if not bad.exists():
        return
    with contextlib.suppress(OSError):
        _unpacked.remove(bad)
    if bad.exists():
        with contextlib.suppress(OSError):
            os.replace(bad, folder)


def _fill_from_sources(card: Card, origin: str, folder: Path, limit: int, unpack: Unpack) -> None:
    unreachable, damaged = [], []
    for source in _sources(card, origin):
        try:
            _fill_from(source, folder, limit, unpack)
        except ConnectionError as error:
            unreachable.append(str(error))
        except ValueError as error:
            damaged.append(_damaged_sentence(card, source, error))
        else:
            for sentence in damaged:
                warnings.warn(f"{sentence} Another source served the data instead.", stacklevel=2)
            return
    if damaged:
        raise ValueError(" ".join(damaged))
    raise ConnectionError(_unreachable_sentence(card, origin, unreachable))


def _sources(card: Card, origin: str) -> list[str | Path]:
    """Return folders and addresses in the order in which they are asked."""
    in_mirror: str | Path | None = None
    base = mirror()
    if isinstance(base, str):
        in_mirror = f"{base}/{path_in_mirror(origin)}"
    elif base is not None:
        in_mirror = base / path_in_mirror(origin)
    if card.supplied:
        folders = [in_mirror] if isinstance(in_mirror, Path) else []
        folders.append(supplied_folder(card))
        return [folder for folder in folders if any(folder.glob("*.zip"))]
    return [origin] if in_mirror is None else [in_mirror, origin]


def _fill_from(source: str | Path, folder: Path, limit: int, unpack: Unpack) -> None:
    if isinstance(source, Path):
        if not source.exists():
            raise ConnectionError(f"the mirror holds no {source}")
        unpack(source, folder)
        return
    downloaded = _downloaded(folder)
    if not downloaded.exists():  # a process that was killed may have left it, and it is whole
        download.fetch(source, downloaded, limit)
    try:
        unpack(downloaded, folder)
    finally:
        downloaded.unlink(missing_ok=True)


def _damaged_sentence(card: Card, source: str | Path, error: ValueError) -> str:
    advice = "the copy has been removed: load again to fetch it anew"
    if isinstance(source, Path):  # the file of the mirror is not ours to remove
        advice = "replace that copy"
    address = source if isinstance(source, Path) else download.without_login(source)
    return f"The archive {address} of the data set {card.name!r} cannot be used: {error}; {advice}."


def _unreachable_sentence(card: Card, origin: str, reasons: list[str]) -> str:
    if card.supplied:
        return (
            f"The data set {card.name!r} is given out by its authors alone: download it at "
            f"{origin}, save its .zip files, unopened, in the folder {supplied_folder(card)}, and "
            "load again."
        )
    twin = f"load its virtual twin {card.twin!r}, or " if card.twin else ""
    return (
        f"The data set {card.name!r} is not on this machine and {', '.join(reasons)}: {twin}set "
        f"MEDLEARN_MIRROR to a folder or an http address that holds {path_in_mirror(origin)}."
    )


def _downloaded(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.medlearn-download")
