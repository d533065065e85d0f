"""Looking before training: windows, planes of a volume, contact sheets, near-duplicates."""

import matplotlib.pyplot as plt
import numpy as np

from medlearn.plots._style import COLOURS, bare_axes


def intensity_window(values, centre, width, *, spacing=(1.0, 1.0), unit=""):
    """A picture of `values` (H, W) through a window, to scale, beside their histogram and what the window shows of it.

    Values from centre - width / 2 (black) to centre + width / 2 (white) are told apart; `spacing` is (down, right) in mm.
    """
    low, high = centre - width / 2, centre + width / 2
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
    left.imshow(values, cmap="gray", vmin=low, vmax=high, extent=_extent(values.shape, spacing))
    left.set(xlabel="mm", ylabel="mm", title=f"centre {centre:g}, width {width:g}")
    right.hist(values.ravel(), bins=100, color="0.5", log=True)
    right.axvspan(low, high, color=COLOURS[1], alpha=0.35)
    right.set(xlabel=unit, ylabel="pixels", title="orange: what the window tells apart")
    return figure


def orthogonal_planes(volume, spacing, axes):
    """The middle planes of a volume (X, Y, Z) to scale; `spacing` in mm and `axes`, such as ("R", "A", "S"), name its axes."""
    figure, panels = plt.subplots(1, 3, figsize=(8, 3.2))
    for panel, (right, up) in zip(panels, [(0, 1), (0, 2), (1, 2)]):
        cut = next(axis for axis in range(3) if axis not in (right, up))
        plane = np.take(volume, volume.shape[cut] // 2, axis=cut).T
        panel.imshow(
            plane,
            cmap="gray",
            origin="lower",
            extent=_extent(plane.shape, (spacing[up], spacing[right]))[:2]
            + (0, plane.shape[0] * spacing[up]),
        )
        panel.set(
            xlabel=f"towards {axes[right]}, mm",
            ylabel=f"towards {axes[up]}, mm",
            title=f"{plane.shape[1]} x {plane.shape[0]} pixels",
        )
    return figure


def contact_sheet(pictures, labels, classes, *, per_class=6, seed=0):
    """`each` pictures (H, W[, 3]) of every class that occurs, one class a row, drawn by chance and not chosen."""
    labels, random = np.asarray(labels), np.random.default_rng(seed)
    present = [value for value in range(len(classes)) if (labels == value).any()]
    figure, axes = plt.subplots(
        len(present), per_class, figsize=(8, len(present) * 6.8 / per_class), squeeze=False
    )
    for row, value in zip(axes, present):
        members = random.permutation(np.flatnonzero(labels == value))[:per_class]
        for ax in row:
            bare_axes(ax)
        for ax, index in zip(row, members):
            ax.imshow(pictures[index], cmap="gray", vmin=0, vmax=255)
        row[0].set_ylabel(classes[value], rotation=0, ha="right", va="center", fontsize=9)
    return figure


def similarity_histogram(scores, known, threshold):
    """How alike candidate pairs are, `scores` (P,), as two histograms: pairs `known` (bool (P,)) to be one picture, and others."""
    scores, known = np.asarray(scores), np.asarray(known, bool)
    figure, ax = plt.subplots(figsize=(8, 3))
    bins = np.linspace(min(0, scores.min()), 1, 61)
    ax.hist(
        [scores[~known], scores[known]],
        bins=bins,
        stacked=True,
        log=True,
        color=["0.6", COLOURS[1]],
        label=["other pairs", "planted copies"],
    )
    ax.axvline(threshold, color="black", linestyle=":", label=f"from {threshold:g} on: one picture")
    ax.set(xlabel="correlation of fine detail", ylabel="pairs")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _extent(shape, spacing) -> tuple[float, float, float, float]:
    return 0, shape[1] * spacing[1], shape[0] * spacing[0], 0
