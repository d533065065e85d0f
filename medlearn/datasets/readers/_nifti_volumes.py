"""NIfTI volumes as arrays (Z, Y, X) towards head, back and left, and back into their own axes."""

import nibabel
import numpy as np

_AXES = ("L", "P", "S")  # of x, y and z: an axial slice then lies as radiologists look at it


def volume(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the voxels of a file, and the affine of these voxels.

    Parameters
    ----------
    data : bytes
        Content of a NIfTI file, gzipped or not; of several volumes the first is taken.

    Returns
    -------
    tuple of numpy.ndarray
        float32 (Z, Y, X), and float64 (4, 4) from indices (x, y, z, 1) to mm.
    """
    from medlearn.datasets.readers import _nifti

    image = _nifti.opened(data)
    turn = _turn(image.affine)
    values = np.asarray(image.dataobj, np.float32)
    values = values.reshape(*values.shape[:3], -1)[..., 0]
    turned = nibabel.apply_orientation(values, turn)
    affine = image.affine @ nibabel.orientations.inv_ornt_aff(turn, values.shape)
    return np.ascontiguousarray(turned.T), affine


def _turn(affine: np.ndarray) -> np.ndarray:
    """How to turn an array with this affine to our axes."""
    own = nibabel.io_orientation(affine)
    return nibabel.orientations.ornt_transform(own, nibabel.orientations.axcodes2ornt(_AXES))
