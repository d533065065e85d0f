"""The verified files of a real data set: from the cache, else from the mirror, else from the origin."""

import hashlib
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from medlearn import shipped
from medlearn.datasets import archive, download
from medlearn.datasets.catalogue import Card


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
            if (data := _bytes(self.folder / path, digest)) is not None:      # another process has repaired it
                return data
            _remove(self.folder)
        raise ValueError(f"The cached file {path!r} of the data set {self.name!r} was truncated, altered or lost; "
                         "the bad copy has been removed: load again to fetch it anew.")

    def __iter__(self) -> Iterator[str]:
        return iter(self.checksums)

    def __len__(self) -> int:
        return len(self.checksums)


def files(card: Card, checksums: dict[str, str]) -> Verified:
    """The files of a real set, fetched first if they are not in the cache; safe to call from several processes.

    Raises ConnectionError if no source can be reached, ValueError if what they hold is damaged or dangerous, OSError
    if the cache is full or closed to us.
    """
    folder = shipped.cache() / "datasets" / card.name
    try:
        if not folder.is_dir():
            folder.parent.mkdir(exist_ok=True)
            with _locked(folder):
                if not folder.is_dir():
                    _obtain(card, checksums, folder)
    except ConnectionError:
        raise
    except OSError as error:
        raise OSError(f"The data set {card.name!r} cannot be kept in {folder.parent} ({error.strerror or error}); "
                      "make room there, or set MEDLEARN_CACHE to another folder.") from error
    return Verified(card.name, folder, checksums)


def place(card: Card) -> str:
    """Where a mirror holds this set's archive: `host/path` of its origin."""
    parts = urlsplit(card.origin)
    return parts.netloc + parts.path


def _sources(card: Card) -> list[str | Path]:
    mirror = os.environ.get("MEDLEARN_MIRROR", "").rstrip("/")
    if not mirror:
        return [card.origin]
    if mirror.startswith(("http://", "https://")):
        return [f"{mirror}/{place(card)}", card.origin]
    return [Path(mirror).expanduser() / place(card), card.origin]


def _obtain(card: Card, checksums: dict[str, str], folder: Path) -> None:
    unreachable, damaged = [], []
    for source in _sources(card):
        try:
            _obtain_from(source, card, checksums, folder)
        except ConnectionError as error:
            unreachable.append(str(error))
        except ValueError as error:
            advice = "the copy has been removed: load again to fetch it anew"
            if isinstance(source, Path):                     # the mirror's own file is not ours to remove
                advice = "replace that copy"
            damaged.append(f"The archive {source} of the data set {card.name!r} cannot be used: {error}; {advice}.")
        else:
            for sentence in damaged:
                warnings.warn(f"{sentence} Another source served the data instead.", stacklevel=2)
            return
    if damaged:
        raise ValueError(" ".join(damaged))
    raise ConnectionError(
        f"The data set {card.name!r} is not on this machine and {', '.join(unreachable)}: load its virtual twin "
        f"{card.twin!r}, or set MEDLEARN_MIRROR to a folder or an http address that holds {place(card)}."
    )


def _obtain_from(source: str | Path, card: Card, checksums: dict[str, str], folder: Path) -> None:
    if isinstance(source, Path):
        if not source.is_file():
            raise ConnectionError(f"the mirror holds no {source}")
        archive.unpack(source, folder, card.folder, checksums, card.limit)
        return
    downloaded = download.fetch(source, folder.with_name(f"{card.name}.zip"), card.limit)
    try:
        archive.unpack(downloaded, folder, card.folder, checksums, card.limit)
    finally:
        downloaded.unlink()


def _bytes(path: Path, digest: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _locked(folder: Path) -> FileLock:
    return FileLock(folder.with_name(folder.name + ".lock"))      # waits; the system frees it if its holder dies


def _remove(folder: Path) -> None:
    if folder.is_dir():
        bad = folder.with_name(folder.name + ".bad")
        os.replace(folder, bad)      # first out of sight at once, then file by file
        shutil.rmtree(bad)
