"""Vessels of the retina: one photograph, one outline (DRIVE, Staal et al. 2004; CHASE_DB1, Fraz
et al. 2012)."""

import re
from collections.abc import Mapping

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import _decode
from medlearn.datasets._store.verified import Verified


def index(card: Card, files: Verified) -> dict[str, np.ndarray]:
    """Return one entry per photograph with an outline: domains, patients, facts, perhaps a split.

    The facts are `file` and `outline`.

    Parameters
    ----------
    card : Card
        Of this set; its details say which files are photographs, and how their outlines are named.
    files : Verified
        Contents by path.
    """
    patients, split, names, outlines = [], [], [], []
    for path in sorted(files):
        match = re.fullmatch(f"(?:.*/)?{card.details['picture']}", path)
        outline = path
        for old, new in card.details["mask"]:
            outline = outline.replace(old, new)
        if match and outline in files:
            patients.append(f"{card.name}-{match[1]}")
            split.append(path.split("/")[0].replace("training", "train"))
            names.append(path)
            outlines.append(outline)
    if len(names) < card.details["at_least"]:
        raise ValueError(
            f"The files of {card.name!r} hold {len(names)} photographs with an outline instead of "
            f"at least {card.details['at_least']}: remove {files.folder}, replace the archive, and "
            "load again."
        )
    columns = {
        "domains": np.full(len(names), card.domains[0]),
        "patients": np.array(patients),
        "file": np.array(names),
        "outline": np.array(outlines),
    }
    if set(split) <= {"train", "test"}:
        columns["split"] = np.array(split)
    return columns


def read(columns: dict[str, np.ndarray], files: Mapping[str, bytes], size: int) -> dict:
    """Return photographs and masks (0 background, 1 vessel); the spacing is not known.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index` returned, for the chosen photographs.
    files : mapping of str to bytes
        Contents by path.
    size : int
        Side of the images.
    """
    images, masks = [], []
    for name, outline in zip(columns["file"], columns["outline"]):
        photograph = _decode.image(files, name)
        vessels = _decode.image(files, outline, "L") > 127
        if vessels.shape != photograph.shape[:2]:
            raise ValueError(
                f"The outline {outline} has {vessels.shape} pixels, its photograph "
                f"{photograph.shape[:2]}."
            )
        images.append(_crop.square(photograph, size))
        masks.append(_crop.square(vessels.astype(np.uint8), size, labels=True))
    return {
        "images": np.stack(images),
        "masks": np.stack(masks),
        "spacing": np.full((len(images), 2), np.nan),
    }
