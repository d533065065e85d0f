"""Counts of boxes per image, and how far predicted counts are from the true ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def count_boxes(
    boxes: Sequence[ArrayLike], classes: int, score_threshold: float = 0.0
) -> np.ndarray:
    """Count the boxes of each class in each image.

    Parameters
    ----------
    boxes : sequence of array_like, each of shape (K, 5) or (K, 6)
        For each image, rows of [y0, x0, y1, x1, class index] and perhaps a score.
    classes : int
        The number of classes.
    score_threshold : float
        Boxes with a lower score do not count.

    Returns
    -------
    numpy.ndarray of int, shape (N, classes)
        The counts.

    Raises
    ------
    ValueError
        For boxes without area or of unknown class.
    """
    counts = np.zeros((len(boxes), classes), int)
    for index, image_boxes in enumerate(boxes):
        rows = _checks.boxes(image_boxes, columns=5, classes=classes)
        if rows.shape[1] > 5:
            rows = rows[rows[:, 5] >= score_threshold]
        counts[index] = np.bincount(rows[:, 4].astype(int), minlength=classes)
    return counts


def mean_absolute_error(true_counts: ArrayLike, predicted_counts: ArrayLike) -> float:
    """Return the mean absolute difference between true and predicted counts.

    Parameters
    ----------
    true_counts, predicted_counts : array_like, shape (N,)
        Objects per image.

    Returns
    -------
    float
        Objects per image, 0 or more.

    Raises
    ------
    ValueError
        For NaN, and for lengths that differ.
    """
    true_counts, predicted_counts = _check_counts(true_counts, predicted_counts)
    return float(np.abs(predicted_counts - true_counts).mean())


def mean_signed_error(true_counts: ArrayLike, predicted_counts: ArrayLike) -> float:
    """Return the bias of counts: the mean of predicted minus true; above zero, too many.

    Parameters
    ----------
    true_counts, predicted_counts : array_like, shape (N,)
        Objects per image.

    Returns
    -------
    float
        Objects per image.

    Raises
    ------
    ValueError
        For NaN, and for lengths that differ.
    """
    true_counts, predicted_counts = _check_counts(true_counts, predicted_counts)
    return float((predicted_counts - true_counts).mean())


def _check_counts(
    true_counts: ArrayLike, predicted_counts: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    true_counts = _checks.column("true_counts", true_counts).astype(float)
    predicted_counts = _checks.column("predicted_counts", predicted_counts).astype(float)
    _checks.same_length(true_counts=true_counts, predicted_counts=predicted_counts)
    return true_counts, predicted_counts
