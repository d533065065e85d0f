"""Masks over images: what was outlined, what was predicted, and where the two differ or doubt."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import LogLocator

from medlearn.plots._style import COLOURS, WRONG, bare_axes

# Okabe and Ito's, lighter for the large regions and strongest for the last, often the smallest.
_FILL = tuple(
    np.array(to_rgb(colour)) for colour in ("#FFFFFF", "#009E73", "#56B4E9", "#CC79A7", "#D55E00")
)


def blend_mask(image, mask, opacity=0.5):
    """The image (H, W, 3) as floats 0..1 with the classes of its mask (H, W) painted over it; 0, the background, stays clear."""
    picture = np.asarray(image, float) / 255
    for value in np.unique(mask[mask > 0]):
        here = mask == value
        picture[here] = (1 - opacity) * picture[here] + opacity * _FILL[value % len(_FILL)]
    return picture


def overlays(rows, titles, mask_classes, *, opacity=0.5, width=8.0):
    """Images in named rows with their masks painted over them: `rows` maps a name to (images, masks), masks None for bare images."""
    high, wide = np.shape(next(iter(rows.values()))[0][0])[:2]
    side = width / (len(titles) + 0.9) * high / wide
    figure, axes = plt.subplots(
        len(rows), len(titles), figsize=(width, len(rows) * side + 0.65), squeeze=False
    )
    for row, (name, (pictures, masks)) in zip(axes, rows.items()):
        for number, ax in enumerate(row):
            ax.imshow(
                pictures[number]
                if masks is None
                else blend_mask(pictures[number], masks[number], opacity)
            )
            bare_axes(ax)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for ax, title in zip(axes[0], titles):
        ax.set_title(title, fontsize=9, loc="center")
    _legend(figure, mask_classes)
    return figure


def segmentation_uncertainty(image, truth, probabilities, mask_classes, *, opacity=0.5, title=""):
    """Truth, prediction, errors and uncertainty of one image (H, W, 3), from its mask (H, W) and probabilities (H, W, classes).

    The truth's outlines are black in the second and third picture. Uncertainty is the entropy of a pixel's probabilities, from
    0 (sure) to 1 (all classes alike).
    """
    said = probabilities.argmax(-1)
    share = np.clip(probabilities, 1e-7, 1)
    entropy = -(share * np.log(share)).sum(-1) / np.log(probabilities.shape[-1])
    wrong = np.repeat(
        np.asarray(image, float).mean(-1, keepdims=True) / 255 * 0.6 + 0.4, 3, axis=-1
    )
    wrong[said != truth] = to_rgb(WRONG)
    figure, axes = plt.subplots(1, 4, figsize=(8, 2.75))
    pictures = {
        "truth": blend_mask(image, truth, opacity),
        "prediction": blend_mask(image, said, opacity),
        f"wrong: {np.mean(said != truth):.1%} of pixels": wrong,
    }
    for ax, (name, picture) in zip(axes, pictures.items()):
        ax.imshow(picture)
        ax.set_title(name, fontsize=9, loc="center")
    for ax in axes[1:3]:
        for value in np.unique(truth[truth > 0]):
            ax.contour(truth >= value, levels=[0.5], colors="black", linewidths=0.8)
    shown = axes[3].imshow(entropy, cmap="magma", vmin=0, vmax=1)
    axes[3].set_title("uncertainty", fontsize=9, loc="center")
    figure.colorbar(shown, ax=axes[3], fraction=0.046, ticks=[0, 0.5, 1])
    for ax in axes:
        bare_axes(ax)
    figure.suptitle(title, fontsize=10)
    _legend(figure, mask_classes)
    return figure


def score_by_size(panels, areas, *, xlabel, ylabel):
    """Scores over the size of the region, side by side: `panels` maps a title to scores (N,); `areas` (N,) on a logarithmic axis."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3.2), sharey=True, squeeze=False)
    for ax, (title, scores), colour in zip(axes.flat, panels.items(), COLOURS):
        ax.scatter(areas, scores, s=14, color=colour, alpha=0.6, linewidth=0)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.minorticks_off()
        ax.set(xlabel=xlabel, ylim=(-0.03, 1.03))
        ax.set_title(title, fontsize=10, loc="center")
    axes[0, 0].set_ylabel(ylabel)
    return figure


def scores_by_dataset(results, *, label):
    """Scores of several methods on several data sets: `results` maps a data set to {method: scores of the seeds}; a dot a seed, a bar the mean."""
    figure, axes = plt.subplots(
        1, len(results), figsize=(8, 0.9 + 0.34 * max(map(len, results.values()))), squeeze=False
    )
    for ax, (data, methods) in zip(axes.flat, results.items()):
        for row, (name, scores) in enumerate(methods.items()):
            colour = COLOURS[row % len(COLOURS)]
            ax.plot(np.mean(scores), row, "|", color=colour, markersize=16, markeredgewidth=2.5)
            ax.plot(scores, [row] * len(scores), "o", color=colour, alpha=0.7, markersize=5)
        ax.set_yticks(
            range(len(methods)), methods if ax is axes.flat[0] else [""] * len(methods), fontsize=9
        )
        ax.set_ylim(len(methods) - 0.5, -0.5)
        ax.margins(x=0.15)
        ax.tick_params(axis="x", labelsize=8)
        ax.locator_params(axis="x", nbins=3)
        ax.grid(axis="x", alpha=0.3)
        ax.set_title(data, fontsize=10, loc="center")
    figure.supxlabel(label, fontsize=10)
    return figure


def _legend(figure, mask_classes) -> None:
    patches = [
        plt.Rectangle((0, 0), 1, 1, facecolor=_FILL[value % len(_FILL)], edgecolor="0.4")
        for value in range(1, len(mask_classes))
    ]
    figure.legend(
        patches, mask_classes[1:], loc="outside lower center", ncols=len(patches), fontsize=9
    )
