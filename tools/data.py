"""`course.py data`: list the data sets, fetch them before a class, or pack them on a USB stick."""

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from medlearn import _files, datasets
from medlearn.datasets import _real
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import medmnist
from medlearn.datasets._store import archive, sources, verified

HEAD = ("name", "download", "here", "licence")
HINT = (
    "\n`data fetch NAME ...` brings sets here, `data mirror --to FOLDER NAME ...` packs them for "
    "machines without a network."
)


def table() -> Iterator[str]:
    """Yield a line for each data set: name, size of the download, whether it is here, licence."""
    cards = [datasets.card(name) for name in datasets.names()]
    rows = [HEAD, *map(_row, cards)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        padded = [text.ljust(width) for text, width in zip(row, widths)]
        yield "  ".join(padded).rstrip()
    yield HINT


def fetch(names: list[str], size: int | None = None) -> Iterator[str]:
    """Bring the files of real sets into the cache, verified, and yield a line for each set.

    Parameters
    ----------
    names : list of str
        Real data sets.
    size : int, optional
        Side of the images in pixels, for sets that come in several sizes.

    Raises
    ------
    LookupError, ValueError, OSError
        As `datasets.load` does.
    """
    for card in _real_cards(names):
        _verified(card, size)
        yield f"{card.name}: {_state(card)}. {card.licence}."


def mirror(to: Path, names: list[str], size: int | None = None) -> Iterator[str]:
    """Fill a folder that ``MEDLEARN_MIRROR`` can name, and yield a line for each set.

    The archive of each set lies under ``host/path`` of its origin; what is not cached is fetched
    first. Archives of single files are packed anew from the verified cache, which the reader
    accepts because it compares files; those known by their archive's checksum are copied.

    Parameters
    ----------
    to : Path
        The folder, such as one on a USB stick.
    names : list of str
        Real data sets.
    size : int, optional
        Side of the images in pixels, for sets that come in several sizes.

    Raises
    ------
    LookupError, OSError
        As `datasets.load` does.
    ValueError
        As well, and if a file that differs has the place of an archive.
    """
    for card in _real_cards(names):
        files = _verified(card, size)
        if card.check == "archive":
            for domain, part in files.items():
                origin = medmnist.origin(card, domain, part.pixels)
                _copy(part.path, to / sources.path_in_mirror(origin))
        else:
            target = to / sources.path_in_mirror(card.origin)
            _pack(files, card.folder, target / f"{card.name}.zip" if card.supplied else target)
        yield f"{card.name}: in {to}. {card.licence}."
    yield f"On the other machine, set MEDLEARN_MIRROR to this folder ({to.resolve()} here)."


def _row(card: Card) -> tuple[str, ...]:
    return (card.name, card.download or "nothing", _state(card), card.licence.split(";")[0])


def _state(card: Card) -> str:
    """ "simulated", "cached" with its size, "yours to supply", or "no"."""
    if card.kind == "virtual":
        return "simulated"
    cached = [folder for folder in _real.folders(card) if folder.is_dir()]
    if cached:
        return f"cached, {max(1, round(sum(map(_bytes_in, cached)) / 1e6))} MB"
    return "yours to supply" if card.supplied else "no"


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _real_cards(names: list[str]) -> list[Card]:
    cards = [datasets.card(name) for name in names]
    for card in cards:
        if card.kind == "virtual":
            raise ValueError(
                f"{card.name!r} is simulated on the spot and has nothing to fetch; "
                f"its real twin is {card.twin!r}."
            )
    return cards


def _verified(card: Card, size: int | None):
    """The set's files in the cache, fetched if they are not there."""
    if size is not None and card.check == "archive" and size not in medmnist.SIZES:
        sizes = ", ".join(map(str, medmnist.SIZES))
        raise ValueError(f"--size must be one of {sizes}; it was {size}.")
    return _real.fetch(card, card.domains, size or card.size)


def _copy(source: Path, target: Path) -> None:
    _put(target, lambda path: shutil.copyfile(source, path))


def _pack(files: verified.Verified, root: str, target: Path) -> None:
    """Write the files into an archive, below its folder `root`."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
            for name in files:
                entry = zipfile.ZipInfo(f"{root}/{name}" if root else name)
                entry.create_system = 3  # on every system, so that the archive is the same
                packed.writestr(entry, files[name], zipfile.ZIP_DEFLATED)

    _put(target, write)


def _put(target: Path, write: Callable[[Path], object]) -> None:
    """Write an archive whole or not at all, and only in place of one with the same files."""

    def write_unless_other(path: Path) -> None:
        write(path)
        if target.exists() and _members(target) != _members(path):
            raise ValueError(
                f"{target} is there and differs from the archive that would be written, so it may "
                "be your own; choose another folder, or move that file away."
            )

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _files.write_atomically(target, write_unless_other)
    except OSError as error:
        raise OSError(
            f"{target} cannot be written ({error.strerror or error}); make room there, or choose "
            "another folder."
        ) from error


def _members(path: Path) -> dict[str, tuple[int, int]]:
    """Size and check sum of each file of an archive; how it was compressed does not count."""
    try:
        with archive.opened(path) as packed:
            return {entry.filename: (entry.file_size, entry.CRC) for entry in packed.infolist()}
    except ValueError as error:
        raise ValueError(
            f"{path} has the place of an archive and cannot be read as one ({error}): it may be "
            "your own, or a damaged copy; move it away, and run this again."
        ) from error
