"""Magnification: images of one domain at the scale of another, measured without labels."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from skimage import filters, transform

from medlearn import _checks, _images
from medlearn.adaptation import _domains
from medlearn.adaptation._zoom import zoom_map

_BLUR_PX = 1.5  # below the size of a nucleus, above that of noise

Measure = Callable[[np.ndarray], np.ndarray]


def match_scale(images: ArrayLike, reference: ArrayLike, size: Measure | None = None) -> np.ndarray:
    """Return images enlarged or shrunk until the median size of what they show is the reference's.

    One factor serves all images, so large cells stay larger than small ones. It presumes that both
    domains show objects of the same true sizes, so the classes must come in similar shares.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    reference : array_like, shape (H, W, 3) or (M, H, W, 3)
        One image or many images of the other domain.
    size : callable, optional
        From images to the area of an object in each, in pixels; by default `nucleus_areas`.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, 3)
        uint8; the content missing at the edges is mirrored.

    Raises
    ------
    ValueError
        For anything but colour images from 0 to 255, and where nothing can be measured.
    """
    return zoom(images, factor(images, reference, size))


def factor(images: ArrayLike, reference: ArrayLike, size: Measure | None = None) -> float:
    """Return by how much lengths in the images must grow to be those of the reference.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    reference : array_like, shape (H, W, 3) or (M, H, W, 3)
        One image or many images of the other domain.
    size : callable, optional
        From images to the area of an object in each, in pixels; by default `nucleus_areas`.

    Raises
    ------
    ValueError
        As `match_scale`.
    """
    measure = size or nucleus_areas
    area = float(np.median(measure(_checks.images(images))))
    reference_area = float(np.median(measure(_domains.reference_images(reference))))
    if not (area > 0 and reference_area > 0):
        raise ValueError(
            f"The median areas are {area:g} and {reference_area:g} pixels, so there is no scale to "
            "match: look at the images, or give a `size` that finds something in them."
        )
    return float(np.sqrt(reference_area / area))


def zoom(images: ArrayLike, by: float) -> np.ndarray:
    """Return images enlarged about their centre; the content missing at the edges is mirrored.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    by : float
        Factor of lengths: above 1 enlarges, below 1 shrinks.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, 3)
        uint8.

    Raises
    ------
    ValueError
        For a factor that is not above 0, and for anything but colour images from 0 to 255.

    Examples
    --------
    >>> images = np.full((1, 4, 4, 3), 90, np.uint8)
    >>> zoom(images, 2.0).shape
    (1, 4, 4, 3)
    """
    images = _checks.images(images)
    if not by > 0:
        raise ValueError(f"by={by!r} multiplies lengths: above 0; 1.2 enlarges by a fifth.")
    pixel_map = zoom_map(images.shape[1:3], by)
    zoomed = [
        transform.warp(image, pixel_map, order=1, mode="reflect", preserve_range=True)
        for image in images
    ]
    return _images.to_uint8(np.stack(zoomed))


def nucleus_areas(images: ArrayLike) -> np.ndarray:
    """Return the area (N,), in pixels, of the darkest part of each image: what was stained bluest.

    The green channel is divided into three parts by Otsu's thresholds; the darkest counts. This
    measure serves to compare domains; it is no segmentation. A flat image has the area 0.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    """
    return np.array([_nucleus_area(image) for image in np.asarray(images)], float)


def _nucleus_area(image: np.ndarray) -> int:
    green = filters.gaussian(image[..., 1].astype(float), _BLUR_PX)
    if len(np.unique(green.astype(np.uint8))) < 3:
        return 0
    return int(np.sum(green < filters.threshold_multiotsu(green, 3)[0]))
