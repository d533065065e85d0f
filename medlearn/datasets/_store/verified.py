"""The files of a real data set, verified at every read.

What "verified" means depends on what is published; each card says it in `check`:

files
    The card lists the SHA-256 of every file: only this content is accepted, whoever packed it.
archive
    The publishers give an MD5 of the archive; see `npz.accept`.
first use
    Nothing is published: what comes the first time is recorded, and any later change is noticed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medlearn import _files
from medlearn.datasets._catalogue import Card
from medlearn.datasets._store import archive, sources


@dataclass(frozen=True)
class Verified(Mapping[str, bytes]):
    """Files of a folder by their path; each is checked against its SHA-256 at every read."""

    name: str
    folder: Path
    checksums: dict[str, str]

    def __getitem__(self, path: str) -> bytes:
        data = self._read(path)
        if data is not None:
            return data
        with _files.locked(self.folder):
            data = self._read(path)  # another process may have repaired it
            if data is not None:
                return data
            advice = sources.remove(self.folder)
        raise ValueError(
            f"The cached file {path!r} of the data set {self.name!r} was truncated, altered or "
            f"lost; {advice}"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.checksums)

    def __len__(self) -> int:
        return len(self.checksums)

    def __contains__(self, path: object) -> bool:
        return path in self.checksums  # without reading the file

    def _read(self, path: str) -> bytes | None:
        """Return the bytes of a listed file; None if they are not the published ones."""
        expected = self.checksums[path]
        try:
            data = (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return data if hashlib.sha256(data).hexdigest() == expected else None


def files(card: Card, checksums: dict[str, str]) -> Verified:
    """Return the files of a real set, fetched first if they are not in the cache.

    Several processes may call it at once.

    Parameters
    ----------
    card : Card
        Of the real set.
    checksums : dict of str to str
        SHA-256 of every file by its path.

    Raises
    ------
    ConnectionError
        If no source can be reached.
    ValueError
        If what the sources hold is damaged or dangerous.
    OSError
        If the cache is full or read-only.
    """

    unpack = partial(_unpack, card, checksums)
    folder = sources.cache_folder(card.name)
    sources.ensure(card, card.origin, folder, card.limit, unpack)
    return Verified(card.name, folder, checksums)


def first_files(card: Card) -> Verified:
    """Return the files of a set without published checksums, as they came the first time.

    Errors are those of `files`.
    """

    folder = sources.cache_folder(card.name)
    sources.ensure(card, card.origin, folder, card.limit, partial(_unpack_first, card))
    try:
        checksums = archive.read_record((folder / archive.RECORD).read_bytes())
    except (FileNotFoundError, ValueError) as error:
        with _files.locked(folder):
            advice = sources.remove(folder)
        raise ValueError(
            f"The record of what the data set {card.name!r} was when it first came is lost or "
            f"damaged; {advice}"
        ) from error
    return Verified(card.name, folder, checksums)


def _unpack(card: Card, checksums: dict[str, str], source: Path, folder: Path) -> None:
    archive.unpack(source, folder, card.folder, checksums, card.limit)


def _unpack_first(card: Card, source: Path, folder: Path) -> None:
    archives = sorted(source.glob("*.zip")) if card.supplied else [source]
    archive.unpack_first(archives, folder, card.details["pattern"], card.limit)
