"""Features and domains: points by class, layers, parameters, similarities, shares and distances."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, legend_outside, panels, ring, series


def scatter_by_class(
    points: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str]
) -> Figure:
    """Show points coloured and marked by class, side by side.

    Parameters
    ----------
    points : mapping of str to numpy.ndarray, each of shape (N, 2)
        For each panel, two components of the features of each image.
    labels : numpy.ndarray of int, shape (N,)
        Class indices.
    classes : sequence of str
        The names of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = panels(len(points), 3.8)
    for ax, (title, panel_points) in zip(axes, points.items()):
        for index, (name, _, colour, marker, _) in enumerate(series(dict.fromkeys(classes))):
            ax.scatter(
                *panel_points[labels == index].T,
                s=16,
                color=colour,
                marker=marker,
                label=name,
                alpha=0.75,
                linewidth=0,
            )
        ax.set(title=title, xticks=[], yticks=[])
        ax.set(xlabel="first component", ylabel="second component")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(classes), fontsize=10)
    return figure


def layer_scores(names: Sequence[str], scores: ArrayLike, *, chosen: str, ylabel: str) -> Figure:
    """Show the score of each layer: a faint line per fold, the mean in front, a ring at the choice.

    Parameters
    ----------
    names : sequence of str
        The layers, from the image to the head.
    scores : array_like, shape (folds, layers)
        The score of each layer in each fold.
    chosen : str
        The layer to be ringed.
    ylabel : str
        What the scores are.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    scores = np.asarray(scores)
    means, index = scores.mean(0), list(names).index(chosen)
    figure, ax = plt.subplots()
    ax.plot(scores.T, color="0.8", linewidth=1)
    ax.plot(means, "o-", color=COLOURS[0])
    ring(ax, index, means[index], COLOURS[1], size=16)
    ax.annotate(
        "chosen",
        (index, means[index]),
        (0, 16),
        textcoords="offset points",
        ha="center",
        color=COLOURS[3],
    )
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_ylabel(f"{ylabel} (blue: mean)")
    return figure


def parameter_counts(counts: Mapping[str, tuple[int, bool]]) -> Figure:
    """Show numbers of parameters as bars on a logarithmic axis.

    Parameters
    ----------
    counts : mapping of str to (int, bool)
        For each part, its number of parameters and whether they are to be trained.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
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
    every_power = LogLocator(numticks=12)  # the default skips some powers of ten
    ax.xaxis.set_major_locator(every_power)
    ax.set_xlabel("parameters (each step on the axis is a factor of ten)")
    ax.legend(loc="lower right")
    return figure


def similarity_histogram(scores: ArrayLike, duplicates: ArrayLike, threshold: float) -> Figure:
    """Show how similar pairs of images are, with planted copies on top of other pairs.

    Parameters
    ----------
    scores : array_like, shape (P,)
        The similarity of each pair, at most 1.
    duplicates : array_like of bool, shape (P,)
        Whether a pair is a planted copy.
    threshold : float
        The similarity from which on two images are taken to be one.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    scores, duplicates = np.asarray(scores), np.asarray(duplicates, bool)
    figure, ax = plt.subplots(figsize=(8, 3))
    ax.hist(
        [scores[~duplicates], scores[duplicates]],
        bins=np.linspace(min(0, scores.min()), 1, 61).tolist(),
        stacked=True,
        log=True,
        color=["0.6", COLOURS[1]],
        label=["other pairs", "planted copies"],
    )
    ax.axvline(threshold, color="black", linestyle=":", label=f"from {threshold:g} on: one picture")
    ax.set(xlabel="correlation of fine detail", ylabel="pairs")
    legend_outside(ax)
    return figure


def class_proportions(proportions: Mapping[str, ArrayLike], classes: Sequence[str]) -> Figure:
    """Show the proportions of the classes as stacked bars.

    Parameters
    ----------
    proportions : mapping of str to array_like, each of shape (K,)
        For each row, the shares of the classes, which sum to 1.
    classes : sequence of str
        The names of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 0.9 + 0.45 * len(proportions)))
    rows = range(len(proportions))
    table = np.array(list(proportions.values()))
    left = np.zeros(len(proportions))
    for index, (name, colour) in enumerate(zip(classes, COLOURS)):
        widths = table[:, index]
        bar: dict[str, Any] = {"color": colour, "label": name, "height": 0.65, "edgecolor": "white"}
        ax.barh(rows, widths, left=left, **bar)
        left += widths
    ax.set_yticks(rows, proportions)
    ax.set(xlim=(0, 1), xlabel="share of the images")
    ax.invert_yaxis()
    sns.despine(ax=ax, left=True)
    ax.tick_params(left=False)
    legend_outside(ax)
    return figure


def score_over_distance(
    shifts: Mapping[str, tuple[float, Sequence[float]]],
    *,
    reference: Sequence[float],
    xlabel: str,
    ylabel: str,
) -> Figure:
    """Show the score under each shift over the distance of its features from the source.

    Parameters
    ----------
    shifts : mapping of str to (distance, (value, low, high))
        For each shift, the distance and the score with its interval.
    reference : (value, low, high)
        The score without a shift; its interval is drawn as a band.
    xlabel, ylabel : str
        The labels of the axes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 4.2))
    ax.axhspan(reference[1], reference[2], color="0.9", label="at home (95 %)")
    for (name, (distance, interval)), colour, marker in zip(
        shifts.items(), 2 * COLOURS, 3 * "osD^vP"
    ):
        value, low, high = interval
        ax.plot([distance, distance], [low, high], color=colour, linewidth=2, alpha=0.5)
        ax.plot(distance, value, marker, color=colour, label=name)
    ax.set(xlabel=xlabel, ylabel=f"{ylabel} (bar: 95 % interval)")
    legend_outside(ax)
    return figure
