"""A score on every resample of the patients at once: a resample is a weight for each image, so nothing is copied.

Tests hold each fast way to scoring the resamples one by one.
"""

import numpy as np

from medlearn import _checks
from medlearn.metrics import _scores as plain

_WEIGHTS_AT_ONCE = 4_000_000  # entries of a (resamples, images) block: 32 MB


def resampled_scores(
    metric, labels: np.ndarray, predictions: np.ndarray, patient: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """The metric on every resample, (R,), NaN where undefined.

    patient: (N,) number of each image's patient. counts: (R, P), how often each patient is drawn in each resample.
    """
    if metric in _FROM_CONFUSION:
        return _FROM_CONFUSION[metric](_confusions(labels, predictions, patient, counts))
    if metric in _FROM_BINARY_CONFUSION:
        return _FROM_BINARY_CONFUSION[metric](
            _confusions(labels == 1, predictions == 1, patient, counts, (False, True))
        )
    if metric in _FROM_CURVE and predictions.ndim == 1:
        return _from_curve(_FROM_CURVE[metric], labels, predictions, patient, counts)
    images = np.arange(len(patient))
    drawn = (np.repeat(images, count[patient]) for count in counts)
    return np.array([_score(metric, labels[each], predictions[each]) for each in drawn])


def _score(metric, labels, predictions) -> float:
    try:
        return metric(labels, predictions)
    except _checks.Undefined:
        return np.nan


# ---- of decisions: the confusion matrix of a resample is a sum of the patients' own ------------------------


def _confusions(
    labels, predictions, patient: np.ndarray, counts: np.ndarray, classes=()
) -> np.ndarray:
    """The confusion matrix of every resample, (R, true, predicted), over the classes that occur and `classes`."""
    found, codes = np.unique(
        np.concatenate([labels, predictions, classes] if classes else [labels, predictions]),
        return_inverse=True,
    )
    true, predicted = codes[: 2 * len(labels)].reshape(2, -1)
    own = np.zeros((counts.shape[1], len(found), len(found)))
    np.add.at(own, (patient, true, predicted), 1)
    return np.tensordot(counts.astype(float), own, axes=1)


def _accuracy(confusion: np.ndarray) -> np.ndarray:
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum((-2, -1))


def _balanced_accuracy(confusion: np.ndarray) -> np.ndarray:
    hits, true = np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1)
    return _mean_ratio(hits, true)


def _macro_f1(confusion: np.ndarray) -> np.ndarray:
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return _mean_ratio(2 * hits, confusion.sum(-1) + confusion.sum(-2))


def _kappa(confusion: np.ndarray) -> np.ndarray:
    total = confusion.sum((-2, -1))
    chance = (confusion.sum(-1) * confusion.sum(-2)).sum(-1) / total**2
    return _ratio(_accuracy(confusion) - chance, 1 - chance)


def _mean_ratio(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Mean over the classes that occur (denominator above zero)."""
    occurs = denominators > 0
    return (numerators / np.where(occurs, denominators, 1)).sum(-1) / occurs.sum(-1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, empty: float = np.nan) -> np.ndarray:
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1), empty)


_FROM_CONFUSION = {
    plain.accuracy: _accuracy,
    plain.balanced_accuracy: _balanced_accuracy,
    plain.macro_f1: _macro_f1,
    plain.kappa: _kappa,
}
_FROM_BINARY_CONFUSION = {
    plain.sensitivity: lambda c: _ratio(c[:, 1, 1], c[:, 1].sum(-1)),
    plain.specificity: lambda c: _ratio(c[:, 0, 0], c[:, 0].sum(-1)),
    plain.precision: lambda c: _ratio(c[:, 1, 1], c[:, :, 1].sum(-1), empty=0.0),
    plain.f1: lambda c: _ratio(2 * c[:, 1, 1], c[:, 1].sum(-1) + c[:, :, 1].sum(-1)),
}


# ---- of scores: positives and negatives counted above each threshold, weighted ----------------------------


def _from_curve(score, labels, values, patient: np.ndarray, counts: np.ndarray) -> np.ndarray:
    order = np.argsort(-values, kind="stable")
    labels, patient, last = (
        labels[order].astype(bool),
        patient[order],
        np.diff(values[order], append=np.nan) != 0,
    )
    step = max(1, _WEIGHTS_AT_ONCE // len(labels))
    blocks = (
        counts[start : start + step, patient].astype(float) for start in range(0, len(counts), step)
    )
    return np.concatenate(
        [
            score((block * labels).cumsum(1)[:, last], (block * ~labels).cumsum(1)[:, last])
            for block in blocks
        ]
    )


def _auroc(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """found, alarms: (R, T) weight of the positives and negatives at or above each distinct score, falling."""
    rise, step = found - np.diff(found, axis=1, prepend=0) / 2, np.diff(alarms, axis=1, prepend=0)
    return _ratio((rise * step).sum(1), found[:, -1] * alarms[:, -1])


def _average_precision(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    gains = np.diff(found, axis=1, prepend=0) * _ratio(found, found + alarms, empty=0.0)
    return _ratio(np.where(alarms[:, -1] > 0, gains.sum(1), np.nan), found[:, -1])


_FROM_CURVE = {plain.auroc: _auroc, plain.average_precision: _average_precision}

BY_CLASS = {
    *_FROM_CONFUSION,
    *_FROM_BINARY_CONFUSION,
    *_FROM_CURVE,
    plain.sensitivity_at_specificity,
} - {plain.accuracy}
