"""The verified files of a real data set: from the cache, else from the mirror, else from the origin.

What "verified" means depends on what is published, and each card says it in `check`:
files      the SHA-256 of every file is on the card: whoever zipped them, only the listed content is accepted
archive    the publishers give an MD5 of the archive: it must have that, or arrays that the card lists (see npz.accept)
first use  nothing is published: what comes the first time is written down, and any later change is noticed
"""

import contextlib
import hashlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from medlearn import _files
from medlearn.datasets import _archive, _download
from medlearn.datasets._catalogue import Card

Keep = Callable[[Path, Path], None]  # puts what an archive holds, verified, into a new folder


@dataclass(frozen=True)
class Verified(Mapping[str, bytes]):
    """Files of a folder by their path; each is checked against its SHA-256 at every read."""

    name: str
    folder: Path
    checksums: dict[str, str]

    def __getitem__(self, path: str) -> bytes:
        digest = self.checksums[path]
        if (data := _bytes(self.folder / path, digest)) is not None:
            return data
        with _locked(self.folder):
            if (
                data := _bytes(self.folder / path, digest)
            ) is not None:  # another process has repaired it
                return data
            _remove(self.folder)
        raise ValueError(
            f"The cached file {path!r} of the data set {self.name!r} was truncated, altered or lost; "
            "the bad copy has been removed: load again to fetch it anew."
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.checksums)

    def __len__(self) -> int:
        return len(self.checksums)


def files(card: Card, checksums: dict[str, str]) -> Verified:
    """The files of a real set, fetched first if they are not in the cache; safe to call from several processes.

    Raises ConnectionError if no source can be reached, ValueError if what they hold is damaged or dangerous, OSError
    if the cache is full or closed to us.
    """

    def keep(source: Path, folder: Path) -> None:
        _archive.unpack(source, folder, card.folder, checksums, card.limit)

    return Verified(
        card.name, ensure(card, card.origin, folder_of(card.name), card.limit, keep), checksums
    )


def first_files(card: Card) -> Verified:
    """The files of a set without published checksums, as they came the first time; errors as of `files`."""

    def keep(source: Path, folder: Path) -> None:
        archives = sorted(source.glob("*.zip")) if card.supplied else [source]
        _archive.unpack_first(archives, folder, card.details["pattern"], card.limit)

    folder = ensure(card, card.origin, folder_of(card.name), card.limit, keep)
    try:
        lines = (folder / _archive.RECORD).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        discard(folder)
        raise ValueError(
            f"What the data set {card.name!r} was when it first came is no longer written down; the copy has "
            "been removed: load again to fetch it anew."
        ) from error
    return Verified(card.name, folder, dict(line.split("  ", 1)[::-1] for line in lines))


def folder_of(name: str) -> Path:
    """Where the cache keeps an archive's files, whether they are there or not."""
    return _files.cache() / "datasets" / name


def supplied(card: Card) -> Path:
    """The folder in which a user puts the archives that only the authors may give out."""
    return _files.cache() / "supplied" / card.name


def ensure(card: Card, origin: str, folder: Path, limit: int, keep: Keep) -> Path:
    """The folder, filled by `keep` from the first source that has a good archive, if it is not there yet."""
    try:
        if not folder.is_dir():
            folder.parent.mkdir(exist_ok=True)
            with _locked(folder):
                if not folder.is_dir():
                    _obtain(card, origin, folder, limit, keep)
        if _downloaded(folder).exists():  # of a process that was killed between its last two steps
            with contextlib.suppress(OSError):
                _downloaded(folder).unlink()
    except ConnectionError:
        raise
    except OSError as error:
        raise OSError(
            f"The data set {card.name!r} cannot be kept in {folder.parent} ({error.strerror or error}); "
            "make room there, or set MEDLEARN_CACHE to another folder."
        ) from error
    return folder


def discard(folder: Path) -> None:
    """Take a folder that went bad out of the cache, so that the next call fetches it anew."""
    with _locked(folder):
        _remove(folder)


def place(origin: str) -> str:
    """Where a mirror holds an archive: `host/path` of its origin."""
    parts = urlsplit(origin)
    return parts.netloc + parts.path


def _sources(card: Card, origin: str) -> list[str | Path]:
    mirror = os.environ.get("MEDLEARN_MIRROR", "").rstrip("/")
    if card.supplied:
        folders = (
            [supplied(card)]
            if not mirror or "://" in mirror
            else [Path(mirror).expanduser() / place(origin), supplied(card)]
        )
        return [folder for folder in folders if list(folder.glob("*.zip"))]
    if not mirror:
        return [origin]
    if mirror.startswith(("http://", "https://")):
        return [f"{mirror}/{place(origin)}", origin]
    return [Path(mirror).expanduser() / place(origin), origin]


def _obtain(card: Card, origin: str, folder: Path, limit: int, keep: Keep) -> None:
    unreachable, damaged = [], []
    for source in _sources(card, origin):
        try:
            _obtain_from(source, folder, limit, keep)
        except ConnectionError as error:
            unreachable.append(str(error))
        except ValueError as error:
            advice = "the copy has been removed: load again to fetch it anew"
            if isinstance(source, Path):  # the mirror's own file is not ours to remove
                advice = "replace that copy"
            damaged.append(
                f"The archive {source} of the data set {card.name!r} cannot be used: {error}; {advice}."
            )
        else:
            for sentence in damaged:
                warnings.warn(f"{sentence} Another source served the data instead.", stacklevel=2)
            return
    if damaged:
        raise ValueError(" ".join(damaged))
    raise ConnectionError(_nowhere(card, origin, unreachable))


def _nowhere(card: Card, origin: str, unreachable: list[str]) -> str:
    if card.supplied:
        return (
            f"The data set {card.name!r} is given out by its authors alone: download it at {origin}, save its .zip "
            f"files, unopened, in the folder {supplied(card)}, and load again."
        )
    twin = f"load its virtual twin {card.twin!r}, or " if card.twin else ""
    return (
        f"The data set {card.name!r} is not on this machine and {', '.join(unreachable)}: {twin}"
        f"set MEDLEARN_MIRROR to a folder or an http address that holds {place(origin)}."
    )


def _obtain_from(source: str | Path, folder: Path, limit: int, keep: Keep) -> None:
    if isinstance(source, Path):
        if not source.exists():
            raise ConnectionError(f"the mirror holds no {source}")
        keep(source, folder)
        return
    downloaded = _downloaded(folder)
    if (
        not downloaded.exists()
    ):  # it has its name when it is whole: what a killed process fetched is of use
        _download.fetch(source, downloaded, limit)
    try:
        keep(downloaded, folder)
    finally:
        downloaded.unlink(missing_ok=True)


def _downloaded(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.download")


def _bytes(path: Path, digest: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _locked(folder: Path) -> FileLock:
    return FileLock(
        folder.with_name(folder.name + ".lock")
    )  # waits; the system frees it if its holder dies


def _remove(folder: Path) -> None:
    if folder.is_dir():
        bad = folder.with_name(folder.name + ".bad")
        os.replace(folder, bad)  # first out of sight at once, then file by file
        shutil.rmtree(bad)
