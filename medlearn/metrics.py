"""Scores with honest intervals: the usual ones are scikit-learn's, the intervals resample whole patients."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, f1_score, recall_score

Metric = Callable[[np.ndarray, np.ndarray], float]


class Interval(NamedTuple):
    """A value with the ends of its interval; as text ".91 [.86, .95]"."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.value)} [{_short(self.low)}, {_short(self.high)}]"


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of images whose predicted class is right, 0..1. labels, predictions: (N,) classes."""
    return float(accuracy_score(labels, predictions))


def balanced_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean sensitivity of the classes among the labels, 0..1: rare classes count as much as common ones.

    labels, predictions: (N,) classes. Source: Brodersen et al., ICPR 2010, doi:10.1109/ICPR.2010.764.
    """
    return float(recall_score(labels, predictions, labels=np.unique(labels), average="macro"))


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean over the classes of F1, the harmonic mean of sensitivity and precision, 0..1.

    labels, predictions: (N,) classes. The classes are those that occur among the labels or the predictions, as in
    scikit-learn: a class that is predicted but never true has F1 = 0 and lowers the mean.
    """
    return float(f1_score(labels, predictions, average="macro"))


def interval(
    metric: Metric, labels: ArrayLike, predictions: ArrayLike, patients: ArrayLike,
    *, level: float = 0.95, repeats: int = 1000, seed: int = 0,
) -> Interval:
    """The metric with its percentile interval from a bootstrap of whole patients.

    metric: a function of (labels, predictions); the three of this module are fast, any other works. labels,
    predictions: (N,) classes, or for other metrics whatever they read, one row per image. patients: (N,) ids;
    give each image its own where they are unknown. level: 0..1, the share of resamples inside.

    Images of one patient resemble each other: intervals that resample images are too narrow, so whole patients
    are drawn (Davison & Hinkley, Bootstrap Methods and their Application, 1997, sec. 3.8; Field & Welsh,
    J. R. Stat. Soc. B 69:369, 2007). A resample that happens to lack a class is scored over the classes it has,
    as the metric itself would score it. With few patients, or a score near 1, the interval is still too
    narrow; only more patients cure that. Raises ValueError for lengths that differ, one patient, or a level
    outside 0..1.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    counts, patient = _resampled_patients(patients, level, repeats, seed)
    _check_lengths(patient, labels=labels, predictions=predictions)
    value = metric(labels, predictions)
    return _percentile(value, _scores(metric, labels, predictions, patient, counts), level)


def paired_difference(
    metric: Metric, labels: ArrayLike, predictions_a: ArrayLike, predictions_b: ArrayLike, patients: ArrayLike,
    *, level: float = 0.95, repeats: int = 1000, seed: int = 0,
) -> Interval:
    """metric of a minus metric of b on the same images, with its patient-clustered percentile interval.

    Above zero, a is better. Both are scored on the same resamples, so that what is hard for both cancels out; an
    interval that holds zero means that these patients cannot tell the two apart. Arguments, method, sources and
    errors are those of `interval`.
    """
    labels, a, b = np.asarray(labels), np.asarray(predictions_a), np.asarray(predictions_b)
    counts, patient = _resampled_patients(patients, level, repeats, seed)
    _check_lengths(patient, labels=labels, predictions_a=a, predictions_b=b)
    value = metric(labels, a) - metric(labels, b)
    gains = _scores(metric, labels, a, patient, counts) - _scores(metric, labels, b, patient, counts)
    return _percentile(value, gains, level)


def _resampled_patients(
    patients: ArrayLike, level: float, repeats: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each patient is drawn in each resample (repeats, P), and each image's patient (N,)."""
    if not 0 < level < 1:
        raise ValueError(f"level is the share of resamples inside, above 0 and below 1, not {level!r}.")
    if repeats < 1:
        raise ValueError(f"repeats is the number of resamples, at least 1, not {repeats!r}; try 1000.")
    names, patient = np.unique(np.asarray(patients), return_inverse=True)
    number = len(names)
    if number < 2:
        raise ValueError("An interval needs at least two patients; if unknown, give each image its own id.")
    return np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), size=repeats), patient


def _check_lengths(patient: np.ndarray, **arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        if len(array) != len(patient):
            raise ValueError(f"Each image needs one of each: {len(patient)} patients, {len(array)} {name}.")


def _scores(metric: Metric, labels, predictions, patient: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The metric on every resample, (repeats,)."""
    if metric in _FROM_CONFUSION:
        return _FROM_CONFUSION[metric](_confusions(labels, predictions, patient, counts))
    images = np.arange(len(patient))
    drawn = (np.repeat(images, count[patient]) for count in counts)
    return np.array([metric(labels[each], predictions[each]) for each in drawn])


def _confusions(labels, predictions, patient: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The confusion matrix of every resample, (repeats, true, predicted): a sum of the patients' own."""
    classes, codes = np.unique(np.concatenate([labels, predictions]), return_inverse=True)
    true, predicted = codes.reshape(2, -1)
    own = np.zeros((counts.shape[1], len(classes), len(classes)))
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


def _mean_ratio(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Mean over the classes that occur (denominator above zero)."""
    occurs = denominators > 0
    return (numerators / np.where(occurs, denominators, 1)).sum(-1) / occurs.sum(-1)


_FROM_CONFUSION = {accuracy: _accuracy, balanced_accuracy: _balanced_accuracy, macro_f1: _macro_f1}


def _percentile(value: float, scores: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def _short(number: float) -> str:
    text = f"{number:.2f}".replace("-0.00", "0.00")
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text
