"""MedMNIST v2 and its larger sizes (Yang et al. 2023): one .npz file per set and size."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from medlearn import _files, _unpacked
from medlearn.datasets import _catalogue, _crop
from medlearn.datasets._catalogue import Card
from medlearn.datasets._store import npz, sources

SIZES = (28, 64, 128, 224)  # pixels a side that are published
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Part:
    """One file: where it lies, the side of its images, and the shapes its arrays may have."""

    path: Path
    pixels: int
    shapes: npz.Shapes


def parts(card: Card, domains: Iterable[str], size: int) -> dict[str, Part]:
    """Return the file of every domain, fetched if it is not in the cache.

    Errors are those of `sources.ensure`.

    Parameters
    ----------
    card : Card
        Of a set of MedMNIST.
    domains : iterable of str
        Domains of the card.
    size : int
        Side of the images: the smallest file with so many pixels is taken, or else the largest.
    """
    return {domain: _part(card, domain, _published_size(size)) for domain in domains}


def origin(card: Card, domain: str, size: int) -> str:
    """Return the address of the file that `parts` would fetch.

    Parameters
    ----------
    card : Card
        Of a set of MedMNIST.
    domain : str
        A domain of the card.
    size : int
        Side of the images.
    """
    return f"{card.origin}{_stem(card, domain, _published_size(size))}.npz"


def index(card: Card, files: dict[str, Part]) -> dict[str, np.ndarray]:
    """Return one entry per image: domains, labels, split, patients, and the fact `row`.

    `row` is the index of the image in its part of the split.

    Parameters
    ----------
    card : Card
        Of a set of MedMNIST.
    files : dict of str to Part
        What `parts` returned.
    """
    columns: dict[str, list] = {"domains": [], "labels": [], "split": [], "patients": [], "row": []}
    for domain, part in files.items():
        for split in _SPLITS:
            labels = _labels(card, part, split)
            rows = np.arange(len(labels))
            columns["domains"].append(np.full(len(rows), domain))
            columns["labels"].append(labels)
            columns["split"].append(np.full(len(rows), split))
            columns["patients"].append(np.array([f"{domain}-{split}-{row}" for row in rows]))
            columns["row"].append(rows)
    return {name: np.concatenate(column) for name, column in columns.items()}


def read(columns: dict[str, np.ndarray], files: dict[str, Part], size: int) -> dict:
    """Return the chosen images, grey ones with three equal channels; the spacing is not known.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index` returned, for the chosen images.
    files : dict of str to Part
        What `parts` returned.
    size : int
        Side of the images.
    """
    images = np.empty((len(columns["row"]), size, size, 3), np.uint8)
    for domain, part in files.items():
        for split in _SPLITS:
            in_part = (columns["domains"] == domain) & (columns["split"] == split)
            indices = np.flatnonzero(in_part)
            if not len(indices):
                continue
            stored = _array(part, f"{split}_images", columns["row"][indices])
            if part.pixels != size:
                stored = np.stack([_crop.square(image, size) for image in stored])
            images[indices] = stored if stored.ndim == 4 else stored[..., None]
    return {"images": images, "spacing": np.full((len(images), 2), np.nan)}


def _published_size(size: int) -> int:
    return next((pixels for pixels in SIZES if pixels >= size), SIZES[-1])


def _stem(card: Card, domain: str, pixels: int) -> str:
    """Return the name of a file without its ending."""
    stem = card.details["files"][domain]["stem"]
    return stem if pixels == SIZES[0] else f"{stem}_{pixels}"


def _part(card: Card, domain: str, pixels: int) -> Part:
    """Return one file, fetched and accepted if it is not in the cache."""
    details = card.details["files"][domain]
    stem, counts = _stem(card, domain, pixels), details["counts"]
    shapes = _shapes(counts, pixels, card.details["channels"])
    unpack = partial(_accept, stem, details["md5"][str(pixels)], shapes, _digests(card, stem))
    image_bytes = pixels * pixels * card.details["channels"]
    limit = sum(counts.values()) * (image_bytes + 8) + 1_000_000  # unpacked, hence enough
    folder = sources.cache_folder(stem)
    sources.ensure(card, f"{card.origin}{stem}.npz", folder, limit, unpack)
    return Part(folder / f"{stem}.npz", pixels, shapes)


def _accept(
    stem: str, md5: str, shapes: npz.Shapes, digests: dict[str, str], source: Path, folder: Path
) -> None:
    """Copy a file into a new folder if it is the published one; raise ValueError if not."""
    npz.accept(source, md5, shapes, digests)
    with _unpacked.whole_folder(folder) as unfinished:
        unfinished.mkdir(parents=True)
        shutil.copyfile(source, unfinished / f"{stem}.npz")


def _shapes(counts: dict[str, int], pixels: int, channels: int) -> npz.Shapes:
    """Return the shapes that the arrays of a file may have."""
    image = (pixels, pixels) if channels == 1 else (pixels, pixels, channels)
    shapes: npz.Shapes = {}
    for split, count in counts.items():
        shapes[f"{split}_images"] = ((count, *image),)
        shapes[f"{split}_labels"] = ((count, 1), (count,))
    return shapes


def _digests(card: Card, stem: str) -> dict[str, str]:
    """Return the SHA-256 of the values of each array of a file, as far as the card lists them."""
    prefix = f"{stem}/"
    listed = _catalogue.checksums(card.name).items()
    return {path[len(prefix) :]: digest for path, digest in listed if path.startswith(prefix)}


def _labels(card: Card, part: Part, split: str) -> np.ndarray:
    labels = _array(part, f"{split}_labels").reshape(-1).astype(np.int64)
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(card.classes):
        raise ValueError(
            f"{part.path.name} has labels from {labels.min()} to {labels.max()}, but {card.name!r} "
            f"has {len(card.classes)} classes: remove {part.path.parent} and load again."
        )
    return labels


def _array(part: Part, name: str, rows: np.ndarray | None = None) -> np.ndarray:
    try:
        return npz.read(part.path, name, part.shapes[name], rows)
    except (ValueError, FileNotFoundError) as error:
        with _files.locked(part.path.parent):
            advice = sources.remove(part.path.parent)
        raise ValueError(
            f"The cached file {part.path.name} was damaged ({error}); {advice}"
        ) from error
