"""How far a laboratory moved, and what it cost."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from medlearn.plots._style import COLOURS


def curve_panels(steps, panels, *, xlabel):
    """Curves side by side over the same steps: `panels` maps a title to values (steps,) or to rows (value, low, high)."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3), squeeze=False)
    for ax, (title, values), colour in zip(axes.flat, panels.items(), COLOURS):
        values = np.asarray([np.broadcast_to(each, 3) for each in values])
        ax.fill_between(steps, values[:, 1], values[:, 2], color=colour, alpha=0.18, linewidth=0)
        ax.plot(steps, values[:, 0], "o-", color=colour)
        ax.set(title=title, xlabel=xlabel)
        ax.set_ylim(min(0, ax.get_ylim()[0]), max(1, ax.get_ylim()[1]))
    return figure


def score_over_distance(shifts, *, reference, xlabel, ylabel):
    """Distance against score, one point a shift with its interval: `shifts` maps a name to (distance, (value, low, high)).

    The band is the interval of the score at home, (value, low, high).
    """
    figure, ax = plt.subplots(figsize=(8, 4.2))
    ax.axhspan(reference[1], reference[2], color="0.9", label="at home (95 %)")
    for (name, (distance, (value, low, high))), colour, marker in zip(
        shifts.items(), 2 * COLOURS, 3 * "osD^vP"
    ):
        ax.plot([distance, distance], [low, high], color=colour, linewidth=2, alpha=0.5)
        ax.plot(distance, value, marker, color=colour, label=name)
    ax.set(xlabel=xlabel, ylabel=f"{ylabel} (bar: 95 % interval)")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def class_proportions(rows, classes):
    """Shares of the classes as stacked bars, one row a name: `rows` maps a name to shares (classes,) that sum to 1."""
    figure, ax = plt.subplots(figsize=(8, 0.9 + 0.45 * len(rows)))
    left = np.zeros(len(rows))
    for column, (name, colour) in enumerate(zip(classes, COLOURS)):
        widths = np.array([row[column] for row in rows.values()])
        ax.barh(
            range(len(rows)),
            widths,
            left=left,
            color=colour,
            label=name,
            height=0.65,
            edgecolor="white",
        )
        left += widths
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlim=(0, 1), xlabel="share of the images")
    ax.invert_yaxis()
    sns.despine(ax=ax, left=True)
    ax.tick_params(left=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def validator_choices(scores, performance, chosen, *, ylabel):
    """One panel a validator: its score of each candidate against what the candidate achieves; the ring is its choice.

    scores: a table with a column a validator and a row a candidate; performance: a series over the same rows; chosen: a
    dict of column -> row.
    """
    figure, axes = plt.subplots(1, scores.shape[1], figsize=(8, 2.6), sharey=True, squeeze=False)
    for ax, (name, column) in zip(axes.flat, scores.items()):
        ax.plot(column, performance, "o", color=COLOURS[0], alpha=0.6, markersize=4)
        ax.plot(
            column[chosen[name]],
            performance[chosen[name]],
            "o",
            markersize=13,
            markerfacecolor="none",
            color=COLOURS[1],
            markeredgewidth=2.5,
        )
        ax.set_title(name, fontsize=10 if scores.shape[1] < 6 else 8)
        ax.tick_params(labelsize=8)
    axes.flat[0].set_ylabel(ylabel)
    figure.supxlabel("the validator's score (higher is better)", fontsize=10)
    return figure


def gap_closed(shares, kinds, *, floor=-1.0):
    """Of each choice (row), the share of the gap that it closes on each pair (column): one mark a pair, a tick at their median.

    shares: a table, choices x pairs, NaN where there is none; kinds: for each pair the name of its kind, which gives its
    colour and mark. What lies under `floor` is drawn there as a triangle.
    """
    figure, ax = plt.subplots(figsize=(8, 1.2 + 0.45 * len(shares)))
    for place, name in ((0, "as source only"), (1, "as the oracle")):
        ax.axvline(place, color="0.6", linewidth=1, zorder=0)
        ax.annotate(
            name,
            (place, 1),
            (0, 4),
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize=9,
        )
    for kind, colour, mark in zip(dict.fromkeys(kinds), COLOURS, "osD"):
        mine = shares.loc[:, [each == kind for each in kinds]].to_numpy(float)
        rows = np.repeat(np.arange(len(mine)), mine.shape[1])
        for below, shape in ((False, mark), (True, "<")):
            here = (mine.ravel() < floor) == below
            ax.plot(
                np.maximum(mine.ravel(), floor)[here],
                rows[here],
                shape,
                color=colour,
                alpha=0.75,
                label=None if below else kind,
            )
    ax.plot(
        np.maximum(shares.median(axis=1), floor),
        range(len(shares)),
        "|",
        color="black",
        markersize=16,
        markeredgewidth=2,
        label="median",
    )
    ax.set_yticks(range(len(shares)), shares.index)
    ax.set(xlabel="share of the gap that is closed", xlim=(floor - 0.1, None))
    ax.locator_params(axis="x", nbins=6)
    ax.invert_yaxis()
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure
