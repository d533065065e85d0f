"""Images, with what is known about them."""

import matplotlib.pyplot as plt
import numpy as np

from medlearn.plots._style import OUTLINES, RIGHT, WRONG, bare_axes, put_frame


def images(pictures, titles=None, *, columns=8, frames=None, width=8.0):
    """Pictures (N, H, W[, 3]) on a grid, read row by row; `titles` and frame colours, one a picture, are optional."""
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    side = width / columns
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * (side + 0.28 * (titles is not None))), squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    for index, (ax, picture) in enumerate(zip(axes.flat, pictures)):
        ax.imshow(picture, vmin=0, vmax=255)
        if titles is not None:
            ax.set_title(titles[index], fontsize=9, loc="center")
        if frames is not None:
            put_frame(ax, frames[index])
    return figure


def grid(rows, titles, *, width=8.0):
    """Pictures in named rows under column titles: `rows` maps a name to its pictures (H, W[, 3]), one a title."""
    side = width / (len(titles) + 0.6)  # the names take about half a column
    figure, axes = plt.subplots(
        len(rows), len(titles), figsize=(width, len(rows) * side + 0.3), squeeze=False
    )
    for row, (name, pictures) in zip(axes, rows.items()):
        for ax, picture in zip(row, pictures):
            ax.imshow(picture, vmin=0, vmax=255)
            bare_axes(ax)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for ax, title in zip(axes[0], titles):
        ax.set_title(title, fontsize=9, loc="center")
    return figure


def mask_outline(image, mask, mask_classes, *, width=4.0):
    """One picture (H, W, 3) with the outline of each region of its mask (H, W), named in the legend."""
    figure, ax = plt.subplots(figsize=(width * 1.45, width))
    ax.imshow(image)
    ax.axis("off")
    present = [value for value in range(1, len(mask_classes)) if (mask == value).any()]
    for value in present:
        colour = OUTLINES[value]
        ax.contour(mask >= value, levels=[0.5], colors="black", linewidths=3.5)
        ax.contour(mask >= value, levels=[0.5], colors=colour, linewidths=2)
        ax.plot([], [], color=colour, linewidth=4, label=mask_classes[value])
    ax.legend(
        loc="center left", bbox_to_anchor=(1, 0.5), facecolor="0.6", frameon=True, framealpha=1
    )
    return figure


def neighbours(pictures, labels, classes, query, found, *, title=""):
    """A query picture and its nearest ones, `found` being indices; a blue frame for the same class, an orange-red one for another."""
    shown = [query, *found]
    titles = [
        f"query:\n{classes[labels[query]]}",
        *(f"{'=' if labels[i] == labels[query] else '≠'}\n{classes[labels[i]]}" for i in found),
    ]
    frames = ["black", *(RIGHT if labels[i] == labels[query] else WRONG for i in found)]
    figure = images([pictures[i] for i in shown], titles, columns=len(shown), frames=frames)
    figure.set_size_inches(8, 8 / len(shown) + 0.75)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure


def feature_maps(image, maps, *, channels=5):
    """An image and the strongest channels of each layer's maps: `maps` maps a layer name to an array (h, w, C)."""
    figure, axes = plt.subplots(
        len(maps), channels + 1, figsize=(8, 1.4 * len(maps)), squeeze=False
    )
    for row, (name, values) in zip(axes, maps.items()):
        strongest = np.argsort(values.std((0, 1)))[::-1][:channels]
        for ax, picture in zip(row, [image, *(values[..., channel] for channel in strongest)]):
            ax.imshow(picture, cmap="magma", interpolation="nearest")
            bare_axes(ax)
        row[0].set_ylabel(
            f"{name}\n{values.shape[0]}x{values.shape[1]}x{values.shape[2]}",
            rotation=0,
            ha="right",
            va="center",
            fontsize=9,
        )
    return figure
