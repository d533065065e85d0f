"""The wealth of bets against a claim, which is evidence once it is large."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from medlearn.plots._style import RIGHT, WRONG, panels


def wealth(results: Mapping[str, Sequence[ArrayLike]], *, threshold: float) -> Figure:
    """Show how the wealth of each run of bets changes with the labels, on a logarithmic axis.

    Runs that reach the threshold are thick and end in a diamond there, the others are thin.

    Parameters
    ----------
    results : mapping of str to sequence of array_like, each of shape (labels,)
        For each panel, the wealth of each run after its first, second, ... label. Every run begins
        with a wealth of 1.
    threshold : float
        The wealth that counts as evidence, drawn as a dashed line.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; the title of a panel with several runs counts those that reach the threshold.
    """
    figure, axes = panels(len(results), 3.4, share_y=True, share_x=True)
    for ax, (title, runs) in zip(axes, results.items()):
        reached = 0
        for run in runs:
            values = np.concatenate([[1.0], np.asarray(run, float)])
            first = int(np.argmax(values >= threshold))
            reached += first > 0
            if first:
                values = values[: first + 1]
                ax.plot(values, color=WRONG, linewidth=1.6, zorder=3)
                ax.plot(first, values[-1], "D", color=WRONG, markersize=5, zorder=3)
            else:
                ax.plot(values, color=RIGHT, linewidth=0.8, alpha=0.5)
        ax.axhline(threshold, color="0.3", linestyle="--", linewidth=1)
        ax.set_yscale("log")
        count = f":\n{reached} of {len(runs)} reach {threshold:g}" if len(runs) > 1 else ""
        ax.set_title(title + count, fontsize=10, loc="center")
        ax.set_xlabel("labels")
    axes[0].set_ylabel("wealth")
    axes[0].yaxis.set_major_formatter("{x:g}")
    return figure
