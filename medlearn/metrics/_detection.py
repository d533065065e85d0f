"""Scores of boxes: match them with the truth once, then read average precision, the free-response curve and counts off it.

    objects, matches = metrics.match_boxes(truth, found, classes=3)                    # at IoU .5
    metrics.interval(metrics.mean_average_precision, objects, matches, patients)

truth: for each image an array (k, 5) of [y0, x0, y1, x1, class]; found: (k, 6), with a score. `objects`, int (N, classes),
counts what is there; `matches`, N arrays (k, 2 + overlaps) of [class, score, hit at each overlap], holds what was found. Both
have a row per image, so that `metrics.interval` and `metrics.paired_difference` can resample patients.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import boxes as arithmetic

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


def match_boxes(
    true_boxes: Sequence[ArrayLike],
    predicted_boxes: Sequence[ArrayLike],
    classes: int,
    iou_thresholds: Sequence[float] = (0.5,),
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the boxes found in each image are hits: `objects`, int (N, classes), and `matches`, N arrays, as above.

    From the best score down, a box takes the object of its class, not yet taken, with which its IoU is largest, if that
    reaches the overlap; otherwise it is a false alarm, and a second box on the same object is one too. overlaps: IoUs above
    0, at most 1; `IOU_THRESHOLDS` are .50, .55, ... .95. Raises ValueError for different numbers of images, and for boxes
    without area, of unknown class, or without a score.
    Source: Lin et al. 2014, Microsoft COCO (arXiv:1405.0312), and its published evaluation.
    """
    if len(true_boxes) != len(predicted_boxes):
        raise ValueError(
            f"Each image needs one of each: {len(true_boxes)} arrays of true boxes, {len(predicted_boxes)} of predicted ones."
        )
    if not len(iou_thresholds) or not all(0 < threshold <= 1 for threshold in iou_thresholds):
        raise ValueError(
            f"iou_thresholds={iou_thresholds!r} are intersections over union, above 0 and at most 1; try (0.5,)."
        )
    objects, matches = np.zeros((len(true_boxes), classes), int), np.empty(len(true_boxes), object)
    for number, (there, told) in enumerate(zip(true_boxes, predicted_boxes)):
        try:
            there = arithmetic.checked(there, columns=5, classes=classes)
            told = arithmetic.checked(told, columns=6, classes=classes)
        except ValueError as problem:
            raise ValueError(f"Image {number}: {problem}") from None
        objects[number] = np.bincount(there[:, 4].astype(int), minlength=classes)
        told = told[np.argsort(-told[:, 5], kind="stable")]
        share = np.where(
            told[:, 4][:, None] == there[:, 4], arithmetic.pairwise_iou(told, there), 0.0
        )
        matches[number] = np.column_stack(
            [told[:, 4:6], *(_hits(share, threshold) for threshold in iou_thresholds)]
        )
    return objects, matches


def average_precision_per_class(object_counts: ArrayLike, matches: ArrayLike) -> np.ndarray:
    """Average precision of each class, (classes,), 0..1, mean over the overlaps; NaN for a class without an object.

    The area under precision over sensitivity, after each precision was raised to the best one at any higher sensitivity.
    Source: Everingham et al. 2015, Pascal VOC (doi:10.1007/s11263-014-0733-5). COCO reads the same curve at 101 places,
    which differs in the third digit.
    """
    object_counts, matches = _checked(object_counts, matches)
    totals, told = object_counts.sum(0), np.concatenate(list(matches))
    told = told[np.argsort(-told[:, 1], kind="stable")]
    return np.array(
        [_area(told[told[:, 0] == kind, 2:], total) for kind, total in enumerate(totals)]
    )


def mean_average_precision(object_counts: ArrayLike, matches: ArrayLike) -> float:
    """mAP: the mean of `average_precision_per_class` over the classes that have an object, 0..1. Raises ValueError if none has."""
    each = average_precision_per_class(object_counts, matches)
    if np.isnan(each).all():
        raise _checks.Undefined(
            "No image holds an object of any class, so there is no average precision."
        )
    return float(np.nanmean(each))


def froc_curve(
    object_counts: ArrayLike, matches: ArrayLike, positive: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The free-response curve: false alarms per image, sensitivity, and the score from which on both hold; three arrays.

    As the score falls, both rise; the first point is (0, 0) at infinity. kind: one class, None for all together. Where
    boxes were matched at several overlaps, the first counts. Raises ValueError if there is no such object.
    Source: Bunch et al. 1977, A free response approach to the measurement and characterization of radiographic observer
    performance, Proc. SPIE 127.
    """
    object_counts, matches = _checked(object_counts, matches)
    told = np.concatenate(list(matches))
    told = told if positive is None else told[told[:, 0] == positive]
    total = object_counts.sum() if positive is None else object_counts[:, positive].sum()
    if not total:
        raise _checks.Undefined(
            "There is no object to find in these images, so there is no free-response curve."
        )
    told = told[np.argsort(-told[:, 1], kind="stable")]
    last = np.diff(told[:, 1], append=np.nan) != 0
    alarms, hits = ((told[:, 2] == value).cumsum()[last] for value in (0, 1))
    return (
        np.append(0, alarms / len(object_counts)),
        np.append(0, hits / total),
        np.append(np.inf, told[last, 1]),
    )


def sensitivity_at_false_positives(
    object_counts: ArrayLike,
    matches: ArrayLike,
    false_positives: float = 1.0,
    positive: int | None = None,
) -> float:
    """The highest sensitivity, 0..1, that costs at most so many false alarms per image. Other arguments as `froc_curve`."""
    if not false_positives >= 0:
        raise ValueError(
            f"false_positives={false_positives!r} is a number of false alarms per image, 0 or more; try 1."
        )
    cost, sensitivity, _ = froc_curve(object_counts, matches, positive)
    return float(sensitivity[cost <= false_positives + 1e-12].max())


def count_boxes(
    boxes: Sequence[ArrayLike], classes: int, score_threshold: float = 0.0
) -> np.ndarray:
    """How many boxes of each class an image has, int (N, classes); of boxes with a score, those that reach `least`."""
    out = np.zeros((len(boxes), classes), int)
    for row, each in zip(out, boxes):
        each = arithmetic.checked(each, columns=5, classes=classes)
        each = each[each[:, 5] >= score_threshold] if each.shape[1] > 5 else each
        row += np.bincount(each[:, 4].astype(int), minlength=classes)
    return out


def mean_absolute_error(true_counts: ArrayLike, predicted_counts: ArrayLike) -> float:
    """Mean distance between true and counted numbers per image, in objects. true, counted: (N,)."""
    true_counts, predicted_counts = (
        _checks.column(name, values).astype(float)
        for name, values in (("true_counts", true_counts), ("predicted_counts", predicted_counts))
    )
    _checks.same_length(true_counts=true_counts, predicted_counts=predicted_counts)
    return float(np.abs(predicted_counts - true_counts).mean())


def mean_signed_error(true_counts: ArrayLike, predicted_counts: ArrayLike) -> float:
    """Mean of counted minus true numbers per image, in objects: above zero, too many are counted. Arguments as `mean_absolute_error`."""
    true_counts, predicted_counts = (
        _checks.column(name, values).astype(float)
        for name, values in (("true_counts", true_counts), ("predicted_counts", predicted_counts))
    )
    _checks.same_length(true_counts=true_counts, predicted_counts=predicted_counts)
    return float((predicted_counts - true_counts).mean())


def _hits(share: np.ndarray, overlap: float) -> np.ndarray:
    """1.0 or 0.0 for each found box, best first, by its IoU (found, true) with each object of its class."""
    free, hits = np.ones(share.shape[1], bool), np.zeros(len(share))
    for number, row in enumerate(share):
        open_ = np.where(free, row, -1.0)
        if len(open_) and open_.max() >= overlap:
            free[open_.argmax()], hits[number] = False, 1.0
    return hits


def _area(hits: np.ndarray, total: int) -> float:
    """Mean over the columns of hits (k, overlaps) of the area under the raised precision; NaN without an object."""
    if not total:
        return np.nan
    found = hits.cumsum(0)
    precision = found / np.arange(1, len(hits) + 1)[:, None]
    raised = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    return float((hits * raised).sum(0).mean() / total)


def _checked(objects: ArrayLike, matches: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    objects = np.asarray(objects)
    if objects.ndim != 2 or len(objects) != len(matches) or not len(objects):
        raise ValueError(
            f"objects is (N, classes) and matches N arrays, both from metrics.match_boxes; here {objects.shape} and {len(matches)}."
        )
    return objects, matches
