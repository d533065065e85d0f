"""What a detector's grid should predict for an image, and what it predicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from medlearn.plots._detection import TONES, draw_boxes, legend_of_classes
from medlearn.plots._style import WRONG, bare_axes

_FAINTEST = 0.05  # the lowest value that is written into its cell


def detection_targets(
    image: np.ndarray,
    boxes: Sequence[np.ndarray] | np.ndarray,
    centres: np.ndarray,
    sides: np.ndarray,
    stride: int,
    classes: Sequence[str],
    cell: tuple[int, int] | None = None,
    *,
    width: float = 8.0,
) -> Figure:
    """Show what the cells of a detector's grid should predict for an image.

    On the left the heat map of the centres; on the right the cells that predict a box, and the
    four distances of one of them.

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        The image, from 0 to 255.
    boxes : array_like, shape (K, 5)
        Rows of [y0, x0, y1, x1, class index] in pixels.
    centres : numpy.ndarray, shape (h, w, classes)
        The heat map of the centres, from 0 to 1.
    sides : numpy.ndarray, shape (h, w, 5)
        The distances of each cell to (top, left, bottom, right) of its box in pixels, and the
        weight of the cell, 0 where it predicts no box.
    stride : int
        Side of a cell in pixels.
    classes : sequence of str
        The names of the classes.
    cell : tuple of int, optional
        (row, column) of the cell whose distances are drawn; None takes one far inside a large box.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    height = width / 2 * image.shape[0] / image.shape[1] + 0.75
    extent = (0, image.shape[1], image.shape[0], 0)
    figure, (left, right) = plt.subplots(1, 2, figsize=(width, height))
    pale = np.asarray(image, float) / 255 * 0.3 + 0.7  # so that the hills stand out
    for ax, picture in ((left, pale), (right, image)):
        ax.imshow(picture, extent=extent)
        bare_axes(ax)
    left.imshow(_coloured(centres), extent=extent, interpolation="nearest", alpha=0.9)
    _draw_grid(left, image, stride)
    left.set_title("centres: a hill around each", fontsize=9, loc="center")
    weight = sides[..., 4]
    veil = np.dstack([np.ones((*weight.shape, 3)), 0.55 * (weight > 0)])
    right.imshow(veil, interpolation="nearest", extent=extent)
    _draw_grid(right, image, stride)
    draw_boxes(right, boxes, linewidth=1.2)
    if cell is None:
        depth = np.where(weight > 0, sides[..., :4].min(-1), -1)
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        cell = (int(row), int(column))
    _draw_distances(right, sides, cell, stride)
    right.set_title("sides: white places draw; the arrows of one", fontsize=9, loc="center")
    legend_of_classes(figure, classes)
    return figure


def detection_heatmaps(
    image: np.ndarray,
    heatmaps: Mapping[str, np.ndarray],
    stride: int,
    window: tuple[int, int, int, int],
    *,
    boxes: Sequence[np.ndarray] | np.ndarray = (),
    width: float = 8.0,
) -> Figure:
    """Show a part of an image and, beside it, heat maps of a detector's grid with their values.

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        The image, from 0 to 255.
    heatmaps : mapping of str to numpy.ndarray, each of shape (h, w)
        For each panel a heat map from 0 to 1, a value for each cell of the grid.
    stride : int
        Side of a cell in pixels.
    window : tuple of int
        (row, column, height, width) of the part that is shown, in cells.
    boxes : array_like, shape (K, 5), optional
        Rows of [y0, x0, y1, x1, class index] in pixels, drawn on the image.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; each cell holds its value without the leading zero, values under .05 are not
        written.
    """
    top, left, rows, columns = window
    panels = len(heatmaps) + 1
    figure, axes = plt.subplots(1, panels, figsize=(width, width / panels * rows / columns + 0.5))
    extent = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
    axes[0].imshow(image, extent=extent)
    draw_boxes(axes[0], boxes, linewidth=1.2)
    axes[0].set_title("image", fontsize=10, loc="center")
    for ax, (name, heatmap) in zip(axes[1:], heatmaps.items()):
        ax.imshow(heatmap, cmap="magma", vmin=0, vmax=1, extent=extent)
        _write_values(ax, heatmap, stride, window)
        ax.set_title(name, fontsize=10, loc="center")
    for ax in axes:
        bare_axes(ax)
        _draw_grid(ax, image, stride, offset=0.5)
        ax.set_xlim(left * stride - 0.5, (left + columns) * stride - 0.5)
        ax.set_ylim((top + rows) * stride - 0.5, top * stride - 0.5)
    return figure


def _write_values(ax: Axes, heatmap: np.ndarray, stride: int, window) -> None:
    """Write each value of a part of a heat map into its cell."""
    top, left, rows, columns = window
    part = heatmap[top : top + rows, left : left + columns]
    for row, column in np.argwhere(part >= _FAINTEST):
        value = part[row, column]
        text = "1" if value >= 0.95 else f"{value:.1f}"[1:]
        colour = "black" if value > 0.6 else "white"
        y, x = (top + row + 0.5) * stride - 0.5, (left + column + 0.5) * stride - 0.5
        ax.text(x, y, text, color=colour, ha="center", va="center", fontsize=8)


def _coloured(centres: np.ndarray) -> np.ndarray:
    """Each cell in the colour (h, w, 4) of its likeliest class, as opaque as its value is high."""
    shape = centres.shape[:2]
    picture = np.zeros((*shape, 4))
    for index in range(centres.shape[-1]):
        colour = np.broadcast_to(to_rgb(TONES[index]), (*shape, 3))
        layer = np.dstack([colour, centres[..., index]])
        picture = np.where(layer[..., 3:] > picture[..., 3:], layer, picture)
    return picture


def _draw_grid(ax: Axes, image: np.ndarray, stride: int, offset: float = 0) -> None:
    """Lines between the cells; pixel 0 is drawn from minus `offset`."""
    height, width = image.shape[:2]
    line: dict[str, Any] = {"color": "black", "linewidth": 0.3, "alpha": 0.4}
    ax.vlines(np.arange(0, width + 1, stride) - offset, -offset, height, **line)
    ax.hlines(np.arange(0, height + 1, stride) - offset, -offset, width, **line)
    ax.set(xlim=(0, width), ylim=(height, 0))


def _draw_distances(ax: Axes, sides: np.ndarray, cell, stride: int) -> None:
    y, x = (cell[0] + 0.5) * stride, (cell[1] + 0.5) * stride
    top, left, bottom, right = sides[cell[0], cell[1], :4]
    arrow: dict[str, Any] = {
        "arrowstyle": "-|>",
        "color": WRONG,
        "linewidth": 2,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    for dy, dx in ((-top, 0), (0, -left), (bottom, 0), (0, right)):
        ax.annotate("", (x + dx, y + dy), (x, y), arrowprops=arrow)
