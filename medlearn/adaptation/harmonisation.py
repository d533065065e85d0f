"""Harmonisation: features, or greys, of several domains without what sets each domain apart.

`ComBat` is for features or measurements. `zscore` and `Nyul` are for the greys of MR images, which
have no unit: each image by its own mean and deviation, or by the landmarks of its histogram.

ComBat is fitted where there are several domains. A domain that comes later is added without a
change of what was learned, from its unlabelled images:

    combat = harmonisation.ComBat().fit(source_features, source_domains)
    probe.fit(combat.transform(source_features, source_domains), source_labels)

    abroad = combat.with_domain("lab-c", target_features)
    probe.predict(abroad.transform(target_features, ["lab-c"] * len(target_features)))

It presumes that the domains hold the classes in similar shares: what differs between domains is
removed, whatever its cause. With other shares it removes a part of the disease.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _files
from medlearn.adaptation._greys import Nyul, zscore

__all__ = ["ComBat", "Nyul", "zscore"]

_ROUNDS = 1000  # the equations settle in about ten
_SETTLED = 1e-6  # largest relative change of a round
_FEWEST = 2  # images of a domain that have a variance


@dataclass(frozen=True)
class _Shift:
    """Offset and variance factor of a domain, one of each per column, in standardised units."""

    offset: np.ndarray
    variance: np.ndarray


class ComBat:
    """Remove an offset and a scale of each domain from every column, shrunken by empirical Bayes.

    The offsets of all columns of a domain share a normal distribution, the variances an inverse
    gamma distribution. Both are estimated from the columns, so that a domain of few images borrows
    from all columns.

    Parameters
    ----------
    empirical_bayes : bool
        False for the plain estimates of each column, as in standardising each domain. Needed for a
        single column, which has nothing to borrow from.

    References
    ----------
    Johnson, Li & Rabinovic 2007, https://doi.org/10.1093/biostatistics/kxj037, section 3; for
    images Fortin et al. 2018, https://doi.org/10.1016/j.neuroimage.2017.11.024.

    Examples
    --------
    >>> features = np.array([[0.0], [2.0], [10.0], [14.0]])
    >>> combat = ComBat(empirical_bayes=False).fit(features, ["a", "a", "b", "b"])
    >>> combat.transform(features, ["a", "a", "b", "b"]).ravel().round(2).tolist()
    [5.38, 7.62, 5.38, 7.62]
    """

    def __init__(self, empirical_bayes: bool = True):
        self.empirical_bayes = empirical_bayes

    def fit(
        self,
        source: ArrayLike,
        source_domains: ArrayLike,
        source_covariates: ArrayLike | None = None,
    ) -> Self:
        """Learn what the domains share and what sets each of them apart.

        Parameters
        ----------
        source : array_like, shape (N, D)
            Features.
        source_domains : array_like, shape (N,)
            The domain of each image; at least two images of each domain.
        source_covariates : array_like, shape (N, C), optional
            What the features may depend on besides the domain, such as age: it is kept. The class
            that is to be predicted must not be among them, because `transform` asks for the same
            columns of new images.

        Raises
        ------
        ValueError
            For features, domains or covariates that do not fit each other.
        """
        source = _checks.vectors(source, "source features")
        domains = _domain_names(source_domains, len(source))
        names, indices, counts = np.unique(domains, return_inverse=True, return_counts=True)
        if counts.min() < _FEWEST:
            raise ValueError(
                f"Domain {str(names[counts.argmin()])!r} has {counts.min()} image; its variance "
                f"needs at least {_FEWEST}: add images, or leave the domain out."
            )
        dummies = np.eye(len(names))[indices]
        covariates = _covariates(source_covariates, len(source))
        design = np.hstack([dummies, covariates])
        coefficients, _, rank, _ = np.linalg.lstsq(design, source, rcond=None)
        if rank < design.shape[1]:
            raise ValueError(
                "The covariates can be computed from the domains, or from each other: what is due "
                "to which cannot be told; leave columns out."
            )
        self._mean = counts @ coefficients[: len(names)] / len(source)
        self._slopes = coefficients[len(names) :]
        self._scale = (source - design @ coefficients).std(0)
        standardised = self._standardised(source, covariates)
        self._shifts = {
            str(name): self._shift(standardised[indices == index])
            for index, name in enumerate(names)
        }
        return self

    def transform(
        self, features: ArrayLike, domains: ArrayLike, covariates: ArrayLike | None = None
    ) -> np.ndarray:
        """Return features without what sets their domains apart.

        Parameters
        ----------
        features : array_like, shape (N, D)
            With the columns of the fit.
        domains : array_like, shape (N,)
            Domains of the fit, or added by `with_domain`.
        covariates : array_like, shape (N, C), optional
            The columns that `fit` was given.

        Returns
        -------
        numpy.ndarray, shape (N, D)

        Raises
        ------
        ValueError
            For an unknown domain, or other columns than those of the fit.
        """
        features, covariates = self._checked(features, covariates)
        domains = _domain_names(domains, len(features))
        for name in np.unique(domains):
            if name not in self._shifts:
                problem = _files.unknown("domain", str(name), self._shifts, owner="ComBat")
                raise ValueError(f"{problem} A new domain is added by with_domain(name, features).")
        standardised = self._standardised(features, covariates)
        for name in np.unique(domains):
            rows, shift = domains == name, self._shifts[name]
            standardised[rows] = (standardised[rows] - shift.offset) / np.sqrt(shift.variance)
        return standardised * self._scale + self._mean + covariates @ self._slopes

    def with_domain(
        self, name: str, features: ArrayLike, covariates: ArrayLike | None = None
    ) -> "ComBat":
        """Return a ComBat that knows one more domain; what was learned before stays as it is.

        Parameters
        ----------
        name : str
            Of the new domain.
        features : array_like, shape (N, D)
            Its features, of at least two images; no labels are needed.
        covariates : array_like, shape (N, C), optional
            The columns that `fit` was given.

        Raises
        ------
        ValueError
            If the domain is known already, or the features do not fit.
        """
        features, covariates = self._checked(features, covariates)
        if name in self._shifts:
            raise ValueError(
                f"ComBat knows the domain {name!r} already: give the new one a new name."
            )
        if len(features) < _FEWEST:
            raise ValueError(
                f"Domain {name!r} has {len(features)} image; its variance needs at least {_FEWEST}."
            )
        added = ComBat(self.empirical_bayes)
        vars(added).update(vars(self))
        shift = self._shift(self._standardised(features, covariates))
        added._shifts = {**self._shifts, str(name): shift}
        return added

    def _standardised(self, features: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        """Features in units of what the domains share; a column without variance stays 0."""
        centred = features - self._mean - covariates @ self._slopes
        return centred / np.where(self._scale > 0, self._scale, 1.0)

    def _shift(self, standardised: np.ndarray) -> _Shift:
        variance = standardised.var(0, ddof=1)
        plain = _Shift(standardised.mean(0), np.where(variance > 0, variance, 1.0))
        varies = (variance > 0) & (self._scale > 0)
        if not self.empirical_bayes or varies.sum() < 2:
            return plain
        shrunken = _shrunken(standardised[:, varies])
        offset, variance = plain.offset.copy(), plain.variance.copy()
        offset[varies], variance[varies] = shrunken.offset, shrunken.variance
        return replace(plain, offset=offset, variance=variance)

    def _checked(self, features, covariates) -> tuple[np.ndarray, np.ndarray]:
        if not hasattr(self, "_shifts"):
            raise ValueError("ComBat was not fitted: call fit(source, source_domains) first.")
        features = _checks.vectors(features)
        if features.shape[1] != len(self._mean):
            raise ValueError(
                f"The features have {features.shape[1]} columns, but ComBat was fitted to "
                f"{len(self._mean)}: take all from the same layer of the same encoder."
            )
        covariates = _covariates(covariates, len(features))
        if covariates.shape[1] != len(self._slopes):
            raise ValueError(
                f"ComBat was fitted with {len(self._slopes)} columns of covariates and was given "
                f"{covariates.shape[1]}: give the same columns."
            )
        return features, covariates


def _shrunken(standardised: np.ndarray) -> _Shift:
    """Offsets and variances of a domain after empirical Bayes, by their equations in turns."""
    count = len(standardised)
    mean, variance = standardised.mean(0), standardised.var(0, ddof=1)
    prior_mean, prior_variance = mean.mean(), mean.var(ddof=1)
    spread = max(variance.var(ddof=1), 1e-12)
    shape = (2 * spread + variance.mean() ** 2) / spread
    rate = (variance.mean() * spread + variance.mean() ** 3) / spread
    offset, factor = mean, variance
    for _ in range(_ROUNDS):
        weight = count * prior_variance
        new_offset = (weight * mean + factor * prior_mean) / (weight + factor)
        squares = ((standardised - new_offset) ** 2).sum(0)
        new_factor = (rate + squares / 2) / (count / 2 + shape - 1)
        change = max(_change(offset, new_offset), _change(factor, new_factor))
        offset, factor = new_offset, new_factor
        if change < _SETTLED:
            break
    return _Shift(offset, factor)


def _change(old: np.ndarray, new: np.ndarray) -> float:
    return float((np.abs(new - old) / np.maximum(np.abs(old), 1e-12)).max())


def _domain_names(domains: ArrayLike, count: int) -> np.ndarray:
    names = np.asarray(domains).astype(str)
    if names.shape != (count,):
        raise ValueError(
            f"Give the domain of each of the {count} images; the domains have shape {names.shape}."
        )
    return names


def _covariates(covariates: ArrayLike | None, count: int) -> np.ndarray:
    """Covariates as float (N, C); without any, no columns."""
    if covariates is None:
        return np.empty((count, 0))
    columns = np.asarray(covariates, float)
    columns = columns[:, None] if columns.ndim == 1 else columns
    columns = _checks.vectors(columns, "covariates")
    _checks.same_length(features=np.empty(count), covariates=columns)
    return columns
