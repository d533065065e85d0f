"""Three planes of a volume, to scale."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from medlearn.plots._segmentation import blend_mask, legend_of_classes
from medlearn.plots._style import bare_axes

_GUIDE = "#F0E442"
_EDGE = [withStroke(linewidth=2, foreground="black")]  # letters are legible on white, too
# Name, the axis that is cut, and the letters at the left and at the top, for (Z, Y, X) towards the
# head, the back and the left.
_PLANES = (("axial", 0, "R", "A"), ("coronal", 1, "R", "S"), ("sagittal", 2, "A", "S"))


def volume_planes(
    volume: ArrayLike,
    mask: ArrayLike | None = None,
    spacing: ArrayLike = (1.0, 1.0, 1.0),
    *,
    at: Sequence[int] | None = None,
    mask_classes: Sequence[str] = (),
    opacity: float = 0.5,
    title: str = "",
) -> Figure:
    """Show an axial, a coronal and a sagittal plane of a volume, to one scale in mm.

    The head is up, or in the axial plane the front; the patient's right is at the left, as
    radiologists look at it. Lines show where the other planes lie.

    Parameters
    ----------
    volume : array_like, shape (Z, Y, X)
        Values from 0 to 255, with the axes of `datasets.Volumes`.
    mask : array_like of int, shape (Z, Y, X), optional
        The class index of each voxel; 0 is the background. It is painted over the planes.
    spacing : array_like of three floats
        Size of a voxel along z, y and x in mm.
    at : sequence of three ints, optional
        The voxel (z, y, x) that all planes share. Default: the middle.
    mask_classes : sequence of str
        The names of the classes for the legend, the background first.
    opacity : float
        How much the colours cover, from 0 to 1.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        If the volume has no three dimensions, or the mask another shape.
    """
    voxels, classes, lengths = checked(volume, mask, spacing)
    middle = [side // 2 for side in voxels.shape] if at is None else list(at)
    sides = np.array(voxels.shape) * lengths  # mm
    figure, axes = _axes(sides, bool(mask_classes), bool(title))
    for ax, (name, axis, left, top) in zip(axes, _PLANES, strict=True):
        picture = _picture(voxels, classes, axis, middle[axis], opacity)
        down, across = np.delete(sides, axis)
        ax.imshow(picture, extent=(0, across, down, 0), interpolation="nearest")
        _draw_guides(ax, axis, middle, lengths, sides)
        ax.set_title(f"{name}, {'zyx'[axis]} = {middle[axis]}", fontsize=9, loc="center")
        style: dict[str, Any] = {"color": "white", "fontsize": 9, "path_effects": _EDGE}
        ax.text(0.02, 0.5, left, transform=ax.transAxes, va="center", **style)
        ax.text(0.5, 0.98, top, transform=ax.transAxes, va="top", ha="center", **style)
        bare_axes(ax)
    if title:
        figure.suptitle(title, fontsize=10)
    if mask_classes:
        legend_of_classes(figure, mask_classes)
    return figure


def checked(
    volume: ArrayLike, mask: ArrayLike | None, spacing: ArrayLike
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return a volume, its mask and the sides of a voxel as arrays.

    Parameters
    ----------
    volume : array_like, shape (Z, Y, X)
        Values from 0 to 255.
    mask : array_like of int, shape (Z, Y, X), or None
        The class index of each voxel.
    spacing : array_like of one or three floats
        Size of a voxel along z, y and x in mm.

    Raises
    ------
    ValueError
        If the volume has no three dimensions, or the mask another shape.
    """
    voxels = np.asarray(volume)
    if voxels.ndim != 3:
        raise ValueError(
            f"A volume (Z, Y, X) is expected, not the shape {voxels.shape}: give one volume."
        )
    if mask is not None and np.shape(mask) != voxels.shape:
        raise ValueError(
            f"The volume has the shape {voxels.shape}, the mask {np.shape(mask)}: give the mask of "
            "this volume."
        )
    lengths = np.broadcast_to(np.asarray(spacing, float), 3)
    return voxels, None if mask is None else np.asarray(mask), lengths


def upright(voxels: np.ndarray, axis: int, index: int) -> np.ndarray:
    """Return a plane (H, W) as it is looked at: the front or the head is up.

    Parameters
    ----------
    voxels : numpy.ndarray, shape (Z, Y, X)
        The volume, or its mask.
    axis, index : int
        The axis that is cut, and where, in voxels.
    """
    plane = np.take(voxels, index, axis=axis)
    return plane if axis == 0 else plane[::-1]


def _axes(sides: np.ndarray, has_legend: bool, has_title: bool) -> tuple[Figure, np.ndarray]:
    """Three axes side by side, to one scale in mm; `sides` (3,) are those of the volume."""
    widths = [sides[2], sides[2], sides[1]]
    tallest = max(sides[0], sides[1])
    height = 7.6 * tallest / sum(widths) + 0.35 + 0.3 * has_legend + 0.3 * has_title
    return plt.subplots(1, 3, figsize=(8, height), width_ratios=widths, layout="constrained")


def _picture(voxels, mask, axis: int, index: int, opacity: float) -> np.ndarray:
    """One plane with its mask, front or head up: (H, W, 3) from 0 to 1."""
    plane = upright(voxels, axis, index)
    picture = np.repeat(np.clip(plane, 0, 255)[..., None], 3, axis=-1)
    none = np.zeros(plane.shape, int)
    return blend_mask(picture, none if mask is None else upright(mask, axis, index), opacity)


def _draw_guides(
    ax: Axes, axis: int, middle: Sequence[int], lengths: np.ndarray, sides: np.ndarray
) -> None:
    """Draw where the other two planes cut this one."""
    guides = (np.array(middle) + 0.5) * lengths
    guides[0] = sides[0] - guides[0]  # the head is up
    down, across = np.delete(guides, axis)
    style: dict[str, Any] = {"color": _GUIDE, "linewidth": 0.6, "alpha": 0.8}
    ax.axhline(down, **style)
    ax.axvline(across, **style)
