"""The table of volumes: arrays of any size, and one entry for each of them in every column."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medlearn import _columns

_COLUMNS = ("images", "masks", "patients", "domains", "spacing", "affines")


@dataclass(frozen=True, eq=False, repr=False)
class Volumes:
    """Volumes with their masks, the size of a voxel, and where each volume comes from.

    Row i of every column belongs to ``images[i]``. The axes of an array are z, y and x: z runs from
    the feet to the head, y from front to back, x from the patient's right to the left. So
    ``images[i][z]`` is an axial slice as radiologists look at it, and as a `Dataset` holds it; the
    arrays are those of SimpleITK for an image without rotation. Volumes are never changed: `take`
    returns others, and so does `dataclasses.replace`.

    Attributes
    ----------
    name : str
        Name of the data set, such as ``"hippocampus"``.
    images : tuple of numpy.ndarray of float32, N arrays of shape (Z, Y, X)
        Grey, windowed to 0 to 255 over the whole volume; not rounded. A backbone takes a slice
        after ``np.repeat(slice[..., None], 3, axis=-1)``.
    patients : numpy.ndarray of str, shape (N,)
        Patient ids. All volumes of one patient belong on one side of a split.
    domains : numpy.ndarray of str, shape (N,)
        Where each volume was made: a site or a scanner.
    spacing : numpy.ndarray of float, shape (N, 3)
        Size of a voxel along z, y and x in mm.
    affines : numpy.ndarray of float, shape (N, 4, 4)
        For each volume the matrix from voxel indices ``(x, y, z, 1)`` to mm towards the patient's
        right, front and head, as NIfTI files and nibabel have it. Mind the order: it is the
        reverse of the order of the array's axes.
    patients_known : bool
        False if the origin does not say which volumes share a patient.
    licence : str
        What one may do with the volumes.
    twin : str
        Name of the simulated set that mimics this real one, or the reverse; empty if there is none.
    mask_classes : tuple of str
        Names of the mask's values, in the order of their indices; the first is the background.
    masks : tuple of numpy.ndarray of uint8, N arrays of shape (Z, Y, X), or None
        Index into `mask_classes` of each voxel; None if nothing was outlined.
    facts : dict of str to numpy.ndarray of length N
        Further columns: ``"axes"``, where the axes of the volume's own file run (such as "RAS"),
        and others, such as the patient's age in years.

    Raises
    ------
    ValueError
        If a column does not have one entry per volume, or if a mask or a spacing does not fit.
    """

    name: str
    images: tuple[np.ndarray, ...]
    patients: np.ndarray
    domains: np.ndarray
    spacing: np.ndarray
    affines: np.ndarray
    patients_known: bool
    licence: str = ""
    twin: str = ""
    mask_classes: tuple[str, ...] = ()
    masks: tuple[np.ndarray, ...] | None = None
    facts: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _columns.check_lengths(self, _COLUMNS, "volume")
        for index, image in enumerate(self.images):
            self._check_mask(index, image.shape)
            self._check_spacing(index)

    def _check_mask(self, index: int, shape: tuple[int, ...]) -> None:
        if self.masks is not None and self.masks[index].shape != shape:
            raise ValueError(
                f"Volume {index} of {self.name!r} has the shape {shape}, its mask "
                f"{self.masks[index].shape}: resample the mask to the grid of the volume."
            )

    def _check_spacing(self, index: int) -> None:
        sizes = np.linalg.norm(self.affines[index][:3, :3], axis=0)[::-1]
        if not np.allclose(sizes, self.spacing[index], rtol=1e-3):
            raise ValueError(
                f"Volume {index} of {self.name!r} has a spacing of "
                f"{_by(self.spacing[index])} mm (z, y, x), but its affine leads to voxels of "
                f"{_by(sizes)} mm: correct one of them."
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        count = len(self)
        parts = [
            f"{count} volume{'' if count == 1 else 's'}",
            f"{_ranges([image.shape for image in self.images])} voxels of "
            f"{_ranges(self.spacing)} mm",
            *(["masks"] if self.masks is not None else []),
            *_columns.origins(self),
        ]
        return f"Volumes({self.name!r}: {', '.join(parts)})"

    def take(self, indices: np.ndarray | Sequence[int] | slice) -> "Volumes":
        """Return the volumes at `indices` with all their columns, in that order.

        Parameters
        ----------
        indices : array_like of int or bool, or slice
            One dimension, as NumPy indexes: indices of volumes, which may repeat, or one bool per
            volume.

        Returns
        -------
        Volumes
            They share their arrays with these.

        Raises
        ------
        ValueError
            If `indices` does not have one dimension.
        IndexError
            If there is no volume of such an index.

        Examples
        --------
        >>> from medlearn import datasets
        >>> heads = datasets.load_volumes("brain-mri", domain="3T-T1w", count=2, spacing=(6, 4, 4))
        >>> len(heads.take([1]))
        1
        """
        return _columns.taken(self, _COLUMNS, indices)


def joined_volumes(parts: Sequence[Volumes]) -> Volumes:
    """Return the rows of several tables that have the same columns, in this order.

    What is not a column, such as the name and the classes, is that of the first.
    """
    return _columns.joined(parts, _COLUMNS)


def _ranges(rows) -> str:
    """The three lengths of many rows, such as "19-32 x 96 x 96"."""
    if not len(rows):
        return "no"
    low, high = np.min(rows, axis=0), np.max(rows, axis=0)
    ends = zip(map(_short, low), map(_short, high), strict=True)
    return " x ".join(start if start == end else f"{start}-{end}" for start, end in ends)


def _by(lengths) -> str:
    return " x ".join(map(_short, lengths))


def _short(number) -> str:
    return f"{number:.3g}"
