"""White blood cells of two laboratories (Zheng et al. 2018): a class and a mask per image."""

from collections.abc import Mapping

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import _decode

_FOLDERS = {"lab-a": "Dataset 1", "lab-b": "Dataset 2"}


def index(card: Card, files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Return one entry per image: domains, labels, patients, and the facts `file` and `note`.

    Parameters
    ----------
    card : Card
        Of this set; its details list repeated cells and doubtful labels.
    files : mapping of str to bytes
        Contents by path.
    """
    columns: dict[str, list] = {"domains": [], "labels": [], "patients": [], "file": [], "note": []}
    for domain, folder in _FOLDERS.items():
        details = card.details[domain]
        shared = _shared_cells(details["same_cell"])
        table = files[f"Class Labels of {folder}.csv"].decode().splitlines()[1:]
        for line in table:
            cell, label = map(int, line.split(","))
            columns["domains"].append(domain)
            columns["labels"].append(label - 1)
            columns["patients"].append(f"{domain}-{shared.get(cell, f'{cell:03d}')}")
            columns["file"].append(f"{folder}/{cell:03d}.bmp")
            columns["note"].append(_note(cell, details))
    return {name: np.array(column) for name, column in columns.items()}


def read(columns: dict[str, np.ndarray], files: Mapping[str, bytes], size: int | None) -> dict:
    """Return images and masks (0 background, 1 cytoplasm, 2 nucleus); the spacing is not known.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index` returned, for the chosen images.
    files : mapping of str to bytes
        Contents by path.
    size : int or None
        Side of the images; None for the whole image.
    """
    images, masks = [], []
    for name in columns["file"]:
        mask = mask_classes(_decode.image(files, name.replace(".bmp", ".png"), "L"))
        images.append(_crop.square(_decode.image(files, name), size))
        masks.append(_crop.square(mask, size, labels=True))
    return {
        "images": np.stack(images),
        "masks": np.stack(masks),
        "spacing": np.full((len(images), 2), np.nan),
    }


def mask_classes(greys: np.ndarray) -> np.ndarray:
    """Return the published greys 0, 128, 255 as 0, 1, 2; lab-b has stray greys between them."""
    return np.digitize(greys, [64, 192]).astype(np.uint8)


def _shared_cells(same_cell: list[list[int]]) -> dict[int, str]:
    """Return a joint patient id for the numbers of images that show the same cell."""
    shared: dict[int, str] = {}
    for cells in same_cell:
        shared |= dict.fromkeys(cells, "+".join(f"{cell:03d}" for cell in cells))
    return shared


def _note(cell: int, details: dict) -> str:
    notes = [text for number, text in details["doubtful"].items() if int(number) == cell]
    white = details["white_background"]
    if white and white[0] <= cell <= white[1]:
        notes.append("white background")
    return "; ".join(notes)
