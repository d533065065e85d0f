"""Candidates compared: what a score promises, what they do, and what they cost."""

import matplotlib.pyplot as plt
import numpy as np

from medlearn.plots._style import COLOURS

_MARKERS = "osD^v"


def transferability_scores(panels, performance, groups, *, ylabel):
    """Side by side, real performance (M,) over each score: `panels` maps a title to scores (M,); `groups` names M families."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3.6), sharey=True, squeeze=False)
    for ax, (title, scores) in zip(axes.flat, panels.items()):
        for colour, marker, name, here in _families(groups):
            ax.scatter(
                np.asarray(scores)[here],
                np.asarray(performance)[here],
                s=34,
                color=colour,
                marker=marker,
                label=name,
            )
        ax.set_title(title, fontsize=10, loc="center")
    axes[0, 0].set_ylabel(ylabel)
    _legend(figure, axes[0, 0])
    return figure


def pareto_front(
    speed, performance, areas, names, groups, *, best=(), chosen=None, xlabel, ylabel, title=""
):
    """Performance (M,) over speed (M,), logarithmic, dots growing with `areas` (M,): indices `best` are named and joined, `chosen` ringed."""
    figure, ax = plt.subplots(figsize=(8, 4.6))
    sizes = 30 + 400 * np.asarray(areas) / np.max(areas)
    for colour, _, name, here in _families(groups):
        ax.scatter(
            np.asarray(speed)[here],
            np.asarray(performance)[here],
            s=sizes[here],
            color=colour,
            alpha=0.6,
            label=name,
        )
    front = sorted(best, key=lambda index: speed[index])
    ax.plot(
        [speed[i] for i in front],
        [performance[i] for i in front],
        "--",
        color="0.4",
        linewidth=1,
        zorder=0,
    )
    for index in front:
        ax.annotate(
            names[index],
            (speed[index], performance[index]),
            (0, 10),
            textcoords="offset points",
            ha="center",
            va="bottom",
            linespacing=1.0,
            fontsize=9,
        )
    if chosen is not None:
        ax.scatter(
            speed[chosen],
            performance[chosen],
            s=sizes[chosen] + 150,
            facecolors="none",
            edgecolors=COLOURS[3],
            linewidths=2,
        )
    ax.set_xscale("log")
    ax.margins(x=0.12, y=0.2)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    _legend(figure, ax)
    return figure


def _families(groups):
    groups = np.asarray(groups)
    for colour, marker, name in zip(COLOURS, _MARKERS, dict.fromkeys(groups.tolist())):
        yield colour, marker, name, groups == name


def _legend(figure, ax) -> None:
    handles, names = ax.get_legend_handles_labels()
    legend = figure.legend(
        handles, names, loc="outside lower center", ncols=len(names), fontsize=10
    )
    for handle in legend.legend_handles:
        handle.set_sizes([40])
