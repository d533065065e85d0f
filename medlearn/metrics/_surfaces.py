"""How far two outlines are apart, in the units of the pixels' spacing.

An outline runs along the pixels' corners: a corner belongs to it if the four pixels around it are
not all inside or all outside. The corner stands for the length that the outline has within half
a pixel of it (marching squares), so that slanted edges do not count more than straight ones.
Source: Nikolov et al., J. Med. Internet Res. 23:e26151, 2021.
"""

from collections.abc import Callable
from functools import partial
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
    masks, predictions : array_like, shape (N, H, W)
        Whole numbers, the class index of each pixel.
    positive : int
        The class to score, from 1 on; 0 is the background.
    spacing : float or array_like, shape (2,) or (N, 2)
        Length of a pixel in your unit: one number, (height, width), or one pair per image such as
        ``data.spacing``.
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
    masks, predictions : array_like, shape (N, H, W)
        Whole numbers, the class index of each pixel.
    positive : int
        The class to score, from 1 on; 0 is the background.
    tolerance : float
        A distance in the unit of `spacing`, 0 or more; what two careful readers disagree by is a
        fair choice.
    spacing : float or array_like, shape (2,) or (N, 2)
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


def _score_outlines(
    score: Callable[[_Outline, _Outline], float],
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int,
    spacing: ArrayLike,
    missed: float,
) -> np.ndarray:
    """The score of both outlines of each image (N,); NaN without, `missed` with one only."""
    true, predicted = regions(masks, predictions, positive)
    results = np.full(len(true), np.nan)
    for index, sides in enumerate(_spacing_per_image(spacing, len(true))):
        if true[index].any() and predicted[index].any():
            results[index] = score(*_outlines(true[index], predicted[index], sides))
        elif true[index].any() or predicted[index].any():
            results[index] = missed
    return results


def _larger_percentile(true: _Outline, predicted: _Outline) -> float:
    return max(_percentile(*true), _percentile(*predicted))


def _share_within(tolerance: float, true: _Outline, predicted: _Outline) -> float:
    near_predicted = true.length[true.distance <= tolerance].sum()
    near_true = predicted.length[predicted.distance <= tolerance].sum()
    return (near_predicted + near_true) / (true.length.sum() + predicted.length.sum())


def _outlines(
    true: np.ndarray, predicted: np.ndarray, spacing: np.ndarray
) -> tuple[_Outline, _Outline]:
    """Both outlines, each with the distances of its corners to the other one."""
    both = true | predicted
    true_length = _corner_lengths(_cropped(true, both), spacing)
    predicted_length = _corner_lengths(_cropped(predicted, both), spacing)
    to_true = ndimage.distance_transform_edt(true_length == 0, sampling=spacing)
    to_predicted = ndimage.distance_transform_edt(predicted_length == 0, sampling=spacing)
    on_true, on_predicted = true_length > 0, predicted_length > 0
    return (
        _Outline(to_predicted[on_true], true_length[on_true]),
        _Outline(to_true[on_predicted], predicted_length[on_predicted]),
    )


def _cropped(region: np.ndarray, both: np.ndarray) -> np.ndarray:
    """The part of a region that holds all of both, for speed; the distances do not change."""
    rows, columns = np.flatnonzero(both.any(1)), np.flatnonzero(both.any(0))
    return region[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _corner_lengths(region: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Length of the outline at each corner of the pixels (H + 1, W + 1); 0 off the outline."""
    inside = np.pad(region, 1)
    top_left, top_right = inside[:-1, :-1], inside[:-1, 1:]
    bottom_left, bottom_right = inside[1:, :-1], inside[1:, 1:]
    height, width = spacing
    diagonal = np.hypot(height, width) / 2  # cuts off one corner
    count = top_left.astype(int) + top_right + bottom_left + bottom_right
    length = np.where((count == 1) | (count == 3), diagonal, 0.0)
    length[(count == 2) & (top_left == top_right)] = width
    length[(count == 2) & (top_left == bottom_left)] = height
    length[(count == 2) & (top_left == bottom_right)] = 2 * diagonal
    return length


def _percentile(distances: np.ndarray, lengths: np.ndarray, share: float = 0.95) -> float:
    order = np.argsort(distances)
    reached = np.cumsum(lengths[order]) / lengths.sum()
    index = min(int(np.searchsorted(reached, share)), len(order) - 1)
    return float(distances[order][index])


def _spacing_per_image(spacing: ArrayLike, count: int) -> np.ndarray:
    values = np.asarray(spacing, float)
    if values.shape not in ((), (2,), (count, 2)):
        raise ValueError(
            "spacing is the length of a pixel: a number, (height, width) or one such pair per "
            f"image, not of shape {values.shape}."
        )
    if not (values > 0).all():
        raise ValueError(
            "spacing must be positive lengths, in mm or um; where it is unknown (NaN), "
            "spacing=1 counts in pixels."
        )
    return np.broadcast_to(values, (count, 2))
