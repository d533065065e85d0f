"""MedMNIST v2 and its larger sizes (Yang et al. 2023): one .npz file per set and size, with an official split."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medlearn.datasets import _archive, _catalogue, _images, _npz, _stored
from medlearn.datasets._catalogue import Card

SIZES = (28, 64, 128, 224)  # pixels a side that are published
_PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Part:
    """One file: where it lies, what it was made to hold, and which shapes its arrays may have."""

    path: Path
    pixels: int
    counts: dict[str, int]
    shapes: _npz.Shapes


def parts(card: Card, domains, size: int) -> dict[str, Part]:
    """The file of every domain, fetched if it is not in the cache: the smallest that has `size` pixels, or the largest.

    Errors as of `stored.files`.
    """
    pixels = next((each for each in SIZES if each >= size), SIZES[-1])
    return {domain: _part(card, card.details["files"][domain], pixels) for domain in domains}


def origin(card: Card, domain: str, size: int) -> str:
    """The address of the file that `parts` would fetch."""
    pixels = next((each for each in SIZES if each >= size), SIZES[-1])
    return f"{card.origin}{_stem(card.details['files'][domain], pixels)}.npz"


def index(card: Card, files: dict[str, Part]) -> dict[str, np.ndarray]:
    """One entry per image: domains, labels, split, patients, and the fact `row`, its place in its part of the split."""
    columns = {"domains": [], "labels": [], "split": [], "patients": [], "row": []}
    for domain, part in files.items():
        for split in _PARTS:
            labels = _array(part, f"{split}_labels").reshape(-1).astype(np.int64)
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(card.classes):
                raise ValueError(
                    f"{part.path.name} has labels from {labels.min()} to {labels.max()}, but {card.name!r} "
                    f"has {len(card.classes)} classes: remove {part.path.parent} and load again."
                )
            rows = np.arange(len(labels))
            columns["domains"].append(np.full(len(rows), domain))
            columns["labels"].append(labels)
            columns["split"].append(np.full(len(rows), split))
            columns["patients"].append(np.array([f"{domain}-{split}-{row}" for row in rows]))
            columns["row"].append(rows)
    return {key: np.concatenate(column) for key, column in columns.items()}


def read(columns: dict[str, np.ndarray], files: dict[str, Part], size: int) -> dict:
    """Images of the chosen rows, grey ones with three equal channels; the spacing is not known."""
    pixels = np.empty((len(columns["row"]), size, size, 3), np.uint8)
    for domain, part in files.items():
        for split in _PARTS:
            here = np.flatnonzero((columns["domains"] == domain) & (columns["split"] == split))
            if not len(here):
                continue
            found = _array(part, f"{split}_images", columns["row"][here])
            if part.pixels != size:
                found = np.stack([_images.square(image, size) for image in found])
            pixels[here] = found if found.ndim == 4 else found[..., None]
    return {"images": pixels, "spacing": np.full((len(pixels), 2), np.nan)}


def _part(card: Card, listed: dict, pixels: int) -> Part:
    stem, channels = _stem(listed, pixels), card.details["channels"]
    frame = (pixels, pixels) if channels == 1 else (pixels, pixels, channels)
    shapes = {f"{split}_images": ((n, *frame),) for split, n in listed["counts"].items()}
    shapes |= {f"{split}_labels": ((n, 1), (n,)) for split, n in listed["counts"].items()}
    digests = {
        path.removeprefix(stem + "/"): digest
        for path, digest in _catalogue.checksums(card.name).items()
        if path.startswith(stem + "/")
    }

    def keep(source: Path, folder: Path) -> None:
        _npz.accept(source, listed["md5"][str(pixels)], shapes, digests)
        with _archive.whole(folder) as unfinished:
            unfinished.mkdir(parents=True)
            shutil.copyfile(source, unfinished / f"{stem}.npz")

    limit = (
        sum(listed["counts"].values()) * (pixels * pixels * channels + 8) + 1_000_000
    )  # unpacked, hence enough
    folder = _stored.ensure(card, f"{card.origin}{stem}.npz", _stored.folder_of(stem), limit, keep)
    return Part(folder / f"{stem}.npz", pixels, listed["counts"], shapes)


def _stem(listed: dict, pixels: int) -> str:
    return listed["stem"] + ("" if pixels == SIZES[0] else f"_{pixels}")


def _array(part: Part, name: str, rows: np.ndarray | None = None) -> np.ndarray:
    try:
        return _npz.read(part.path, name, part.shapes[name], rows)
    except (ValueError, FileNotFoundError) as error:
        _stored.discard(part.path.parent)
        raise ValueError(
            f"The cached file {part.path.name} was damaged ({error}); the bad copy has been removed: "
            "load again to fetch it anew."
        ) from error
