"""A synthetic image of one mask: a random grey level per region, then the faults of a scanner."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

_WHITE = 255
_BIAS_KNOTS = 4  # of the bias field, along a side


class Ranges(NamedTuple):
    """Ranges of what is drawn, as `randomisation.synthesise_from_masks` documents them."""

    dark_background: float
    spread: float
    blur: float
    bias: float
    noise: float
    coarse: float

    def check(self) -> None:
        """Raise ValueError for a value out of range."""
        if not (0 <= self.dark_background <= 1 and 0 <= self.bias < 1):
            raise ValueError(
                f"dark_background={self.dark_background!r} is a share from 0 to 1, "
                f"bias={self.bias!r} from 0 to below 1."
            )
        if min(self.spread, self.blur, self.noise) < 0 or self.coarse < 1:
            raise ValueError(
                f"spread={self.spread!r}, blur={self.blur!r} and noise={self.noise!r} are at "
                f"least 0, coarse={self.coarse!r} at least 1."
            )


def checked_intensities(intensities: tuple, classes: int) -> np.ndarray:
    """Return means and standard deviations as float (2, classes), or raise ValueError.

    Parameters
    ----------
    intensities : tuple of two array_like, shape (classes,)
        Means and standard deviations, in grey levels.
    classes : int
        How many classes the masks hold.
    """
    values = np.asarray(intensities, float)
    if values.shape != (2, classes) or not np.isfinite(values).all():
        raise ValueError(
            f"target_intensities should be finite means and standard deviations of {classes} "
            "classes, as estimate_intensities(source_masks, ...) gives them for these masks; the "
            f"shape is {values.shape}."
        )
    return values


def painted(
    mask: np.ndarray, intensities: np.ndarray | None, ranges: Ranges, random: np.random.Generator
) -> np.ndarray:
    """Return a synthetic image (H, W), float from 0 to 255.

    Parameters
    ----------
    mask : numpy.ndarray, shape (H, W)
        A class index per pixel.
    intensities : numpy.ndarray, shape (2, classes), optional
        Means and standard deviations to stay near; without them any grey level may occur.
    ranges : Ranges
        How strong the changes may be.
    random : numpy.random.Generator
        Draws everything.
    """
    if intensities is None:
        means, deviations = _any_intensities(int(mask.max()) + 1, ranges, random)
    else:
        means, deviations = _near_intensities(intensities[0], intensities[1], random)
    image = means[mask] + deviations[mask] * random.standard_normal(mask.shape)
    image = ndimage.gaussian_filter(image, random.uniform(0, ranges.blur))
    image = image * _bias_field(mask.shape, ranges.bias, random)
    image = _coarser(image, random.uniform(1, ranges.coarse))
    strength = random.uniform(0, ranges.noise) * _WHITE
    image = image + strength * random.standard_normal(mask.shape)
    gamma = random.uniform(0.7, 1.4)
    return _WHITE * np.clip(image / _WHITE, 0, 1) ** gamma


def _any_intensities(
    classes: int, ranges: Ranges, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    means = random.uniform(0, _WHITE, classes)
    deviations = random.uniform(0, _WHITE * ranges.spread, classes)
    if random.random() < ranges.dark_background:
        means[0] = random.uniform(0, 8)
        deviations[0] = random.uniform(0, 4)
    return means, deviations


def _near_intensities(
    means: np.ndarray, deviations: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    near_means = means + random.normal(0, 10, len(means))
    return near_means, deviations * random.uniform(0.2, 0.8, len(deviations))


def _bias_field(shape: tuple, bias: float, random: np.random.Generator) -> np.ndarray:
    """A smooth field from 1 - strength to 1 + strength, with a strength of up to `bias`."""
    knots = random.uniform(-1, 1, (_BIAS_KNOTS, _BIAS_KNOTS))
    return 1 + _resized(knots * random.uniform(0, bias), shape)


def _coarser(image: np.ndarray, factor: float) -> np.ndarray:
    """The image at a resolution lower by a factor, and back at its size."""
    coarse_shape = np.maximum(np.round(np.array(image.shape) / factor), 2)
    return _resized(_resized(image, coarse_shape), image.shape)


def _resized(image: np.ndarray, shape: tuple | np.ndarray) -> np.ndarray:
    zoom = np.array(shape) / image.shape
    return ndimage.zoom(image, zoom, order=1, mode="nearest", grid_mode=True)
