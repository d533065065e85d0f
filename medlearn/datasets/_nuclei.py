"""Nuclei of the 2018 Data Science Bowl (Caicedo et al. 2019): a picture and one mask per nucleus."""

import numpy as np

from medlearn.datasets import _images
from medlearn.datasets._catalogue import Card


def index(card: Card, files) -> dict[str, np.ndarray]:
    """One entry per picture: domains, patients and the fact `file`; pictures without an outlined nucleus are left out."""
    outlined = {path.split("/")[1] for path in files if "/masks/" in path}
    names = sorted(path for path in files if "/images/" in path and path.split("/")[1] in outlined)
    if not names:
        raise ValueError(
            f"The files of {card.name!r} hold no picture with a mask: remove {files.folder}, replace the "
            "archive that they came from, and load again."
        )
    return {
        "domains": np.array([modality(_images.decode_file(files, name)) for name in names]),
        "patients": np.array([f"{card.name}-{name.split('/')[1][:12]}" for name in names]),
        "file": np.array(names),
    }


def read(columns: dict[str, np.ndarray], files, size: int) -> dict:
    """Pictures, masks (0 background, 1 nucleus), and the box of every nucleus; the spacing is not known."""
    outlines = {}
    for path in sorted(files):
        if "/masks/" in path:
            outlines.setdefault(path.split("/")[1], []).append(path)
    pixels, masks, boxes = [], [], []
    for name in columns["file"]:
        picture = _images.decode_file(files, name)
        joined, found = np.zeros(picture.shape[:2], np.uint8), []
        for path in outlines[name.split("/")[1]]:
            nucleus = _images.decode_file(files, path, "L") > 127
            if nucleus.shape != joined.shape:
                raise ValueError(
                    f"The mask {path} has {nucleus.shape} pixels, but its picture has {joined.shape}."
                )
            joined |= nucleus
            ys, xs = np.nonzero(nucleus)
            found += [(ys.min(), xs.min(), ys.max() + 1, xs.max() + 1, 0)] if len(ys) else []
        pixels.append(_images.square(picture, size))
        masks.append(_images.square(joined, size, labels=True))
        boxes.append(
            _images.square_boxes(np.array(found, float).reshape(-1, 5), *joined.shape, size)
        )
    return {
        "images": np.stack(pixels),
        "masks": np.stack(masks),
        "boxes": boxes,
        "spacing": np.full((len(pixels), 2), np.nan),
    }


def modality(picture: np.ndarray) -> str:
    """ "fluorescence" for a grey picture (H, W, 3) with a dark background, "stained" for any other."""
    grey = int(np.ptp(picture.astype(int), axis=2).max()) <= 8
    return "fluorescence" if grey and np.median(picture) < 96 else "stained"
