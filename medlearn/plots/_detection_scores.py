"""How good predicted boxes are: precision and recall, FROC curves, and counts."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from medlearn import metrics
from medlearn.plots._style import RIGHT, WRONG

# The classes in the colours of their boxes, darker where a line on white needs it.
_LINES = ("#56B4E9", "#A89B00", "#E69F00", "#009E73", "#555555")
_DASHES = ("-", "--", "-.", ":", "-")
FALSE_POSITIVES = (0.125, 0.25, 0.5, 1, 2, 4, 8)


def precision_recall_curve(hits: ArrayLike, total: int, *, title: str = "") -> Figure:
    """Show precision over sensitivity of predicted boxes; the shaded area is average precision.

    Parameters
    ----------
    hits : array_like of bool, shape (K,)
        Whether each predicted box is a hit, best score first.
    total : int
        The number of objects.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; up to 29 boxes are drawn as dots.
    """
    hits = np.asarray(hits, float)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    sensitivity = hits.cumsum() / total
    best = metrics.interpolated_precision(hits)
    edges = np.append(0, sensitivity)
    area = (np.diff(edges) * best).sum()
    figure, ax = plt.subplots(figsize=(5.6, 3.4))
    ax.stairs(best, edges, fill=True, color=RIGHT, alpha=0.25, label=f"area {area:.2f}")
    ax.plot(sensitivity, precision, color=RIGHT, linewidth=1, zorder=1)
    if len(hits) < 30:
        for value, name, colour in ((1, "a hit", RIGHT), (0, "a false alarm", WRONG)):
            dots: dict[str, Any] = {"color": colour, "s": 40, "label": name, "zorder": 3}
            ax.scatter(sensitivity[hits == value], precision[hits == value], **dots)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.06), xlabel="sensitivity", ylabel="precision", title=title)
    ax.legend(loc="lower left")
    return figure


def froc_curve(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    *,
    xlabel: str = "false alarms per image",
    marks: Sequence[float] = FALSE_POSITIVES,
    title: str = "",
) -> Figure:
    """Show free-response ROC (FROC) curves: sensitivity over false positives per image.

    Parameters
    ----------
    curves : mapping of str to (false_positives, sensitivity, scores)
        The curves, from `metrics.froc_curve`.
    xlabel : str
        The label of the x-axis, on which each mark is twice the one before.
    marks : sequence of float
        The marks on the x-axis.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, ax = plt.subplots(figsize=(6.4, 3.8))
    left_end = marks[0] / 2
    styles = zip(_LINES, _DASHES)
    for (colour, dash), (name, (false_positives, sensitivity, _)) in zip(styles, curves.items()):
        line: dict[str, Any] = {"color": colour, "linestyle": dash, "label": name, "linewidth": 2}
        ax.step(np.maximum(false_positives, left_end), sensitivity, where="post", **line)
    ax.set_xscale("log", base=2)
    ax.set_xticks(marks, [f"{mark:g}" for mark in marks])
    ax.set(xlim=(left_end, marks[-1]), ylim=(0, 1.02))
    ax.set(xlabel=xlabel, ylabel="sensitivity", title=title)
    ax.legend(loc="lower right")
    return figure


def count_agreement(
    true_counts: np.ndarray,
    predicted_counts: np.ndarray,
    classes: Sequence[str],
    *,
    width: float = 8.0,
) -> Figure:
    """Show predicted over true counts per image, one panel per class.

    On the dotted line both agree; points are shifted a little so that equal ones can be seen.

    Parameters
    ----------
    true_counts, predicted_counts : numpy.ndarray of int, shape (N, classes)
        Objects of each class in each image.
    classes : sequence of str
        The names of the classes.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = plt.subplots(
        1, len(classes), figsize=(width, width / len(classes) + 0.4), squeeze=False
    )
    shift = np.random.default_rng(0).uniform(-0.18, 0.18, (2, *np.shape(true_counts)))
    for index, (ax, name) in enumerate(zip(axes[0], classes)):
        true, predicted = true_counts[:, index], predicted_counts[:, index]
        end = max(np.max(true), np.max(predicted)) + 1
        ax.axline((0, 0), slope=1, color="0.5", linestyle=":", linewidth=1.5)
        dots: dict[str, Any] = {"s": 22, "alpha": 0.6, "color": RIGHT, "linewidths": 0}
        ax.scatter(true + shift[0, :, index], predicted + shift[1, :, index], **dots)
        ax.set(xlim=(-0.5, end), ylim=(-0.5, end), aspect="equal")
        ax.set(title=name, xlabel="boxes in the truth")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.yaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("boxes counted")
    return figure
