"""Colours that colour-blind readers can tell apart, and what several figures share."""

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.typing import ColorType

COLOURS = tuple(sns.color_palette("colorblind"))
RIGHT, WRONG = COLOURS[0], COLOURS[3]
OUTLINES = ("#FFFFFF", "#F0E442", "#56B4E9", "#E69F00", "#009E73")
_MARKERS = "osD^v"
_DASHES = ("-", "--", "-.", ":")


class Series(NamedTuple):
    """One of several lines in a chart, and how it is drawn."""

    name: str
    values: Any
    colour: ColorType
    marker: str
    dash: str


def series(results: Mapping[str, Any]) -> Iterator[Series]:
    """Yield each entry with a colour, a marker and a dash of its own."""
    styles = zip(cycle(COLOURS), cycle(_MARKERS), cycle(_DASHES))
    for (name, values), style in zip(results.items(), styles):
        yield Series(name, values, *style)


def panels(
    count: int, height: float, *, share_y: bool = False, share_x: bool = False
) -> tuple[Figure, np.ndarray]:
    """Make a row of axes, 8 inches wide in all.

    Parameters
    ----------
    count : int
        Number of axes.
    height : float
        Height of the figure in inches.
    share_y, share_x : bool
        Whether all have the same limits.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : numpy.ndarray of matplotlib.axes.Axes, shape (count,)
        Its axes from left to right.
    """
    figure, axes = plt.subplots(
        1, count, figsize=(8, height), sharex=share_x, sharey=share_y, squeeze=False
    )
    return figure, axes[0]


def part_panels(figure: Figure) -> None:
    """Keep the numbers at the ends of neighbouring axes apart, so that they do not read as one.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What `panels` returned, in the constrained layout of the house.
    """
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(w_pad=0.1)  # inches to each side


def bare_axes(ax: Axes) -> None:
    """Remove ticks and spines from an axes."""
    ax.set(xticks=[], yticks=[])
    sns.despine(ax=ax, left=True, bottom=True)


def put_frame(ax: Axes, colour: ColorType) -> None:
    """Draw a coloured frame around an image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes that shows the image.
    colour : color
        Any colour of matplotlib.
    """
    ax.axis("on")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=colour, linewidth=3)


def name_row(ax: Axes, name: str) -> None:
    """Write a name to the left of a row of images.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The first axes of the row.
    name : str
        The text.
    """
    ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)


def dot(
    ax: Axes,
    row: float,
    value: float,
    low: float,
    high: float,
    colour: ColorType,
    *,
    size: float = 5,
    marker: str = "o",
) -> None:
    """Draw a value and its interval as a dot on a pale bar.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    row : float
        Position along y.
    value, low, high : float
        The value and the ends of its interval, along x.
    colour : color
        Any colour of matplotlib.
    size : float
        Diameter of the dot in points.
    marker : str
        Shape of the dot, as matplotlib names it.
    """
    ax.plot(
        [low, high],
        [row, row],
        color=colour,
        linewidth=0.4 * size + 1,
        alpha=0.45,
        solid_capstyle="round",
    )
    ax.plot(value, row, marker, color=colour, markersize=size)


def chance_line(draw_line: Callable[..., object], chance: float | None) -> None:
    """Draw a dotted line at the score of always predicting the most frequent class.

    Parameters
    ----------
    draw_line : callable
        `axvline` or `axhline` of an axes.
    chance : float, optional
        The score; None draws nothing.
    """
    if chance is not None:
        label = "always the most frequent class"
        draw_line(chance, color="0.5", linestyle=":", linewidth=1.5, label=label)


def ring(
    ax: Axes,
    x: float,
    y: float,
    colour: ColorType,
    *,
    size: float,
    width: float = 2.5,
    clip: bool = True,
) -> None:
    """Draw a ring around a point.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    x, y : float
        The point.
    colour : color
        Any colour of matplotlib.
    size, width : float
        Diameter of the ring and width of its line, in points.
    clip : bool
        Whether the ring ends at the edge of the axes.
    """
    ax.plot(
        x,
        y,
        "o",
        markersize=size,
        markerfacecolor="none",
        markeredgecolor=colour,
        markeredgewidth=width,
        clip_on=clip,
    )


def legend_outside(ax: Axes) -> None:
    """Put the legend to the right of an axes."""
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
