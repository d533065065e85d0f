"""Intervals from a bootstrap of whole patients, of one score and of the difference between two."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import _resamples

Metric = Callable[[np.ndarray, np.ndarray], float]


class Interval(NamedTuple):
    """A value with the ends of its interval; as text ".91 [.86, .95]"."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.value)} [{_short(self.low)}, {_short(self.high)}]"


def interval(
    metric: Metric,
    labels: ArrayLike,
    predictions: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """The metric with its percentile interval from a bootstrap of whole patients.

    metric: a function of (labels, predictions); most of `medlearn.metrics` are fast, any other works. labels,
    predictions: (N,) classes, or for other metrics whatever they read (scores, probabilities), one row per image.
    patients: (N,) ids; give each image its own where they are unknown. level: 0..1, the share of resamples inside.

    Images of one patient resemble each other: intervals that resample images are too narrow, so whole patients
    are drawn (Davison & Hinkley, Bootstrap Methods and their Application, 1997, sec. 3.8; Field & Welsh,
    J. R. Stat. Soc. B 69:369, 2007). A resample that happens to lack a class is scored over the classes it has,
    as the metric itself would score it, or left out where the metric is then undefined. With few patients, or a score
    near 1, the interval is still too narrow; only more patients cure that, and a class seen in one patient only gets
    a warning. Raises ValueError for lengths that differ, one patient, a level outside 0..1, and a metric that is
    undefined on these images or on half of the resamples.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    _check_metric(metric)
    counts, patient = _resampled_patients(patients, level, repeats, seed)
    _check_lengths(patient, labels=labels, predictions=predictions)
    value = metric(labels, predictions)
    _warn_of_lonely_classes(metric, labels, patient)
    return _percentile(
        value, _resamples.resampled_scores(metric, labels, predictions, patient, counts), level
    )


def paired_difference(
    metric: Metric,
    labels: ArrayLike,
    predictions_a: ArrayLike,
    predictions_b: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """metric of a minus metric of b on the same images, with its patient-clustered percentile interval.

    Above zero, a is better. Both are scored on the same resamples, so that what is hard for both cancels out; an
    interval that holds zero means that these patients cannot tell the two apart. Arguments, method, sources and
    errors are those of `interval`.
    """
    labels, a, b = np.asarray(labels), np.asarray(predictions_a), np.asarray(predictions_b)
    _check_metric(metric)
    counts, patient = _resampled_patients(patients, level, repeats, seed)
    _check_lengths(patient, labels=labels, predictions_a=a, predictions_b=b)
    value = metric(labels, a) - metric(labels, b)
    _warn_of_lonely_classes(metric, labels, patient)
    a, b = (_resamples.resampled_scores(metric, labels, each, patient, counts) for each in (a, b))
    return _percentile(value, a - b, level)


def _check_metric(metric: Metric) -> None:
    if not callable(metric):
        raise ValueError(
            f"metric is a function of (labels, predictions), such as metrics.accuracy, not {metric!r}."
        )


def _resampled_patients(
    patients: ArrayLike, level: float, repeats: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each patient is drawn in each resample (repeats, P), and each image's patient (N,)."""
    _checks.level(level)
    if repeats < 1:
        raise ValueError(
            f"repeats is the number of resamples, at least 1, not {repeats!r}; try 1000."
        )
    if patients is None:
        raise ValueError(
            "patients is missing: give each image its patient's id, or an id of its own if unknown."
        )
    names, patient = np.unique(_checks.column("patients", patients), return_inverse=True)
    number = len(names)
    if number < 2:
        raise ValueError(
            "An interval needs at least two patients; if unknown, give each image its own id."
        )
    return np.random.default_rng(seed).multinomial(
        number, np.full(number, 1 / number), size=repeats
    ), patient


def _check_lengths(patient: np.ndarray, **arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        if array.ndim == 0 or len(array) != len(patient):
            number = "no" if array.ndim == 0 else len(array)
            raise ValueError(
                f"Each image needs one of each: {len(patient)} patients, {number} {name}."
            )


def _warn_of_lonely_classes(metric: Metric, labels: np.ndarray, patient: np.ndarray) -> None:
    if metric not in _resamples.BY_CLASS or labels.ndim != 1:
        return
    lonely = [
        value
        for value in np.unique(labels).tolist()
        if len(np.unique(patient[labels == value])) < 2
    ]
    if lonely:
        warnings.warn(
            f"Only one patient has class {', '.join(map(str, lonely))}: the interval cannot know how other patients of "
            "that class would fare, and is too narrow.",
            stacklevel=3,
        )


def _percentile(value: float, scores: np.ndarray, level: float) -> Interval:
    defined = scores[~np.isnan(scores)]
    if np.isnan(value) or len(defined) < 0.5 * len(scores):
        raise _checks.Undefined(
            f"The score is undefined (NaN) on {'these images' if np.isnan(value) else 'most resamples of these patients'}: "
            "is a class missing, or in a single patient?"
        )
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def _short(number: float) -> str:
    text = f"{number:.2f}".replace("-0.00", "0.00")
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text
