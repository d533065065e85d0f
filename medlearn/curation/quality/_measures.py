"""Measures of image quality: sharpness, graininess, density, blockiness."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from medlearn import _checks
from medlearn._images import to_uint8
from medlearn.curation.quality._glass import glass_level

_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_JPEG_BLOCK = 8  # pixels a side


def sharpness(images: ArrayLike) -> np.ndarray:
    """Measure the variance of the Laplacian of the grey image: low when out of focus.

    Noise raises it, so read it beside `graininess`.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        0 to 255.

    Returns
    -------
    numpy.ndarray, shape (N,)
        In squared grey levels.

    References
    ----------
    Pech-Pacheco et al., ICPR 2000, doi:10.1109/ICPR.2000.903548.
    """
    variances = [ndimage.laplace(grey, mode="nearest").var() for grey in _grey(images)]
    return np.array(variances, float)


def graininess(images: ArrayLike) -> np.ndarray:
    """Estimate the standard deviation of the noise in the grey image.

    The filter gives zero on flat and evenly sloping areas. Sharp detail counts as noise, so compare
    this measure between images of one type only.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        0 to 255.

    Returns
    -------
    numpy.ndarray, shape (N,)
        In grey levels.

    References
    ----------
    Immerkaer, Comput. Vis. Image Underst. 64:300, 1996.
    """
    responses = [ndimage.convolve(grey, _IMMERKAER)[1:-1, 1:-1] for grey in _grey(images)]
    means = np.array([np.abs(response).mean() for response in responses], float)
    return np.sqrt(np.pi / 2) * means / 6


def density(images: ArrayLike) -> np.ndarray:
    """Measure the mean optical density, that is how much dye there is.

    Density counts from the empty glass of each image, as in `stain`. Twice the dye gives about
    twice the number.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        0 to 255.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Base e.
    """
    images = _batch(images)
    return (
        -np.log(np.clip(images / glass_level(images), 1 / 255, None)).mean((1, 2, 3)).astype(float)
    )


def blockiness(images: ArrayLike) -> np.ndarray:
    """Compare steps across the borders of JPEG's 8-pixel blocks with steps elsewhere.

    Only JPEG files that were neither cropped nor resized afterwards are noticed.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        0 to 255, of at least 16 pixels a side.

    Returns
    -------
    numpy.ndarray, shape (N,)
        About 1 without JPEG, larger with it.

    References
    ----------
    After Wang, Sheikh & Bovik, ICIP 2002, doi:10.1109/ICIP.2002.1038064.
    """
    grey = _grey(images)
    height, width = grey.shape[1:]
    if min(height, width) < 2 * _JPEG_BLOCK:
        raise ValueError(
            f"These images have {height} x {width} pixels; blocks of 8 show from 16 pixels a side "
            "on."
        )
    down = np.abs(np.diff(grey, axis=1)).mean(axis=2)
    across = np.abs(np.diff(grey, axis=2)).mean(axis=1)
    return np.mean([_border_ratio(down), _border_ratio(across)], axis=0).astype(float)


MEASURES: dict[str, Callable] = {
    "sharpness": sharpness,
    "graininess": graininess,
    "density": density,
    "blockiness": blockiness,
}


def measure(images: ArrayLike) -> dict[str, np.ndarray]:
    """Take all four measures.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        0 to 255.

    Returns
    -------
    dict of str to numpy.ndarray, shape (N,)
        One number per image for each name in `MEASURES`.
    """
    return {name: function(images) for name, function in MEASURES.items()}


def _batch(images: ArrayLike) -> np.ndarray:
    """Return a batch as uint8."""
    checked = _checks.images(images)
    return checked if checked.dtype == np.uint8 else to_uint8(checked)


def _grey(images: ArrayLike) -> np.ndarray:
    """Return float32 (N, H, W)."""
    return _batch(images) @ _GREY_WEIGHTS


def _border_ratio(steps: np.ndarray) -> np.ndarray:
    """Return the mean step at 8, 16, ... over the mean of the others; flat images have 1."""
    at_border = np.arange(1, steps.shape[1] + 1) % _JPEG_BLOCK == 0
    border, elsewhere = steps[:, at_border].mean(1), steps[:, ~at_border].mean(1)
    return (border + 1e-3) / (elsewhere + 1e-3)
