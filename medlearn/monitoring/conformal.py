"""Conformal prediction: sets of classes that hold the true one in 90 % of new images.

    limits = conformal.thresholds(source_labels, source_probabilities, error=0.1)
    sets = conformal.prediction_sets(new_probabilities, limits)

The source images here are *calibration* images: the model has not learned from them. The promise
holds if calibration images and new ones are exchangeable, as if drawn from one pot. Images of
another laboratory are not. Where only the class shares differ, and are known, `target_shares`
restores the promise.

MAPIE (https://mapie.readthedocs.io) offers many more kinds of sets; this one takes fifteen lines,
so the package does not depend on it.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks

_ROUNDING = 1e-12  # a sum of shares may fall short of 0.9 by as much


def thresholds(
    source_labels: ArrayLike,
    source_probabilities: ArrayLike,
    *,
    error: float = 0.1,
    target_shares: ArrayLike | None = None,
) -> np.ndarray:
    """Return for each class how surprising it may be and still belong to the set.

    The surprise of a class is 1 minus its probability. The threshold is the surprise of the true
    class that about (1 - error) of the calibration images do not exceed. It is infinite where there
    are too few images, fewer than 9 for an error of 0.1: then the set holds all classes.

    The promise is an average over calibration sets and new images. It is made neither for each
    class nor for each patient. Images of one patient resemble each other, so calibrate on many
    patients.

    Parameters
    ----------
    source_labels : array_like, shape (N,)
        Class indices of calibration images of the source.
    source_probabilities : array_like, shape (N, classes)
        Probabilities of the model for these images.
    error : float
        The share of new images whose set may lack the true class, above 0 and below 1.
    target_shares : array_like, shape (classes,), optional
        Class shares of the new images, if they are *known* and nothing else differs (label shift).
        Default: as in the calibration images.

    Returns
    -------
    numpy.ndarray, shape (classes,)
        Equal for all classes without `target_shares`.

    Raises
    ------
    ValueError
        For labels and probabilities that do not fit, an error outside 0 to 1, shares that do not
        sum to 1, and a class of the target that no calibration image has.

    References
    ----------
    Sadinle, Lei & Wasserman 2019, doi:10.1080/01621459.2017.1395341 (these sets); Angelopoulos &
    Bates 2021, arXiv:2107.07511, eq. 1 (the promise); Tibshirani et al. 2019, arXiv:1904.06019,
    corollary 1 (weights); Podkopaev & Ramdas 2021, arXiv:2103.03323 (weights of label shift).

    Examples
    --------
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]
    >>> thresholds([0, 0, 1], probabilities, error=0.5).round(2).tolist()
    [0.2, 0.2]
    """
    labels, probabilities = _checks.labels_and_probabilities(source_labels, source_probabilities)
    _check_error(error)
    surprise = 1 - probabilities[np.arange(len(labels)), labels]
    classes = probabilities.shape[1]
    class_weights = np.ones(classes)
    if target_shares is not None:
        class_weights = _class_weights(target_shares, np.bincount(labels, minlength=classes))
    weights = class_weights[labels]
    limits = [_quantile(surprise, weights, weight, 1 - error) for weight in class_weights]
    return np.array(limits)


def prediction_sets(probabilities: ArrayLike, thresholds: ArrayLike) -> np.ndarray:
    """Return which classes belong to the set of each image.

    A set may be empty, where no class is probable enough: the image surprises the model whatever
    it shows.

    Parameters
    ----------
    probabilities : array_like, shape (N, classes)
        Probabilities of the model for new images.
    thresholds : array_like, shape (classes,)
        From `thresholds`.

    Returns
    -------
    numpy.ndarray of bool, shape (N, classes)
        `metrics.coverage` scores them; ``sets.sum(axis=1)`` are their sizes.

    Raises
    ------
    ValueError
        Unless these are probabilities, with a threshold per class.

    Examples
    --------
    >>> prediction_sets([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]], [0.6, 0.6, 0.6]).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    probabilities = _checks.probabilities(probabilities)
    limits = np.asarray(thresholds, float)
    if limits.shape != probabilities.shape[1:] or np.isnan(limits).any():
        raise ValueError(
            f"thresholds should be one number per class, {probabilities.shape[1:]}, without "
            f"NaN; it is {thresholds!r}: conformal.thresholds makes them."
        )
    return 1 - probabilities <= limits


def _quantile(surprise: np.ndarray, weights: np.ndarray, of_new: float, share: float) -> float:
    """The weighted quantile of the surprises and of infinity, which has the new image's weight."""
    total = weights.sum() + of_new
    if not total > 0:
        return np.inf
    order = np.argsort(surprise)
    reached = np.cumsum(weights[order]) / total >= share - _ROUNDING
    return float(surprise[order][reached.argmax()]) if reached.any() else np.inf


def _class_weights(target_shares: ArrayLike, counts: np.ndarray) -> np.ndarray:
    """How much more frequent each class is in the target than among the calibration images."""
    shares = np.asarray(target_shares, float)
    is_sound = shares.shape == counts.shape and np.isfinite(shares).all() and (shares >= 0).all()
    if not is_sound or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            f"target_shares should be {len(counts)} shares from 0 to 1 that sum to 1, one per "
            f"class; it is {target_shares!r}."
        )
    lacking = np.flatnonzero((shares > 0) & (counts == 0))
    if len(lacking):
        raise ValueError(
            f"No calibration image has class {lacking[0]}, which the target has: nothing can be "
            "promised for it; add calibration images of that class."
        )
    return shares * counts.sum() / np.maximum(counts, 1)


def _check_error(error: float) -> None:
    if not 0 < error < 1:
        raise ValueError(
            f"error is the share of sets that may lack the true class, above 0 and below 1, not "
            f"{error!r}; 0.1 promises 90 %."
        )
