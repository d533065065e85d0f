"""Out-of-distribution scores: how unlike the training images is an image? Higher is more unlike.

A score says that an image is unusual. It does not say that the prediction is wrong.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf

from medlearn import _checks


def max_probability(probabilities: ArrayLike) -> np.ndarray:
    """Return 1 minus the largest probability of each image.

    Parameters
    ----------
    probabilities : array_like, shape (N, classes)
        Class probabilities of a model.

    Returns
    -------
    numpy.ndarray, shape (N,)
        From 0 to 1 - 1 / classes.

    Raises
    ------
    ValueError
        Unless these are probabilities.

    References
    ----------
    Hendrycks & Gimpel 2017, arXiv:1610.02136.

    Examples
    --------
    >>> max_probability([[0.9, 0.1], [0.5, 0.5]]).round(2).tolist()
    [0.1, 0.5]
    """
    return 1 - _checks.probabilities(probabilities).max(axis=1)


def energy(logits: ArrayLike, temperature: float = 1.0) -> np.ndarray:
    """Return the energy of each image: minus the logarithm of the sum of its exponential logits.

    Parameters
    ----------
    logits : array_like, shape (N, classes)
        What the softmax takes; of a logistic regression, its `decision_function`.
    temperature : float
        T, above 0.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Any number; high where all logits are low.

    Raises
    ------
    ValueError
        For logits that are not finite, or T that is not above 0.

    References
    ----------
    Liu et al. 2020, arXiv:2010.03759, eq. 4.

    Examples
    --------
    >>> energy([[0.0, 0.0]]).round(3).tolist()
    [-0.693]
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"A temperature is a number above 0, not {temperature!r}; 1 is usual.")
    return -temperature * logsumexp(_checks.vectors(logits, "logits") / temperature, axis=1)


class Mahalanobis:
    """Squared distance of a feature vector to the nearest class mean, in units of the spread.

    All classes share one covariance, which is shrunk towards a sphere, since there are seldom many
    more images than features.

    References
    ----------
    Lee et al. 2018, arXiv:1807.03888, eq. 1 and 2, on one layer; shrinkage: Ledoit & Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4.

    Examples
    --------
    >>> source = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]
    >>> near, far = Mahalanobis().fit(source, [0, 0, 0, 0]).score([[1.0, 1.0], [9.0, 1.0]])
    >>> bool(near == 0 and far > 60)
    True
    """

    def fit(self, source_features: ArrayLike, source_labels: ArrayLike) -> Self:
        """Learn the class means and the covariance.

        Parameters
        ----------
        source_features : array_like, shape (N, D)
            Features of the training images, at least two.
        source_labels : array_like, shape (N,)
            Their classes.

        Raises
        ------
        ValueError
            For features that are not finite, too few images, and lengths that differ.
        """
        vectors, _ = _checks.feature_pair(source_features, source_features)
        labels = _checks.column("source_labels", source_labels)
        _checks.same_length(source_labels=labels, source_features=vectors)
        classes, index = np.unique(labels, return_inverse=True)
        self._means = np.stack([vectors[labels == name].mean(axis=0) for name in classes])
        centred = vectors - self._means[index]
        self._precision = LedoitWolf(assume_centered=True).fit(centred).precision_
        return self

    def score(self, features: ArrayLike) -> np.ndarray:
        """Return the squared distance of each image to the nearest class mean.

        Parameters
        ----------
        features : array_like, shape (N, D)
            Features from the same layer.

        Returns
        -------
        numpy.ndarray, shape (N,)
            At least 0.

        Raises
        ------
        ValueError
            Without a fit, and for features that are not finite or of another width.
        """
        if not hasattr(self, "_means"):
            raise ValueError("Mahalanobis was not fitted: call fit(features, labels) first.")
        vectors = _checks.vectors(features)
        if vectors.shape[1] != self._means.shape[1]:
            raise ValueError(
                f"The features have {vectors.shape[1]} columns, those of the fit "
                f"{self._means.shape[1]}: take both from the same layer of the same encoder."
            )
        centred = vectors[:, None] - self._means
        distances = np.einsum("ncd,de,nce->nc", centred, self._precision, centred, optimize=True)
        return np.maximum(distances.min(axis=1), 0)
