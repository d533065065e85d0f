"""Boxes on images: predictions, crops, and the targets of a detector."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from medlearn.plots._style import WRONG, bare_axes

_OUTLINE = [patheffects.withStroke(linewidth=3, foreground="black", alpha=0.55)]
_TONES = ("#56B4E9", "#F0E442", "#E69F00", "#009E73", "#FFFFFF")


def images_with_boxes(
    images: Sequence[np.ndarray] | np.ndarray,
    boxes: Sequence[np.ndarray],
    classes: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    wrong: Sequence[ArrayLike] | None = None,
    scores: bool = False,
    columns: int = 3,
    width: float = 8.0,
) -> Figure:
    """Show images with their boxes, one colour per class.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W, 3)
        Images of one size, from 0 to 255.
    boxes : sequence of array_like, each of shape (K, 5) or (K, 6)
        For each image, rows of [y0, x0, y1, x1, class index, score] in pixels.
    classes : sequence of str
        The names of the classes.
    titles : sequence of str, optional
        A title for each image.
    wrong : sequence of array_like of bool, each of shape (K,), optional
        Whether a box is to be dashed.
    scores : bool
        Whether to write the scores beside the boxes, if there are any.
    columns : int
        Images in a row, at most.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, breadth = np.shape(images[0])[:2]
    row_height = width / columns * height / breadth + 0.26 * (titles is not None)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * row_height + 0.35), squeeze=False
    )
    for index, ax in enumerate(axes.flat):
        bare_axes(ax)
        if index < len(images):
            ax.imshow(images[index], vmin=0, vmax=255)
            dashed = None if wrong is None else wrong[index]
            draw_boxes(ax, boxes[index], dashed=dashed, scores=scores)
            ax.set_title(titles[index] if titles is not None else "", fontsize=9, loc="center")
    _legend_of_classes(figure, classes)
    return figure


def draw_boxes(
    ax: Axes,
    boxes: Sequence[np.ndarray] | np.ndarray,
    *,
    dashed: ArrayLike | None = None,
    scores: bool = False,
    colour: ColorType | None = None,
    linewidth: float = 1.6,
) -> None:
    """Draw boxes on an axes that shows their image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    boxes : array_like, shape (K, 5) or (K, 6)
        Rows of [y0, x0, y1, x1, class index, score] in pixels.
    dashed : array_like of bool, shape (K,), optional
        Whether a box is to be dashed.
    scores : bool
        Whether to write the scores beside the boxes, if there are any.
    colour : color, optional
        One colour for all; None takes that of each box's class.
    linewidth : float
        Width of the lines in points.
    """
    is_dashed = np.zeros(len(boxes), bool) if dashed is None else np.asarray(dashed)
    for box, broken in zip(boxes, is_dashed):
        _draw_box(ax, box, broken, colour or _TONES[int(box[4]) % len(_TONES)], linewidth)
        if scores and len(box) > 5:
            text: dict[str, Any] = {
                "color": "white",
                "fontsize": 7,
                "va": "top",
                "path_effects": _OUTLINE,
            }
            ax.text(box[1] + 1, box[0] + 1, f"{box[5]:.2f}"[1:], **text)


def box_crops(
    images: Sequence[np.ndarray] | np.ndarray,
    boxes: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str] | None = None,
    *,
    scale: float = 1.6,
    columns: int = 8,
    width: float = 8.0,
    frames: Sequence[ColorType] | None = None,
) -> Figure:
    """Show a square around each box.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W, 3)
        The image of each box, from 0 to 255.
    boxes : sequence of array_like, each of shape (5 or more,)
        One box per image: [y0, x0, y1, x1, class index, ...] in pixels.
    titles : sequence of str, optional
        A title for each box.
    scale : float
        Side of the square over the longer side of the box.
    columns : int
        Crops in a row, at most.
    width : float
        Width of the figure in inches.
    frames : sequence of color, optional
        The colour of each box; None takes that of its class.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    columns = min(columns, len(boxes))
    rows = -(-len(boxes) // columns)
    height = rows * (width / columns + 0.28 * (titles is not None))
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    for ax in axes.flat:
        bare_axes(ax)
    for index, ax in enumerate(axes.flat[: len(boxes)]):
        y0, x0, y1, x1 = np.asarray(boxes[index][:4], float)
        half, y, x = scale * max(y1 - y0, x1 - x0) / 2, (y0 + y1) / 2, (x0 + x1) / 2
        ax.imshow(images[index], vmin=0, vmax=255)
        draw_boxes(ax, [boxes[index][:5]], colour=None if frames is None else frames[index])
        ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half), facecolor="0.85")
        if titles is not None:
            ax.set_title(titles[index], fontsize=8, loc="center")
    return figure


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
    for ax in (left, right):
        ax.imshow(image, extent=extent)
        bare_axes(ax)
    left.imshow(_coloured(centres), extent=extent, interpolation="nearest", alpha=0.9)
    _draw_grid(left, image, stride)
    left.set_title("centres: a hill in the cells around each", fontsize=9, loc="center")
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
    right.set_title("sides: white cells draw; the arrows of one", fontsize=9, loc="center")
    _legend_of_classes(figure, classes)
    return figure


def _draw_box(ax: Axes, box, broken: bool, colour: ColorType, linewidth: float) -> None:
    y0, x0, y1, x1 = box[:4]
    # Pixel 0 is drawn from -0.5 to 0.5; the edges of boxes count from its left side.
    ax.add_patch(
        Rectangle(
            (x0 - 0.5, y0 - 0.5),
            x1 - x0,
            y1 - y0,
            fill=False,
            edgecolor=colour,
            linewidth=linewidth,
            linestyle=(0, (3, 2)) if broken else "-",
            path_effects=None if broken else _OUTLINE,
        )
    )


def _coloured(centres: np.ndarray) -> np.ndarray:
    """Each cell in the colour (h, w, 4) of its likeliest class, as opaque as its value is high."""
    shape = centres.shape[:2]
    picture = np.zeros((*shape, 4))
    for index in range(centres.shape[-1]):
        colour = np.broadcast_to(to_rgb(_TONES[index]), (*shape, 3))
        layer = np.dstack([colour, centres[..., index]])
        picture = np.where(layer[..., 3:] > picture[..., 3:], layer, picture)
    return picture


def _draw_grid(ax: Axes, image: np.ndarray, stride: int) -> None:
    height, width = image.shape[:2]
    line: dict[str, Any] = {"color": "black", "linewidth": 0.3, "alpha": 0.4}
    ax.vlines(np.arange(0, width + 1, stride), 0, height, **line)
    ax.hlines(np.arange(0, height + 1, stride), 0, width, **line)
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


def _legend_of_classes(figure: Figure, classes: Sequence[str]) -> None:
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=_TONES[index % len(_TONES)], edgecolor="0.3")
        for index in range(len(classes))
    ]
    figure.legend(
        handles, classes, loc="outside lower center", ncols=len(classes), fontsize=9, frameon=False
    )
