"""Boxes on images: predictions and crops."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from medlearn.plots._style import bare_axes

_OUTLINE = [patheffects.withStroke(linewidth=3, foreground="black", alpha=0.55)]
TONES = ("#56B4E9", "#F0E442", "#E69F00", "#009E73", "#FFFFFF")


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
    legend_of_classes(figure, classes)
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
        _draw_box(ax, box, broken, colour or TONES[int(box[4]) % len(TONES)], linewidth)
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


def legend_of_classes(figure: Figure, classes: Sequence[str]) -> None:
    """Put a legend of the classes below the panels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, which is changed.
    classes : sequence of str
        The names of the classes.
    """
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=TONES[index % len(TONES)], edgecolor="0.3")
        for index in range(len(classes))
    ]
    figure.legend(
        handles, classes, loc="outside lower center", ncols=len(classes), fontsize=9, frameon=False
    )
