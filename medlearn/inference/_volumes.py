"""Predicted volumes: the largest component, and NIfTI files in the axes of a case's own file."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from medlearn import _files
from medlearn.datasets.readers import _nifti_volumes


def largest_component(mask: np.ndarray, *, each_class: bool = False) -> np.ndarray:
    """Return a mask of which only the largest connected part is left.

    It helps where the organ is known to be one piece; where there may be several pieces, such as
    lesions, or where the largest piece is the error, it removes what is right.

    Parameters
    ----------
    mask : numpy.ndarray of int, shape (H, W) or (Z, Y, X)
        Class index of each pixel or voxel. Those that touch at a corner are connected.
    each_class : bool
        Keep the largest part of each class. Default: of all classes together.

    Returns
    -------
    numpy.ndarray
        A new mask of the same type; what was removed is background.

    Raises
    ------
    ValueError
        For probabilities, and for several masks at once.

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn import inference
    >>> inference.largest_component(np.array([[1, 1, 0, 2]]))
    array([[1, 1, 0, 0]])
    """
    mask = np.asarray(mask)
    if mask.dtype.kind not in "biu" or mask.ndim not in (2, 3):
        raise ValueError(
            f"One mask (H, W) or (Z, Y, X) of class indices is expected, not {mask.dtype} of the "
            f"shape {mask.shape}: take .argmax(-1) of probabilities, and one mask at a time."
        )
    if not each_class:
        return np.where(_largest(mask > 0), mask, 0).astype(mask.dtype)
    kept = [np.where(_largest(mask == index), mask, 0) for index in np.unique(mask[mask > 0])]
    return np.sum(kept, axis=0).astype(mask.dtype) if kept else mask.copy()


def _largest(region: np.ndarray) -> np.ndarray:
    parts, _ = ndimage.label(region, np.ones((3,) * region.ndim))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0  # the background
    return (parts == sizes.argmax()) & region


def write_nifti(
    path: str | Path, volume: ArrayLike, affine: ArrayLike, *, axes: Sequence[str] = "LPS"
) -> Path:
    """Write a volume, such as a predicted mask, as a NIfTI file.

    Parameters
    ----------
    path : str or Path
        Ends with ``.nii`` or ``.nii.gz``. A file of this name is replaced.
    volume : array_like, shape (Z, Y, X)
        A mask (whole numbers from 0 to 255) or floats, on the grid of the image.
    affine : array_like, shape (4, 4)
        Of the image: a row of ``volumes.affines``.
    axes : sequence of three letters
        Where the axes of the file shall run. With ``volumes.facts["axes"]`` of a real case, the
        file has the shape and the affine of the file that the image was read from. Default: the
        axes of a `Volumes`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        For another ending, shape or type, an affine that is none, and unknown axes.
    """
    path = Path(path).expanduser()
    if not path.name.endswith((".nii", ".nii.gz")):
        raise ValueError(f"{path.name} should end with .nii or .nii.gz.")
    matrix = np.asarray(affine, float)
    if matrix.shape != (4, 4) or not np.linalg.det(matrix):
        raise ValueError(
            "affine must be the matrix (4, 4) of one image, such as volumes.affines[0]; here the "
            f"shape is {matrix.shape}."
        )
    if len(set(axes)) != 3 or {_SIDES.get(letter) for letter in axes} != {0, 1, 2}:
        raise ValueError(
            f"axes={axes!r}: three of the letters R or L, A or P, S or I are expected, one of each "
            'pair, such as "RAS".'
        )
    values, affine = _nifti_volumes.turned_to(_values(volume).T, matrix, axes)
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    packed = gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content
    _files.write_bytes(path, packed)
    return path


_SIDES = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}  # letter: axis of the patient


def _values(volume: ArrayLike) -> np.ndarray:
    """The voxels as uint8 or float32."""
    values = np.asarray(volume)
    if values.ndim != 3 or values.dtype.kind not in "biuf":
        raise ValueError(
            f"One volume (Z, Y, X) is expected, not {values.dtype} of the shape {values.shape}."
        )
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    if values.size and (values.min() < 0 or values.max() > 255):
        raise ValueError(
            f"A mask holds whole numbers from 0 to 255; this one runs from {values.min()} to "
            f"{values.max()}."
        )
    return values.astype(np.uint8)
