"""One image in a random stain, light, scale, sharpness and noise, with the mask that fits it."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage import transform

from medlearn import _images
from medlearn.adaptation._zoom import zoom_map

_WHITE = 255


class Ranges(NamedTuple):
    """Ranges of the changes, as `randomisation.randomise_appearance` documents them."""

    stain: float
    mix: float
    light: float
    zoom: float
    blur: float
    noise: float

    def check(self) -> None:
        """Raise ValueError for a value out of range."""
        if not (0 <= self.stain < 1 and 0 <= self.light < 1):
            raise ValueError(
                f"stain={self.stain!r} and light={self.light!r} are from 0 to below 1."
            )
        if min(self.mix, self.blur, self.noise) < 0 or self.zoom < 1:
            raise ValueError(
                f"mix={self.mix!r}, blur={self.blur!r} and noise={self.noise!r} are at least 0, "
                f"zoom={self.zoom!r} at least 1."
            )


def randomised(
    image: np.ndarray, mask: np.ndarray, ranges: Ranges, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return one image with random changes, uint8 (H, W, 3), and its mask (H, W).

    Parameters
    ----------
    image : numpy.ndarray, shape (H, W, 3)
        0 to 255.
    mask : numpy.ndarray, shape (H, W)
        Whole numbers.
    ranges : Ranges
        How strong the changes may be.
    random : numpy.random.Generator
        Draws them.
    """
    dyes = _dye_matrix(ranges, random)
    absorbance = -np.log(np.maximum(image, 1) / _WHITE)
    light = random.uniform(1 - ranges.light, 1, 3)
    transmitted = light * np.exp(-np.maximum(absorbance @ dyes, 0))
    factor = ranges.zoom ** random.uniform(-1, 1)
    transmitted, mask = _zoomed(transmitted, mask, factor)
    sigma = random.uniform(0, ranges.blur)
    blurred = ndimage.gaussian_filter(transmitted, (sigma, sigma, 0))
    noisy = blurred + random.uniform(0, ranges.noise) * random.standard_normal(blurred.shape)
    return _images.to_uint8(_WHITE * np.clip(noisy, 0, 1)), mask


def _dye_matrix(ranges: Ranges, random: np.random.Generator) -> np.ndarray:
    """A matrix (3, 3): what each channel's absorbance contributes to each new channel."""
    mixed = random.uniform(-ranges.mix, ranges.mix, (3, 3)) * (1 - np.eye(3))
    return mixed + np.diag(random.uniform(1 - ranges.stain, 1 + ranges.stain, 3))


def _zoomed(image: np.ndarray, mask: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    pixel_map = zoom_map(mask.shape, factor)
    new_image = transform.warp(image, pixel_map, order=1, mode="reflect")
    new_mask = transform.warp(mask, pixel_map, order=0, mode="reflect", preserve_range=True)
    return new_image, new_mask.astype(mask.dtype)
