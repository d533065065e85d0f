"""Heat maps held against outlines: does the hottest point lie inside, and how much of the heat?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage


def pointing_game(heatmaps: ArrayLike, masks: ArrayLike, *, tolerance: float = 0) -> np.ndarray:
    """For each image, 1 if the hottest point of its map lies in its mask and 0 if not: float (N,).

    heatmaps: (N, H, W), finite, any unit. masks: (N, H, W), nonzero where the truth lies. tolerance: a point so many
    pixels outside still counts. If several pixels are hottest, the share of them inside, as if one were drawn: a flat
    map, which says nothing, scores what guessing would. Images of one patient belong together, so give the mean its
    interval with `metrics.interval`. Raises ValueError for other shapes, an empty mask, NaN, a negative tolerance.
    Source: Zhang et al. 2018 (arXiv:1608.00507), who allow 15 pixels.
    """
    heatmaps, masks = _checked(heatmaps, masks)
    if not tolerance >= 0:
        raise ValueError(f"tolerance={tolerance!r} is not a distance in pixels of at least 0.")
    if tolerance:
        masks = np.stack([ndimage.distance_transform_edt(~mask) <= tolerance for mask in masks])
    hottest = heatmaps == heatmaps.max(axis=(1, 2), keepdims=True)
    return (hottest & masks).sum(axis=(1, 2)) / hottest.sum(axis=(1, 2))


def energy_inside(heatmaps: ArrayLike, masks: ArrayLike) -> np.ndarray:
    """For each image, the share of its map's sum that lies in its mask: float (N,), 0..1.

    Arguments as in `pointing_game`, with maps of at least 0; one of zeros scores what an even one would: the share of
    the image that the mask covers, the value to beat. Raises ValueError as there, and for negative heat.
    Source: Wang et al. 2020 (arXiv:1910.01279), the energy-based pointing game.
    """
    heatmaps, masks = _checked(heatmaps, masks)
    if heatmaps.min() < 0:
        raise ValueError(
            f"Heat of {heatmaps.min():.3g} has no share of a whole; cut the maps off at 0 first."
        )
    heatmaps = np.where(heatmaps.any(axis=(1, 2), keepdims=True), heatmaps, 1)
    return (heatmaps * masks).sum(axis=(1, 2)) / heatmaps.sum(axis=(1, 2))


def _checked(heatmaps: ArrayLike, masks: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    heatmaps, masks = np.asarray(heatmaps, float), np.asarray(masks) != 0
    if heatmaps.ndim != 3 or heatmaps.shape != masks.shape or not heatmaps.size:
        raise ValueError(
            "Heat maps and masks are both (N, H, W), of the same size; these have the shapes "
            f"{heatmaps.shape} and {masks.shape}."
        )
    if not np.isfinite(heatmaps).all():
        raise ValueError("The heat maps hold values that are not finite (NaN or infinite).")
    empty = np.flatnonzero(~masks.any(axis=(1, 2)))
    if len(empty):
        raise ValueError(
            f"{len(empty)} of {len(masks)} masks are empty, first number {empty[0]}: there is nothing to point "
            "at, so leave such images out."
        )
    return heatmaps, masks
