"""Nuclei of the 2018 Data Science Bowl (Caicedo et al. 2019): an image and a mask per nucleus."""

from collections.abc import Mapping

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import _decode
from medlearn.datasets._store.verified import Verified


def index(card: Card, files: Verified) -> dict[str, np.ndarray]:
    """Return one entry per image with an outlined nucleus: domains, patients, the fact `file`.

    Parameters
    ----------
    card : Card
        Of this set.
    files : Verified
        Contents by path.
    """
    outlined = {path.split("/")[1] for path in files if "/masks/" in path}
    names = sorted(path for path in files if "/images/" in path and path.split("/")[1] in outlined)
    if not names:
        raise ValueError(
            f"The files of {card.name!r} hold no picture with a mask: remove {files.folder}, "
            "replace the archive that they came from, and load again."
        )
    return {
        "domains": np.array([modality(_decode.image(files, name)) for name in names]),
        "patients": np.array([f"{card.name}-{name.split('/')[1][:12]}" for name in names]),
        "file": np.array(names),
    }


def read(columns: dict[str, np.ndarray], files: Mapping[str, bytes], size: int) -> dict:
    """Return images, masks (0 background, 1 nucleus) and a box per nucleus; no spacing is known.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index` returned, for the chosen images.
    files : mapping of str to bytes
        Contents by path.
    size : int
        Side of the images.
    """
    outlines: dict[str, list[str]] = {}
    for path in sorted(files):
        if "/masks/" in path:
            outlines.setdefault(path.split("/")[1], []).append(path)
    images, masks, boxes = [], [], []
    for name in columns["file"]:
        image = _decode.image(files, name)
        height, width = image.shape[:2]
        mask, image_boxes = _joined_outlines(files, outlines[name.split("/")[1]], (height, width))
        images.append(_crop.square(image, size))
        masks.append(_crop.square(mask, size, labels=True))
        boxes.append(_crop.square_boxes(image_boxes, height, width, size))
    return {
        "images": np.stack(images),
        "masks": np.stack(masks),
        "boxes": boxes,
        "spacing": np.full((len(images), 2), np.nan),
    }


def modality(image: np.ndarray) -> str:
    """Return "fluorescence" for a grey image with a dark background, else "stained"."""
    is_grey = int(np.ptp(image.astype(int), axis=2).max()) <= 8
    return "fluorescence" if is_grey and np.median(image) < 96 else "stained"


def _joined_outlines(
    files: Mapping[str, bytes], paths: list[str], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask of all nuclei of an image, and the box (k, 5) of each."""
    mask, boxes = np.zeros(shape, np.uint8), []
    for path in paths:
        nucleus = _decode.image(files, path, "L") > 127
        if nucleus.shape != shape:
            raise ValueError(
                f"The mask {path} has {nucleus.shape} pixels, but its picture has {shape}."
            )
        mask |= nucleus
        ys, xs = np.nonzero(nucleus)
        if len(ys):
            boxes.append((ys.min(), xs.min(), ys.max() + 1, xs.max() + 1, 0))
    return mask, np.array(boxes, float).reshape(-1, 5)
