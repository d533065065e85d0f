"""Scores of predicted boxes: match them once, then compute all scores from the matches.

    object_counts, matches = metrics.match_boxes(true_boxes, predicted_boxes, classes=3)
    metrics.interval(metrics.mean_average_precision, object_counts, matches, patients)

`object_counts` and `matches` have a row per image, so that `metrics.interval` and
`metrics.paired_difference` can resample patients.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import boxes as box_arithmetic

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
_CLASS, _SCORE, _FIRST_HIT = 0, 1, 2  # columns of a match


def match_boxes(
    true_boxes: Sequence[ArrayLike],
    predicted_boxes: Sequence[ArrayLike],
    classes: int,
    iou_thresholds: Sequence[float] = (0.5,),
) -> tuple[np.ndarray, np.ndarray]:
    """Find out which predicted boxes are hits.

    From the best score down, a predicted box takes the object of its class, not yet taken, with
    which its IoU is largest, if that reaches the threshold. Otherwise it is a false positive, and a
    second box on the same object is one too.

    Parameters
    ----------
    true_boxes : sequence of array_like, each of shape (K, 5)
        For each image, rows of [y0, x0, y1, x1, class index].
    predicted_boxes : sequence of array_like, each of shape (K, 6)
        For each image, rows of [y0, x0, y1, x1, class index, score].
    classes : int
        The number of classes.
    iou_thresholds : sequence of float
        Above 0 and at most 1; `metrics.IOU_THRESHOLDS` are .50, .55, ... .95.

    Returns
    -------
    object_counts : numpy.ndarray of int, shape (N, classes)
        How many objects of each class an image holds.
    matches : numpy.ndarray of object, shape (N,)
        For each image an array (K, 2 + thresholds), best score first, with rows of
        [class index, score, hit at each threshold (1 or 0)].

    Raises
    ------
    ValueError
        For numbers of images that differ, boxes without area, of unknown class or without a score,
        and thresholds out of range.

    References
    ----------
    Lin et al., Microsoft COCO, ECCV 2014 (arXiv:1405.0312), and its published evaluation.

    Examples
    --------
    >>> from medlearn import metrics
    >>> counts, matches = metrics.match_boxes([[[0, 0, 9, 9, 0]]], [[[0, 0, 9, 8, 0, 0.7]]], 1)
    >>> matches[0]
    array([[0. , 0.7, 1. ]])
    """
    if len(true_boxes) != len(predicted_boxes):
        raise ValueError(
            f"Each image needs one of each: {len(true_boxes)} arrays of true boxes, "
            f"{len(predicted_boxes)} of predicted ones."
        )
    if not len(iou_thresholds) or not all(0 < threshold <= 1 for threshold in iou_thresholds):
        raise ValueError(
            f"iou_thresholds={iou_thresholds!r} are intersections over union, above 0 and at most "
            "1; try (0.5,)."
        )
    object_counts = np.zeros((len(true_boxes), classes), int)
    matches = np.empty(len(true_boxes), object)
    for index, (true, predicted) in enumerate(zip(true_boxes, predicted_boxes)):
        try:
            true = _checks.boxes(true, columns=5, classes=classes)
            predicted = _checks.boxes(predicted, columns=6, classes=classes)
        except ValueError as problem:
            raise ValueError(f"Image {index}: {problem}") from None
        object_counts[index] = np.bincount(true[:, 4].astype(int), minlength=classes)
        matches[index] = _matches_of_image(true, predicted, iou_thresholds)
    return object_counts, matches


def average_precision_per_class(object_counts: ArrayLike, matches: np.ndarray) -> np.ndarray:
    """Return the average precision (AP) of each class, the mean over the IoU thresholds.

    AP is the area under the interpolated precision over the sensitivity. COCO reads the same curve
    at 101 points, which differs in the third digit.

    Parameters
    ----------
    object_counts, matches : numpy.ndarray
        From `match_boxes`.

    Returns
    -------
    numpy.ndarray, shape (classes,)
        AP from 0 to 1; NaN for a class without an object.

    Raises
    ------
    ValueError
        If the arguments are not those of `match_boxes`.

    References
    ----------
    Everingham et al., The Pascal Visual Object Classes Challenge, IJCV 111:98, 2015, section 4.2
    (doi:10.1007/s11263-014-0733-5).
    """
    object_counts, matches = _check_matches(object_counts, matches)
    ranked = _ranked_by_score(matches)
    areas = []
    for class_index, total in enumerate(object_counts.sum(0)):
        hits = ranked[ranked[:, _CLASS] == class_index, _FIRST_HIT:]
        areas.append(_area_under_precision(hits, total) if total else np.nan)
    return np.array(areas)


def mean_average_precision(object_counts: ArrayLike, matches: np.ndarray) -> float:
    """Return the mean average precision (mAP) over the classes that have an object.

    Parameters
    ----------
    object_counts, matches : numpy.ndarray
        From `match_boxes`.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If no image holds an object.
    """
    areas = average_precision_per_class(object_counts, matches)
    if np.isnan(areas).all():
        raise _checks.Undefined(
            "No image holds an object of any class, so there is no average precision."
        )
    return float(np.nanmean(areas))


def interpolated_precision(hits: ArrayLike) -> np.ndarray:
    """Return, for boxes in order of their score, the best precision at this or a later box.

    Parameters
    ----------
    hits : array_like, shape (K,) or (K, thresholds)
        1 for a hit and 0 for a false positive, best score first.

    Returns
    -------
    numpy.ndarray, shape of `hits`
        Precision from 0 to 1, which never rises.

    References
    ----------
    Everingham et al., The Pascal Visual Object Classes Challenge, IJCV 111:98, 2015, section 4.2
    (doi:10.1007/s11263-014-0733-5).
    """
    hits = np.asarray(hits, float)
    ranks = np.arange(1, len(hits) + 1).reshape(-1, *[1] * (hits.ndim - 1))
    precision = hits.cumsum(axis=0) / ranks
    return np.maximum.accumulate(precision[::-1], axis=0)[::-1]


def froc_curve(
    object_counts: ArrayLike, matches: np.ndarray, positive: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the free-response ROC (FROC) curve: sensitivity over false positives per image.

    Where boxes were matched at several IoU thresholds, the first counts.

    Parameters
    ----------
    object_counts, matches : numpy.ndarray
        From `match_boxes`.
    positive : int, optional
        The index of one class; None pools all classes.

    Returns
    -------
    false_positives : numpy.ndarray, shape (points,)
        False positives per image, rising; the first point is 0.
    sensitivity : numpy.ndarray, shape (points,)
        Share of the objects that are found, rising from 0.
    scores : numpy.ndarray, shape (points,)
        The score from which on boxes count at this point; the first is infinite.

    Raises
    ------
    ValueError
        If there is no object of that class.

    References
    ----------
    Bunch et al., A free response approach to the measurement and characterization of radiographic
    observer performance, Proc. SPIE 127, 1977.
    """
    object_counts, matches = _check_matches(object_counts, matches)
    ranked = _ranked_by_score(matches)
    total = object_counts.sum()
    if positive is not None:
        ranked = ranked[ranked[:, _CLASS] == positive]
        total = object_counts[:, positive].sum()
    if not total:
        raise _checks.Undefined(
            "There is no object to find in these images, so there is no free-response curve."
        )
    last_of_equals = np.diff(ranked[:, _SCORE], append=np.nan) != 0
    hits = (ranked[:, _FIRST_HIT] == 1).cumsum()[last_of_equals]
    false_positives = (ranked[:, _FIRST_HIT] == 0).cumsum()[last_of_equals]
    return (
        np.append(0, false_positives / len(object_counts)),
        np.append(0, hits / total),
        np.append(np.inf, ranked[last_of_equals, _SCORE]),
    )


def sensitivity_at_false_positives(
    object_counts: ArrayLike,
    matches: np.ndarray,
    false_positives: float = 1.0,
    positive: int | None = None,
) -> float:
    """Return the highest sensitivity that costs at most so many false positives per image.

    Parameters
    ----------
    object_counts, matches : numpy.ndarray
        From `match_boxes`.
    false_positives : float
        False positives per image, 0 or more.
    positive : int, optional
        The index of one class; None pools all classes.

    Returns
    -------
    float
        Sensitivity from 0 to 1.

    Raises
    ------
    ValueError
        For a negative number, and if there is no object of that class.
    """
    if not false_positives >= 0:
        raise ValueError(
            f"false_positives={false_positives!r} is a number per image, 0 or more; try 1."
        )
    per_image, sensitivity, _ = froc_curve(object_counts, matches, positive)
    return float(sensitivity[per_image <= false_positives + 1e-12].max())


def _matches_of_image(
    true: np.ndarray, predicted: np.ndarray, iou_thresholds: Sequence[float]
) -> np.ndarray:
    """Rows of [class, score, hit at each threshold], best score first."""
    predicted = predicted[np.argsort(-predicted[:, 5], kind="stable")]
    same_class = predicted[:, 4][:, None] == true[:, 4]
    iou = np.where(same_class, box_arithmetic.pairwise_iou(predicted, true), 0.0)
    hits = [_hits(iou, threshold) for threshold in iou_thresholds]
    return np.column_stack([predicted[:, 4:6], *hits])


def _hits(iou: np.ndarray, threshold: float) -> np.ndarray:
    """1.0 or 0.0 for each predicted box, best first, by its IoU (predicted, true)."""
    is_free = np.ones(iou.shape[1], bool)
    hits = np.zeros(len(iou))
    for index, row in enumerate(iou):
        available = np.where(is_free, row, -1.0)
        if len(available) and available.max() >= threshold:
            is_free[available.argmax()] = False
            hits[index] = 1.0
    return hits


def _ranked_by_score(matches: np.ndarray) -> np.ndarray:
    """The matches of all images in one array, best score first."""
    rows = np.concatenate(list(matches))
    return rows[np.argsort(-rows[:, _SCORE], kind="stable")]


def _area_under_precision(hits: np.ndarray, total: int) -> float:
    """Area under the interpolated precision, the mean over the columns of hits (K, thresholds)."""
    return float((hits * interpolated_precision(hits)).sum(0).mean() / total)


def _check_matches(object_counts: ArrayLike, matches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    object_counts = np.asarray(object_counts)
    is_table = object_counts.ndim == 2 and len(object_counts) > 0
    if not is_table or len(object_counts) != len(matches):
        raise ValueError(
            "object_counts is (N, classes) and matches N arrays, both from metrics.match_boxes; "
            f"here {object_counts.shape} and {len(matches)}."
        )
    return object_counts, matches
