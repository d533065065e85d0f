"""Vessels of the retina: one photograph, one outline (DRIVE, Staal et al. 2004; CHASE_DB1, Fraz et al. 2012)."""

import re

import numpy as np

from medlearn.datasets import _images
from medlearn.datasets._catalogue import Card


def index(card: Card, files) -> dict[str, np.ndarray]:
    """One entry per photograph with an outline: domains, patients, split where there is one, the facts file, outline."""
    rows = []
    for path in sorted(files):
        found = re.fullmatch(card.details["picture"], path) or re.fullmatch(
            f".*/{card.details['picture']}", path
        )
        outline = path
        for old, new in card.details["mask"]:
            outline = outline.replace(old, new)
        if found and outline in files:
            rows.append(
                (
                    f"{card.name}-{found[1]}",
                    path.split("/")[0].replace("training", "train"),
                    path,
                    outline,
                )
            )
    if len(rows) < card.details["at_least"]:
        raise ValueError(
            f"The files of {card.name!r} hold {len(rows)} photographs with an outline instead of at least "
            f"{card.details['at_least']}: remove {files.folder}, replace the archive, and load again."
        )
    patients, split, names, outlines = (np.array(column) for column in zip(*rows))
    known = {"split": split} if set(split) <= {"train", "test"} else {}
    return {
        "domains": np.full(len(rows), card.domains[0]),
        "patients": patients,
        "file": names,
        "outline": outlines,
    } | known


def read(columns: dict[str, np.ndarray], files, size: int) -> dict:
    """Photographs and masks (0 background, 1 vessel) of the chosen rows; the spacing is not known."""
    pixels, masks = [], []
    for name, outline in zip(columns["file"], columns["outline"]):
        picture, vessel = (
            _images.decode_file(files, name),
            _images.decode_file(files, outline, "L") > 127,
        )
        if vessel.shape != picture.shape[:2]:
            raise ValueError(
                f"The outline {outline} has {vessel.shape} pixels, its photograph {picture.shape[:2]}."
            )
        pixels.append(_images.square(picture, size))
        masks.append(_images.square(vessel.astype(np.uint8), size, labels=True))
    return {
        "images": np.stack(pixels),
        "masks": np.stack(masks),
        "spacing": np.full((len(pixels), 2), np.nan),
    }
