"""How good, how sure, at which threshold: figures of scores, probabilities and repeated studies."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from scipy import stats
from sklearn.metrics import precision_recall_curve, roc_curve

from medlearn import metrics
from medlearn.plots._style import COLOURS, RIGHT, WRONG


def confusion(matrix, classes, *, ax=None):
    """A confusion matrix (true, predicted) with its counts; darker means a larger share of the true class."""
    figure, ax = (
        plt.subplots(figsize=(1.4 + 1.2 * len(classes), 1.2 + 0.75 * len(classes)))
        if ax is None
        else (ax.figure, ax)
    )
    matrix = np.asarray(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        ax.text(
            column,
            row,
            f"{count:g}",
            ha="center",
            va="center",
            color="white" if share[row, column] > 0.75 else "black",
        )
    short = [textwrap.fill(name, 11) for name in classes]
    ax.set_xticks(range(len(classes)), short)
    ax.set_yticks(range(len(classes)), short)
    ax.set(xlabel="predicted", ylabel="true")
    sns.despine(ax=ax, left=True, bottom=True)
    ax.tick_params(length=0)
    return figure


def roc_and_pr_curves(results):
    """ROC and precision-sensitivity curves of all thresholds: `results` maps a name to (labels, scores), 0 or 1 and any number."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8))
    for (name, (labels, scores)), colour, style in zip(
        results.items(), COLOURS, ("-", "--", "-.", ":")
    ):
        alarms, found, _ = roc_curve(labels, scores)
        precise, sensitive, _ = precision_recall_curve(labels, scores)
        left.step(
            alarms,
            found,
            style,
            where="post",
            color=colour,
            label=f"{name}: {metrics.auroc(labels, scores):.2f}",
        )
        right.step(
            sensitive,
            precise,
            style,
            where="post",
            color=colour,
            label=f"{name}: {metrics.average_precision(labels, scores):.2f}",
        )
        right.axhline(np.mean(labels), color="0.5", linestyle=":")
    left.plot([0, 1], [0, 1], ":", color="0.5")
    left.set(xlabel="1 - specificity", ylabel="sensitivity", title="ROC curve (dotted: guessing)")
    right.set(
        xlabel="sensitivity",
        ylabel="precision",
        ylim=(0, 1.03),
        title="precision (dotted: guessing)",
    )
    left.legend(title="area", loc="lower right")
    right.legend(title="average", loc="lower left")
    return figure


def reliability(results, *, bins=10, adaptive=False):
    """Reliability curves over histograms of the probabilities: `results` maps a name to (labels, probabilities), of yes (N,) or (N, K).

    Bars are 95 % Wilson intervals of each bin's share, as if images were independent: only wider ones would be honest.
    """
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(5.2, 5.2), sharex=True, height_ratios=(4, 1)
    )
    top.plot([0, 1], [0, 1], ":", color="0.5", label="means what it says")
    for (name, (labels, probabilities)), colour, marker in zip(results.items(), COLOURS, "osD^v"):
        curve = metrics.reliability(labels, probabilities, bins=bins, adaptive=adaptive)
        happened = np.round(curve.observed * curve.counts).astype(int)
        ends = [
            stats.binomtest(hits, count).proportion_ci(method="wilson")
            for hits, count in zip(happened, curve.counts)
        ]
        top.vlines(curve.predicted, *np.transpose(ends), color=colour, alpha=0.5)
        top.plot(curve.predicted, curve.observed, color=colour, marker=marker, label=name)
        bottom.stairs(curve.counts, _edges(curve.predicted), color=colour, linewidth=1.5)
    top.set(ylabel="observed share", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    top.legend(loc="upper left", fontsize=9)
    bottom.set(xlabel="predicted probability", ylabel="images")
    return figure


def decision_threshold(
    labels, scores, threshold, *, false_negative_cost, false_positive_cost, classes=("no", "yes")
):
    """What a threshold does: both classes' scores with the threshold `at`, the confusion matrix, and the cost of every threshold."""
    labels, scores = np.asarray(labels).astype(int), np.asarray(scores, float)
    figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.1), width_ratios=(1.3, 0.9, 1.3))
    bins = np.linspace(min(scores.min(), threshold), max(scores.max(), threshold), 25)
    for value, colour in enumerate(COLOURS[:2]):
        axes[0].hist(
            scores[labels == value], bins, color=colour, alpha=0.6, label=f"truly {classes[value]}"
        )
    axes[0].legend(loc="upper right", fontsize=8)
    axes[0].set(xlabel=f"score; {classes[1]} from {threshold:.2f} on", ylabel="images")
    counts = [
        [np.sum((labels == true) & ((scores >= threshold) == called)) for called in (0, 1)]
        for true in (0, 1)
    ]
    confusion(counts, classes, ax=axes[1])
    thresholds, prices = metrics.cost_curve(
        labels,
        scores,
        false_negative_cost=false_negative_cost,
        false_positive_cost=false_positive_cost,
    )
    now = metrics.mean_cost(
        labels,
        scores,
        threshold,
        false_negative_cost=false_negative_cost,
        false_positive_cost=false_positive_cost,
    )
    axes[2].step(thresholds[:-1], prices[:-1], where="pre", color=COLOURS[0])
    axes[2].plot(threshold, now, "o", color=WRONG)
    axes[2].set(xlabel="threshold", ylabel="mean cost of an image", ylim=(0, None))
    axes[2].set_title(
        f"miss {false_negative_cost:g}, alarm {false_positive_cost:g}: {now:.2f}, at best {prices.min():.2f}",
        fontsize=10,
    )
    for ax in (axes[0], axes[2]):
        ax.axvline(threshold, color=WRONG, linestyle="--", linewidth=1.5)
    return figure


def interval_coverage(panels, truth, *, label, max_rows=60):
    """Many repetitions of one study: `panels` maps a title to its (value, low, high); orange where an interval misses the truth.

    The first `shown` are drawn; the share in the title is of all.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(8, 4), sharex=True, sharey=True, squeeze=False
    )
    for ax, (title, intervals) in zip(axes.flat, panels.items()):
        for row, (value, low, high) in enumerate(intervals[:max_rows]):
            colour = RIGHT if low <= truth <= high else WRONG
            ax.plot([low, high], [row, row], color=colour, alpha=0.7, linewidth=2)
            ax.plot(value, row, ".", color=colour, markersize=5)
        held = np.mean([low <= truth <= high for _, low, high in intervals])
        ax.axvline(truth, color="0.3", linestyle=":")
        ax.set(
            title=f"{title}: {held:.0%} of {len(intervals)} hold the truth", xlabel=label, yticks=[]
        )
        sns.despine(ax=ax, left=True)
    return figure


def _edges(centres) -> np.ndarray:
    """Edges of bars around rising centres within 0..1."""
    return np.concatenate([[0.0], (centres[1:] + centres[:-1]) / 2, [1.0]])
