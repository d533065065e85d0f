"""Frozen vectors of two hospitals brought to one space, in closed form: seconds, no network, no labels.

source, bring = matching.coral(source_vectors, target_vectors)
probe.fit(source, source_labels).predict(bring(target_vectors))       # `bring` takes target images not seen yet as well
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from medlearn.adaptation import _inputs

Bring = Callable[[ArrayLike], np.ndarray]


def standardise(source: ArrayLike, target: ArrayLike) -> tuple[np.ndarray, Bring]:
    """Each domain to mean 0 and standard deviation 1 in each column, by its own statistics.

    source: (N, D), target: (M, D). Returns the source's vectors and a function that does the same to target vectors
    with the statistics of `target`. A column without variance becomes 0. It undoes shift and scale column by column,
    and it presumes that both domains hold the classes in similar shares. Raises ValueError as all of `adaptation`.
    """
    source, target = _inputs.vector_pair(source, target)
    return _standardiser(source)(source), _standardiser(target)


def coral(source: ArrayLike, target: ArrayLike, strength: float = 1.0) -> tuple[np.ndarray, Bring]:
    """CORAL: whiten the source, recolour it with the target's covariance, and move its mean to the target's.

    source: (N, D), target: (M, D). strength: what is added to the diagonal of both covariances, in units of their mean
    variance; the fewer images, the more is wise. Returns the source's vectors; the target's stay as they are.
    Raises ValueError as all of `adaptation`, and for a strength that is not above 0.
    Source: Sun, Feng & Saenko 2016 (arXiv:1511.05547), alg. 1, where the mean is standardised beforehand.
    """
    source, target = _inputs.vector_pair(source, target)
    if not strength > 0:
        raise ValueError(f"strength={strength!r} is added to variances: above 0; try 1.")
    unit = strength * (source.var(0).mean() + target.var(0).mean()) / 2 + 1e-12
    whitened = (source - source.mean(0)) @ _power(np.cov(source, rowvar=False), unit, -0.5)
    return whitened @ _power(np.cov(target, rowvar=False), unit, 0.5) + target.mean(0), np.asarray


def subspace(
    source: ArrayLike, target: ArrayLike, dimensions: int = 20
) -> tuple[np.ndarray, Bring]:
    """Subspace alignment: the principal axes of the source are turned onto those of the target.

    source: (N, D), target: (M, D), standardised by domain first. dimensions: of the subspace; as many as the smaller
    domain allows at most. Returns the source's vectors in the aligned subspace and the projection of target vectors.
    Raises ValueError as all of `adaptation`, and for fewer than one dimension.
    Source: Fernando et al. 2013, ICCV, doi:10.1109/ICCV.2013.368, eq. 1 to 4.
    """
    source, bring = standardise(source, target)
    target = bring(target)
    if dimensions < 1:
        raise ValueError(f"dimensions={dimensions!r} is a number of axes of at least 1; try 20.")
    dimensions = min(dimensions, source.shape[1], len(source), len(target))
    axes, others = (
        PCA(dimensions, svd_solver="full").fit(domain).components_.T for domain in (source, target)
    )
    return source @ axes @ (axes.T @ others), lambda vectors: bring(vectors) @ others


def transport(
    source: ArrayLike, target: ArrayLike, entropy: float = 0.05
) -> tuple[np.ndarray, Bring]:
    """Optimal transport: every source vector moves to the mean of the target vectors that its mass goes to.

    source: (N, D), target: (M, D). entropy: of the plan, in units of the largest cost; 0 gives the exact plan. All
    images weigh alike, so other shares of the classes in the target carry classes into each other. Returns the
    source's vectors; the target's stay as they are. Raises ValueError as all of `adaptation`, and for entropy below 0.
    Source: Courty et al. 2017 (arXiv:1507.00504), with the solvers of POT (Flamary et al. 2021, JMLR 22:78).
    """
    import ot  # late: POT looks for every array library there is

    source, target = _inputs.vector_pair(source, target)
    if entropy < 0:
        raise ValueError(f"entropy={entropy!r} is a strength: 0 (an exact plan) or more; try 0.05.")
    plan = (
        ot.da.EMDTransport(norm="max")
        if entropy == 0
        else ot.da.SinkhornTransport(reg_e=entropy, norm="max", max_iter=2000)
    )
    return plan.fit(Xs=source, Xt=target).transform(Xs=source), np.asarray


def _standardiser(domain: np.ndarray) -> Bring:
    mean, deviation = domain.mean(0), domain.std(0)
    still = deviation <= 1e-9 * (1 + np.abs(mean))

    def standardised(vectors: ArrayLike) -> np.ndarray:
        return np.where(
            still, 0.0, (np.asarray(vectors, float) - mean) / np.where(still, 1.0, deviation)
        )

    return standardised


def _power(covariance: np.ndarray, ridge: float, exponent: float) -> np.ndarray:
    """(covariance + ridge I) to a power."""
    covariance = np.atleast_2d(covariance)
    powers, axes = np.linalg.eigh(covariance)
    return (axes * (np.maximum(powers, 0) + ridge) ** exponent) @ axes.T
