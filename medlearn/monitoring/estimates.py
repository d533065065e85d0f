"""The accuracy on a target domain, estimated without its labels.

Each estimate compares the probabilities on the target with those on labelled images of the source
that the model has not learned from, and each presumes something. None is right under every shift:
the same images with other labels would get the same estimate (Garg et al. 2022, section 3).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from medlearn import _checks
from medlearn.metrics import Interval

Estimate = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def difference_of_confidences(
    source_labels: ArrayLike, source_probabilities: ArrayLike, target_probabilities: ArrayLike
) -> float:
    """Return the accuracy on the source minus the loss of confidence on the target (DoC).

    Confidence is the largest probability. It presumes that a model loses as much confidence as
    accuracy.

    Parameters
    ----------
    source_labels : array_like, shape (N,)
        Class indices of held-out source images.
    source_probabilities : array_like, shape (N, classes)
        Probabilities of these images.
    target_probabilities : array_like, shape (M, classes)
        Probabilities of the target images.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        For labels and probabilities that do not fit.

    References
    ----------
    Guillory et al. 2021, arXiv:2107.03315, without their regression over known shifts.

    Examples
    --------
    >>> round(difference_of_confidences([0, 1], [[0.9, 0.1], [0.3, 0.7]], [[0.6, 0.4]]), 2)
    0.8
    """
    labels, source, target = _checked(source_labels, source_probabilities, target_probabilities)
    lost = source.max(axis=1).mean() - target.max(axis=1).mean()
    return float(np.clip(_is_right(labels, source).mean() - lost, 0, 1))


def thresholded_confidence(
    source_labels: ArrayLike, source_probabilities: ArrayLike, target_probabilities: ArrayLike
) -> float:
    """Return the share of target images above a confidence that is learned on the source (ATC).

    The threshold is the confidence below which as many source images lie as are predicted wrong. It
    presumes that the threshold keeps this meaning on the target.

    Parameters
    ----------
    source_labels, source_probabilities, target_probabilities
        As for `difference_of_confidences`.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As `difference_of_confidences`.

    References
    ----------
    Garg et al. 2022, arXiv:2201.04234, eq. 1 and 2, with the largest probability as score.

    Examples
    --------
    >>> source = [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]]
    >>> thresholded_confidence([0, 0, 0], source, [[0.85, 0.15], [0.7, 0.3]])
    0.5
    """
    labels, source, target = _checked(source_labels, source_probabilities, target_probabilities)
    wrong = np.count_nonzero(~_is_right(labels, source))
    confidences = np.append(np.sort(source.max(axis=1)), np.inf)
    return float(np.mean(target.max(axis=1) >= confidences[wrong]))


def from_confusion_matrix(
    source_labels: ArrayLike, source_probabilities: ArrayLike, target_probabilities: ArrayLike
) -> float:
    """Return the accuracy at the class shares that explain how often each class is predicted.

    The shares are those under which the confusion matrix of the source would give the predictions
    counted on the target; they weigh the source's accuracy of each class. It presumes label shift:
    every class is mistaken for others as often as on the source, and only the shares differ.

    Parameters
    ----------
    source_labels, source_probabilities, target_probabilities
        As for `difference_of_confidences`; each class occurs in the source.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As `difference_of_confidences`, and for a class that no source image has.

    References
    ----------
    Lipton, Wang & Smola 2018, arXiv:1802.03916, algorithm 1 (the shares; here not negative).

    Examples
    --------
    >>> source = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]
    >>> round(from_confusion_matrix([0, 0, 1, 1], source, [[0.1, 0.9], [0.9, 0.1]]), 2)
    0.5
    """
    labels, source, target = _checked(source_labels, source_probabilities, target_probabilities)
    classes = source.shape[1]
    counts = np.bincount(labels, minlength=classes)
    if not counts.all():
        raise ValueError(
            f"No source image has class {counts.argmin()}: how it is mistaken for others is "
            "unknown; add held-out source images of that class, or drop its column."
        )
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (source.argmax(axis=1), labels), 1 / counts[labels])
    predicted = np.bincount(target.argmax(axis=1), minlength=classes) / len(target)
    shares, _ = nnls(confusion, predicted)
    return float(np.diag(confusion) @ (shares / shares.sum()))


def interval(
    estimate: Estimate,
    source_labels: ArrayLike,
    source_probabilities: ArrayLike,
    target_probabilities: ArrayLike,
    source_patients: ArrayLike,
    target_patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 500,
    seed: int = 0,
) -> Interval:
    """Return an estimate with the interval that other patients of both domains would give.

    The interval shows the chance in the patients. It does not show whether what the estimate
    presumes is true: a wrong estimate can have a narrow interval.

    Parameters
    ----------
    estimate : callable
        A function of this module.
    source_labels, source_probabilities, target_probabilities
        As for the estimate.
    source_patients : array_like, shape (N,)
        Patient ids of the source images; where they are unknown, an id of its own for each image.
    target_patients : array_like, shape (M,)
        Patient ids of the target images.
    level : float
        The confidence of the interval, above 0 and below 1.
    repeats : int
        Number of resamples of whole patients of each domain, at least 1.
    seed : int
        Random seed of the resamples.

    Returns
    -------
    Interval
        The estimate on all images and percentiles of the resamples.

    Raises
    ------
    ValueError
        As the estimate, and for numbers of patients that do not fit.
    """
    _checks.level(level)
    _checks.whole_number("repeats", repeats, 1)
    labels, source, target = _checked(source_labels, source_probabilities, target_probabilities)
    at_home = _rows_by_patient("source_patients", source_patients, source)
    there = _rows_by_patient("target_patients", target_patients, target)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(repeats):
        first, second = _resample(at_home, generator), _resample(there, generator)
        try:
            values.append(estimate(labels[first], source[first], target[second]))
        except ValueError:  # a resample without one of the classes
            continue
    value = estimate(labels, source, target)
    low, high = np.quantile(values or [value], [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), f"{len(at_home)} and {len(there)} patients")


def _checked(
    source_labels: ArrayLike, source_probabilities: ArrayLike, target_probabilities: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, source = _checks.labels_and_probabilities(source_labels, source_probabilities)
    target = _checks.probabilities(target_probabilities)
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"The source has probabilities of {source.shape[1]} classes, the target of "
            f"{target.shape[1]}: take both from the same model."
        )
    return labels, source, target


def _is_right(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return probabilities.argmax(axis=1) == labels


def _rows_by_patient(name: str, patients: ArrayLike, images: np.ndarray) -> list[np.ndarray]:
    patients = _checks.column(name, patients)
    if len(patients) != len(images):
        raise ValueError(
            f"{name} should be one id per image: there are {len(patients)} ids and "
            f"{len(images)} images."
        )
    return [np.flatnonzero(patients == patient) for patient in np.unique(patients)]


def _resample(rows: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """The images of as many patients, drawn with replacement."""
    return np.concatenate([rows[index] for index in generator.integers(len(rows), size=len(rows))])
