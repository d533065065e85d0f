"""Hippocampus in T1-weighted MRI (Medical Segmentation Decathlon, Task04): slices and volumes."""

import gzip
from collections.abc import Mapping

import numpy as np

from medlearn._images import to_uint8
from medlearn.datasets import _crop
from medlearn.datasets._catalogue import Card
from medlearn.datasets.readers import _nifti_volumes

_IMAGES = "data/TrainingSet/images"
_LABELS = "data/TrainingSet/labels"


def index(card: Card, files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Return one entry per slice: domains, patients, and the facts `case`, `file`, `position`.

    `position` is where the slice lies along the volume, from 0 (back) to 1 (front). The positions
    are the same for every volume, chosen without a look at the labels.

    Parameters
    ----------
    card : Card
        Of this set; its details give the positions.
    files : mapping of str to bytes
        Contents by path.
    """
    cases = _cases(files)
    first, last = card.details["positions"]
    positions = np.linspace(first, last, card.details["slices"])
    case_of_slice = np.repeat(cases, len(positions))
    return {
        "domains": np.full(len(case_of_slice), card.domains[0]),
        "patients": np.array([_patient(case) for case in case_of_slice]),
        "case": case_of_slice,
        "file": np.array([f"{_IMAGES}/hippocampus_{case}.nii.gz" for case in case_of_slice]),
        "position": np.tile(positions, len(cases)),
    }


def read(columns: dict[str, np.ndarray], files: Mapping[str, bytes], size: int | None) -> dict:
    """Return slices (superior up, the patient's right at the left), their masks and spacing in mm.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index` returned, for the chosen slices; those of one volume follow each other.
    files : mapping of str to bytes
        Contents by path.
    size : int or None
        Side of the images; None for the whole slice.
    """
    images, masks, spacing = [], [], []
    opened = None
    for name, position in zip(columns["file"], columns["position"]):
        if name != opened:
            opened = name
            volume, voxel_mm = _volume(files[name])
            grey = windowed(volume)
            labels, _ = _volume(files[name.replace(_IMAGES, _LABELS)])
            classes = np.rint(labels).astype(np.uint8)
        row = round(position * (grey.shape[1] - 1))
        width, height = grey.shape[0], grey.shape[2]
        image = np.repeat(_coronal_slice(grey, row)[..., None], 3, axis=2)
        images.append(_crop.square(image, size))
        masks.append(_crop.square(_coronal_slice(classes, row), size, labels=True))
        spacing.append(_crop.square_spacing(voxel_mm[[2, 0]], height, width, size))
    return {
        "images": np.stack(images),
        "masks": np.stack(masks),
        "spacing": np.array(spacing, float),
    }


def index_volumes(card: Card, files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Return one entry per volume: domains, patients, and the facts `case` and `file`.

    Parameters
    ----------
    card : Card
        Of this set.
    files : mapping of str to bytes
        Contents by path.
    """
    cases = _cases(files)
    return {
        "domains": np.full(len(cases), card.domains[0]),
        "patients": np.array([_patient(case) for case in cases]),
        "case": np.array(cases),
        "file": np.array([f"{_IMAGES}/hippocampus_{case}.nii.gz" for case in cases]),
    }


def read_volumes(columns: dict[str, np.ndarray], files: Mapping[str, bytes]) -> dict:
    """Return volumes (Z, Y, X) from 0 to 255, their masks, affines, spacing in mm and facts.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        What `index_volumes` returned, for the chosen volumes.
    files : mapping of str to bytes
        Contents by path.
    """
    images = [_nifti_volumes.read(files[name]) for name in columns["file"]]
    names = [name.replace(_IMAGES, _LABELS) for name in columns["file"]]
    labels = [_nifti_volumes.read(files[name]).voxels for name in names]
    affines = np.array([image.affine for image in images])
    return {
        "images": tuple(_nifti_volumes.windowed(image.voxels) for image in images),
        "masks": tuple(np.rint(label).astype(np.uint8) for label in labels),
        "affines": affines,
        "spacing": np.linalg.norm(affines[:, :3, :3], axis=1)[:, ::-1],
        "facts": {**columns, "axes": np.array([image.axes for image in images])},
    }


def windowed(volume: np.ndarray) -> np.ndarray:
    """Return intensities from the 1st to the 99th percentile of the volume as 0 to 255 (uint8).

    MRI has no unit of brightness: some volumes of this set end at 91 and others at 600,000.
    """
    return to_uint8(_nifti_volumes.windowed(volume))


def _cases(files: Mapping[str, bytes]) -> list[str]:
    return sorted(path[-10:-7] for path in files if path.startswith(_IMAGES))


def _patient(case: str) -> str:
    """Return the id of a head: cases 2k - 1 and 2k are two volumes of one, as the card explains."""
    pair = (int(case) + 1) // 2
    return f"hippocampus-{2 * pair - 1:03d}+{2 * pair:03d}"


def _volume(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return voxels with the axes right, anterior, superior, and the mm per voxel along them."""
    import nibabel  # late: a third of a second that only this set needs

    image = nibabel.as_closest_canonical(nibabel.Nifti1Image.from_bytes(gzip.decompress(data)))
    return np.asarray(image.dataobj, np.float32), np.array(image.header.get_zooms()[:3], float)


def _coronal_slice(volume: np.ndarray, row: int) -> np.ndarray:
    """Return a slice with superior up, seen from the front as radiologists do."""
    return np.ascontiguousarray(volume[::-1, row, ::-1].T)
