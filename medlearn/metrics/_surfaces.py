"""How far two outlines are apart, in the units of the pixels' spacing.

An outline runs along the pixels' corners: a corner belongs to it if the four pixels around it are not all inside or all
outside, and stands for as much length as the outline has within half a pixel of it (marching squares), so that slanted
edges do not count more than straight ones. Source: Nikolov et al., J. Med. Internet Res. 23:e26151, 2021.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from medlearn.metrics._overlap import region


def hd95(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    spacing: ArrayLike = 1.0,
    missed: float = np.inf,
) -> np.ndarray:
    """95th percentile of the distance between the outlines of a class, the larger of both directions, of each image (N,).

    masks, predictions: whole numbers (N, H, W). spacing: length of a pixel in your unit: a number, (height, width) or
    (N, 2), such as `data.spacing`. NaN where neither has the class; `missed` where only one has it: a region that was
    missed, or invented, has no distance. Raises ValueError as `dice`, and for a spacing that is not positive (NaN: unknown;
    then spacing=1 counts in pixels). Source: Huttenlocher, IEEE TPAMI 15:850, 1993, made robust.
    """

    def larger(there, length_there, back, length_back):
        return max(_percentile(there, length_there), _percentile(back, length_back))

    return _each(larger, masks, predictions, positive, spacing, missed)


def surface_dice(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    tolerance: float,
    spacing: ArrayLike = 1.0,
) -> np.ndarray:
    """Share of both outlines that lies within `tolerance` of the other, 0..1, of each image (N,).

    tolerance: in the unit of `spacing`; what two careful people disagree by is a fair choice. NaN where neither has the
    class, 0 where only one has it. Other arguments and errors as for `hd95`. Source: Nikolov et al. 2021, eq. 5.
    """
    if not tolerance >= 0:
        raise ValueError(
            f"tolerance={tolerance!r} is a distance of at least 0, in the unit of the spacing."
        )

    def share(there, length_there, back, length_back):
        near = length_there[there <= tolerance].sum() + length_back[back <= tolerance].sum()
        return near / (length_there.sum() + length_back.sum())

    return _each(share, masks, predictions, positive, spacing, 0.0)


def _each(score, masks, predictions, value, spacing, missed: float) -> np.ndarray:
    true, predicted = region(masks, predictions, value)
    results = np.full(len(true), np.nan)
    for index, (one, other, units) in enumerate(
        zip(true, predicted, _spacings(spacing, len(true)))
    ):
        if one.any() and other.any():
            results[index] = score(*_distances(one, other, units))
        elif one.any() or other.any():
            results[index] = missed
    return results


def _distances(one: np.ndarray, other: np.ndarray, spacing: np.ndarray):
    """For each outline, the distance of its corners to the other outline and the length that they stand for."""
    lengths = [_outline(_cropped(each, one | other), spacing) for each in (one, other)]
    away = [ndimage.distance_transform_edt(length == 0, sampling=spacing) for length in lengths]
    (here, there), (from_here, from_there) = lengths, away
    return from_there[here > 0], here[here > 0], from_here[there > 0], there[there > 0]


def _cropped(region: np.ndarray, both: np.ndarray) -> np.ndarray:
    """The part of a region that holds all of both, for speed; the distances within do not change."""
    rows, columns = np.flatnonzero(both.any(1)), np.flatnonzero(both.any(0))
    return region[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _outline(region: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Length of the outline at each corner of the pixels (H + 1, W + 1); 0 off the outline."""
    inside = np.pad(region, 1)
    a, b, c, d = inside[:-1, :-1], inside[:-1, 1:], inside[1:, :-1], inside[1:, 1:]
    height, width = spacing
    slant = np.hypot(height, width) / 2  # cuts off one corner
    number = a.astype(int) + b + c + d
    length = np.where((number == 1) | (number == 3), slant, 0.0)
    length[(number == 2) & (a == b)] = width  # upper two or lower two inside
    length[(number == 2) & (a == c)] = height
    length[(number == 2) & (a == d)] = 2 * slant
    return length


def _percentile(distances: np.ndarray, lengths: np.ndarray, share: float = 0.95) -> float:
    order = np.argsort(distances)
    reached = np.cumsum(lengths[order]) / lengths.sum()
    return float(distances[order][min(np.searchsorted(reached, share), len(order) - 1)])


def _spacings(spacing: ArrayLike, count: int) -> np.ndarray:
    values = np.asarray(spacing, float)
    if values.shape not in ((), (2,), (count, 2)):
        raise ValueError(
            f"spacing is the length of a pixel: a number, (height, width) or one such pair an image, not of shape {values.shape}."
        )
    if not (values > 0).all():
        raise ValueError(
            "spacing must be positive lengths, in mm or um; where it is unknown (NaN), spacing=1 counts in pixels."
        )
    return np.broadcast_to(values, (count, 2))
