"""White blood cells of two laboratories (Zheng et al. 2018): a class and a mask per image."""

import numpy as np

from medlearn.datasets import _images
from medlearn.datasets._catalogue import Card

_FOLDERS = {"lab-a": "Dataset 1", "lab-b": "Dataset 2"}


def index(card: Card, files) -> dict[str, np.ndarray]:
    """One entry per image: domains, labels, patients, and the facts `file` and `note`."""
    rows = []
    for domain, folder in _FOLDERS.items():
        details = card.details[domain]
        table = files[f"Class Labels of {folder}.csv"].decode().splitlines()[1:]
        same = {
            cell: "+".join(f"{c:03d}" for c in group)
            for group in details["same_cell"]
            for cell in group
        }
        notes = {int(cell): note for cell, note in details["doubtful"].items()}
        white = details["white_background"]
        for line in table:
            cell, label = map(int, line.split(","))
            note = [notes[cell]] if cell in notes else []
            note += ["white background"] if white and white[0] <= cell <= white[1] else []
            rows.append(
                (
                    domain,
                    label - 1,
                    f"{domain}-{same.get(cell, f'{cell:03d}')}",
                    f"{folder}/{cell:03d}.bmp",
                    "; ".join(note),
                )
            )
    domains, labels, patients, names, notes = zip(*rows)
    return {
        "domains": np.array(domains),
        "labels": np.array(labels, np.int64),
        "patients": np.array(patients),
        "file": np.array(names),
        "note": np.array(notes),
    }


def read(columns: dict[str, np.ndarray], files, size: int | None) -> dict:
    """Images and masks (0 background, 1 cytoplasm, 2 nucleus) of the chosen files; the spacing is not known."""
    pixels = [_images.square(_images.decode(files[name]), size) for name in columns["file"]]
    masks = [
        _images.square(
            classes(_images.decode(files[name.replace(".bmp", ".png")], "L")), size, labels=True
        )
        for name in columns["file"]
    ]
    return {
        "images": np.stack(pixels),
        "masks": np.stack(masks),
        "spacing": np.full((len(pixels), 2), np.nan),
    }


def classes(greys: np.ndarray) -> np.ndarray:
    """The published greys 0, 128, 255 as 0, 1, 2; lab-b has stray greys between them, hence thresholds."""
    return np.digitize(greys, [64, 192]).astype(np.uint8)
