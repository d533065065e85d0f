"""The matchers of `matching`: classes with `fit`, `transform_source`, `transform_target`."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from medlearn import _checks


class _Matcher(ABC):
    """What all matchers share; each of them has `_fit` and `transform_source` of its own."""

    def fit(self, source: ArrayLike, target: ArrayLike) -> Self:
        """Learn the transformation from the features of both domains.

        Parameters
        ----------
        source, target : array_like, shape (N, D) and (M, D)
            Features of the two domains, at least two images of each.

        Raises
        ------
        ValueError
            For features that are not finite, of different width, or of fewer than two images.
        """
        source, target = _checks.feature_pair(source, target)
        self._fit(source, target)
        self._columns = source.shape[1]
        return self

    def fit_transform(self, source: ArrayLike, target: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Fit to both domains and return the transformed features of both.

        Parameters
        ----------
        source, target : array_like, shape (N, D) and (M, D)
            Features of the two domains, at least two images of each.

        Returns
        -------
        tuple of numpy.ndarray
            Source features and target features in the common space.
        """
        self.fit(source, target)
        return self.transform_source(source), self.transform_target(target)

    @abstractmethod
    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        """Learn from checked features of both domains."""

    @abstractmethod
    def transform_source(self, features: ArrayLike) -> np.ndarray:
        """Return source features in the common space."""

    def transform_target(self, features: ArrayLike) -> np.ndarray:
        """Return target features (N, D), which stay as they are."""
        return np.asarray(features)

    def _checked(self, features: ArrayLike) -> np.ndarray:
        """Features as float64 (N, D), with the D of the fit."""
        name = type(self).__name__
        if not hasattr(self, "_columns"):
            raise ValueError(f"{name} was not fitted: call fit(source, target) first.")
        features = _checks.vectors(features)
        if features.shape[1] != self._columns:
            raise ValueError(
                f"The features have {features.shape[1]} columns, but {name} was fitted to "
                f"{self._columns}: take all from the same layer of the same encoder."
            )
        return features


class Identity(_Matcher):
    """Leave the features of both domains as they are: the baseline for the other matchers."""

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        """Nothing is learned."""

    def transform_source(self, features: ArrayLike) -> np.ndarray:
        """Return source features (N, D), which stay as they are."""
        return np.asarray(features)


class Standardise(_Matcher):
    """Standardise each domain by its own mean and standard deviation, column by column.

    This removes a shift and a scale of each column. It presumes that both domains hold the
    classes in similar shares. A column without variance becomes 0.
    """

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        self._source, self._target = _moments(source), _moments(target)

    def transform_source(self, features: ArrayLike) -> np.ndarray:
        """Return source features (N, D) standardised by the statistics of the source."""
        features = self._checked(features)
        return _standardised(features, *self._source)

    def transform_target(self, features: ArrayLike) -> np.ndarray:
        """Return target features (N, D) standardised by the statistics of the target."""
        features = self._checked(features)
        return _standardised(features, *self._target)


class Coral(_Matcher):
    """CORAL: give the source the covariance and the mean of the target.

    The source is whitened, then recoloured with the covariance of the target. The features of the
    target stay as they are.

    Parameters
    ----------
    strength : float
        Regularisation, above 0: what is added to the diagonal of both covariances, in units of
        their mean variance. With fewer images, a larger value is wise.

    References
    ----------
    Sun, Feng & Saenko 2016 (arXiv:1511.05547), algorithm 1; there the mean is standardised
    beforehand.
    """

    def __init__(self, strength: float = 1.0):
        if not strength > 0:
            raise ValueError(f"strength={strength!r} is added to variances: above 0; try 1.")
        self.strength = strength

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        mean_variance = (source.var(0).mean() + target.var(0).mean()) / 2
        ridge = self.strength * mean_variance + 1e-12
        self._whitening = _power(np.cov(source, rowvar=False), ridge, -0.5)
        self._recolouring = _power(np.cov(target, rowvar=False), ridge, 0.5)
        self._source_mean, self._target_mean = source.mean(0), target.mean(0)

    def transform_source(self, features: ArrayLike) -> np.ndarray:
        """Return source features (N, D) with the covariance and the mean of the target."""
        features = self._checked(features)
        whitened = (features - self._source_mean) @ self._whitening
        return whitened @ self._recolouring + self._target_mean


class SubspaceAlignment(_Matcher):
    """Subspace alignment: rotate the principal axes of the source onto those of the target.

    Both domains are standardised first, each by its own statistics.

    Parameters
    ----------
    dimensions : int
        Number of principal axes, at least 1; at most as many as the smaller domain allows are used.

    References
    ----------
    Fernando et al. 2013, ICCV, doi:10.1109/ICCV.2013.368, eq. 1 to 4.
    """

    def __init__(self, dimensions: int = 20):
        if dimensions < 1:
            raise ValueError(
                f"dimensions={dimensions!r} is a number of axes of at least 1; try 20."
            )
        self.dimensions = dimensions

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        self._standardise = Standardise().fit(source, target)
        source = self._standardise.transform_source(source)
        target = self._standardise.transform_target(target)
        dimensions = min(self.dimensions, source.shape[1], len(source), len(target))
        self._source_axes = _principal_axes(source, dimensions)
        self._target_axes = _principal_axes(target, dimensions)

    def transform_source(self, features: ArrayLike) -> np.ndarray:
        """Return source features in the aligned subspace, (N, dimensions)."""
        features = self._checked(features)
        standardised = self._standardise.transform_source(features)
        return standardised @ self._source_axes @ (self._source_axes.T @ self._target_axes)

    def transform_target(self, features: ArrayLike) -> np.ndarray:
        """Return target features in the subspace of the target, (N, dimensions)."""
        features = self._checked(features)
        return self._standardise.transform_target(features) @ self._target_axes


class OptimalTransport(_Matcher):
    """Optimal transport: move each source vector to the mean of the target vectors it is sent to.

    All images have the same weight, so other shares of the classes in the target carry images of
    one class into another. The features of the target stay as they are.

    Parameters
    ----------
    entropy : float
        Entropic regularisation of the transport plan, in units of the largest cost, at least 0;
        with 0 the plan is exact.

    References
    ----------
    Courty et al. 2017 (arXiv:1507.00504), with the solvers of POT (Flamary et al. 2021,
    JMLR 22:78).
    """

    def __init__(self, entropy: float = 0.05):
        if entropy < 0:
            raise ValueError(
                f"entropy={entropy!r} is a strength: 0 (an exact plan) or more; try 0.05."
            )
        self.entropy = entropy

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        import ot  # POT looks for every array library that is installed, so it is imported late

        if self.entropy == 0:
            plan = ot.da.EMDTransport(norm="max")
        else:
            plan = ot.da.SinkhornTransport(reg_e=self.entropy, norm="max", max_iter=2000)
        self._plan = plan.fit(Xs=source, Xt=target)

    def transform_source(self, features: ArrayLike) -> np.ndarray:
        """Return transported source features, (N, D).

        The plan knows the vectors that it was fitted to. A new vector moves as its nearest fitted
        source vector does (Ferradans et al. 2014, doi:10.1137/130929886, as in POT).
        """
        features = self._checked(features)
        return self._plan.transform(Xs=features)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return features.mean(0), features.std(0)


def _standardised(features: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    constant = deviation <= 1e-9 * (1 + np.abs(mean))
    scaled = (features - mean) / np.where(constant, 1.0, deviation)
    return np.where(constant, 0.0, scaled)


def _principal_axes(features: np.ndarray, dimensions: int) -> np.ndarray:
    return PCA(dimensions, svd_solver="full").fit(features).components_.T


def _power(covariance: np.ndarray, ridge: float, exponent: float) -> np.ndarray:
    """(covariance + ridge I) to a power."""
    eigenvalues, axes = np.linalg.eigh(np.atleast_2d(covariance))
    return (axes * (np.maximum(eigenvalues, 0) + ridge) ** exponent) @ axes.T
