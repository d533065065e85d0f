"""Colour normalisation: images of one domain in the colours of another.

Four methods, without labels or training, each as a class with `fit(reference)` and
`transform(images)`, and as a short function:

    normaliser = colour.Reinhard().fit(source_images)
    normalised = normaliser.transform(target_images)

    normalised = colour.reinhard(target_images, source_images)

The reference is one image or many images of the domain that the result should look like. Images
are (N, H, W, 3), uint8 or float from 0 to 255; the result is uint8. Normalise the target to the
source, on which the classifier was trained, or train on source images in the target's colours.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn.adaptation._normalisers import FourierAmplitude, HistogramMatching, Macenko, Reinhard

__all__ = [
    "FourierAmplitude",
    "HistogramMatching",
    "Macenko",
    "Reinhard",
    "fourier",
    "macenko",
    "match_histograms",
    "reinhard",
]


def reinhard(images: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """Return images with the mean and standard deviation of the reference in L, a and b.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    reference : array_like, shape (H, W, 3) or (M, H, W, 3)
        One image or many images with the colours to be had; see `Reinhard`.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, 3)
        uint8.

    Examples
    --------
    >>> grey, reference = np.full((1, 2, 2, 3), 90.0), np.full((2, 2, 3), 160.0)
    >>> reinhard(grey, reference)[0, 0, 0].tolist()
    [160, 160, 160]
    """
    return Reinhard().fit(reference).transform(images)


def match_histograms(
    images: ArrayLike, reference: ArrayLike, *, references: int = 8, seed: int = 0
) -> np.ndarray:
    """Return images with the histograms of the reference, channel by channel.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    reference : array_like, shape (H, W, 3) or (M, H, W, 3)
        One image or many images; `references` of them are drawn from `seed`.
    references, seed : int
        See `HistogramMatching`.
    """
    return HistogramMatching(references, seed=seed).fit(reference).transform(images)


def fourier(
    images: ArrayLike, reference: ArrayLike, band: float = 0.02, *, seed: int = 0
) -> np.ndarray:
    """Return images whose lowest frequencies have the amplitudes of reference images.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    reference : array_like, shape (H, W, 3) or (M, H, W, 3)
        One image or many images of the same size.
    band, seed
        See `FourierAmplitude`.
    """
    return FourierAmplitude(band, seed=seed).fit(reference).transform(images)


def macenko(
    images: ArrayLike, reference: ArrayLike, *, background: float = 0.15, percentile: float = 1.0
) -> np.ndarray:
    """Return images of two stains in the stain colours and strengths of the reference.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    reference : array_like, shape (H, W, 3) or (M, H, W, 3)
        One image or many images with stain.
    background, percentile : float
        See `Macenko`.
    """
    normaliser = Macenko(background=background, percentile=percentile)
    return normaliser.fit(reference).transform(images)
