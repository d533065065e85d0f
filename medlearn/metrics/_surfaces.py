"""How far two outlines or surfaces are apart, in the units of the pixels' spacing.

An outline runs along the pixels' corners: a corner belongs to it if the pixels around it (four, in
a volume eight) are not all inside or all outside. The corner stands for the length, or in a volume
the area, that the outline has within half a pixel of it: the length of the sum of the outward
normals of the pixels' sides there, so that slanted edges do not count more than straight ones. In
images this is marching squares, after Nikolov et al., J. Med. Internet Res. 23:e26151, 2021.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from itertools import product
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from medlearn.metrics._overlap import regions


class _Outline(NamedTuple):
    """The corners of one outline: distance of each to the other outline, and its length."""

    distance: np.ndarray
    length: np.ndarray


def hd95(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    spacing: ArrayLike = 1.0,
    missed: float = np.inf,
) -> np.ndarray:
    """Return the 95th percentile of the distance between two outlines (robust Hausdorff distance).

    Of the two directions, the larger percentile counts.

    Parameters
    ----------
    masks, predictions : array_like, shape (N, H, W) or (N, Z, Y, X)
        Whole numbers, the class index of each pixel. Volumes may have different sizes: a sequence
        of N arrays (Z, Y, X).
    positive : int
        The class to score, from 1 on; 0 is the background.
    spacing : float or array_like, shape (2,) or (N, 2), for volumes (3,) or (N, 3)
        Length of a pixel in your unit: one number, (height, width), or one pair per image such as
        ``data.spacing``; of volumes (z, y, x), such as ``volumes.spacing``.
    missed : float
        The distance where only one of mask and prediction holds the class: a region that was
        missed, or invented, has none.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Distance in the unit of `spacing`; NaN where neither holds the class.

    Raises
    ------
    ValueError
        As `dice`, and for a spacing that is not positive; where it is unknown (NaN), ``spacing=1``
        counts in pixels.

    References
    ----------
    Huttenlocher et al., Comparing images using the Hausdorff distance, IEEE TPAMI 15:850, 1993;
    with a percentile in place of the maximum.
    """
    return _score_outlines(_larger_percentile, masks, predictions, positive, spacing, missed)


def surface_dice(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    tolerance: float,
    spacing: ArrayLike = 1.0,
) -> np.ndarray:
    """Return the share of both outlines that lies within `tolerance` of the other outline.

    Parameters
    ----------
    masks, predictions : array_like, shape (N, H, W) or (N, Z, Y, X)
        Whole numbers, the class index of each pixel. Volumes may have different sizes: a sequence
        of N arrays (Z, Y, X).
    positive : int
        The class to score, from 1 on; 0 is the background.
    tolerance : float
        A distance in the unit of `spacing`, 0 or more; what two careful readers disagree by is a
        fair choice.
    spacing : float or array_like
        Length of a pixel, as for `hd95`.

    Returns
    -------
    numpy.ndarray, shape (N,)
        From 0 to 1; NaN where neither holds the class, 0 where only one does.

    Raises
    ------
    ValueError
        As `hd95`, and for a negative tolerance.

    References
    ----------
    Nikolov et al., J. Med. Internet Res. 23:e26151, 2021, equation 5.
    """
    if not tolerance >= 0:
        raise ValueError(
            f"tolerance={tolerance!r} is a distance of at least 0, in the unit of the spacing."
        )
    share = partial(_share_within, tolerance)
    return _score_outlines(share, masks, predictions, positive, spacing, 0.0)


def mean_surface_distance(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    spacing: ArrayLike = 1.0,
    missed: float = np.inf,
) -> np.ndarray:
    """Return the mean distance of both outlines to the other one (symmetric).

    Parameters
    ----------
    masks, predictions : array_like, shape (N, H, W) or (N, Z, Y, X)
        Whole numbers, the class index of each pixel. Volumes may have different sizes: a sequence
        of N arrays (Z, Y, X).
    positive : int
        The class to score, from 1 on; 0 is the background.
    spacing : float or array_like
        Length of a pixel, as for `hd95`.
    missed : float
        The distance where only one of mask and prediction holds the class.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Distance in the unit of `spacing`; NaN where neither holds the class.

    Raises
    ------
    ValueError
        As `hd95`.
    """
    return _score_outlines(_mean_distance, masks, predictions, positive, spacing, missed)


def _score_outlines(
    score: Callable[[_Outline, _Outline], float],
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int,
    spacing: ArrayLike,
    missed: float,
) -> np.ndarray:
    """The score of both outlines of each image (N,); NaN without, `missed` with one only."""
    pairs = regions(masks, predictions, positive)
    dimensions = pairs[0][0].ndim
    results = np.full(len(pairs), np.nan)
    for index, sides in enumerate(_spacing_per_image(spacing, len(pairs), dimensions)):
        true, predicted = pairs[index]
        if true.any() and predicted.any():
            results[index] = score(*_outlines(true, predicted, sides))
        elif true.any() or predicted.any():
            results[index] = missed
    return results


def _larger_percentile(true: _Outline, predicted: _Outline) -> float:
    return max(_percentile(*true), _percentile(*predicted))


def _share_within(tolerance: float, true: _Outline, predicted: _Outline) -> float:
    near_predicted = true.length[true.distance <= tolerance].sum()
    near_true = predicted.length[predicted.distance <= tolerance].sum()
    return (near_predicted + near_true) / (true.length.sum() + predicted.length.sum())


def _mean_distance(true: _Outline, predicted: _Outline) -> float:
    total = (true.distance * true.length).sum() + (predicted.distance * predicted.length).sum()
    return total / (true.length.sum() + predicted.length.sum())


def _outlines(
    true: np.ndarray, predicted: np.ndarray, spacing: np.ndarray
) -> tuple[_Outline, _Outline]:
    """Both outlines, each with the distances of its corners to the other one."""
    # Only the part that holds both, for speed; the distances do not change.
    (part,) = ndimage.find_objects((true | predicted).astype(np.uint8))
    true_length = _corner_lengths(true[part], spacing)
    predicted_length = _corner_lengths(predicted[part], spacing)
    on_true, on_predicted = true_length > 0, predicted_length > 0
    return (
        _Outline(_distances(on_true, on_predicted, spacing), true_length[on_true]),
        _Outline(_distances(on_predicted, on_true, spacing), predicted_length[on_predicted]),
    )


def _distances(from_corners: np.ndarray, to_corners: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The distance of each of some corners to the nearest of others, both boolean grids."""
    return ndimage.distance_transform_edt(~to_corners, sampling=spacing)[from_corners]


def _corner_lengths(region: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Length or area of the outline at each corner of the pixels; 0 off the outline.

    One more corner than pixels along each axis.
    """
    inside = np.pad(region, 1).astype(np.uint8)
    code = np.zeros(np.array(region.shape) + 1, np.uint8)
    for bit, corner in enumerate(product((0, 1), repeat=region.ndim)):
        window = tuple(
            slice(start, start + length) for start, length in zip(corner, code.shape, strict=True)
        )
        code |= inside[window] << bit
    # A side of a pixel across an axis is as large as the other lengths' product; corners share it.
    sides = np.array([np.prod(np.delete(spacing, axis)) for axis in range(region.ndim)])
    normals = _normals(region.ndim) * sides / 2 ** (region.ndim - 1)
    return np.hypot.reduce(normals, axis=-1).sum(axis=-1)[code]


@lru_cache(maxsize=2)
def _normals(dimensions: int) -> np.ndarray:
    """The normals of the outline at a corner: one row per pattern of the pixels around it.

    Each pattern has up to 2 ** (dimensions - 1) pieces, and each piece a number of sides along
    every axis: float (patterns, pieces, dimensions). Where pixels touch at a corner or an edge
    only, those inside (or those outside, if they are in more parts) are apart.
    """
    neighbours = 2**dimensions
    table = np.zeros((2**neighbours, neighbours // 2, dimensions))
    for pattern in range(2**neighbours):
        bits = [pattern >> bit & 1 for bit in range(neighbours)]
        inside = np.array(bits).reshape((2,) * dimensions)
        parts, count = max(ndimage.label(inside), ndimage.label(1 - inside), key=itemgetter(1))
        for part in range(1, count + 1):
            pixels = np.argwhere(parts == part)
            table[pattern, part - 1] = np.abs((1 - 2 * pixels).sum(axis=0))
    return table


def _percentile(distances: np.ndarray, lengths: np.ndarray, share: float = 0.95) -> float:
    order = np.argsort(distances)
    reached = np.cumsum(lengths[order]) / lengths.sum()
    index = min(int(np.searchsorted(reached, share)), len(order) - 1)
    return float(distances[order][index])


def _spacing_per_image(spacing: ArrayLike, count: int, dimensions: int) -> np.ndarray:
    values = np.asarray(spacing, float)
    if values.shape not in ((), (dimensions,), (count, dimensions)):
        lengths = "a pair (height, width)" if dimensions == 2 else "three lengths (z, y, x)"
        raise ValueError(
            f"spacing is the length of a pixel: a number, {lengths}, or one such row per "
            f"{'image' if dimensions == 2 else 'volume'}, not of shape {values.shape}."
        )
    if not (values > 0).all():
        raise ValueError(
            "spacing must be positive lengths, in mm or um; where it is unknown (NaN), "
            "spacing=1 counts in pixels."
        )
    return np.broadcast_to(values, (count, dimensions))
