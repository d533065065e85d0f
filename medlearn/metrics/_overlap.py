"""How much of a region was found: overlap of masks, per image, volume or patient.

A score looks at one class, `positive`. Where neither mask nor prediction holds it there is nothing
to overlap, and the score is NaN (or `empty`); where only one of them holds it, the score is 0. So a
false positive costs, and an image that is rightly left alone does not help.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import _resamples
from medlearn.metrics._intervals import Interval, interval, paired_difference


def dice(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    patients: ArrayLike | None = None,
    empty: float = np.nan,
) -> np.ndarray:
    """Return the Dice coefficient: twice the common area over the sum of both areas (or volumes).

    Parameters
    ----------
    masks, predictions : array_like, shape (N, H, W) or (N, Z, Y, X)
        Whole numbers, the class index of each pixel. Volumes may have different sizes: a sequence
        of N arrays (Z, Y, X), such as ``volumes.masks``.
    positive : int
        The class to score, from 1 on; 0 is the background.
    patients : array_like, shape (N,), optional
        Patient ids. With them, the areas of all images of a patient are summed first, as if they
        were one volume.
    empty : float
        The score where neither mask nor prediction holds the class.

    Returns
    -------
    numpy.ndarray, shape (N,) or (patients,)
        From 0 to 1, for each image or volume, or for each patient in sorted order.

    Raises
    ------
    ValueError
        For shapes that differ, values that are not whole numbers, and class 0.

    References
    ----------
    Dice, Measures of the amount of ecologic association between species, Ecology 26:297, 1945.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.dice([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]]])
    array([0.5])
    """
    common, true, predicted = _areas(masks, predictions, positive, patients)
    return _ratio(2 * common, true + predicted, empty)


def iou(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    patients: ArrayLike | None = None,
    empty: float = np.nan,
) -> np.ndarray:
    """Return the intersection over union (Jaccard index) of masks: dice / (2 - dice).

    Parameters
    ----------
    masks, predictions : array_like, shape (N, H, W) or (N, Z, Y, X)
        Whole numbers, the class index of each pixel. Volumes may have different sizes: a sequence
        of N arrays (Z, Y, X), such as ``volumes.masks``.
    positive : int
        The class to score, from 1 on; 0 is the background.
    patients : array_like, shape (N,), optional
        Patient ids. With them, the areas of all images of a patient are summed first.
    empty : float
        The score where neither mask nor prediction holds the class.

    Returns
    -------
    numpy.ndarray, shape (N,) or (patients,)
        From 0 to 1, for each image or volume, or for each patient in sorted order.

    Raises
    ------
    ValueError
        For shapes that differ, values that are not whole numbers, and class 0.

    References
    ----------
    Jaccard, The distribution of the flora in the alpine zone, New Phytologist 11:37, 1912.
    """
    common, true, predicted = _areas(masks, predictions, positive, patients)
    return _ratio(common, true + predicted - common, empty)


def mean_score(
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return the mean of a score over images, with its interval from a bootstrap of patients.

    Parameters
    ----------
    scores : array_like, shape (N,)
        One score per image, such as `dice`, `iou` or `hd95` gives; NaN is left out.
    patients : array_like, shape (N,)
        Patient ids. For scores per patient, give ``np.unique(patients)``.
    level, repeats, seed
        As for `interval`.

    Returns
    -------
    Interval
        The mean and the ends of its interval.

    Raises
    ------
    ValueError
        If no score is left or one is infinite, and as `interval`.
    """
    scores = np.asarray(scores, float)
    _check_finite(scores)
    return interval(
        _resamples.mean_of_scores, scores, scores, patients, level=level, repeats=repeats, seed=seed
    )


def mean_difference(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return the mean of score a minus the mean of score b on the same images, with its interval.

    Above zero, a is larger. Each mean leaves out its own NaN: of two models, one may raise a false
    alarm where the other rightly finds nothing.

    Parameters
    ----------
    scores_a, scores_b : array_like, shape (N,)
        One score per image.
    patients : array_like, shape (N,)
        Patient ids.
    level, repeats, seed
        As for `interval`.

    Returns
    -------
    Interval
        The difference and the ends of its interval.

    Raises
    ------
    ValueError
        If no score is left or one is infinite, and as `paired_difference`.
    """
    a, b = np.asarray(scores_a, float), np.asarray(scores_b, float)
    _check_finite(a)
    _check_finite(b)
    return paired_difference(
        _resamples.mean_of_scores, a, a, b, patients, level=level, repeats=repeats, seed=seed
    )


def regions(
    masks: ArrayLike, predictions: ArrayLike, positive: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return where masks and predictions hold a class.

    Parameters
    ----------
    masks, predictions : array_like, shape (N, H, W) or (N, Z, Y, X), or N volumes
        Whole numbers, the class index of each pixel.
    positive : int
        The class, from 1 on.

    Returns
    -------
    list of tuple of numpy.ndarray
        Two boolean arrays for each image or volume.

    Raises
    ------
    ValueError
        For bad masks, and for a class that is not a whole number from 1 on.
    """
    pairs = _checks.mask_pairs(masks, predictions)
    if positive == 0 or not isinstance(positive, int | np.integer):
        raise ValueError(
            f"positive={positive!r} is not a class of the masks: "
            "whole numbers from 1 on (0 is the background)."
        )
    return [(mask == positive, prediction == positive) for mask, prediction in pairs]


def _areas(masks, predictions, positive, patients) -> tuple[np.ndarray, ...]:
    """Common, true and predicted area of each image, or of each patient."""
    pairs = regions(masks, predictions, positive)
    overlaps = [np.count_nonzero(true & predicted) for true, predicted in pairs]
    true_areas = [np.count_nonzero(true) for true, _ in pairs]
    predicted_areas = [np.count_nonzero(predicted) for _, predicted in pairs]
    areas = np.array(overlaps), np.array(true_areas), np.array(predicted_areas)
    if patients is None:
        return areas
    patients = _checks.column("patients", patients)
    _checks.same_length(masks=areas[0], patients=patients)
    patient_index = np.unique(patients, return_inverse=True)[1]
    return tuple(np.bincount(patient_index, area) for area in areas)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, empty: float) -> np.ndarray:
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), empty)


def _check_finite(scores: np.ndarray) -> None:
    infinite = np.isinf(scores)
    if infinite.any():
        raise ValueError(
            f"{infinite.sum()} of {scores.size} scores are infinite (a region was missed, so it has"
            " no distance): report their share, and the median, or choose a distance for them "
            "with `missed`."
        )
