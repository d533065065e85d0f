"""Scores of several labels per image, each with its interval, and their macro mean."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import _intervals, _resamples
from medlearn.metrics._intervals import Interval, Metric


class LabelScores(NamedTuple):
    """Scores of several labels.

    Attributes
    ----------
    labels : tuple of Interval
        One for each label, in the order of the columns. Its ends are NaN where the resamples do not
        define the metric, and its value too where these images do not.
    mean : Interval
        The macro mean of the labels that have an interval: each of them counts alike.
    """

    labels: tuple[Interval, ...]
    mean: Interval


def per_label(
    metric: Metric,
    labels: ArrayLike,
    predictions: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> LabelScores:
    """Return a binary metric for each label of a multi-label task, and the mean over the labels.

    All labels are scored on the same resamples of patients. So the interval of the mean holds what
    the labels have in common; it is not the mean of their intervals. In a resample, the mean is
    over the labels that the metric is defined for.

    Parameters
    ----------
    metric : callable
        A function of (labels, predictions) of one label, such as `auroc` or `f1`.
    labels : array_like, shape (N, K)
        0 or 1 for each image and label; an image may have several labels or none. NaN where nobody
        knows: that image plays no part in the score of that label.
    predictions : array_like, shape (N, K)
        Scores, or decisions 0 or 1, as the metric reads them.
    patients : array_like, shape (N,)
        Patient ids.
    level, repeats, seed
        As for `interval`.

    Returns
    -------
    LabelScores
        An Interval per label, and that of their mean. A label without an interval, such as one that
        no image has, is left out of the mean, and a warning names its column.

    Raises
    ------
    ValueError
        For shapes that differ, labels other than 0, 1 and NaN, if no label has an interval, and as
        `interval`.

    References
    ----------
    As `interval`.

    Examples
    --------
    >>> from medlearn import metrics
    >>> labels, decisions = [[0, 1], [1, 1], [0, 0], [1, 0]], [[0, 1], [1, 0], [0, 0], [1, 0]]
    >>> scores = metrics.per_label(metrics.accuracy, labels, decisions, ["a", "b", "c", "d"])
    >>> print(scores.labels[1], scores.mean)
    .75 [.13, .98] .88 [.31, .99]
    """
    values, predictions = _two_tables(labels, predictions)
    _intervals._check_metric(metric)
    counts, patient = _intervals._resampled_patients(patients, level, repeats, seed)
    _intervals._check_lengths(patient, labels=values, predictions=predictions)
    intervals, resamples, numbers = [], [], []
    for column, scores in zip(values.T, predictions.T, strict=True):
        is_known = ~np.isnan(column)
        rows = column[is_known].astype(int), scores[is_known], patient[is_known]
        interval, resampled = _of_one_label(metric, *rows, counts, level)
        intervals.append(interval)
        resamples.append(resampled)
        numbers.append(_resamples.patients_that_count(metric, *rows))
    has_interval = np.array([not np.isnan(interval.low) for interval in intervals])
    _warn_of_labels(metric, values, patient, has_interval)
    defined = [interval.value for interval in intervals if not np.isnan(interval.low)]
    value = float(np.mean(defined))
    mean = _mean_of_defined(np.array(resamples)[has_interval])
    is_share = _resamples.is_share(metric, predictions)
    number = max(np.array(numbers)[has_interval])
    macro = _intervals._of_score(value, mean, is_share, patient, number, level)
    return LabelScores(tuple(intervals), macro)


def _two_tables(labels: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as floats with NaN where unknown, and predictions; raise ValueError."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 2 or not labels.size or labels.shape != predictions.shape:
        raise ValueError(
            f"labels {labels.shape} and predictions {predictions.shape} must both have the shape "
            "(N, K), one column per label; for one class per image use metrics.interval."
        )
    if labels.dtype.kind == "O":
        import pandas as pd  # late: only tables of objects, which pandas makes, need it

        labels = np.where(pd.isna(labels), np.nan, labels)
    try:
        values = labels.astype(float)
    except (TypeError, ValueError):
        values = np.full(labels.shape, -1.0)
    if labels.dtype.kind in "SU" or not (np.isin(values, (0, 1)) | np.isnan(values)).all():
        raise ValueError(
            "labels are 0 or 1 for each image and label, and NaN where nobody knows: replace other "
            "values, such as -1 for uncertain, by one of these."
        )
    return values, predictions


def _of_one_label(
    metric: Metric,
    labels: np.ndarray,
    predictions: np.ndarray,
    patient: np.ndarray,
    counts: np.ndarray,
    level: float,
) -> tuple[Interval, np.ndarray]:
    """Return the interval of a label, with NaN where undefined, and its score per resample."""
    scores = np.full(len(counts), np.nan)
    if not len(labels):
        return Interval(np.nan, np.nan, np.nan), scores
    has_images = counts[:, np.unique(patient)].any(axis=1)
    scores[has_images] = _resamples.resampled_scores(
        metric, labels, predictions, patient, counts[has_images]
    )
    value = np.nan
    try:
        value = float(metric(labels, predictions))
        number = _resamples.patients_that_count(metric, labels, predictions, patient)
        is_share = _resamples.is_share(metric, predictions)
        return _intervals._of_score(value, scores, is_share, patient, number, level), scores
    except _checks.Undefined:
        return Interval(value, np.nan, np.nan), scores


def _mean_of_defined(resamples: np.ndarray) -> np.ndarray:
    """Return the mean over the labels (K, R) of each resample; NaN where none is defined."""
    is_defined = ~np.isnan(resamples)
    count = is_defined.sum(axis=0)
    total = np.where(is_defined, resamples, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _warn_of_labels(
    metric: Metric, labels: np.ndarray, patient: np.ndarray, has_interval: np.ndarray
) -> None:
    """Warn of labels without an interval and of those that a single patient decides."""
    if not has_interval.any():
        raise _checks.Undefined(
            "The score is undefined for every label: is a class missing, or in a single patient?"
        )
    if not has_interval.all():
        warnings.warn(
            f"There is no interval for {_columns(~has_interval)}, which the mean leaves out: on "
            "these images or on most resamples of their patients, a class is missing.",
            stacklevel=3,
        )
    if metric not in _resamples.BY_CLASS:
        return
    is_alone = np.array([_has_class_of_one_patient(column, patient) for column in labels.T])
    if (is_alone & has_interval).any():
        warnings.warn(
            f"Only one patient has a class in {_columns(is_alone & has_interval)}: the interval "
            "cannot know how other patients of that class would fare, and is too narrow.",
            stacklevel=3,
        )


def _has_class_of_one_patient(labels: np.ndarray, patient: np.ndarray) -> bool:
    return any(len(np.unique(patient[labels == value])) == 1 for value in (0, 1))


def _columns(is_meant: np.ndarray) -> str:
    indices = np.flatnonzero(is_meant)
    return f"column{'s' if len(indices) > 1 else ''} {', '.join(map(str, indices))}"
