"""Domain randomisation: source images as other laboratories or scanners might have taken them.

    images, masks = randomisation.randomise_appearance(source_images, source_masks)
    images = randomisation.synthesise_from_masks(source_masks)

The first changes stain, light and scale of the source's images; the second paints new images from
the source's masks, in any contrast. Neither looks at the target; `estimate_intensities` does, and
gives the second the grey levels of the target's tissues.
"""

import numpy as np
from numpy.typing import ArrayLike
from skimage import filters

from medlearn import _checks, _images
from medlearn.adaptation import _appearance, _domains, _mixture, _synthesis


def randomise_appearance(
    source_images: ArrayLike,
    source_masks: ArrayLike,
    *,
    stain: float = 0.5,
    mix: float = 0.2,
    light: float = 0.2,
    zoom: float = 1.4,
    blur: float = 1.0,
    noise: float = 0.03,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each image as another laboratory might have taken it, and the masks that fit.

    The changes of colour act on absorbance, in which dyes add up (Beer and Lambert). All ranges are
    assumptions, wide on purpose, and use no target image.

    Parameters
    ----------
    source_images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255.
    source_masks : array_like, shape (N, H, W)
        Whole numbers, a class index per pixel.
    stain : float
        The absorbance of each channel is multiplied by 1 - stain to 1 + stain; 0 to below 1.
    mix : float
        A share of -mix to mix of each other channel's absorbance is added; at least 0.
    light : float
        Empty glass gets 1 - light to 1 times white in each channel; 0 to below 1.
    zoom : float
        Lengths are multiplied by 1 / zoom to zoom about the centre, edges mirrored; at least 1.
    blur : float
        Largest standard deviation of a Gaussian blur, in pixels.
    noise : float
        Largest standard deviation of Gaussian noise, as a share of white.
    seed : int
        Draws all changes.

    Returns
    -------
    tuple of numpy.ndarray
        Images uint8 (N, H, W, 3) and masks (N, H, W).

    Raises
    ------
    ValueError
        For images that are not colour images from 0 to 255, masks that do not fit them, and options
        out of range.

    References
    ----------
    Tellez et al. 2019 (arXiv:1902.06543), stain augmentation, with channels in place of two dyes.
    """
    images = _checks.images(source_images, name="source images")
    masks = _domains.masks(source_masks)
    if images.shape[:3] != masks.shape:
        raise ValueError(
            f"Images {images.shape} and masks {masks.shape} do not belong together: "
            "(N, H, W, 3) and (N, H, W)."
        )
    ranges = _appearance.Ranges(stain, mix, light, zoom, blur, noise)
    ranges.check()
    random = np.random.default_rng(seed)
    new_images, new_masks = np.empty(images.shape, np.uint8), np.empty_like(masks)
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        new_images[index], new_masks[index] = _appearance.randomised(image, mask, ranges, random)
    return new_images, new_masks


def synthesise_from_masks(
    source_masks: ArrayLike,
    *,
    target_intensities: tuple | None = None,
    dark_background: float = 0.9,
    spread: float = 0.125,
    blur: float = 1.0,
    bias: float = 0.4,
    noise: float = 0.06,
    coarse: float = 2.0,
    seed: int = 0,
) -> np.ndarray:
    """Return a synthetic image for each mask, with a random grey level in each region.

    For each image a mean and a standard deviation of each region are drawn. Then come a blur
    (partial volume), a smooth bias field (the coil), a lower resolution, noise, and a gamma from
    0.7 to 1.4. Without `target_intensities` no image is looked at: all ranges are assumptions, wide
    on purpose.

    Parameters
    ----------
    source_masks : array_like, shape (N, H, W)
        Whole numbers, a class index per pixel.
    target_intensities : tuple of two arrays, shape (classes,), optional
        Means and standard deviations of all classes in the target, as `estimate_intensities` gives
        them. The means drawn are these, with a standard deviation of 10 grey levels; the standard
        deviations drawn are 0.2 to 0.8 of these.
    dark_background : float
        Share of images in which class 0 is nearly black, as air is; 0 to 1.
    spread : float
        Largest standard deviation of a region, as a share of white.
    blur : float
        Largest standard deviation of the Gaussian blur, in pixels.
    bias : float
        Largest strength of the bias field, 0 to below 1.
    noise : float
        Largest standard deviation of the noise, as a share of white.
    coarse : float
        The resolution is lowered by a factor of 1 to this; at least 1.
    seed : int
        Draws everything.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, 3)
        uint8, three equal channels.

    Raises
    ------
    ValueError
        For masks that are not whole numbers (N, H, W), and options out of range.

    References
    ----------
    SynthSeg: Billot et al. 2023 (arXiv:2107.09559), sec. 3.2, without its deformations.
    """
    masks = _domains.masks(source_masks)
    ranges = _synthesis.Ranges(dark_background, spread, blur, bias, noise, coarse)
    ranges.check()
    intensities = None
    if target_intensities is not None:
        intensities = _synthesis.checked_intensities(target_intensities, int(masks.max()) + 1)
    random = np.random.default_rng(seed)
    images = np.empty(masks.shape, np.uint8)
    for index, mask in enumerate(masks):
        image = _synthesis.painted(mask, intensities, ranges, random)
        images[index] = _images.to_uint8(image)
    return np.repeat(images[..., None], 3, axis=-1)


def subdivide(
    source_images: ArrayLike, source_masks: ArrayLike, *, class_index: int = 0, parts: int = 3
) -> np.ndarray:
    """Return masks in which one class is divided by brightness, for `synthesise_from_masks`.

    Around a brain, class 0 is air, skull and skin: if it gets one grey level, a network never sees
    a skull in training. The darkest part keeps the class index; the others get new ones, from the
    highest on. Synthesise images from these masks, and train on the masks as they were. One set of
    thresholds (Otsu's) serves all images.

    Parameters
    ----------
    source_images : array_like, shape (N, H, W, channels)
        0 to 255.
    source_masks : array_like, shape (N, H, W)
        Whole numbers, a class index per pixel.
    class_index : int
        The class that is divided.
    parts : int
        Into how many parts, at least 2.

    Returns
    -------
    numpy.ndarray, shape (N, H, W)
        int64.

    Raises
    ------
    ValueError
        For masks that do not fit the images, a class that is missing or has too few grey levels,
        and fewer than two parts.

    References
    ----------
    The division of labels in SynthSeg (Billot et al. 2023, arXiv:2107.09559), with Otsu's
    thresholds in place of expectation maximisation.
    """
    images, masks = np.asarray(source_images), _domains.masks(source_masks)
    if images.ndim != 4 or images.shape[:3] != masks.shape:
        raise ValueError(
            f"Images {images.shape} and masks {masks.shape} do not belong together: "
            "(N, H, W, channels) and (N, H, W)."
        )
    grey = np.round(images.mean(-1)).astype(int)
    inside = masks == class_index
    levels = len(np.unique(grey[inside]))
    if parts < 2 or levels < parts:
        raise ValueError(
            f"class_index={class_index!r} has {levels} grey levels in these images, too few for "
            f"parts={parts!r}; at least two parts are made."
        )
    thresholds = filters.threshold_multiotsu(grey[inside], parts)
    part = np.digitize(grey, thresholds, right=True)
    return np.where(inside & (part > 0), masks.max() + part, masks).astype(np.int64)


def estimate_intensities(
    source_masks: ArrayLike, target_images: ArrayLike, *, smooth: float = 2.0, iterations: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each class's grey level in the target, without masks.

    A mixture of one normal distribution per class is fitted to the target's pixels by expectation
    maximisation. Where in the image each class is expected comes from the source: its mean masks,
    blurred. So both domains must show the same organ in the same place, and a rare class is found
    badly.

    Parameters
    ----------
    source_masks : array_like, shape (N, H, W)
        Whole numbers, a class index per pixel.
    target_images : array_like, shape (M, H, W, channels)
        0 to 255, without labels; 40 images are plenty.
    smooth : float
        Standard deviation of the blur of the mean masks, in pixels, at least 0.
    iterations : int
        Number of iterations, at least 1.

    Returns
    -------
    tuple of numpy.ndarray
        Means (classes,) and standard deviations (classes,), in grey levels.

    Raises
    ------
    ValueError
        For masks and images that do not fit, an empty target, and options out of range.

    References
    ----------
    Van Leemput et al. 1999, doi:10.1109/42.811270; Ashburner & Friston 2005,
    doi:10.1016/j.neuroimage.2005.02.018.
    """
    masks, images = _domains.masks(source_masks), np.asarray(target_images)
    if images.ndim != 4 or not len(images) or images.shape[1:3] != masks.shape[1:]:
        raise ValueError(
            f"Target images {images.shape} and source masks {masks.shape} should be of one size, "
            "and at least one of each."
        )
    _checks.whole_number("iterations", iterations, 1)
    if smooth < 0:
        raise ValueError(f"smooth={smooth!r} is a blur in pixels, at least 0; try 2.")
    grey = images.mean(-1, dtype=np.float32)[..., None]
    return _mixture.fit(grey, _mixture.location_prior(masks, smooth), iterations)
