"""NIfTI volumes as arrays (Z, Y, X) towards head, back and left, and back to the axes of a file."""

from collections.abc import Sequence
from typing import NamedTuple

import nibabel
import numpy as np
from nibabel import orientations

from medlearn.datasets.readers import _nifti

_AXES = ("L", "P", "S")  # of x, y and z: an axial slice then lies as radiologists look at it


class Turned(NamedTuple):
    """A volume in our axes.

    Attributes
    ----------
    voxels : numpy.ndarray of float32, shape (Z, Y, X)
        The values of the file.
    affine : numpy.ndarray, shape (4, 4)
        From the indices (x, y, z, 1) of these voxels to mm.
    axes : str
        Where the axes of the file run, such as "RAS".
    """

    voxels: np.ndarray
    affine: np.ndarray
    axes: str


def read(data: bytes) -> Turned:
    """Return the volume of a file, turned to our axes.

    Parameters
    ----------
    data : bytes
        Content of a NIfTI file, gzipped or not; of several volumes the first is taken.

    Raises
    ------
    Unreadable
        If the file is damaged, too large, or no volume of greys.
    """
    image = _nifti.opened(data)
    values = np.asarray(image.dataobj, np.float32)
    values = values.reshape(*values.shape[:3], -1)[..., 0]
    turned, affine = turned_to(values, image.affine, _AXES)
    return Turned(
        np.ascontiguousarray(turned.T), affine, "".join(nibabel.aff2axcodes(image.affine))
    )


def turned_to(
    values: np.ndarray, affine: np.ndarray, axes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return an array whose axes run elsewhere, with its affine: no voxel moves in the patient.

    Parameters
    ----------
    values : numpy.ndarray, shape (X, Y, Z)
        In the order of its affine.
    affine : numpy.ndarray, shape (4, 4)
        From indices to mm.
    axes : sequence of three letters
        Where the axes shall run, such as "RAS".
    """
    own = nibabel.io_orientation(affine)
    turn = orientations.ornt_transform(own, orientations.axcodes2ornt(tuple(axes)))
    turned = nibabel.apply_orientation(values, turn)
    return turned, affine @ orientations.inv_ornt_aff(turn, values.shape)


def windowed(volume: np.ndarray) -> np.ndarray:
    """Return intensities from the 1st to the 99th percentile of a volume as 0 to 255 (float32)."""
    low, high = np.percentile(volume, [1, 99])
    return np.clip((volume - low) / max(high - low, 1e-12), 0, 1) * 255
