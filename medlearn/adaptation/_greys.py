"""Greys of MR images on one scale: by mean and deviation, or by landmarks of the histogram.

The greys of an MR image have no unit: the same tissue of the same person is brighter at one scanner
than at another. Both functions change each image by a rising curve, so they move no edge, and both
are misled where the image holds other things in other amounts, such as a large lesion.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

_PERCENTILES = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99)


def zscore(images: ArrayLike, foreground: ArrayLike | None = None) -> np.ndarray:
    """Return each image minus its mean and divided by its standard deviation.

    Parameters
    ----------
    images : array_like, shape (N, ...)
        Greys of N slices or volumes, in any unit.
    foreground : array_like of bool, shape (N, ...), optional
        Which pixels the mean and the deviation are taken of, such as those of the brain. By
        default, those brighter than the mean of the image.

    Returns
    -------
    numpy.ndarray of float32, shape (N, ...)
        In standard deviations from the mean.

    Raises
    ------
    ValueError
        For a foreground of another shape, greys that are not finite, and an image of a single grey.

    Examples
    --------
    >>> zscore([[2.0, 4.0, 6.0]], [[True, True, False]]).tolist()
    [[-1.0, 1.0, 3.0]]
    """
    images, masks = _checked(images, foreground)
    results = []
    for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
        greys = image[mask]
        deviation = greys.std() if greys.size else 0.0
        if not deviation > 0:
            raise ValueError(f"Image {number} has a single grey: there is nothing to scale.")
        results.append((image - greys.mean()) / deviation)
    return np.array(results, np.float32)


class Nyul:
    """Give the landmarks of every image's histogram the greys that they have on average at home.

    The landmarks are percentiles 1, 10, 20, ..., 90 and 99 of the pixels that count. `fit` brings
    the outer two of each image to `scale` and averages the others: the standard. `transform` maps
    the landmarks of an image to the standard, and greys between and beyond them linearly.

    Parameters
    ----------
    scale : (float, float)
        The greys of percentiles 1 and 99 in the standard.

    References
    ----------
    Nyul & Udupa 1999, On standardizing the MR image intensity scale, Magn. Reson. Med. 42:1072,
    https://doi.org/10.1002/(SICI)1522-2594(199912)42:6<1072::AID-MRM11>3.0.CO;2-M; with
    percentiles in place of the mode: Nyul, Udupa & Zhang 2000, https://doi.org/10.1109/42.836373.

    Examples
    --------
    >>> home = np.array([[0.0, 50.0, 100.0], [0.0, 100.0, 200.0]])
    >>> standard = Nyul(scale=(0, 10)).fit(home, home >= 0)
    >>> standard.transform([[1.0, 3.0, 5.0]], [[True, True, True]]).round().astype(int).tolist()
    [[0, 5, 10]]
    """

    def __init__(self, scale: Sequence[float] = (20.0, 220.0)):
        low, high = map(float, scale)
        if not low < high:
            raise ValueError(f"scale={tuple(scale)!r} is a lower and a higher grey: (20, 220).")
        self.scale = low, high

    def fit(self, source: ArrayLike, source_foreground: ArrayLike | None = None) -> Self:
        """Learn the standard from images of one sequence (all T1-weighted, or all FLAIR).

        Parameters
        ----------
        source : array_like, shape (N, ...)
            Greys of N slices or volumes, in any unit.
        source_foreground : array_like of bool, shape (N, ...), optional
            Which pixels count; by default those brighter than the mean of the image.

        Raises
        ------
        ValueError
            As `zscore`.
        """
        source, masks = _checked(source, source_foreground)
        own = np.array([_landmarks(*pair) for pair in enumerate(zip(source, masks, strict=True))])
        low, high = self.scale
        shares = (own - own[:, :1]) / (own[:, -1:] - own[:, :1])
        self.standard_ = low + (high - low) * shares.mean(axis=0)
        return self

    def transform(self, images: ArrayLike, foreground: ArrayLike | None = None) -> np.ndarray:
        """Return images whose landmarks have the greys of the standard.

        Parameters
        ----------
        images : array_like, shape (N, ...)
            Greys of N slices or volumes, of the sequence of the fit.
        foreground : array_like of bool, shape (N, ...), optional
            As in `fit`.

        Returns
        -------
        numpy.ndarray of float32, shape (N, ...)
            Not clipped: greys beyond the landmarks may lie outside `scale`.

        Raises
        ------
        ValueError
            As `zscore`, and before `fit`.
        """
        if not hasattr(self, "standard_"):
            raise ValueError("Nyul was not fitted: call fit(source) first.")
        images, masks = _checked(images, foreground)
        pairs = enumerate(zip(images, masks, strict=True))
        results = [
            _mapped(image, _landmarks(number, (image, mask)), self.standard_)
            for number, (image, mask) in pairs
        ]
        return np.array(results, np.float32)


def _landmarks(number: int, pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The percentiles of the pixels of an image that count."""
    image, mask = pair
    greys = image[mask]
    landmarks = np.percentile(greys, _PERCENTILES) if greys.size else np.zeros(2)
    if not landmarks[-1] > landmarks[0]:
        raise ValueError(f"Image {number} has a single grey: there is nothing to scale.")
    return landmarks


def _mapped(image: np.ndarray, own: np.ndarray, standard: np.ndarray) -> np.ndarray:
    """Greys on the polygon through the landmarks; its first and last sides go on."""
    own, first = np.unique(own, return_index=True)  # landmarks on one grey are one
    standard = standard[first]
    inside = np.interp(image, own, standard)
    below = standard[0] + (image - own[0]) * (standard[1] - standard[0]) / (own[1] - own[0])
    above = standard[-1] + (image - own[-1]) * (standard[-1] - standard[-2]) / (own[-1] - own[-2])
    return np.where(image < own[0], below, np.where(image > own[-1], above, inside))


def _checked(images: ArrayLike, foreground: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Finite greys as float, and the pixels that count, by default those above each mean."""
    images = np.asarray(images, float)
    if images.ndim < 2 or not len(images):
        raise ValueError(
            f"Images have the shape (N, ...), with at least one image, not {images.shape}: "
            "put a single image into a list."
        )
    if not np.isfinite(images).all():
        raise ValueError("The images hold NaN or infinite greys: replace or leave out such images.")
    if foreground is None:
        means = images.reshape(len(images), -1).mean(axis=1)
        return images, images > means.reshape(-1, *[1] * (images.ndim - 1))
    masks = np.asarray(foreground).astype(bool)
    if masks.shape != images.shape:
        raise ValueError(
            f"The foreground {masks.shape} and the images {images.shape} should have one shape: "
            "each pixel counts, or does not."
        )
    return images, masks
