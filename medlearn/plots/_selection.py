"""Candidates compared: what a score promises, what they achieve, and what they cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, legend_outside, panels, ring, series


class _Family(NamedTuple):
    name: str
    members: np.ndarray  # bool (M,)
    colour: ColorType
    marker: str


def transferability_scores(
    scores: Mapping[str, ArrayLike], performance: ArrayLike, families: Sequence[str], *, ylabel: str
) -> Figure:
    """Show the performance of candidates over scores that should predict it, side by side.

    Parameters
    ----------
    scores : mapping of str to array_like, each of shape (M,)
        For each score, its value for each candidate.
    performance : array_like, shape (M,)
        What the candidates achieve.
    families : sequence of str, shape (M,)
        The family of each candidate, which gives its colour.
    ylabel : str
        What the performance is.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one panel per score.
    """
    figure, axes = panels(len(scores), 3.6, share_y=True)
    performance = np.asarray(performance)
    for ax, (title, values) in zip(axes, scores.items()):
        for family in _families(families):
            ax.scatter(
                np.asarray(values)[family.members],
                performance[family.members],
                s=34,
                color=family.colour,
                marker=family.marker,
                label=family.name,
            )
        ax.set_title(title, fontsize=10, loc="center")
    axes[0].set_ylabel(ylabel)
    _legend_of_families(figure, axes[0])
    return figure


def pareto_front(
    speed: Sequence[float],
    performance: Sequence[float],
    areas: ArrayLike,
    names: Sequence[str],
    families: Sequence[str],
    *,
    best: Sequence[int] = (),
    chosen: int | None = None,
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> Figure:
    """Show performance over speed, with the candidates that no other beats in both.

    Parameters
    ----------
    speed : sequence of float, shape (M,)
        The speed of each candidate, on a logarithmic axis.
    performance : sequence of float, shape (M,)
        What it achieves.
    areas : array_like, shape (M,)
        A third quantity, such as memory, which gives the area of its dot.
    names, families : sequence of str, shape (M,)
        Its name and its family, which gives its colour.
    best : sequence of int
        Indices of the candidates on the Pareto front, which are named and joined.
    chosen : int, optional
        Index of a candidate to be ringed.
    xlabel, ylabel, title : str
        The labels of the axes and the title.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 4.6))
    speeds, performances = np.asarray(speed), np.asarray(performance)
    sizes = 30 + 400 * np.asarray(areas) / np.max(areas)
    for family in _families(families):
        ax.scatter(
            speeds[family.members],
            performances[family.members],
            s=sizes[family.members],
            color=family.colour,
            alpha=0.6,
            label=family.name,
        )
    front = sorted(best, key=lambda index: speed[index])
    ax.plot(speeds[front], performances[front], "--", color="0.4", linewidth=1, zorder=0)
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
    for set_formatter in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
        set_formatter("{x:g}")
    ax.margins(x=0.12, y=0.2)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    _legend_of_families(figure, ax)
    return figure


def validator_choices(
    scores: pd.DataFrame, performance: pd.Series, chosen: Mapping[str, object], *, ylabel: str
) -> Figure:
    """Show each validator's scores of the candidates against what they achieve, with its choice.

    Parameters
    ----------
    scores : pandas.DataFrame
        A column for each validator, a row for each candidate.
    performance : pandas.Series
        What each candidate achieves, with the same index.
    chosen : mapping of str to row label
        The choice of each validator, which is ringed.
    ylabel : str
        What the performance is.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one panel per validator.
    """
    figure, axes = panels(scores.shape[1], 2.6, share_y=True)
    for ax, (name, column) in zip(axes, scores.items()):
        ax.plot(column, performance, "o", color=COLOURS[0], alpha=0.6, markersize=4)
        choice = chosen[name]
        ring(ax, column[choice], performance[choice], COLOURS[1], size=13)
        ax.set_title(name, fontsize=10 if scores.shape[1] < 6 else 8)
        ax.tick_params(labelsize=8)
    axes[0].set_ylabel(ylabel)
    figure.supxlabel("the validator's score (higher is better)", fontsize=10)
    return figure


def gap_closed(shares: pd.DataFrame, groups: Sequence[str], *, floor: float = -1.0) -> Figure:
    """Show the share of the gap between source and oracle that each choice closes on each pair.

    Parameters
    ----------
    shares : pandas.DataFrame
        A row for each choice, a column for each pair of domains; NaN where there is none.
    groups : sequence of str
        The group of each pair, which gives its colour and marker.
    floor : float
        Lower shares are drawn here, as triangles.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with the median of all pairs as a tick.
    """
    figure, ax = plt.subplots(figsize=(8, 1.2 + 0.45 * len(shares)))
    for position, name in ((0, "as source only"), (1, "as the oracle")):
        ax.axvline(position, color="0.6", linewidth=1, zorder=0)
        ax.annotate(
            name,
            (position, 1),
            (0, 4),
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize=9,
        )
    for group, _, colour, marker, _ in series(dict.fromkeys(groups)):
        columns = [name == group for name in groups]
        _draw_shares(ax, shares.loc[:, columns].to_numpy(float), floor, colour, marker, group)
    medians = np.maximum(shares.median(axis=1), floor)
    tick: dict[str, Any] = {"color": "black", "markersize": 16, "markeredgewidth": 2}
    ax.plot(medians, range(len(shares)), "|", label="median", **tick)
    ax.set_yticks(range(len(shares)), shares.index)
    ax.set(xlabel="share of the gap that is closed", xlim=(floor - 0.1, None))
    ax.locator_params(axis="x", nbins=6)
    ax.invert_yaxis()
    legend_outside(ax)
    return figure


def _draw_shares(ax: Axes, shares: np.ndarray, floor: float, colour, marker, label: str) -> None:
    """Draw shares (choices, pairs) in their rows, those under the floor as triangles there."""
    rows = np.repeat(np.arange(len(shares)), shares.shape[1])
    values = shares.ravel()
    below = values < floor
    ax.plot(values[~below], rows[~below], marker, color=colour, alpha=0.75, label=label)
    ax.plot(np.full(below.sum(), floor), rows[below], "<", color=colour, alpha=0.75)


def _families(families: Sequence[str]) -> Iterator[_Family]:
    names = np.asarray(families)
    for name, _, colour, marker, _ in series(dict.fromkeys(names.tolist())):
        yield _Family(name, names == name, colour, marker)


def _legend_of_families(figure: Figure, ax: Axes) -> None:
    handles, names = ax.get_legend_handles_labels()
    legend = figure.legend(
        handles, names, loc="outside lower center", ncols=len(names), fontsize=10
    )
    plt.setp(legend.legend_handles, sizes=[40])
