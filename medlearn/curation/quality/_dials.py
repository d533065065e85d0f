"""Dials that degrade finished images: blur, noise, stain, JPEG."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from medlearn import _checks
from medlearn._images import through_jpeg, to_uint8
from medlearn.curation.quality._glass import glass_level


def blur(images: ArrayLike, sigma_px: float) -> np.ndarray:
    """Blur images with a Gaussian, as if they were out of focus.

    Parameters
    ----------
    images : array_like, shape (H, W, 3) or (N, H, W, 3)
        0 to 255.
    sigma_px : float
        Standard deviation in pixels, 0 or more; 0 changes nothing.

    Returns
    -------
    numpy.ndarray of uint8
        Of the same shape.
    """
    images = _dial_input(images)
    if not 0 <= sigma_px < np.inf:
        raise ValueError(f"sigma_px={sigma_px!r} is a width in pixels, 0 or more; try 1.5.")
    widths = [0] * (images.ndim - 3) + [sigma_px, sigma_px, 0]
    return to_uint8(ndimage.gaussian_filter(images.astype(np.float32), widths, mode="nearest"))


def noise(images: ArrayLike, sd_grey: float, *, seed: int = 0) -> np.ndarray:
    """Add Gaussian noise to each pixel and colour, as a sensor that lacks light does.

    Parameters
    ----------
    images : array_like, shape (H, W, 3) or (N, H, W, 3)
        0 to 255.
    sd_grey : float
        Standard deviation in grey levels (of 255), 0 or more.
    seed : int
        Random seed. The image at one index of a batch always gets the same noise.

    Returns
    -------
    numpy.ndarray of uint8
        Of the same shape.
    """
    images = _dial_input(images)
    if not 0 <= sd_grey < np.inf:
        raise ValueError(
            f"sd_grey={sd_grey!r} is a standard deviation in grey levels, 0 or more; try 10."
        )
    grain = np.random.default_rng(seed).standard_normal(images.shape, np.float32)
    return to_uint8(images + np.float32(sd_grey) * grain)


def stain(images: ArrayLike, strength: float) -> np.ndarray:
    """Change the amount of dye.

    Light follows the Beer-Lambert law, so the share of light that passes is raised to the power of
    `strength`. Empty glass, taken as the 95th percentile of each colour of each image, stays as
    bright as it is.

    Parameters
    ----------
    images : array_like, shape (H, W, 3) or (N, H, W, 3)
        0 to 255.
    strength : float
        Factor of the amount of dye, above 0; 1 changes nothing.

    Returns
    -------
    numpy.ndarray of uint8
        Of the same shape.

    References
    ----------
    Ruifrok & Johnston, Anal. Quant. Cytol. Histol. 23:291, 2001.
    """
    images = _dial_input(images)
    if not 0 < strength < np.inf:
        raise ValueError(
            f"strength={strength!r} is a factor of the amount of dye, above 0; try 0.5 or 1.5."
        )
    glass = glass_level(images)
    return to_uint8(glass * (images / glass) ** np.float32(strength))


def jpeg(images: ArrayLike, quality: int) -> np.ndarray:
    """Save images once as JPEG files, with colours at half resolution as usual.

    Parameters
    ----------
    images : array_like, shape (H, W, 3) or (N, H, W, 3)
        0 to 255.
    quality : int
        Quality of JPEG, from 1 (worst) to 95.

    Returns
    -------
    numpy.ndarray of uint8
        Of the same shape.
    """
    images = _dial_input(images)
    quality = _checks.whole_number("quality", quality, 1, 95)
    batch = images.reshape(-1, *images.shape[-3:])
    return np.stack([through_jpeg(image, quality) for image in batch]).reshape(images.shape)


DIALS: dict[str, Callable] = {"blur": blur, "noise": noise, "stain": stain, "jpeg": jpeg}


def _dial_input(images: ArrayLike) -> np.ndarray:
    """Return one image or a batch as uint8."""
    images = np.asarray(images)
    single = images.ndim == 3
    checked = _checks.images(images[None] if single else images)
    rounded = checked if checked.dtype == np.uint8 else to_uint8(checked)
    return rounded[0] if single else rounded
