"""Heat maps against outlines: whether the hottest point lies inside, and how much of the heat."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage


def pointing_game(heatmaps: ArrayLike, masks: ArrayLike, *, tolerance: float = 0) -> np.ndarray:
    """Return for each image whether the hottest point of its map lies in its mask.

    If several pixels are hottest, the result is the share of them inside, as if one were drawn: a
    flat map, which says nothing, scores what guessing would. Images of one patient belong together,
    so give the mean its interval with `metrics.interval`.

    Parameters
    ----------
    heatmaps : array_like, shape (N, H, W)
        Heat maps, finite, of any unit.
    masks : array_like, shape (N, H, W)
        Nonzero where the truth lies; at least one pixel of each mask.
    tolerance : float
        Distance in pixels, at least 0, at which a point outside still counts.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Float, 0 (outside) to 1 (inside).

    Raises
    ------
    ValueError
        For other shapes, an empty mask, NaN, and a negative tolerance.

    References
    ----------
    Zhang et al. 2018 (arXiv:1608.00507), who allow 15 pixels.

    Examples
    --------
    >>> pointing_game([[[0.1, 0.9], [0.2, 0.3]]], [[[0, 1], [0, 0]]]).tolist()
    [1.0]
    """
    heat, inside = _checked(heatmaps, masks)
    if not tolerance >= 0:
        raise ValueError(f"tolerance={tolerance!r} is not a distance in pixels of at least 0.")
    if tolerance:
        inside = np.stack([ndimage.distance_transform_edt(~mask) <= tolerance for mask in inside])
    hottest = heat == heat.max(axis=(1, 2), keepdims=True)
    return (hottest & inside).sum(axis=(1, 2)) / hottest.sum(axis=(1, 2))


def energy_inside(heatmaps: ArrayLike, masks: ArrayLike) -> np.ndarray:
    """Return for each image the share of its map's sum that lies in its mask.

    A map of zeros scores what an even one would: the share of the image that the mask covers, the
    value to beat.

    Parameters
    ----------
    heatmaps : array_like, shape (N, H, W)
        Heat maps, finite, at least 0.
    masks : array_like, shape (N, H, W)
        Nonzero where the truth lies; at least one pixel of each mask.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Float, 0 to 1.

    Raises
    ------
    ValueError
        For other shapes, an empty mask, NaN, and negative heat.

    References
    ----------
    Wang et al. 2020 (arXiv:1910.01279), the energy-based pointing game.

    Examples
    --------
    >>> energy_inside([[[1.0, 3.0], [0.0, 0.0]]], [[[0, 1], [0, 0]]]).tolist()
    [0.75]
    """
    heat, inside = _checked(heatmaps, masks)
    if heat.min() < 0:
        raise ValueError(
            f"Heat of {heat.min():.3g} has no share of a whole; cut the maps off at 0 first."
        )
    heat = np.where(heat.any(axis=(1, 2), keepdims=True), heat, 1)
    return (heat * inside).sum(axis=(1, 2)) / heat.sum(axis=(1, 2))


def _checked(heatmaps: ArrayLike, masks: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    heat, inside = np.asarray(heatmaps, float), np.asarray(masks) != 0
    if heat.ndim != 3 or heat.shape != inside.shape or not heat.size:
        raise ValueError(
            "Heat maps and masks are both (N, H, W), of the same size; these have the shapes "
            f"{heat.shape} and {inside.shape}."
        )
    if not np.isfinite(heat).all():
        raise ValueError("The heat maps hold values that are not finite (NaN or infinite).")
    empty = np.flatnonzero(~inside.any(axis=(1, 2)))
    if len(empty):
        raise ValueError(
            f"{len(empty)} of {len(inside)} masks are empty, first number {empty[0]}: there is "
            "nothing to point at, so leave such images out."
        )
    return heat, inside
