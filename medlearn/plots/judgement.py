"""How good, how sure, at which threshold: figures of scores, probabilities and repeated studies."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from medlearn import metrics

from .style import COLOURS, RIGHT, WRONG


def confusion(matrix, classes, *, ax=None):
    """A confusion matrix (true, predicted) with its counts; darker means a larger share of the true class."""
    figure, ax = plt.subplots(figsize=(1.6 + len(classes), 1.1 + 0.75 * len(classes))) if ax is None else (ax.figure, ax)
    matrix = np.asarray(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        ax.text(column, row, f"{count:g}", ha="center", va="center", color="white" if share[row, column] > 0.75 else "black")
    ax.set_xticks(range(len(classes)), classes)
    ax.set_yticks(range(len(classes)), classes)
    ax.set(xlabel="predicted", ylabel="true")
    sns.despine(ax=ax, left=True, bottom=True)
    ax.tick_params(length=0)
    return figure


def reliability(results, *, bins=10, adaptive=False):
    """Reliability curves over histograms of the probabilities: `results` maps a name to (labels, probabilities), of yes (N,) or (N, K)."""
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(5.2, 5.2), sharex=True, height_ratios=(4, 1))
    top.plot([0, 1], [0, 1], ":", color="0.5", label="means what it says")
    for (name, (labels, probabilities)), colour, marker in zip(results.items(), COLOURS, "osD^v"):
        curve = metrics.reliability(labels, probabilities, bins=bins, adaptive=adaptive)
        error = metrics.calibration_error(labels, probabilities, bins=bins, adaptive=adaptive)
        top.plot(curve.predicted, curve.observed, color=colour, alpha=0.6)
        sizes = 25 + 300 * curve.count / curve.count.sum()
        top.scatter(curve.predicted, curve.observed, s=sizes, color=colour, marker=marker, linewidth=0)
        top.plot([], [], color=colour, marker=marker, label=f"{name}: calibration error {error:.2f}")
        bottom.stairs(curve.count, _edges(curve.predicted), color=colour, linewidth=1.5)
    top.set(ylabel="observed share", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    top.legend(loc="upper left", fontsize=9)
    bottom.set(xlabel="predicted probability", ylabel="images")
    return figure


def threshold(labels, scores, at, *, miss, alarm, names=("no", "yes")):
    """What a threshold does: both classes' scores with the threshold `at`, the confusion matrix, and the cost of every threshold."""
    labels, scores = np.asarray(labels).astype(int), np.asarray(scores, float)
    figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.1), width_ratios=(1.25, 1, 1.25))
    bins = np.linspace(min(scores.min(), at), max(scores.max(), at), 25)
    for value, colour in enumerate(COLOURS[:2]):
        axes[0].hist(scores[labels == value], bins, color=colour, alpha=0.6, label=f"truly {names[value]}")
    axes[0].legend(fontsize=9)
    axes[0].set(xlabel=f"score; {names[1]} from {at:.2f} on", ylabel="images")
    counts = [[np.sum((labels == true) & ((scores >= at) == called)) for called in (0, 1)] for true in (0, 1)]
    confusion(counts, names, ax=axes[1])
    thresholds, prices = metrics.costs(labels, scores, miss=miss, alarm=alarm)
    now = metrics.cost(labels, scores, at, miss=miss, alarm=alarm)
    axes[2].step(thresholds[:-1], prices[:-1], where="pre", color=COLOURS[0])
    axes[2].plot(at, now, "o", color=WRONG)
    axes[2].set(xlabel="threshold", ylabel=f"cost an image (miss {miss:g}, alarm {alarm:g})", ylim=(0, None))
    axes[2].set_title(f"here {now:.2f}, at best {prices.min():.2f}", fontsize=10)
    for ax in (axes[0], axes[2]):
        ax.axvline(at, color=WRONG, linestyle="--", linewidth=1.5)
    return figure


def studies(panels, truth, *, label):
    """Many repetitions of one study: `panels` maps a title to its (value, low, high); orange where an interval misses the truth."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 4), sharex=True, sharey=True, squeeze=False)
    for ax, (title, intervals) in zip(axes.flat, panels.items()):
        for row, (value, low, high) in enumerate(intervals):
            colour = RIGHT if low <= truth <= high else WRONG
            ax.plot([low, high], [row, row], color=colour, alpha=0.7, linewidth=2)
            ax.plot(value, row, ".", color=colour, markersize=5)
        held = np.mean([low <= truth <= high for _, low, high in intervals])
        ax.axvline(truth, color="0.3", linestyle=":")
        ax.set(title=f"{title}: {held:.0%} hold the truth", xlabel=label, yticks=[])
        sns.despine(ax=ax, left=True)
    return figure


def _edges(centres) -> np.ndarray:
    """Edges of bars around rising centres within 0..1."""
    return np.concatenate([[0.0], (centres[1:] + centres[:-1]) / 2, [1.0]])
