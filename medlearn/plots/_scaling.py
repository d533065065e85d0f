"""Where the seconds of training go, and what more workers would save."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, series


def pipeline_timeline(spans: Mapping[str, ArrayLike], *, end: float | None = None) -> Figure:
    """Show when training waits for images and when it computes, one lane per input pipeline.

    Blue is computing, pale orange is waiting; the share of computing is written beside.

    Parameters
    ----------
    spans : mapping of str to array_like, each of shape (steps, 3)
        For each pipeline the times in seconds at which each step began to wait, began to compute,
        and ended.
    end : float, optional
        Where to cut the axis, in seconds.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 0.9 + 0.5 * len(spans)))
    for row, steps in enumerate(spans.values()):
        _draw_lane(ax, row, np.asarray(steps, float))
    ax.set_yticks(range(len(spans)), spans)
    ax.invert_yaxis()
    ax.set(xlabel="seconds since the epoch began", xlim=(0, end))
    handles = ax.get_legend_handles_labels()
    ax.legend(*handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=10)
    return figure


def busy_share(steps: ArrayLike) -> float:
    """The share of the time in which training computes and does not wait, from 0 to 1.

    Parameters
    ----------
    steps : array_like, shape (steps, 3)
        The times at which each step began to wait, began to compute, and ended.

    Examples
    --------
    >>> busy_share([(0.0, 3.0, 4.0), (4.0, 4.0, 6.0)])
    0.5
    """
    begin, middle, end = np.asarray(steps, float).T
    return float((end - middle).sum() / (end[-1] - begin[0]))


def scaling(
    workers: Sequence[int],
    links: Mapping[str, Sequence[float]],
    *,
    chosen: tuple[int, str] | None = None,
    seconds_range: tuple[float, float] | None = None,
    title: str = "",
) -> Figure:
    """Show a model of scaling: seconds per step, and efficiency, over the number of workers.

    Efficiency is the share of the ideal speed: the seconds of the first worker over workers times
    seconds.

    Parameters
    ----------
    workers : sequence of int
        Numbers of workers.
    links : mapping of str to sequence of float
        For each link between them, the seconds per step for each number of workers.
    chosen : (int, str), optional
        The number of workers and the link to be ringed, with their values.
    seconds_range : (float, float), optional
        Ends of the axis of seconds, so that figures can be compared; otherwise that of the data.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    counts = np.asarray(workers)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
    for name, values, colour, marker, dash in series(links):
        seconds = np.asarray(values)
        efficiency = seconds[0] * counts[0] / (counts * seconds)
        line: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4, "label": name}
        left.plot(counts, seconds, dash, **line)
        right.plot(counts, efficiency, dash, **line)
        if chosen is not None and chosen[1] == name:
            index = counts.tolist().index(chosen[0])
            _mark(left, chosen[0], seconds[index], f"{seconds[index]:.3f} s")
            _mark(right, chosen[0], efficiency[index], f"{efficiency[index]:.0%}")
    first = np.asarray(next(iter(links.values())))[0]
    left.plot(counts, first / counts, ":", color="0.5", label="ideal")
    for ax, label in ((left, "seconds per step"), (right, "scaling efficiency")):
        ax.set_xscale("log", base=2)
        ax.set_xticks(counts, [str(count) for count in counts])
        ax.set(xlabel="workers (model)", ylabel=label)
    left.set_yscale("log")
    left.set_ylim(seconds_range)
    right.set_ylim(0, 1.15)
    handles = left.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=10)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_lane(ax: Axes, row: int, steps: np.ndarray) -> None:
    """Draw the steps (N, 3) of one pipeline and the share of time in which it computes."""
    begin, middle, end = (steps - steps[0, 0]).T
    waiting = list(zip(begin, middle - begin))
    computing = list(zip(middle, end - middle))
    lane: dict[str, Any] = {"yrange": (row - 0.3, 0.6), "linewidth": 0}
    labels = ("waits for images", "computes") if row == 0 else (None, None)
    ax.broken_barh(waiting, color=COLOURS[1], alpha=0.45, label=labels[0], **lane)
    ax.broken_barh(computing, color=COLOURS[0], label=labels[1], **lane)
    ax.annotate(
        f"busy {busy_share(steps):.0%}",
        (1, row),
        (6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=10,
    )


def _mark(ax: Axes, x: float, y: float, text: str) -> None:
    """Draw a black ring around a point, with a text above."""
    ring: dict[str, Any] = {"markersize": 15, "markeredgecolor": "black", "markeredgewidth": 2}
    ax.plot(x, y, "o", markerfacecolor="none", **ring)
    ax.annotate(text, (x, y), (0, 14), textcoords="offset points", ha="center", fontsize=11)
