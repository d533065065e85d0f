"""Volumes on another grid: the same field of view in voxels of another size."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from medlearn._volumes import Volumes


def resample(
    volume: ArrayLike,
    spacing: ArrayLike,
    new_spacing: ArrayLike,
    order: int = 1,
    *,
    shape: Sequence[int] | None = None,
) -> np.ndarray:
    """Return a volume on a grid of another spacing, whose middle stays where it is.

    Along an axis that becomes coarser, `order` 1 and above smooth first, so that a new voxel is a
    mean of those it covers.

    Parameters
    ----------
    volume : array_like, shape (Z, Y, X)
        Intensities, probabilities of one class, or a mask.
    spacing, new_spacing : array_like of three floats
        Size of a voxel along z, y and x before and after, in mm.
    order : int
        0 takes the nearest voxel: for masks, whose class indices must not be mixed. 1 is linear,
        3 cubic (which may leave the range of the values).
    shape : sequence of three ints, optional
        Of the new volume. Default: so many voxels as cover the field of view, rounded. To bring a
        prediction back to the grid of its image, give the shape of the image.

    Returns
    -------
    numpy.ndarray, shape (Z', Y', X')
        float32; for `order` 0 of the type of `volume`.

    Raises
    ------
    ValueError
        If it is no volume, or a spacing is not three lengths above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn import datasets
    >>> datasets.resample(np.zeros((4, 6, 6)), (3, 1, 1), (1, 1, 1)).shape
    (12, 6, 6)
    """
    volume = np.asarray(volume)
    if volume.ndim != 3 or not volume.size:
        raise ValueError(
            f"A volume (Z, Y, X) is expected, not an array of the shape {volume.shape}: give one "
            "volume, and one class of probabilities, at a time."
        )
    factors = _lengths("new_spacing", new_spacing) / _lengths("spacing", spacing)
    if shape is None:
        shape = _new_shape(volume.shape, factors)
    values = volume if order == 0 else _smoothed(volume.astype(np.float32), factors)
    # The middle of both grids is one point: it has the index (length - 1) / 2.
    offset = (np.array(volume.shape) - 1) / 2 - factors * (np.array(shape) - 1) / 2
    return ndimage.affine_transform(
        values, factors, offset, output_shape=tuple(shape), order=order, mode="nearest"
    )


def resampled(volumes: Volumes, spacing: ArrayLike) -> Volumes:
    """Return volumes resampled to one spacing: images linearly, masks by the nearest voxel.

    Parameters
    ----------
    volumes : Volumes
        Of any spacing.
    spacing : array_like of three floats
        Size of a voxel along z, y and x in mm.

    Returns
    -------
    Volumes
        With the affines of the new grids.

    Examples
    --------
    >>> from medlearn import datasets
    >>> heads = datasets.load_volumes("brain-mri", domain="3T-T1w", count=1, spacing=(6, 4, 4))
    >>> datasets.resampled(heads, (4, 4, 4)).images[0].shape
    (24, 48, 48)
    """
    new = _lengths("spacing", spacing)
    pairs = list(zip(volumes.images, volumes.spacing, strict=True))
    images = tuple(resample(image, old, new) for image, old in pairs)
    masks = volumes.masks
    if masks is not None:
        old_spacing = volumes.spacing
        masks = tuple(resample(mask, old, new, 0) for mask, old in zip(masks, old_spacing))
    affines = [
        _affine(affine, before.shape, after.shape, new / old)
        for affine, (before, old), after in zip(volumes.affines, pairs, images, strict=True)
    ]
    return replace(
        volumes,
        images=images,
        masks=masks,
        spacing=np.tile(new, (len(volumes), 1)),
        affines=np.array(affines).reshape(-1, 4, 4),
    )


def _new_shape(shape: Sequence[int], factors: np.ndarray) -> tuple[int, ...]:
    """How many voxels, `factors` times as long, cover the field of view of a shape."""
    # Half a voxel too much is dropped: 5 voxels of 1 mm become 2 of 2 mm on every machine.
    lengths = np.ceil(np.array(shape) / factors - 0.5 - 1e-9)
    return tuple(np.maximum(lengths, 1).astype(int).tolist())


def _lengths(name: str, spacing: ArrayLike) -> np.ndarray:
    lengths = np.asarray(spacing, float)
    if lengths.shape != (3,) or not (lengths > 0).all() or not np.isfinite(lengths).all():
        raise ValueError(
            f"{name} must be three lengths above 0 in mm, of a voxel along z, y and x; it was "
            f"{spacing!r}."
        )
    return lengths


def _smoothed(volume: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The volume, smoothed along the axes that become coarser; as wide as a new voxel."""
    widths = [math.sqrt(max(factor**2 - 1, 0) / 12) for factor in factors]
    return ndimage.gaussian_filter(volume, widths, mode="nearest") if any(widths) else volume


def _affine(
    affine: np.ndarray, before: tuple[int, ...], after: tuple[int, ...], factors: np.ndarray
) -> np.ndarray:
    """The affine of the new grid, in the order x, y, z, whose middle is that of the old one."""
    scale = np.diag([*factors[::-1], 1.0])
    middle_before, middle_after = (np.array(shape[::-1]) - 1 for shape in (before, after))
    scale[:3, 3] = middle_before / 2 - factors[::-1] * middle_after / 2
    return affine @ scale
