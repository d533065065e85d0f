"""A score on every resample of the patients at once: a resample is a weight for each image.

Tests compare each fast way with scoring the resamples one by one.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from medlearn import _checks
from medlearn.metrics import _detection, _scores, _sets

_WEIGHTS_AT_ONCE = 4_000_000  # entries of a (resamples, images) block: 32 MB


def resampled_scores(
    metric: Callable[[np.ndarray, np.ndarray], float],
    labels: np.ndarray,
    predictions: np.ndarray,
    patient: np.ndarray,
    counts: np.ndarray,
) -> np.ndarray:
    """Return the metric on every resample.

    Parameters
    ----------
    metric : callable
        A function of (labels, predictions).
    labels, predictions : numpy.ndarray, shape (N, ...)
        One row per image.
    patient : numpy.ndarray of int, shape (N,)
        The number of each image's patient, from 0 to P - 1.
    counts : numpy.ndarray of int, shape (R, P)
        How often each resample draws each patient.

    Returns
    -------
    numpy.ndarray, shape (R,)
        The scores; NaN where the metric is undefined.
    """
    if metric in _FROM_CONFUSION:
        return _FROM_CONFUSION[metric](_confusions(labels, predictions, patient, counts))
    if metric is mean_of_scores and predictions.ndim == 1:
        return _means(predictions, patient, counts)
    name, positive = named(metric)
    if name in _FROM_BINARY_CONFUSION:
        is_true, is_predicted = labels == positive, predictions == positive
        confusions = _confusions(is_true, is_predicted, patient, counts, (False, True))
        return _FROM_BINARY_CONFUSION[name](confusions)
    if metric in _FROM_CURVE and predictions.ndim == 1:
        return _from_curve(_FROM_CURVE[metric], labels, predictions, patient, counts)
    return _one_by_one(metric, labels, predictions, patient, counts)


def mean_of_scores(_, scores: np.ndarray) -> float:
    """Return the mean of scores per image, NaN left out; the metric of `metrics.mean_score`.

    Parameters
    ----------
    _ : object
        Not used; a metric has two arguments.
    scores : numpy.ndarray, shape (N,)
        A score of each image.
    """
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else np.nan


def named(metric: Callable) -> tuple[Callable, object]:
    """Return the metric and its positive class, also of ``partial(metric, positive=...)``."""
    options = getattr(metric, "keywords", {})
    if isinstance(metric, partial) and not metric.args and set(options) == {"positive"}:
        return metric.func, options["positive"]
    return metric, 1


def is_share(metric: Callable, *scores: np.ndarray) -> bool:
    """Return whether a metric lies between 0 and 1 because of what it is.

    Parameters
    ----------
    metric : callable
        A function of (labels, predictions).
    *scores : numpy.ndarray
        The predictions, which decide for the mean of scores per image.
    """
    if metric is not mean_of_scores:
        return named(metric)[0] in _SHARES
    return all(np.nanmin(values) >= 0 and np.nanmax(values) <= 1 for values in scores)


def patients_that_count(
    metric: Callable, labels: np.ndarray, predictions: np.ndarray, patient: np.ndarray
) -> int:
    """Return the number of patients that a metric depends on.

    For sensitivity these are the patients with an image of the class; for the metrics of curves,
    those of the class that fewer patients have; else all.

    Parameters
    ----------
    metric : callable
        A function of (labels, predictions).
    labels, predictions : numpy.ndarray, shape (N, ...)
        One row per image.
    patient : numpy.ndarray of int, shape (N,)
        The number of each image's patient.
    """
    name, positive = named(metric)
    by_class = [patient]
    if predictions.ndim == labels.ndim == 1:
        if name in _FROM_CURVE or name is _scores.sensitivity_at_specificity:
            by_class = [patient[labels == index] for index in (0, 1)]
        elif name in _IMAGES_OF_ONE_CLASS:
            is_true, is_predicted = labels == positive, predictions == positive
            by_class = [patient[_IMAGES_OF_ONE_CLASS[name](is_true, is_predicted)]]
    return min(len(np.unique(patients)) for patients in by_class)


def _one_by_one(metric, labels, predictions, patient, counts) -> np.ndarray:
    images = np.arange(len(patient))
    scores = []
    for count in counts:
        rows = np.repeat(images, count[patient])
        try:
            scores.append(metric(labels[rows], predictions[rows]))
        except _checks.Undefined:
            scores.append(np.nan)
    return np.array(scores)


def _means(scores: np.ndarray, patient: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean of the scores of a resample, NaN left out."""
    defined = ~np.isnan(scores)
    patients = counts.shape[1]
    sums = counts @ np.bincount(patient[defined], scores[defined], patients)
    return _ratio(sums, counts @ np.bincount(patient[defined], minlength=patients))


# ---- of decisions: the confusion matrix of a resample is the sum of its patients' own ------------


def _confusions(labels, predictions, patient, counts, classes=()) -> np.ndarray:
    """Confusion matrices (R, true, predicted) over the classes that occur and `classes`."""
    values = [labels, predictions, classes] if classes else [labels, predictions]
    names, codes = np.unique(np.concatenate(values), return_inverse=True)
    true, predicted = codes[: 2 * len(labels)].reshape(2, -1)
    of_patients = np.zeros((counts.shape[1], len(names), len(names)))
    np.add.at(of_patients, (patient, true, predicted), 1)
    return np.tensordot(counts.astype(float), of_patients, axes=1)


def _accuracy(confusions: np.ndarray) -> np.ndarray:
    return np.trace(confusions, axis1=-2, axis2=-1) / confusions.sum((-2, -1))


def _balanced_accuracy(confusions: np.ndarray) -> np.ndarray:
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    return _mean_ratio(hits, confusions.sum(-1))


def _macro_f1(confusions: np.ndarray) -> np.ndarray:
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    return _mean_ratio(2 * hits, confusions.sum(-1) + confusions.sum(-2))


def _kappa(confusions: np.ndarray) -> np.ndarray:
    total = confusions.sum((-2, -1))
    chance = (confusions.sum(-1) * confusions.sum(-2)).sum(-1) / total**2
    return _ratio(_accuracy(confusions) - chance, 1 - chance)


def _sensitivity(confusions: np.ndarray) -> np.ndarray:
    return _ratio(confusions[:, 1, 1], confusions[:, 1].sum(-1))


def _specificity(confusions: np.ndarray) -> np.ndarray:
    return _ratio(confusions[:, 0, 0], confusions[:, 0].sum(-1))


def _precision(confusions: np.ndarray) -> np.ndarray:
    return _ratio(confusions[:, 1, 1], confusions[:, :, 1].sum(-1), empty=0.0)


def _f1(confusions: np.ndarray) -> np.ndarray:
    true, predicted = confusions[:, 1].sum(-1), confusions[:, :, 1].sum(-1)
    return _ratio(2 * confusions[:, 1, 1], true + predicted)


def _mean_ratio(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Mean over the classes that occur (denominator above zero)."""
    occurs = denominators > 0
    return (numerators / np.where(occurs, denominators, 1)).sum(-1) / occurs.sum(-1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, empty: float = np.nan) -> np.ndarray:
    defined = denominator > 0
    return np.where(defined, numerator / np.where(defined, denominator, 1), empty)


# ---- of scores: positives and negatives counted above each threshold, weighted -------------------


def _from_curve(score, labels, scores, patient, counts) -> np.ndarray:
    """`score` of the weights of true and false positives (R, T) at each distinct score, falling."""
    order = np.argsort(-scores, kind="stable")
    positive = labels[order].astype(bool)
    patient = patient[order]
    last_of_equals = np.diff(scores[order], append=np.nan) != 0
    rows_at_once = max(1, _WEIGHTS_AT_ONCE // len(labels))
    results = []
    for start in range(0, len(counts), rows_at_once):
        weights = counts[start : start + rows_at_once, patient].astype(float)
        true_positives = (weights * positive).cumsum(1)[:, last_of_equals]
        false_positives = (weights * ~positive).cumsum(1)[:, last_of_equals]
        results.append(score(true_positives, false_positives))
    return np.concatenate(results)


def _auroc(true_positives: np.ndarray, false_positives: np.ndarray) -> np.ndarray:
    """Area of trapezoids between neighbouring thresholds."""
    heights = true_positives - np.diff(true_positives, axis=1, prepend=0) / 2
    widths = np.diff(false_positives, axis=1, prepend=0)
    return _ratio((heights * widths).sum(1), true_positives[:, -1] * false_positives[:, -1])


def _average_precision(true_positives: np.ndarray, false_positives: np.ndarray) -> np.ndarray:
    """Precision at each threshold, weighted by the positives that it gains."""
    precision = _ratio(true_positives, true_positives + false_positives, empty=0.0)
    gains = (np.diff(true_positives, axis=1, prepend=0) * precision).sum(1)
    has_negatives = false_positives[:, -1] > 0
    return _ratio(np.where(has_negatives, gains, np.nan), true_positives[:, -1])


_FROM_CONFUSION = {
    _scores.accuracy: _accuracy,
    _scores.balanced_accuracy: _balanced_accuracy,
    _scores.macro_f1: _macro_f1,
    _scores.kappa: _kappa,
}
_FROM_BINARY_CONFUSION = {
    _scores.sensitivity: _sensitivity,
    _scores.specificity: _specificity,
    _scores.precision: _precision,
    _scores.f1: _f1,
}
_FROM_CURVE = {_scores.auroc: _auroc, _scores.average_precision: _average_precision}

_SHARES = {
    *(_FROM_CONFUSION.keys() - {_scores.kappa}),
    *_FROM_BINARY_CONFUSION,
    *_FROM_CURVE,
    _scores.sensitivity_at_specificity,
    _detection.mean_average_precision,
    _sets.coverage,
}


def _true(is_true: np.ndarray, is_predicted: np.ndarray) -> np.ndarray:
    return is_true


def _false(is_true: np.ndarray, is_predicted: np.ndarray) -> np.ndarray:
    return ~is_true


def _predicted(is_true: np.ndarray, is_predicted: np.ndarray) -> np.ndarray:
    return is_predicted


_IMAGES_OF_ONE_CLASS: dict[Callable, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    _scores.sensitivity: _true,
    _scores.specificity: _false,
    _scores.precision: _predicted,
    _scores.f1: np.logical_or,
}

# Metrics that need images of every class: the interval warns of a class in one patient only.
BY_CLASS = {
    *_FROM_CONFUSION,
    *_FROM_BINARY_CONFUSION,
    *_FROM_CURVE,
    _scores.sensitivity_at_specificity,
} - {_scores.accuracy}
