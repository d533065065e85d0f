"""Label shift: the target holds the classes in other shares than the source, and nothing else differs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medlearn.adaptation import _inputs


class Corrected(NamedTuple):
    """Estimated shares (classes,) of the target's classes, and its probabilities (N, classes) under them."""

    prior: np.ndarray
    probabilities: np.ndarray


def correct(
    target_probabilities: ArrayLike,
    source_prior: ArrayLike,
    *,
    rounds: int = 1000,
    tolerance: float = 1e-8,
) -> Corrected:
    """The target's class shares by expectation maximisation, and the probabilities corrected for them.

    target_probabilities: (N, classes) of a classifier that is calibrated on the source. source_prior: (classes,) shares
    of the classes in the source, above 0, sum 1. Where more than the shares differs, as between two laboratories, the
    estimate can drive a class to nothing: it presumes that each class looks the same in both.
    Raises ValueError for other shapes or values. Source: Saerens, Latinne & Decaestecker 2002,
    doi:10.1162/089976602753284446, eq. 2.9.
    """
    told = _inputs.probabilities(target_probabilities)
    source = np.asarray(source_prior, float)
    if source.shape != told.shape[1:] or not np.all(source > 0) or abs(source.sum() - 1) > 1e-6:
        raise ValueError(
            f"source_prior should be {told.shape[1]} shares above 0 that sum to 1, one a class; it is {source}."
        )
    prior = source
    for _ in range(rounds):
        corrected = told * (prior / source)
        corrected /= np.maximum(corrected.sum(1, keepdims=True), 1e-300)
        before, prior = prior, corrected.mean(0)
        if np.abs(prior - before).max() < tolerance:
            break
    return Corrected(prior, corrected)
