"""Scores with their intervals: of one set of patients, side by side, and of repeated studies."""

from collections.abc import Collection, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from medlearn.plots._style import COLOURS, RIGHT, WRONG, chance_line, dot, panels, part_panels, ring

Triple = Sequence[float]  # value, low, high


def intervals(
    results: Mapping[str, Triple],
    *,
    label: str,
    chance: float | None = None,
    dots: str = "all patients",
) -> Figure:
    """Show a dot and its interval for each result, one row each, from the top down.

    Parameters
    ----------
    results : mapping of str to (value, low, high)
        The results, such as `metrics.interval` returns.
    label : str
        What the values are, for the axis.
    chance : float, optional
        The score of always predicting the most frequent class, drawn as a dotted line.
    dots : str
        What a dot is the score of, for the axis, such as "mean of 20 hospitals".

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 0.8 + 0.42 * len(results)))
    for row, (value, low, high) in enumerate(results.values()):
        dot(ax, row, value, low, high, COLOURS[0], size=6)
        ax.annotate(
            f"{value:.2f}",
            (value, row),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    ax.set_yticks(range(len(results)), results)
    ax.set_ylim(len(results) - 0.5, -0.7)
    ax.set_xlabel(f"{label} (dot: {dots}; bar: 95 % interval)")
    chance_line(ax.axvline, chance)
    sns.despine(left=True)
    ax.tick_params(left=False)
    return figure


def intervals_by_metric(
    results: Mapping[str, Mapping[str, Triple]], *, dots: str = "all patients"
) -> Figure:
    """Show the intervals of the same methods for several metrics, side by side.

    A dotted line marks the value of the first method.

    Parameters
    ----------
    results : mapping of str to mapping of str to (value, low, high)
        For each metric, the result of each method; the methods are those of the first metric.
    dots : str
        What a dot is the score of, for the axis.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    names = list(next(iter(results.values())))
    figure, axes = panels(len(results), 0.9 + 0.36 * len(names), share_y=True)
    for ax, (title, values), colour in zip(axes, results.items(), COLOURS):
        for row, name in enumerate(names):
            value, low, high = values[name]
            dot(ax, row, value, low, high, colour, size=6)
        ax.set_title(title, fontsize=10, loc="center")
        ax.axvline(values[names[0]][0], color="0.5", linestyle=":", linewidth=1.5)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    figure.supxlabel(f"dot: {dots}; bar: 95 % interval; dotted: {names[0]}", fontsize=10)
    return figure


def intervals_by_target(
    results: Mapping[str, Mapping[str, Triple]],
    *,
    label: str,
    baseline: str | None = None,
    oracle: str | None = None,
    chosen: Collection[str] = (),
    share_x: bool = False,
) -> Figure:
    """Show the intervals of methods at several target domains, side by side.

    Parameters
    ----------
    results : mapping of str to mapping of str to (value, low, high)
        For each target domain, the result of each method. Methods come in the order in which they
        first appear; a domain may lack some.
    label : str
        What the values are, for the axis.
    baseline, oracle : str, optional
        Methods whose values become dashed lines: where adaptation starts, and what it may reach.
    chosen : collection of str
        Methods in another colour and with a ring, such as one that was chosen without labels.
    share_x : bool
        Whether all panels have the same range of values; otherwise each has its own.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    names = list(dict.fromkeys(name for methods in results.values() for name in methods))
    figure, axes = panels(len(results), 1.1 + 0.34 * len(names), share_y=True, share_x=share_x)
    for ax, (title, methods) in zip(axes, results.items()):
        for name in (baseline, oracle):
            if name is not None and name in methods:
                ax.axvline(methods[name][0], color="0.6", linestyle="--", linewidth=1, zorder=0)
        for name, (value, low, high) in methods.items():
            row = names.index(name)
            colour = COLOURS[1] if name in chosen else COLOURS[0]
            dot(ax, row, value, low, high, colour)
            if name in chosen:
                ring(ax, value, row, colour, size=12, width=2, clip=False)
        ax.set_title(title, fontsize=10, loc="center")
        ax.locator_params(axis="x", nbins=4)
        ax.tick_params(labelsize=9)
        ax.tick_params(axis="y", left=False)
        ax.grid(axis="x", alpha=0.3)
        sns.despine(ax=ax, left=True)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel(f"{label} (bar: 95 % interval)", fontsize=10)
    part_panels(figure)
    return figure


def scores_by_dataset(
    results: Mapping[str, Mapping[str, Sequence[float]]], *, label: str, share_x: bool = False
) -> Figure:
    """Show the scores of several methods on several data sets: a dot per seed, a bar for the mean.

    Parameters
    ----------
    results : mapping of str to mapping of str to sequence of float
        For each data set, the scores of each method's seeds.
    label : str
        What the scores are, for the axis.
    share_x : bool
        One scale for all panels, where the reader compares the data sets.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one panel per data set.
    """
    most = max(map(len, results.values()))
    figure, axes = panels(len(results), 0.9 + 0.34 * most, share_x=share_x)
    for ax, (dataset, methods) in zip(axes, results.items()):
        for row, scores in enumerate(methods.values()):
            colour = COLOURS[row % len(COLOURS)]
            ax.plot(np.mean(scores), row, "|", color=colour, markersize=16, markeredgewidth=2.5)
            ax.plot(scores, [row] * len(scores), "o", color=colour, alpha=0.7, markersize=5)
        names = list(methods) if ax is axes[0] else [""] * len(methods)
        ax.set_yticks(range(len(methods)), names, fontsize=9)
        ax.set_ylim(len(methods) - 0.5, -0.5)
        ax.margins(x=0.15)
        ax.tick_params(axis="x", labelsize=8)
        ax.locator_params(axis="x", nbins=3)
        ax.grid(axis="x", alpha=0.3)
        ax.set_title(dataset, fontsize=10, loc="center")
    figure.supxlabel(label, fontsize=10)
    part_panels(figure)
    return figure


def interval_coverage(
    results: Mapping[str, Sequence[Triple]], truth: float, *, label: str, max_rows: int = 60
) -> Figure:
    """Show the intervals of many repetitions of a study, and how many hold the true value.

    Blue intervals hold it, orange-red ones miss it.

    Parameters
    ----------
    results : mapping of str to sequence of (value, low, high)
        The intervals of each method, one per repetition.
    truth : float
        The true value, drawn as a dotted line.
    label : str
        What the values are, for the axis.
    max_rows : int
        Intervals that are drawn; the share in the title is of all.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one panel per method.
    """
    figure, axes = panels(len(results), 4, share_x=True, share_y=True)
    for ax, (title, studies) in zip(axes, results.items()):
        holds_truth = [low <= truth <= high for _, low, high in studies]
        for row, (value, low, high) in enumerate(studies[:max_rows]):
            colour = RIGHT if holds_truth[row] else WRONG
            ax.plot([low, high], [row, row], color=colour, alpha=0.7, linewidth=2)
            ax.plot(value, row, ".", color=colour, markersize=5)
        ax.axvline(truth, color="0.3", linestyle=":")
        share = f"{np.mean(holds_truth):.0%} of {len(studies)} hold the truth"
        separator = ": " if len(axes) < 3 else ":\n"
        ax.set(title=title + separator + share, xlabel=label, yticks=[])
        sns.despine(ax=ax, left=True)
    return figure
