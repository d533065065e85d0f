"""Magnification: images of one laboratory at the scale of another, measured without labels."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from skimage import filters, transform

from medlearn.adaptation import _inputs

_BLUR_PX = 1.5  # below the size of a nucleus, above that of noise


def match(
    images: ArrayLike, reference: ArrayLike, size: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """Images uint8 (N, H, W, 3), enlarged or shrunk about their centre until their median size is the reference's.

    size: a function of images to one area each, in pixels; None measures nuclei. One factor for all images, so that
    large cells stay larger than small ones; what would be missing at the edge is mirrored. Presumes that both domains
    hold things of the same true sizes, for which the classes must come in similar shares.
    Raises ValueError for anything but uint8 RGB images, and where nothing could be measured.
    """
    return zoom(images, factor(images, reference, size))


def factor(
    images: ArrayLike, reference: ArrayLike, size: Callable[[np.ndarray], np.ndarray] | None = None
) -> float:
    """By how much lengths in `images` must grow to be those of `reference`; arguments and errors of `match`."""
    images, reference = _inputs.image_pair(images, reference)
    own, wanted = (float(np.median((size or nucleus_areas)(each))) for each in (images, reference))
    if not (own > 0 and wanted > 0):
        raise ValueError(
            f"The median areas are {own:g} and {wanted:g} pixels, so there is no scale to match: "
            "look at the images, or give a `size` that finds something in them."
        )
    return float(np.sqrt(wanted / own))


def zoom(images: ArrayLike, by: float) -> np.ndarray:
    """Images uint8 (N, H, W, 3) enlarged about their centre by a factor, above 1, or shrunk, below; edges are mirrored.

    Raises ValueError for a factor that is not above 0 and for anything but uint8 RGB images.
    """
    images, _ = _inputs.image_pair(images, images)
    if not by > 0:
        raise ValueError(f"by={by!r} multiplies lengths: above 0; 1.2 enlarges by a fifth.")
    back = from_zoomed(images.shape[1:3], by)
    warped = [
        transform.warp(image, back, order=1, mode="reflect", preserve_range=True)
        for image in images
    ]
    return np.clip(np.round(warped), 0, 255).astype(np.uint8)


def from_zoomed(shape: tuple[int, int], by: float) -> transform.AffineTransform:
    """From a place in an image (H, W) that was enlarged about its centre by a factor to the place before, as skimage's `warp` asks for."""
    centre = (np.array(shape[::-1]) - 1) / 2  # x, y
    return transform.AffineTransform(scale=1 / by, translation=centre - centre / by)


def nucleus_areas(images: ArrayLike) -> np.ndarray:
    """Area (N,) in pixels of the darkest of three greys (Otsu's thresholds) of the green channel: what the stain turned bluest.

    images: uint8 (N, H, W, 3). A measure for comparing laboratories, no segmentation. A flat picture has 0.
    """
    areas = []
    for image in np.asarray(images):
        green = filters.gaussian(image[..., 1].astype(float), _BLUR_PX)
        distinct = len(np.unique(green.astype(np.uint8)))
        areas.append(
            np.sum(green < filters.threshold_multiotsu(green, 3)[0]) if distinct >= 3 else 0
        )
    return np.array(areas, float)
