"""Two stains of an image by optical density: Macenko et al. 2009, sec. 2."""

from typing import NamedTuple

import numpy as np

_FEWEST_PIXELS = 30  # fewer stained pixels define no plane


class Stains(NamedTuple):
    """Two unit stain vectors (2, 3), the bluer first, and their 99th-percentile strengths (2,)."""

    vectors: np.ndarray
    strengths: np.ndarray


def density(images: np.ndarray) -> np.ndarray:
    """Return optical density relative to white, by the law of Beer and Lambert."""
    return -np.log((images.astype(float) + 1) / 256)


def intensity(density: np.ndarray) -> np.ndarray:
    """Return intensities, 0 to 255, of optical densities: the inverse of `density`."""
    return 256 * np.exp(-density) - 1


def estimate(density: np.ndarray, background: float, percentile: float) -> Stains | None:
    """Return the two stains of some pixels, or None where there is too little stain.

    Parameters
    ----------
    density : numpy.ndarray, shape (P, 3)
        Optical densities of P pixels.
    background : float
        Pixels with a density below it in any channel are left out.
    percentile : float
        Percentile of the angles, from both ends, at which the stain vectors lie.
    """
    stained = density[(density >= background).all(1)]
    if len(stained) < _FEWEST_PIXELS:
        return None
    vectors = _extreme_vectors(stained, percentile)
    if np.linalg.matrix_rank(vectors, tol=1e-3) < 2:
        return None
    strengths = np.percentile(amounts(density, vectors), 99, axis=0)
    return Stains(vectors, np.maximum(strengths, 1e-6))


def amounts(density: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return how much of each stain each pixel holds, (P, 2), by least squares.

    Parameters
    ----------
    density : numpy.ndarray, shape (P, 3)
        Optical densities.
    vectors : numpy.ndarray, shape (2, 3)
        Stain vectors.
    """
    return np.linalg.lstsq(vectors.T, density.T, rcond=None)[0].T


def _extreme_vectors(stained: np.ndarray, percentile: float) -> np.ndarray:
    """The directions at both ends of the fan of densities, in their plane of largest variance."""
    axes = np.linalg.eigh(np.cov(stained, rowvar=False))[1]
    plane = axes[:, :0:-1]  # the two axes of largest variance
    plane = plane * np.where(plane.sum(0) < 0, -1, 1)
    along, across = (stained @ plane).T
    angles = np.arctan2(across, along)
    limits = np.percentile(angles, [percentile, 100 - percentile])
    vectors = np.array([plane @ [np.cos(angle), np.sin(angle)] for angle in limits])
    bluer_first = np.argsort(-vectors[:, 0])  # haematoxylin absorbs more red light than eosin does
    return vectors[bluer_first]
