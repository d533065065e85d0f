"""How good a classifier is, how sure, and at which threshold."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats
from sklearn import metrics as sk

from medlearn import metrics
from medlearn.plots._images import images as image_grid
from medlearn.plots._style import COLOURS, RIGHT, WRONG, bare_axes, series


def confusion(matrix: ArrayLike, classes: Sequence[str], *, ax: Axes | None = None) -> Figure:
    """Show a confusion matrix with its counts; darker means a larger share of the true class.

    Parameters
    ----------
    matrix : array_like, shape (K, K)
        Counts, a row for each true class and a column for each predicted one.
    classes : sequence of str
        The names of the classes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    if ax is None:
        size = (1.4 + 1.2 * len(classes), 1.2 + 0.75 * len(classes))
        figure, ax = plt.subplots(figsize=size)
    else:
        figure = cast(Figure, ax.figure)
    _draw_confusion(ax, matrix, classes)
    return figure


def roc_and_pr_curves(results: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Show the ROC curve and the precision-recall curve of all thresholds.

    The legends give the AUROC and the average precision.

    Parameters
    ----------
    results : mapping of str to (labels, scores)
        For each model labels (N,), 0 or 1, and scores (N,); a higher score makes 1 more likely.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8))
    for name, (labels, scores), colour, _, dash in series(results):
        false_positive_rate, sensitivity, _ = sk.roc_curve(labels, scores)
        area = f"{name}: {metrics.auroc(labels, scores):.2f}"
        left.step(false_positive_rate, sensitivity, dash, where="post", color=colour, label=area)
        precision, recall, _ = sk.precision_recall_curve(labels, scores)
        average = f"{name}: {metrics.average_precision(labels, scores):.2f}"
        right.step(recall, precision, dash, where="post", color=colour, label=average)
        right.axhline(np.mean(labels), color="0.5", linestyle=":")
    left.plot([0, 1], [0, 1], ":", color="0.5")
    left.set(xlabel="1 - specificity", ylabel="sensitivity", title="ROC curve (dotted: guessing)")
    right.set(xlabel="sensitivity", ylabel="precision", ylim=(0, 1.03))
    right.set(title="precision (dotted: guessing)")
    left.legend(title="area", loc="lower right")
    right.legend(title="average", loc="lower left")
    return figure


def reliability(
    results: Mapping[str, tuple[ArrayLike, ArrayLike]], *, bins: int = 10, adaptive: bool = False
) -> Figure:
    """Show reliability curves over histograms of the probabilities.

    Bars are 95 % Wilson intervals of each bin's share as if images were independent; with several
    images per patient, honest ones would be wider.

    Parameters
    ----------
    results : mapping of str to (labels, probabilities)
        For each model what `metrics.reliability` takes.
    bins, adaptive
        As for `metrics.reliability`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        As `metrics.reliability`.
    """
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(5.2, 5.2), sharex=True, height_ratios=(4, 1)
    )
    top.plot([0, 1], [0, 1], ":", color="0.5", label="perfectly calibrated")
    for name, (labels, probabilities), colour, marker, _ in series(results):
        curve = metrics.reliability(labels, probabilities, bins=bins, adaptive=adaptive)
        top.vlines(curve.predicted, *_wilson_intervals(curve), color=colour, alpha=0.5)
        top.plot(curve.predicted, curve.observed, color=colour, marker=marker, label=name)
        bottom.stairs(curve.counts, _edges(curve.predicted), color=colour, linewidth=1.5)
    top.set(ylabel="observed share", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    top.legend(loc="upper left")
    bottom.set(xlabel="predicted probability", ylabel="images")
    return figure


def decision_threshold(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    *,
    false_negative_cost: float,
    false_positive_cost: float,
    classes: Sequence[str] = ("no", "yes"),
) -> Figure:
    """Show the scores of both classes, the confusion matrix, and the mean cost, at a threshold.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1.
    scores : array_like, shape (N,)
        Numbers; from `threshold` on they mean 1.
    threshold : float
        The threshold.
    false_negative_cost, false_positive_cost : float
        What a missed case and a false alarm cost, in the same unit; above 0.
    classes : sequence of str, length 2
        The names of 0 and 1.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        As `metrics.cost_curve`.
    """
    labels, scores = np.asarray(labels).astype(int), np.asarray(scores, float)
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(10.5, 3.6), width_ratios=(1.3, 0.9, 1.3)
    )
    bins = np.linspace(min(scores.min(), threshold), max(scores.max(), threshold), 25)
    for label, colour in enumerate(COLOURS[:2]):
        of_class = scores[labels == label]
        left.hist(of_class, bins, color=colour, alpha=0.6, label=f"truly {classes[label]}")
    left.legend(loc="upper right", fontsize=10)
    left.yaxis.get_major_locator().set_params(integer=True)
    left.set(xlabel=f"score; {classes[1]} from {threshold:.2f} on", ylabel="images")
    matrix = sk.confusion_matrix(labels, scores >= threshold, labels=[0, 1])
    confusion(matrix, classes, ax=middle)
    costs = {"false_negative_cost": false_negative_cost, "false_positive_cost": false_positive_cost}
    _draw_costs(right, labels, scores, threshold, costs)
    for ax in (left, right):
        ax.axvline(threshold, color=WRONG, linestyle="--", linewidth=1.5)
    return figure


def perturbed_predictions(
    before: np.ndarray,
    after: np.ndarray,
    probabilities: Mapping[str, ArrayLike],
    classes: Sequence[str],
    label: int,
    *,
    failed_checks: Sequence[str] = (),
) -> Figure:
    """Show an image before and after a perturbation, and the prediction of each model after it.

    Parameters
    ----------
    before, after : array_like, shape (H, W) or (H, W, 3)
        Both images, from 0 to 255.
    probabilities : mapping of str to array_like, each of shape (K,)
        The probabilities of each model for `after`.
    classes : sequence of str
        The names of the classes.
    label : int
        Index of the true class, printed in bold.
    failed_checks : sequence of str
        The quality measures that are out of their limits.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.7), width_ratios=(1, 1, 1.2))
    for ax, image, title in zip(axes, (before, after), ("as it was", "as it is now")):
        ax.imshow(image, vmin=0, vmax=255)
        bare_axes(ax)
        ax.set_title(title, fontsize=10, loc="center")
    alarm = f"alarm: {', '.join(failed_checks)}" if failed_checks else "no alarm"
    axes[1].set_xlabel(alarm, color=WRONG if failed_checks else "black", fontsize=10)
    ax, models = axes[2], len(probabilities)
    height = 0.8 / models
    for index, (name, values, colour, _, _) in enumerate(series(probabilities)):
        rows = np.arange(len(classes)) + (index - (models - 1) / 2) * height
        ax.barh(rows, values, height, color=colour, label=name)
    ax.set_yticks(range(len(classes)), classes, fontsize=9)
    ax.get_yticklabels()[label].set_fontweight("bold")
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="probability")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=models, fontsize=9)
    return figure


def suspect_labels(
    images: Sequence[np.ndarray] | np.ndarray,
    labels: Sequence[int] | np.ndarray,
    predictions: Sequence[int] | np.ndarray,
    classes: Sequence[str],
    wrong: Sequence[bool] | np.ndarray | None = None,
    *,
    columns: int = 6,
) -> Figure:
    """Show images whose labels are doubtful, with label and prediction.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W) or (H, W, 3)
        Images from 0 to 255, the most doubtful label first.
    labels, predictions : sequence of int, shape (N,)
        Class indices.
    classes : sequence of str
        The names of the classes.
    wrong : sequence of bool, shape (N,), optional
        Where it is known, whether the label is wrong: blue frames mark labels that are wrong,
        orange-red ones labels that are right.
    columns : int
        Images in a row, at most.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    titles = [
        f"labelled {classes[label]}\npredicted {classes[prediction]}"
        for label, prediction in zip(labels, predictions)
    ]
    frames = None
    if wrong is not None:
        frames = [RIGHT if is_wrong else WRONG for is_wrong in wrong]
    figure = image_grid(images, titles, columns=columns, frames=frames)
    columns = min(columns, len(images))
    figure.set_size_inches(8, -(-len(images) // columns) * (8 / columns + 0.5))
    for ax in figure.axes:
        ax.title.set_fontsize(8)
    return figure


def _draw_confusion(ax: Axes, matrix: ArrayLike, classes: Sequence[str]) -> None:
    matrix = np.asarray(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if share[row, column] > 0.75 else "black"
        ax.text(column, row, f"{count:g}", ha="center", va="center", color=colour)
    wrapped = [textwrap.fill(name, 11) for name in classes]
    ax.set_xticks(range(len(classes)), wrapped)
    ax.set_yticks(range(len(classes)), wrapped)
    ax.set(xlabel="predicted", ylabel="true")
    sns.despine(ax=ax, left=True, bottom=True)
    ax.tick_params(length=0)


def _draw_costs(ax: Axes, labels, scores, threshold: float, costs: Mapping[str, float]) -> None:
    thresholds, curve = metrics.cost_curve(labels, scores, **costs)
    cost = metrics.mean_cost(labels, scores, threshold, **costs)
    ax.step(thresholds[:-1], curve[:-1], where="pre", color=COLOURS[0])
    ax.plot(threshold, cost, "o", color=WRONG)
    ax.set(xlabel="threshold", ylabel="mean cost per image", ylim=(0, None))
    miss, alarm = costs.values()
    title = f"miss {miss:g}, alarm {alarm:g}: {cost:.2f}, at best {curve.min():.2f}"
    ax.set_title(title)


def _wilson_intervals(curve: metrics.Reliability) -> tuple[np.ndarray, np.ndarray]:
    """Low and high ends of the 95 % interval of each bin's share."""
    came_true = np.round(curve.observed * curve.counts).astype(int)
    ends = []
    for successes, count in zip(came_true, curve.counts):
        ends.append(stats.binomtest(successes, count).proportion_ci(method="wilson"))
    low, high = np.transpose(ends)
    return low, high


def _edges(centres: np.ndarray) -> np.ndarray:
    """Edges of bars around rising centres from 0 to 1."""
    return np.concatenate([[0.0], (centres[1:] + centres[:-1]) / 2, [1.0]])
