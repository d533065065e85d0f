"""Hippocampus in T1-weighted MRI, Medical Segmentation Decathlon Task04: coronal slices along its long axis."""

import gzip

import numpy as np

from medlearn.datasets import _images
from medlearn.datasets._catalogue import Card

_IMAGES, _LABELS = "data/TrainingSet/images", "data/TrainingSet/labels"


def index(card: Card, files) -> dict[str, np.ndarray]:
    """One entry per slice: domains, patients, and the facts `case`, `file` and `position`.

    Position is where the slice lies along the volume, 0 (back) to 1 (front); the same few positions for every
    volume, chosen without a look at the labels.
    """
    cases = sorted(path[-10:-7] for path in files if path.startswith(_IMAGES))
    first, last = card.details["positions"]
    positions = np.linspace(first, last, card.details["slices"])
    case = np.repeat(cases, len(positions))
    return {
        "domains": np.full(len(case), card.domains[0]),
        "patients": np.array([_person(c) for c in case]),
        "case": case,
        "file": np.array([f"{_IMAGES}/hippocampus_{c}.nii.gz" for c in case]),
        "position": np.tile(positions, len(cases)),
    }


def read(columns: dict[str, np.ndarray], files, size: int | None) -> dict:
    """Slices with superior up and the patient's right on the left side, their masks and their mm per pixel."""
    pixels, masks, spacing = [], [], []
    opened = None
    for name, position in zip(columns["file"], columns["position"]):
        if name != opened:  # slices of one volume follow each other
            opened = name
            volume, millimetres = _volume(files[name])
            grey = windowed(volume)
            classes = np.rint(_volume(files[name.replace(_IMAGES, _LABELS)])[0]).astype(np.uint8)
        row = round(position * (grey.shape[1] - 1))
        height, width = grey.shape[2], grey.shape[0]
        pixels.append(_images.square(np.repeat(_upright(grey, row)[..., None], 3, axis=2), size))
        masks.append(_images.square(_upright(classes, row), size, labels=True))
        spacing.append(_images.square_spacing(millimetres[[2, 0]], height, width, size))
    return {
        "images": np.stack(pixels),
        "masks": np.stack(masks),
        "spacing": np.array(spacing, float),
    }


def windowed(volume: np.ndarray) -> np.ndarray:
    """Intensities between the 1st and the 99th percentile of the volume as 0..255 (uint8).

    MRI has no unit of brightness: here some volumes end at 91 and others at 600,000.
    """
    low, high = np.percentile(volume, [1, 99])
    return np.rint(np.clip((volume - low) / max(high - low, 1e-12), 0, 1) * 255).astype(np.uint8)


def _person(case: str) -> str:
    """Cases 2k - 1 and 2k are two volumes of one head: their data card says how this was found."""
    number = (int(case) + 1) // 2
    return f"hippocampus-{2 * number - 1:03d}+{2 * number:03d}"


def _volume(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Voxels with axes right, anterior, superior, and the mm per voxel along them."""
    import nibabel  # late: a third of a second that only this set needs to pay

    image = nibabel.as_closest_canonical(nibabel.Nifti1Image.from_bytes(gzip.decompress(data)))
    return np.asarray(image.dataobj, np.float32), np.array(image.header.get_zooms()[:3], float)


def _upright(volume: np.ndarray, row: int) -> np.ndarray:
    """The coronal slice `row` with superior up, seen from the front as radiologists do."""
    return np.ascontiguousarray(volume[::-1, row, ::-1].T)
