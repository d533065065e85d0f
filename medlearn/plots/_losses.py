"""Curves of the losses of several trainings, from before the first epoch on."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from medlearn.plots._style import legend_outside, series


def loss_curves(
    losses: Mapping[str, Sequence[float]],
    *,
    ylabel: str = "log loss, validation patients",
    rivals: Mapping[str, float] | None = None,
    highest: float | None = None,
) -> Figure:
    """Show the loss of each training after each epoch; epoch 0 is the start, before any step.

    The lowest point of each curve has a ring: early stopping keeps the weights of that epoch.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        For each training, its loss before the first epoch and after each epoch; the number of
        epochs may differ.
    ylabel : str
        Which loss it is, and of whom.
    rivals : mapping of str to float, optional
        Losses of models that are not trained here, drawn as grey lines.
    highest : float, optional
        The largest loss that the figure shows. What lies above is cut off.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(8, 3.4))
    for name, values, colour, marker, dash in series(losses):
        ax.plot(range(len(values)), values, dash, marker=marker, color=colour, label=name)
        best = min(range(len(values)), key=values.__getitem__)
        ring: dict[str, Any] = {"markersize": 15, "markerfacecolor": "none", "markeredgewidth": 1.5}
        ax.plot(best, values[best], "o", color=colour, **ring)
    for (name, value), dash in zip((rivals or {}).items(), cycle((":", "--", "-."))):
        ax.axhline(value, color="0.4", linestyle=dash, linewidth=1.5, label=name)
    last = max(map(len, losses.values())) - 1
    ax.set(xlabel="epoch (0: before the first step)", ylabel=ylabel, ylim=(0, highest))
    ax.set_xticks(range(0, last + 1, max(1, last // 8)))
    legend_outside(ax)
    return figure
