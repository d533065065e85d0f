"""What methods achieve in another laboratory, between those that never saw it and those that learned at home."""

import matplotlib.pyplot as plt
import seaborn as sns

from medlearn.plots._style import COLOURS, dot


def intervals_by_target(panels, *, label, baseline=None, oracle=None, chosen=()):
    """Dots and intervals of methods, a panel a target: `panels` maps a title to {method: (value, low, high)}.

    Methods come in the order in which they first appear; one that a panel lacks leaves its row empty there. low, high: the
    methods whose values become dashed lines, where adaptation starts and what it may hope for. chosen: methods in another
    colour and with a ring, for one that was committed to without labels.
    """
    names = list(dict.fromkeys(name for methods in panels.values() for name in methods))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(8, 1.1 + 0.34 * len(names)), sharey=True, squeeze=False
    )
    for ax, (title, methods) in zip(axes.flat, panels.items()):
        for name in (baseline, oracle):
            if name in methods:
                ax.axvline(methods[name][0], color="0.6", linestyle="--", linewidth=1, zorder=0)
        for name, (value, least, most) in methods.items():
            colour = COLOURS[1] if name in chosen else COLOURS[0]
            dot(ax, names.index(name), value, least, most, colour)
            if name in chosen:
                ax.plot(
                    value,
                    names.index(name),
                    "o",
                    color=colour,
                    markersize=12,
                    markerfacecolor="none",
                    markeredgewidth=2,
                    clip_on=False,
                )
        ax.set_title(title, fontsize=10, loc="center")
        ax.locator_params(axis="x", nbins=4)
        ax.tick_params(labelsize=9)
        ax.tick_params(axis="y", left=False)
        ax.grid(axis="x", alpha=0.3)
        sns.despine(ax=ax, left=True)
    axes.flat[0].set_yticks(range(len(names)), names)
    axes.flat[0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel(f"{label} (bar: 95 % interval)", fontsize=10)
    return figure
