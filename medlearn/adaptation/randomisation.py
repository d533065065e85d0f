"""Domain randomisation: pictures of any contrast, painted from the source's masks alone."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage import filters

_BIAS_CELLS = 4                        # of the uneven field, along a side
_WHITE = 255


def contrasts(source_masks: ArrayLike, *, dark_background: float = 0.9, spread: float = 0.125, blur: float = 1.0, bias: float = 0.4,
              noise: float = 0.06, coarse: float = 2.0, seed: int = 0) -> np.ndarray:
    """One simulated image uint8 (N, H, W, 3), grey repeated, for each mask (N, H, W): each region gets a grey by chance.

    For each image and region a mean from 0 to 255 and a spread of up to `spread` times 255 are drawn; then come a blur of up to
    `blur` pixels (partial volume), a smooth field of up to +- `bias` (the coil), a resolution up to `coarse` times lower,
    Gaussian noise of up to `noise` times white, and a gamma from 0.7 to 1.4. dark_background: the share of images in which
    region 0 stays nearly black, as air does. All ranges are assumptions, wide on purpose, and look at no image at all.
    Raises ValueError for masks that are not whole numbers (N, H, W) and for options out of range.
    Source: Billot et al. 2023, SynthSeg (arXiv:2107.09559), sec. 3.2, without its deformations.
    """
    masks = _checked(source_masks, dark_background, spread, blur, bias, noise, coarse)
    random = np.random.default_rng(seed)
    painted = np.empty(masks.shape, np.uint8)
    for image, mask in zip(painted, masks):
        grey = _greys(random, mask, dark_background, spread)
        grey = ndimage.gaussian_filter(grey, random.uniform(0, blur))
        grey = _coarser(grey * _field(random, mask.shape, bias), random.uniform(1, coarse))
        grey = grey + random.uniform(0, noise) * _WHITE * random.standard_normal(mask.shape)
        image[:] = np.round(_WHITE * np.clip(grey / _WHITE, 0, 1) ** random.uniform(0.7, 1.4))
    return np.repeat(painted[..., None], 3, axis=-1)


def subdivide(source_images: ArrayLike, source_masks: ArrayLike, *, region: int = 0, into: int = 3) -> np.ndarray:
    """The masks with one region cut by brightness into so many parts, so that what has no label is painted too; (N, H, W).

    source_images: (N, H, W, channels), 0 to 255; source_masks: whole numbers (N, H, W). Around a brain region 0 is air, skull and skin:
    painted as one, a network never sees a skull until it meets one. The darkest part keeps its number, the others are
    numbered on from the highest; train on the masks as they were, paint with `contrasts` from these. One set of thresholds
    (Otsu's) serves all images. Raises ValueError for masks that do not fit, a region that is missing or has too few greys,
    and fewer than two parts. Source: the splitting of labels in SynthSeg (Billot et al. 2023, arXiv:2107.09559), with Otsu's
    thresholds in place of its expectation maximisation.
    """
    images, masks = np.asarray(source_images), _whole(source_masks)
    if images.ndim != 4 or images.shape[:3] != masks.shape:
        raise ValueError(f"Images {images.shape} and masks {masks.shape} do not belong together: (N, H, W, channels) and (N, H, W).")
    grey, here = np.round(images.mean(-1)).astype(int), masks == region
    if into < 2 or len(np.unique(grey[here])) < into:
        raise ValueError(f"region={region!r} has {len(np.unique(grey[here]))} greys in these images, too few for into={into!r} parts; at least two are made.")
    part = np.digitize(grey, filters.threshold_multiotsu(grey[here], into), right=True)
    return np.where(here & (part > 0), masks.max() + part, masks).astype(np.int64)


def _greys(random, mask: np.ndarray, dark_background: float, spread: float) -> np.ndarray:
    regions = int(mask.max()) + 1
    means, spreads = random.uniform(0, _WHITE, regions), random.uniform(0, _WHITE * spread, regions)
    if random.random() < dark_background:
        means[0], spreads[0] = random.uniform(0, 8), random.uniform(0, 4)
    return means[mask] + spreads[mask] * random.standard_normal(mask.shape)


def _field(random, shape: tuple[int, int], bias: float) -> np.ndarray:
    """Smooth, from 1 - strength to 1 + strength, with a strength of up to `bias`."""
    knots = random.uniform(-1, 1, (_BIAS_CELLS, _BIAS_CELLS)) * random.uniform(0, bias)
    return 1 + ndimage.zoom(knots, np.array(shape) / _BIAS_CELLS, order=1, mode="nearest", grid_mode=True)


def _coarser(grey: np.ndarray, by: float) -> np.ndarray:
    """Sampled at a resolution so many times lower, and back."""
    small = ndimage.zoom(grey, np.maximum(np.round(np.array(grey.shape) / by), 2) / grey.shape, order=1, mode="nearest", grid_mode=True)
    return ndimage.zoom(small, np.array(grey.shape) / small.shape, order=1, mode="nearest", grid_mode=True)


def _checked(masks, dark_background: float, spread: float, blur: float, bias: float, noise: float, coarse: float) -> np.ndarray:
    masks = _whole(masks)
    if not 0 <= dark_background <= 1 or min(spread, blur, noise) < 0 or not 0 <= bias < 1 or coarse < 1:
        raise ValueError(f"dark_background={dark_background!r} is a share, spread={spread!r}, blur={blur!r} and noise={noise!r} are at "
                         f"least 0, bias={bias!r} from 0 to below 1, coarse={coarse!r} at least 1.")
    return masks


def _whole(masks) -> np.ndarray:
    masks = np.asarray(masks)
    if masks.ndim != 3 or not masks.size or masks.dtype.kind not in "iu" or masks.min() < 0:
        raise ValueError(f"source_masks should be whole numbers of at least 0, (N, H, W), one region a pixel; they are "
                         f"{masks.dtype} of shape {masks.shape}.")
    return masks
