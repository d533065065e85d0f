"""Fields of a blood smear with a box around each cell (BCCD), in the format of Pascal VOC."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import _decode

_CLASSES = {"RBC": 0, "WBC": 1, "Platelets": 2}
_SPLITS = ("train", "val", "test")


def index(card: Card, files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Return one entry per field: domains, patients, split and the fact `file`.

    Parameters
    ----------
    card : Card
        Of this set; its details list the images of one field.
    files : mapping of str to bytes
        Contents by path.
    """
    split: dict[str, str] = {}
    for part in _SPLITS:
        listed = files[f"BCCD/ImageSets/Main/{part}.txt"].decode().split()
        split |= dict.fromkeys(listed, part)
    names = sorted(split)
    shared = _shared_fields(card)
    return {
        "domains": np.full(len(names), card.domains[0]),
        "split": np.array([split[name] for name in names]),
        "patients": np.array([f"bccd-{shared.get(name, name[-5:])}" for name in names]),
        "file": np.array([f"BCCD/JPEGImages/{name}.jpg" for name in names]),
    }


def read(columns: dict[str, np.ndarray], files: Mapping[str, bytes], size: int | None) -> dict:
    """Return images and boxes of the chosen fields; the spacing is not known.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index` returned, for the chosen fields.
    files : mapping of str to bytes
        Contents by path.
    size : int or None
        Side of the images; None for the whole field.
    """
    images, all_boxes = [], []
    for name in columns["file"]:
        field = _decode.image(files, name)
        annotation = name.replace("JPEGImages", "Annotations").replace(".jpg", ".xml")
        height, width = field.shape[:2]
        images.append(_crop.square(field, size))
        all_boxes.append(_crop.square_boxes(boxes(files[annotation]), height, width, size))
    return {
        "images": np.stack(images),
        "boxes": all_boxes,
        "spacing": np.full((len(images), 2), np.nan),
    }


def boxes(annotation: bytes) -> np.ndarray:
    """Return the boxes (k, 5) of one annotation: [y0, x0, y1, x1] from 0, and the class.

    Pascal VOC counts pixels from 1 and includes the last one, so 1 is subtracted from the first
    edge. Boxes without an area are dropped.
    """
    rows = []
    for element in ElementTree.fromstring(annotation).iter("object"):
        corners = ("ymin", "xmin", "ymax", "xmax")
        y0, x0, y1, x1 = (float(element.findtext(f"bndbox/{name}") or "nan") for name in corners)
        if y1 > y0 and x1 > x0:
            rows.append((y0 - 1, x0 - 1, y1, x1, _CLASSES[element.findtext("name") or ""]))
    return np.array(rows, float).reshape(-1, 5)


def _shared_fields(card: Card) -> dict[str, str]:
    """Return a joint patient id for the names of images that show the same field."""
    shared: dict[str, str] = {}
    for numbers in card.details["same_field"]:
        patient = "+".join(f"{number:05d}" for number in numbers)
        shared |= {f"BloodImage_{number:05d}": patient for number in numbers}
    return shared
