"""`course.py data`: what data sets there are, fetched before a class, or carried to it on a USB stick."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from medlearn import datasets
from medlearn.datasets import _real
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import medmnist
from medlearn.datasets._store import sources, verified


def table() -> Iterator[str]:
    """A line for each data set: name, download, whether it is here, licence."""
    cards = [datasets.card(name) for name in datasets.names()]
    rows = [
        ("name", "download", "here", "licence"),
        *(
            (card.name, card.download or "nothing", state(card), card.licence.split(";")[0])
            for card in cards
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]])
    yield "\n`data fetch NAME ...` brings sets here, `data mirror --to FOLDER NAME ...` packs them for machines without a network."


def state(card: Card) -> str:
    """ "simulated", "cached" with its size, "yours to supply", or "no"."""
    if card.kind == "virtual":
        return "simulated"
    cached = [folder for folder in _real.folders(card) if folder.is_dir()]
    if cached:
        size = sum(
            file.stat().st_size for folder in cached for file in folder.rglob("*") if file.is_file()
        )
        return f"cached, {max(1, round(size / 1e6))} MB"
    return "yours to supply" if card.supplied else "no"


def fetch(names: list[str], size: int | None = None) -> Iterator[str]:
    """Bring the files of real sets into the cache, verified; yields a line for each. Errors as of `datasets.load`."""
    for card in _real_cards(names):
        _files_of(card, size)
        yield f"{card.name}: {state(card)}. {card.licence}."


def mirror(to: Path, names: list[str], size: int | None = None) -> Iterator[str]:
    """Fill a folder that MEDLEARN_MIRROR can name: the archive of each set under `host/path` of its origin.

    What is not cached is fetched first. Archives of single files are packed anew from the verified cache, which the
    reader accepts because it compares files; those known by their archive's checksum are copied byte for byte.
    """
    for card in _real_cards(names):
        files = _files_of(card, size)
        if card.check == "archive":
            for domain, part in files.items():
                _put(
                    to / sources.path_in_mirror(medmnist.origin(card, domain, part.pixels)),
                    lambda path: shutil.copyfile(part.path, path),
                )
        else:
            target = to / sources.path_in_mirror(card.origin)
            _put(
                target / f"{card.name}.zip" if card.supplied else target,
                lambda path: _pack(path, files, card.folder),
            )
        yield f"{card.name}: in {to}. {card.licence}."
    yield f"On the other machine, set MEDLEARN_MIRROR to this folder ({to.resolve()} here), then load as ever."


def _real_cards(names: list[str]) -> list[Card]:
    cards = [datasets.card(name) for name in names]
    for card in cards:
        if card.kind == "virtual":
            raise ValueError(
                f"{card.name!r} is simulated on the spot and has nothing to fetch; "
                f"its real twin is {card.twin!r}."
            )
    return cards


def _files_of(card: Card, size: int | None):
    if size is not None and card.check == "archive" and size not in medmnist.SIZES:
        raise ValueError(
            f"--size must be one of {', '.join(map(str, medmnist.SIZES))}; it was {size}."
        )
    return _real.fetch(card, card.domains, size or card.size)


def _put(target: Path, write) -> None:
    """Write a file under another name and give it its own when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    try:
        write(partial)
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(
            f"{target} cannot be written ({error.strerror or error}); make room there, or choose another "
            "folder."
        ) from error


def _pack(path: Path, files: verified.Verified, root: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name in files:
            archive.writestr(
                zipfile.ZipInfo(f"{root}/{name}" if root else name),
                files[name],
                zipfile.ZIP_DEFLATED,
            )
