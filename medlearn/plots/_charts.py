"""Numbers as charts."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.ticker import LogLocator

from medlearn.plots._style import COLOURS, chance_line, dot


def intervals(results, *, label, chance=None):
    """One dot and whisker a row for `results`, a dict of name -> (value, low, high); the best on top if sorted so."""
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
    ax.set_xlabel(f"{label} (dot: all patients; bar: 95 % interval)")
    chance_line(ax.axvline, chance)
    sns.despine(left=True)
    ax.tick_params(left=False)
    return figure


def curves(sizes, results, *, xlabel, ylabel, chance=None):
    """Learning curves: `results` maps a name to scores (draws, sizes); a line for the mean, a band from lowest to highest draw."""
    figure, ax = plt.subplots()
    for (name, scores), colour, marker in zip(results.items(), COLOURS, "osD^v"):
        scores = np.asarray(scores)
        ax.plot(sizes, scores.mean(0), color=colour, marker=marker, label=name)
        ax.fill_between(sizes, scores.min(0), scores.max(0), color=colour, alpha=0.15, linewidth=0)
    ax.set_xscale("log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel=xlabel, ylabel=f"{ylabel} (line: mean, band: all draws)")
    chance_line(ax.axhline, chance)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def curves_over_time(times, results, *, xlabel, ylabel, marks=()):
    """One curve a name: `results` maps it to values over `times`; dotted lines at the times `now`, a dict of name -> time."""
    figure, ax = plt.subplots(figsize=(8, 3.2))
    for (name, values), colour, style in zip(results.items(), COLOURS, ("-", "--", "-.", ":")):
        ax.plot(times, values, style, color=colour, label=name)
    for name, time in dict(marks).items():
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
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def layer_scores(names, scores, *, chosen, ylabel):
    """Score of each layer: one faint line a fold for `scores` (folds, layers), their mean in front, the chosen layer ringed."""
    scores = np.asarray(scores)
    figure, ax = plt.subplots()
    ax.plot(scores.T, color="0.8", linewidth=1)
    ax.plot(scores.mean(0), "o-", color=COLOURS[0])
    at = list(names).index(chosen)
    ax.plot(
        at,
        scores.mean(0)[at],
        "o",
        markersize=16,
        markerfacecolor="none",
        color=COLOURS[1],
        markeredgewidth=2.5,
    )
    ax.annotate(
        "chosen",
        (at, scores.mean(0)[at]),
        (0, 16),
        textcoords="offset points",
        ha="center",
        color=COLOURS[3],
    )
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_ylabel(f"{ylabel} (blue: mean)")
    return figure


def scatter_by_class(panels, labels, classes):
    """Side by side, points (N, 2) coloured and marked by class: `panels` maps a title to its points."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3.8), squeeze=False)
    for ax, (title, points) in zip(axes.flat, panels.items()):
        for value, (name, colour, marker) in enumerate(zip(classes, COLOURS, "osD^v")):
            here = points[labels == value]
            ax.scatter(
                *here.T, s=16, color=colour, marker=marker, label=name, alpha=0.75, linewidth=0
            )
        ax.set(
            title=title, xticks=[], yticks=[], xlabel="first component", ylabel="second component"
        )
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(classes),
        fontsize=10,
    )
    return figure


def parameter_counts(counts):
    """Numbers of parameters as bars on a logarithmic axis: `counts` maps a name to (number, whether it is trained)."""
    figure, ax = plt.subplots(figsize=(8, 0.9 + 0.42 * len(counts)))
    for row, (number, trained) in enumerate(counts.values()):
        ax.barh(row, number, color=COLOURS[1] if trained else "0.75", height=0.65)
        ax.annotate(f" {number:,}", (number, row), va="center", fontsize=10)
    ax.barh(0, 0, color=COLOURS[1], label="to be trained")
    ax.barh(0, 0, color="0.75", label="frozen")
    ax.set_xscale("log")
    ax.set_xlim(1, max(number for number, _ in counts.values()) * 60)
    ax.set_yticks(range(len(counts)), counts)
    ax.invert_yaxis()
    ax.xaxis.set_major_locator(
        LogLocator(numticks=12)
    )  # all powers of ten, where the default skips some
    ax.set_xlabel("parameters (each step on the axis is a factor of ten)")
    ax.legend(loc="lower right")
    return figure
