"""Curves: of learning, over time, over the severity of a shift or a fault, and of training."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, chance_line, legend_outside, panels, series


def curves(
    sizes: Sequence[int],
    results: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    chance: float | None = None,
) -> Figure:
    """Show how scores grow with size: a line for the mean, a band from lowest to highest draw.

    Parameters
    ----------
    sizes : sequence of int
        The sizes, on a logarithmic axis.
    results : mapping of str to array_like, each of shape (draws, sizes)
        The scores of each method.
    xlabel, ylabel : str
        The labels of the axes.
    chance : float, optional
        The score of always predicting the most frequent class, drawn as a dotted line.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots()
    for name, scores, colour, marker, _ in series(results):
        scores = np.asarray(scores)
        ax.plot(sizes, scores.mean(0), color=colour, marker=marker, label=name)
        ax.fill_between(sizes, scores.min(0), scores.max(0), color=colour, alpha=0.15, linewidth=0)
    ax.set_xscale("log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel=xlabel, ylabel=f"{ylabel} (line: mean, band: all draws)")
    chance_line(ax.axhline, chance)
    legend_outside(ax)
    return figure


def learning_curves(
    results: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    highlights: Mapping[str, tuple[int, float]] | None = None,
    band: str = "all draws",
) -> Figure:
    """Show how scores grow with the number of labels, where methods differ in numbers and draws.

    A line for the mean, a band from the lowest draw to the highest.

    Parameters
    ----------
    results : mapping of str to mapping of int to sequence of float
        For each method, the scores of its draws for each number of labels.
    xlabel, ylabel : str
        The labels of the axes.
    highlights : mapping of str to (int, float), optional
        For some methods, a number of labels and its score to be drawn as a star.
    band : str
        What the band holds, for the label of the axis.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 3.8))
    for name, scores, colour, marker, _ in series(results):
        sizes = sorted(scores)
        means = [np.mean(scores[size]) for size in sizes]
        lowest, highest = (
            [min(scores[size]) for size in sizes],
            [max(scores[size]) for size in sizes],
        )
        ax.plot(sizes, means, color=colour, marker=marker, label=name)
        ax.fill_between(sizes, lowest, highest, color=colour, alpha=0.15, linewidth=0)
        if highlights and name in highlights:
            star: dict[str, Any] = {"markersize": 15, "color": colour, "markeredgecolor": "black"}
            ax.plot(*highlights[name], "*", label=f"{name}, here and now", **star)
    all_sizes = sorted({size for scores in results.values() for size in scores})
    ax.set_xscale("log")
    ax.set_xticks(all_sizes, [str(size) for size in all_sizes])
    ax.minorticks_off()
    ax.set(xlabel=xlabel, ylabel=f"{ylabel}\n(line: mean, band: {band})")
    legend_outside(ax)
    return figure


def curves_over_time(
    times: Sequence[float] | np.ndarray,
    results: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Show curves over time, such as signals or learning rates.

    Parameters
    ----------
    times : array_like, shape (T,)
        The times.
    results : mapping of str to array_like, each of shape (T,)
        The values of each curve.
    xlabel, ylabel : str
        The labels of the axes.
    marks : mapping of str to float, optional
        Named times, drawn as dotted lines.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 3.2))
    for name, values, colour, _, dash in series(results):
        ax.plot(times, values, dash, color=colour, label=name)
    for name, time in (marks or {}).items():
        ax.axvline(time, color="0.5", linestyle=":", linewidth=1.5)
        ax.annotate(
            name,
            (time, 1),
            (3, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(times[0], times[-1]))
    legend_outside(ax)
    return figure


def curve_panels(steps: Sequence[float], results: Mapping[str, Sequence], *, xlabel: str) -> Figure:
    """Show curves over the same steps, side by side.

    Parameters
    ----------
    steps : sequence of float
        The steps.
    results : mapping of str to sequence
        For each curve, a number per step, or (value, low, high) per step.
    xlabel : str
        The label of all x-axes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one panel per curve.
    """
    figure, axes = panels(len(results), 3)
    for ax, (title, rows), colour in zip(axes, results.items(), COLOURS):
        value, low, high = np.transpose([np.broadcast_to(row, 3) for row in rows])
        ax.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
        ax.plot(steps, value, "o-", color=colour)
        ax.set(title=title, xlabel=xlabel)
        ax.set_ylim(min(0, ax.get_ylim()[0]), max(1, ax.get_ylim()[1]))
    return figure


def robustness_curves(
    results: Mapping[str, tuple[Sequence[float], Mapping[str, ArrayLike], ArrayLike]],
    *,
    ylabel: str,
) -> Figure:
    """Show how scores fall as image faults grow, one panel per fault.

    Parameters
    ----------
    results : mapping of str to (severities, scores, alarm_rates)
        For each fault its severities (S,), the scores (S,) of each model in a mapping, and the
        shares of images (S,) for which the quality check raises an alarm, drawn as bars.
    ylabel : str
        The label of the y-axis.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = panels(len(results), 2.9, share_y=True)
    for ax, (title, (severities, scores, alarm_rates)) in zip(axes, results.items()):
        positions = range(len(severities))
        for name, values, colour, marker, dash in series(scores):
            ax.plot(positions, values, dash, color=colour, marker=marker, markersize=5, label=name)
        bars: dict[str, Any] = {"color": "0.85", "width": 0.7, "zorder": 0}
        ax.bar(positions, alarm_rates, label="share of images that raise an alarm", **bars)
        ax.set_xticks(positions, [f"{severity:g}" for severity in severities])
        ax.set(ylim=(0, 1.02), xlabel=title)
    axes[0].set_ylabel(ylabel)
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    return figure


def training_curves(
    losses: Mapping[str, Sequence[float]],
    distances: Mapping[str, float],
    *,
    epoch: int | None = None,
    max_distance: float | None = None,
    title: str = "",
) -> Figure:
    """Show the losses of a training run, and how far the weights of each block moved.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        Each loss after each epoch.
    distances : mapping of str to float
        For each block, the distance of its weights from the pretrained ones, relative to their
        norm (0.1: by a tenth).
    epoch : int, optional
        An epoch from 1 on: it is marked, and later ones are faint.
    max_distance : float, optional
        The largest distance to be shown, equal for figures that are compared.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), width_ratios=(2, 1))
    for name, values, colour, _, dash in series(losses):
        epochs = np.arange(1, len(values) + 1)
        left.plot(epochs[:epoch], values[:epoch], dash, marker="o", color=colour, label=name)
        if epoch is not None:
            left.plot(epochs[epoch - 1 :], values[epoch - 1 :], dash, color=colour, alpha=0.3)
    if epoch is not None:
        left.axvline(epoch, color="0.5", linestyle=":", linewidth=1.5)
    last = max(map(len, losses.values()))
    left.set(xlabel="epoch", ylabel="log loss", xticks=range(1, last + 1), ylim=(0, None))
    left.legend()
    right.barh(list(distances), list(distances.values()), color=COLOURS[0])
    limit = 1.1 * (max_distance or max(0.1 / 1.1, *distances.values()))
    right.set(xlabel="distance from the pretrained weights", xlim=(0, limit))
    right.tick_params(left=False)
    figure.suptitle(title)
    return figure
