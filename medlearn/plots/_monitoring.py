"""What was promised beside what came true, and a number watched over weeks."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, WRONG, panels, series


class _Watched(Protocol):
    """A chart of some weeks, such as `monitoring.charts.Watch`; arrays of shape (weeks,)."""

    averages: np.ndarray
    low: np.ndarray
    high: np.ndarray
    alarms: np.ndarray


def estimated_and_true(
    results: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]], *, label: str
) -> Figure:
    """Show estimates of a score over its true values, a panel for each way to estimate it.

    On the dotted diagonal an estimate is right; above it, it promises too much.

    Parameters
    ----------
    results : mapping of str to mapping of str to (estimates, true values)
        For each way to estimate, the arrays (N,) of each group; groups have a colour and a marker.
    label : str
        What is estimated.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one legend.
    """
    figure, axes = panels(len(results), 3.2, share_y=True, share_x=True)
    for ax, (title, groups) in zip(axes, results.items()):
        ax.plot([0, 1], [0, 1], ":", color="0.5", linewidth=1.5)
        for name, (estimate, true), colour, marker, _ in series(groups):
            ax.plot(true, estimate, marker, color=colour, alpha=0.6, markersize=5, label=name)
        ax.set_title(title, fontsize=10, loc="center")
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        ax.set_xticks([0, 0.5, 1])
    axes[0].set_ylabel(f"estimated {label}")
    axes[-1].legend(loc="lower right", fontsize=8)
    figure.supxlabel(f"true {label} (dotted: the estimate is right)", fontsize=10)
    return figure


def control_charts(
    watches: Mapping[str, _Watched], *, ylabel: str, change: int | None = None
) -> Figure:
    """Show control charts side by side: averages, the band of their limits, and the alarms.

    Parameters
    ----------
    watches : mapping of str to monitoring.charts.Watch
        The charts, of equally many weeks.
    ylabel : str
        What is averaged.
    change : int, optional
        The first week, counted from 1, in which something had changed.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; alarms are crosses.
    """
    figure, axes = panels(len(watches), 2.8, share_y=True)
    for ax, (title, watch) in zip(axes, watches.items()):
        weeks = np.arange(1, len(watch.averages) + 1)
        ax.fill_between(weeks, watch.low, watch.high, color="0.9")
        ax.plot(weeks, watch.averages, "o-", color=COLOURS[0], markersize=4, linewidth=1)
        alarms = watch.alarms
        ax.plot(weeks[alarms], watch.averages[alarms], "X", color=WRONG, markersize=8)
        if change is not None:
            ax.axvline(change - 0.5, color="0.5", linestyle=":", linewidth=1.5)
        ax.set_title(title, fontsize=10, loc="center")
    axes[0].set_ylabel(ylabel)
    figure.supxlabel("week (grey: limits; cross: alarm; dotted: the change)", fontsize=10)
    return figure
