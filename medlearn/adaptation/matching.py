"""Feature matching: the features of two domains in one space, in closed form and without labels.

Four methods, each as a class with `fit` and `transform_source` / `transform_target`, and as a
short function for the case that all features are there at once:

    matcher = matching.Coral().fit(source_features, target_features)
    probe.fit(matcher.transform_source(source_features), source_labels)
    probe.predict(matcher.transform_target(new_target_features))

    source_matched, target_matched = matching.coral(source_features, target_features)

No network is trained; a fit takes seconds at most.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn.adaptation._matchers import (
    Coral,
    Identity,
    OptimalTransport,
    Standardise,
    SubspaceAlignment,
)

__all__ = [
    "Coral",
    "Identity",
    "OptimalTransport",
    "Standardise",
    "SubspaceAlignment",
    "coral",
    "standardise",
    "subspace",
    "transport",
]


def standardise(source: ArrayLike, target: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of both domains, each standardised by its own statistics.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features of the two domains, at least two images of each.

    Returns
    -------
    tuple of numpy.ndarray
        Source and target features with mean 0 and standard deviation 1 in each column.

    Examples
    --------
    >>> source, target = standardise([[0.0], [2.0]], [[10.0], [30.0]])
    >>> source.ravel().tolist(), target.ravel().tolist()
    ([-1.0, 1.0], [-1.0, 1.0])
    """
    return Standardise().fit_transform(source, target)


def coral(
    source: ArrayLike, target: ArrayLike, strength: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the source with the covariance and mean of the target, and the target unchanged.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features of the two domains, at least two images of each.
    strength : float
        Regularisation, see `Coral`.
    """
    return Coral(strength).fit_transform(source, target)


def subspace(
    source: ArrayLike, target: ArrayLike, dimensions: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Return both domains in the principal subspace of the target.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features of the two domains, at least two images of each.
    dimensions : int
        Number of principal axes, see `SubspaceAlignment`.
    """
    return SubspaceAlignment(dimensions).fit_transform(source, target)


def transport(
    source: ArrayLike, target: ArrayLike, entropy: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Return the source moved onto the target by optimal transport, and the target unchanged.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features of the two domains, at least two images of each.
    entropy : float
        Regularisation of the plan, see `OptimalTransport`.
    """
    return OptimalTransport(entropy).fit_transform(source, target)
