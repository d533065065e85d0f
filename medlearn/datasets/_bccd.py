"""Fields of a blood smear with a box around each cell (BCCD), in the format of Pascal VOC."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from medlearn.datasets import _images
from medlearn.datasets._catalogue import Card

_CLASSES = {"RBC": 0, "WBC": 1, "Platelets": 2}


def index(card: Card, files) -> dict[str, np.ndarray]:
    """One entry per field: domains, patients, split and the fact `file`."""
    split = {}
    for part in ("train", "val", "test"):
        split |= dict.fromkeys(files[f"BCCD/ImageSets/Main/{part}.txt"].decode().split(), part)
    names = sorted(split)
    same = {
        f"BloodImage_{n:05d}": "+".join(f"{m:05d}" for m in group)
        for group in card.details["same_field"]
        for n in group
    }
    return {
        "domains": np.full(len(names), card.domains[0]),
        "split": np.array([split[name] for name in names]),
        "patients": np.array([f"bccd-{same.get(name, name[-5:])}" for name in names]),
        "file": np.array([f"BCCD/JPEGImages/{name}.jpg" for name in names]),
    }


def read(columns: dict[str, np.ndarray], files, size: int | None) -> dict:
    """Images and boxes of the chosen fields; the spacing is not known."""
    pixels, found = [], []
    for name in columns["file"]:
        whole = _images.decode(files[name])
        annotation = files[name.replace("JPEGImages", "Annotations").replace(".jpg", ".xml")]
        pixels.append(_images.square(whole, size))
        found.append(_images.square_boxes(boxes(annotation), *whole.shape[:2], size))
    return {
        "images": np.stack(pixels),
        "boxes": found,
        "spacing": np.full((len(pixels), 2), np.nan),
    }


def boxes(annotation: bytes) -> np.ndarray:
    """Boxes (k, 5) of one annotation: edges [y0, x0, y1, x1] from 0, and the class; those without an area are dropped.

    Pascal VOC counts pixels from 1 and includes the last one, hence the 1 that is subtracted.
    """
    rows = []
    for thing in ElementTree.fromstring(annotation).iter("object"):
        y0, x0, y1, x1 = (
            float(thing.findtext(f"bndbox/{key}")) for key in ("ymin", "xmin", "ymax", "xmax")
        )
        if y1 > y0 and x1 > x0:
            rows.append((y0 - 1, x0 - 1, y1, x1, _CLASSES[thing.findtext("name")]))
    return np.array(rows, float).reshape(-1, 5)
