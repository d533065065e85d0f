"""Heat maps over images, and the weight of each slice of a patient."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from medlearn.plots._style import COLOURS, OUTLINES, bare_axes, name_row, put_frame


def heat_maps(
    images: Sequence[np.ndarray] | np.ndarray,
    rows: Mapping[str, np.ndarray | None],
    titles: Sequence[str] | None = None,
    *,
    masks: Sequence[np.ndarray] | np.ndarray | None = None,
    boxes: Sequence[Sequence[float]] | np.ndarray | None = None,
    over_image: bool = True,
    alpha: float = 0.7,
    width: float = 8.0,
) -> Figure:
    """Show heat maps over images or alone, one column per image.

    Each map is scaled to its own maximum, and a cross marks the hottest point. Over an image, cold
    pixels stay transparent.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W, 3)
        N images of one size, from 0 to 255.
    rows : mapping of str to array_like, each of shape (N, H, W)
        For each row a map of at least 0 for each image; None shows the bare images.
    titles : sequence of str, optional
        A title for each image.
    masks : array_like, shape (N, H, W), optional
        Above 0 inside the regions to be outlined.
    boxes : array_like, shape (N, 4), optional
        A frame for each image, ``[y0, x0, y1, x1]``.
    over_image : bool
        Whether a map lies over its image; otherwise it stands alone.
    alpha : float
        How much the hottest point covers its image, from 0 to 1.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    height, breadth = np.shape(images[0])[:2]
    row_height = width / (len(images) + 0.6) * height / breadth
    figure, axes = plt.subplots(
        len(rows), len(images), figsize=(width, len(rows) * row_height + 0.4), squeeze=False
    )
    for row, (name, maps) in zip(axes, rows.items()):
        for index, (ax, image) in enumerate(zip(row, images)):
            bare_axes(ax)
            if maps is None or over_image:
                ax.imshow(image, vmin=0, vmax=255)
            if maps is not None:
                _draw_heat(ax, np.asarray(maps[index]), alpha if over_image else None)
            if masks is not None and np.any(masks[index]):
                ax.contour(masks[index] > 0, levels=[0.5], colors=OUTLINES[2], linewidths=1.3)
            if boxes is not None:
                _draw_box(ax, boxes[index])
        name_row(row[0], name)
    for ax, title in zip(axes[0], titles if titles is not None else ()):
        ax.set_title(title, fontsize=11, loc="center")
    return figure


def slice_weights(
    images: Sequence[np.ndarray] | np.ndarray,
    weights: Sequence[float] | np.ndarray,
    positive: Sequence[bool] | np.ndarray,
    *,
    title: str = "",
    label: str = "weight",
) -> Figure:
    """Show a patient's slices in order, over bars of how much each counts.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W) or (H, W, 3)
        The slices, from 0 to 255.
    weights : sequence of float, shape (K,)
        The weight of each slice.
    positive : sequence of bool, shape (K,)
        Whether a slice shows the finding; such slices are orange.
    title : str
        The title of the figure.
    label : str
        What the weights are.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = plt.subplots(
        2, len(images), figsize=(8, 8 / len(images) + 1.3), height_ratios=(1.3, 1), sharey="row"
    )
    end = max(0.5, 1.15 * np.max(weights))
    for index, (top, bottom) in enumerate(axes.T):
        colour, weight = COLOURS[1] if positive[index] else "0.7", weights[index]
        top.imshow(images[index], vmin=0, vmax=255)
        put_frame(top, colour)
        bottom.bar([0], [weight], width=0.5, color=colour)
        bottom.set(xticks=[], xlim=(-0.6, 0.6), ylim=(0, end))
        text: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 10}
        bottom.annotate(f"{weight:.2f}", (0, weight), (0, 2), **text)
        sns.despine(ax=bottom, left=True)
        bottom.tick_params(left=False, labelleft=False)
    axes[1, 0].set_ylabel(label, fontsize=11)
    figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    return figure


def _draw_heat(ax: Axes, heat_map: np.ndarray, alpha: float | None) -> None:
    """A map over what is drawn already, or alone if alpha is None."""
    hottest = heat_map.max()
    if hottest <= 0:
        if alpha is None:
            ax.imshow(heat_map, cmap="inferno", vmin=0, vmax=1)
        return
    share = heat_map / hottest
    opacity = None if alpha is None else alpha * share**0.7
    ax.imshow(share, cmap="inferno", vmin=0, vmax=1, alpha=opacity)
    y, x = np.unravel_index(share.argmax(), share.shape)
    rim = [patheffects.withStroke(linewidth=4, foreground="black")]  # visible on white as well
    cross: dict[str, Any] = {
        "color": "white",
        "markersize": 7,
        "markeredgewidth": 1.6,
        "path_effects": rim,
    }
    ax.plot(x, y, "x", clip_on=False, **cross)


def _draw_box(ax: Axes, box: Sequence[float]) -> None:
    y0, x0, y1, x1 = box
    size = (x1 - x0, y1 - y0)
    frame = Rectangle((x0 - 0.5, y0 - 0.5), *size, fill=False, edgecolor=OUTLINES[1], linewidth=2)
    ax.add_patch(frame)
