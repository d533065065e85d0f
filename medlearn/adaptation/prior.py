"""Label shift: only the shares of the classes differ between source and target."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


class PriorCorrection(NamedTuple):
    """Class shares of the target (classes,), and its corrected probabilities (N, classes)."""

    prior: np.ndarray
    probabilities: np.ndarray


def correct(
    target_probabilities: ArrayLike,
    source_prior: ArrayLike,
    *,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
) -> PriorCorrection:
    """Estimate the class shares of the target by expectation maximisation; correct for them.

    It presumes that each class looks the same in both domains. Where more than the shares differs,
    as between two laboratories, the estimate of a class can fall to zero.

    Parameters
    ----------
    target_probabilities : array_like, shape (N, classes)
        Of a classifier that is calibrated on the source.
    source_prior : array_like, shape (classes,)
        Class shares of the source, above 0, that sum to 1.
    max_iterations : int
        Number of iterations at most.
    tolerance : float
        The iteration ends when no share changes by more.

    Returns
    -------
    PriorCorrection
        The shares, and the probabilities under them.

    Raises
    ------
    ValueError
        For other shapes or values.

    References
    ----------
    Saerens, Latinne & Decaestecker 2002, doi:10.1162/089976602753284446, eq. 2.9.

    Examples
    --------
    >>> prior, probabilities = correct([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1]], [0.5, 0.5])
    >>> bool(prior[0] > 0.9)
    True
    """
    probabilities = _checks.probabilities(target_probabilities)
    _checks.whole_number("max_iterations", max_iterations, 1)
    source = _checked_prior(source_prior, probabilities.shape[1])
    prior = source
    for _ in range(max_iterations):
        corrected = _expect(probabilities, source, prior)
        previous, prior = prior, _maximise(corrected)
        if np.abs(prior - previous).max() < tolerance:
            break
    return PriorCorrection(prior, corrected)


def _expect(probabilities: np.ndarray, source: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The probabilities under other class shares: Bayes' rule."""
    corrected = probabilities * (prior / source)
    return corrected / np.maximum(corrected.sum(1, keepdims=True), 1e-300)


def _maximise(corrected: np.ndarray) -> np.ndarray:
    """The class shares that make the corrected probabilities most likely: their mean."""
    return corrected.mean(0)


def _checked_prior(source_prior: ArrayLike, classes: int) -> np.ndarray:
    source = np.asarray(source_prior, float)
    if source.shape != (classes,) or not np.all(source > 0) or abs(source.sum() - 1) > 1e-6:
        raise ValueError(
            f"source_prior should be {classes} shares above 0 that sum to 1, one per class; "
            f"it is {source}."
        )
    return source
