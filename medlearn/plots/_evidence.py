"""Heat maps over pictures, and which slice of a stack counted."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib import patheffects

from medlearn.plots._style import COLOURS, OUTLINES, bare_axes, put_frame


def heat_maps(pictures, rows, titles=None, *, masks=None, alpha=0.7, width=8.0):
    """Heat maps over N pictures, which are the columns: `rows` maps a name to maps (N, H, W) of at least 0, or to None.

    Each map is scaled to its own maximum, cold stays transparent, `alpha` is how much the hottest covers; the cross, white
    with a black rim, is the hottest point. `masks` (N, H, W), nonzero inside, are outlined.
    """
    side = width / (len(pictures) + 0.6)
    tall = side * np.shape(pictures[0])[0] / np.shape(pictures[0])[1]
    figure, axes = plt.subplots(
        len(rows), len(pictures), figsize=(width, len(rows) * tall + 0.4), squeeze=False
    )
    for row, (name, maps) in zip(axes, rows.items()):
        for number, (ax, picture) in enumerate(zip(row, pictures)):
            ax.imshow(picture, vmin=0, vmax=255)
            bare_axes(ax)
            if masks is not None and np.any(masks[number]):
                ax.contour(masks[number] > 0, levels=[0.5], colors=OUTLINES[2], linewidths=1.3)
            if maps is not None:
                _lay_over(ax, np.asarray(maps[number]), alpha)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for ax, title in zip(axes[0], titles if titles is not None else ()):
        ax.set_title(title, fontsize=9, loc="center")
    return figure


def slice_weights(pictures, weights, shows, *, title="", label="weight"):
    """A patient's K pictures (K, H, W[, 3]) in order over bars of how much each counted (K,); orange where `shows` (K,)."""
    figure, axes = plt.subplots(
        2, len(pictures), figsize=(8, 8 / len(pictures) + 1.3), height_ratios=(1.3, 1), sharey="row"
    )
    for top, bottom, picture, weight, truly in zip(*axes, pictures, weights, shows):
        colour = COLOURS[1] if truly else "0.7"
        top.imshow(picture, vmin=0, vmax=255)
        put_frame(top, colour)
        bottom.bar([0], [weight], width=0.5, color=colour)
        bottom.set(xticks=[], xlim=(-0.6, 0.6), ylim=(0, max(0.5, 1.15 * np.max(weights))))
        bottom.annotate(
            f"{weight:.2f}",
            (0, weight),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
        sns.despine(ax=bottom, left=True)
        bottom.tick_params(left=False, labelleft=False)
    axes[1, 0].set_ylabel(label, fontsize=9)
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def _lay_over(ax, heat_map, alpha) -> None:
    warmest = heat_map.max()
    if warmest <= 0:
        return
    share = heat_map / warmest
    ax.imshow(share, cmap="inferno", vmin=0, vmax=1, alpha=alpha * share**0.7)
    y, x = np.unravel_index(share.argmax(), share.shape)
    rim = [patheffects.withStroke(linewidth=4, foreground="black")]  # seen on white as well
    ax.plot(
        x, y, "x", color="white", markersize=7, markeredgewidth=1.6, path_effects=rim, clip_on=False
    )
