"""Masks over images: true, predicted, and where the two differ or are uncertain."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, OUTLINES, WRONG, bare_axes, name_row, panels

# Okabe and Ito's colours, lighter for large regions and strongest for the last, often the smallest.
_FILL = tuple(
    np.array(to_rgb(colour)) for colour in ("#FFFFFF", "#009E73", "#56B4E9", "#CC79A7", "#D55E00")
)


def mask_outline(
    image: np.ndarray, mask: np.ndarray, mask_classes: Sequence[str], *, width: float = 4.0
) -> Figure:
    """Show an image with the outline of each region of its mask, named in the legend.

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        The image, from 0 to 255.
    mask : numpy.ndarray of int, shape (H, W)
        The class index of each pixel; 0 is the background.
    mask_classes : sequence of str
        The names of the classes, the background first.
    width : float
        Width of the image in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(width * 1.45, width))
    ax.imshow(image)
    ax.axis("off")
    present = [index for index in range(1, len(mask_classes)) if (mask == index).any()]
    for index in present:
        colour = OUTLINES[index]
        ax.contour(mask >= index, levels=[0.5], colors="black", linewidths=3.5)
        ax.contour(mask >= index, levels=[0.5], colors=colour, linewidths=2)
        ax.plot([], [], color=colour, linewidth=4, label=mask_classes[index])
    box: dict[str, Any] = {"facecolor": "0.6", "frameon": True, "framealpha": 1}
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), **box)
    return figure


def blend_mask(image: ArrayLike, mask: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Paint the classes of a mask over an image; the background stays clear.

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        The image, from 0 to 255.
    mask : numpy.ndarray of int, shape (H, W)
        The class index of each pixel; 0 is the background.
    opacity : float
        How much the colours cover, from 0 to 1.

    Returns
    -------
    numpy.ndarray, shape (H, W, 3)
        The picture as floats from 0 to 1.
    """
    picture = np.asarray(image, float) / 255
    for index in np.unique(mask[mask > 0]):
        region = mask == index
        colour = _FILL[index % len(_FILL)]
        picture[region] = (1 - opacity) * picture[region] + opacity * colour
    return picture


def overlays(
    rows: Mapping[str, tuple[Sequence[np.ndarray], Sequence[np.ndarray] | None]],
    titles: Sequence[str],
    mask_classes: Sequence[str],
    *,
    opacity: float = 0.5,
    width: float = 8.0,
) -> Figure:
    """Show images in named rows with their masks painted over them.

    Parameters
    ----------
    rows : mapping of str to (images, masks)
        For each row, images (H, W, 3) and masks (H, W), one under each title; masks None shows
        bare images.
    titles : sequence of str
        The titles of the columns.
    mask_classes : sequence of str
        The names of the classes, the background first.
    opacity : float
        How much the colours cover, from 0 to 1.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    height, breadth = np.shape(next(iter(rows.values()))[0][0])[:2]
    side = width / (len(titles) + 0.9) * height / breadth
    figure, axes = plt.subplots(
        len(rows), len(titles), figsize=(width, len(rows) * side + 0.65), squeeze=False
    )
    for row, (name, (images, masks)) in zip(axes, rows.items()):
        for index, ax in enumerate(row):
            picture = images[index]
            if masks is not None:
                picture = blend_mask(picture, masks[index], opacity)
            ax.imshow(picture)
            bare_axes(ax)
        name_row(row[0], name)
    for ax, title in zip(axes[0], titles):
        ax.set_title(title, fontsize=9, loc="center")
    legend_of_classes(figure, mask_classes)
    return figure


def segmentation_uncertainty(
    image: np.ndarray,
    mask: np.ndarray,
    probabilities: np.ndarray,
    mask_classes: Sequence[str],
    *,
    opacity: float = 0.5,
    title: str = "",
) -> Figure:
    """Show the true mask, the prediction, its errors and its uncertainty for one image.

    The true outlines are black in the second and third panel. Uncertainty is the entropy of a
    pixel's probabilities, from 0 (certain) to 1 (all classes equally likely).

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        The image, from 0 to 255.
    mask : numpy.ndarray of int, shape (H, W)
        The true class index of each pixel; 0 is the background.
    probabilities : numpy.ndarray, shape (H, W, classes)
        The predicted probabilities of each pixel.
    mask_classes : sequence of str
        The names of the classes, the background first.
    opacity : float
        How much the colours cover, from 0 to 1.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    prediction = probabilities.argmax(-1)
    pictures = {
        "truth": blend_mask(image, mask, opacity),
        "prediction": blend_mask(image, prediction, opacity),
        f"wrong: {np.mean(prediction != mask):.1%} of pixels": _errors(image, prediction != mask),
    }
    figure, axes = plt.subplots(1, 4, figsize=(8, 2.75))
    for ax, (name, picture) in zip(axes, pictures.items()):
        ax.imshow(picture)
        ax.set_title(name, fontsize=9, loc="center")
    for ax in axes[1:3]:
        _draw_outlines(ax, mask)
    uncertainty = axes[3].imshow(_relative_entropy(probabilities), cmap="magma", vmin=0, vmax=1)
    axes[3].set_title("uncertainty", fontsize=9, loc="center")
    figure.colorbar(uncertainty, ax=axes[3], fraction=0.046, ticks=[0, 0.5, 1])
    for ax in axes:
        bare_axes(ax)
    figure.suptitle(title, fontsize=10)
    legend_of_classes(figure, mask_classes)
    return figure


def score_by_size(
    scores: Mapping[str, ArrayLike], areas: ArrayLike, *, xlabel: str, ylabel: str
) -> Figure:
    """Show scores over the size of the region, side by side.

    Parameters
    ----------
    scores : mapping of str to array_like, each of shape (N,)
        For each panel, the score of each image, from 0 to 1.
    areas : array_like, shape (N,)
        The area of the region in each image, on a logarithmic axis.
    xlabel, ylabel : str
        The labels of the axes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = panels(len(scores), 3.2, share_y=True)
    for ax, (title, values), colour in zip(axes, scores.items(), COLOURS):
        ax.scatter(areas, values, s=14, color=colour, alpha=0.6, linewidth=0)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
        ax.set(xlabel=xlabel, ylim=(-0.03, 1.03))
        ax.set_title(title, fontsize=10, loc="center")
    axes[0].set_ylabel(ylabel)
    return figure


def _errors(image: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """The image in pale grey, with the wrong pixels in colour."""
    grey = np.asarray(image, float).mean(-1, keepdims=True) / 255 * 0.6 + 0.4
    picture = np.repeat(grey, 3, axis=-1)
    picture[wrong] = to_rgb(WRONG)
    return picture


def _draw_outlines(ax: Axes, mask: np.ndarray) -> None:
    for index in np.unique(mask[mask > 0]):
        ax.contour(mask >= index, levels=[0.5], colors="black", linewidths=0.8)


def _relative_entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy over the last axis, as a share of the largest possible."""
    clipped = np.clip(probabilities, 1e-7, 1)
    return -(clipped * np.log(clipped)).sum(-1) / np.log(probabilities.shape[-1])


def legend_of_classes(figure: Figure, mask_classes: Sequence[str]) -> None:
    """Name the colours of `blend_mask` below a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    mask_classes : sequence of str
        The names of the classes, the background first.
    """
    patches = [
        plt.Rectangle((0, 0), 1, 1, facecolor=_FILL[index % len(_FILL)], edgecolor="0.4")
        for index in range(1, len(mask_classes))
    ]
    figure.legend(
        patches, mask_classes[1:], loc="outside lower center", ncols=len(patches), fontsize=9
    )
