"""The source's images in looks that they never had: stains, light and scale by chance, or painted anew from their masks."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage import filters, transform

from medlearn.adaptation import _inputs, scale

_BIAS_CELLS = 4  # of the uneven field, along a side
_WHITE = 255


def looks(
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
    """Images uint8 (N, H, W, 3), each as another laboratory might have taken it, and masks (N, H, W) that still fit.

    In absorbance, where Beer and Lambert let dyes add up, each colour channel is multiplied by 1 - `stain` to 1 + `stain` and a
    share of up to +- `mix` of each other channel is added; empty glass gets a light of 1 - `light` to 1 in each channel. Then
    come a scale from 1 / `zoom` to `zoom` about the centre, edges mirrored, a blur of up to `blur` pixels and noise of up to
    `noise` times white. All ranges are assumptions, wide on purpose, and look at no target.
    Raises ValueError for images that are not uint8 RGB, masks that do not fit them, and options out of range.
    Source: Tellez et al. 2019 (arXiv:1902.06543), stain augmentation, with channels in place of two dyes.
    """
    images, _ = _inputs.image_pair(source_images, source_images)
    masks = _whole(source_masks)
    if images.shape[:3] != masks.shape:
        raise ValueError(
            f"Images {images.shape} and masks {masks.shape} do not belong together: (N, H, W, 3) and (N, H, W)."
        )
    if not (0 <= stain < 1 and 0 <= light < 1) or min(mix, blur, noise) < 0 or zoom < 1:
        raise ValueError(
            f"stain={stain!r} and light={light!r} are from 0 to below 1, mix={mix!r}, blur={blur!r} and noise={noise!r} at "
            f"least 0, zoom={zoom!r} at least 1."
        )
    random = np.random.default_rng(seed)
    taken, kept = np.empty_like(images), np.empty_like(masks)
    for number, (image, mask) in enumerate(zip(images, masks)):
        absorbed = -np.log(np.maximum(image, 1) / _WHITE)
        dyes = random.uniform(-mix, mix, (3, 3)) * (1 - np.eye(3)) + np.diag(
            random.uniform(1 - stain, 1 + stain, 3)
        )
        seen = random.uniform(1 - light, 1, 3) * np.exp(-np.maximum(absorbed @ dyes, 0))
        seen, kept[number] = _zoomed(seen, mask, zoom ** random.uniform(-1, 1))
        seen = ndimage.gaussian_filter(seen, (*[random.uniform(0, blur)] * 2, 0))
        seen = seen + random.uniform(0, noise) * random.standard_normal(seen.shape)
        taken[number] = np.round(_WHITE * np.clip(seen, 0, 1))
    return taken, kept


def contrasts(
    source_masks: ArrayLike,
    *,
    target_greys: tuple | None = None,
    dark_background: float = 0.9,
    spread: float = 0.125,
    blur: float = 1.0,
    bias: float = 0.4,
    noise: float = 0.06,
    coarse: float = 2.0,
    seed: int = 0,
) -> np.ndarray:
    """One simulated image uint8 (N, H, W, 3), grey repeated, for each mask (N, H, W): each region gets a grey by chance.

    For each image and region a mean from 0 to 255 and a spread of up to `spread` times 255 are drawn; then come a blur of up to
    `blur` pixels (partial volume), a smooth field of up to +- `bias` (the coil), a resolution up to `coarse` times lower,
    Gaussian noise of up to `noise` times white, and a gamma from 0.7 to 1.4. dark_background: the share of images in which
    region 0 stays nearly black, as air does. target_greys: means and spreads of all regions, as `greys` finds them; then the
    means are these, give or take 10, and the spreads a fifth to four fifths of these. All other ranges are assumptions, wide
    on purpose, and look at no image at all.
    Raises ValueError for masks that are not whole numbers (N, H, W) and for options out of range.
    Source: Billot et al. 2023, SynthSeg (arXiv:2107.09559), sec. 3.2, without its deformations.
    """
    masks = _checked(source_masks, dark_background, spread, blur, bias, noise, coarse)
    known = None if target_greys is None else _known(target_greys, masks)
    random = np.random.default_rng(seed)
    painted = np.empty(masks.shape, np.uint8)
    for image, mask in zip(painted, masks):
        means, spreads = (
            _free(random, int(mask.max()) + 1, dark_background, spread)
            if known is None
            else _near(random, *known)
        )
        grey = means[mask] + spreads[mask] * random.standard_normal(mask.shape)
        grey = ndimage.gaussian_filter(grey, random.uniform(0, blur))
        grey = _coarser(grey * _field(random, mask.shape, bias), random.uniform(1, coarse))
        grey = grey + random.uniform(0, noise) * _WHITE * random.standard_normal(mask.shape)
        image[:] = np.round(_WHITE * np.clip(grey / _WHITE, 0, 1) ** random.uniform(0.7, 1.4))
    return np.repeat(painted[..., None], 3, axis=-1)


def subdivide(
    source_images: ArrayLike, source_masks: ArrayLike, *, region: int = 0, into: int = 3
) -> np.ndarray:
    """The masks with one region cut by brightness into so many parts, so that what has no label is painted too; (N, H, W).

    source_images: (N, H, W, channels), 0 to 255; source_masks: whole numbers (N, H, W). Around a brain region 0 is air, skull
    and skin: painted as one, a network never sees a skull until it meets one. The darkest part keeps its number, the others
    are numbered on from the highest; train on the masks as they were, paint with `contrasts` from these. One set of thresholds
    (Otsu's) serves all images. Raises ValueError for masks that do not fit, a region that is missing or has too few greys,
    and fewer than two parts. Source: the splitting of labels in SynthSeg (Billot et al. 2023, arXiv:2107.09559), with Otsu's
    thresholds in place of its expectation maximisation.
    """
    images, masks = np.asarray(source_images), _whole(source_masks)
    if images.ndim != 4 or images.shape[:3] != masks.shape:
        raise ValueError(
            f"Images {images.shape} and masks {masks.shape} do not belong together: (N, H, W, channels) and (N, H, W)."
        )
    grey, here = np.round(images.mean(-1)).astype(int), masks == region
    if into < 2 or len(np.unique(grey[here])) < into:
        raise ValueError(
            f"region={region!r} has {len(np.unique(grey[here]))} greys in these images, too few for into={into!r} "
            "parts; at least two are made."
        )
    part = np.digitize(grey, filters.threshold_multiotsu(grey[here], into), right=True)
    return np.where(here & (part > 0), masks.max() + part, masks).astype(np.int64)


def greys(
    source_masks: ArrayLike, target_images: ArrayLike, *, smooth: float = 2.0, rounds: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the grey that each region of the source's masks has in the target's images: two (regions,), 0 to 255.

    A mixture of one bell curve a region, fitted by expectation maximisation; where in the picture which region is to be
    expected is the source's mean mask, blurred by `smooth` pixels. So both hospitals must show the same organ in the same
    place, and a rare region is found badly. target_images: (M, H, W, channels) of the masks' size, without labels; 40 are
    plenty. Raises ValueError for masks and images that do not fit, an empty target, and fewer than one round.
    Source: Van Leemput et al. 1999, doi:10.1109/42.811270; Ashburner & Friston 2005, doi:10.1016/j.neuroimage.2005.02.018.
    """
    masks, images = _whole(source_masks), np.asarray(target_images)
    if images.ndim != 4 or not len(images) or images.shape[1:3] != masks.shape[1:]:
        raise ValueError(
            f"Target images {images.shape} and source masks {masks.shape} should be of one size, and at least one of each."
        )
    if smooth < 0 or rounds < 1:
        raise ValueError(f"smooth={smooth!r} is at least 0 pixels, rounds={rounds!r} at least 1.")
    expected = [
        ndimage.gaussian_filter((masks == value).mean(0), smooth)
        for value in range(int(masks.max()) + 1)
    ]
    prior = (np.stack(expected, axis=-1) + 1e-6).astype(np.float32)
    prior, grey = prior / prior.sum(-1, keepdims=True), images.mean(-1, dtype=np.float32)[..., None]
    share, spreads = (
        np.broadcast_to(prior, (*grey.shape[:3], prior.shape[-1])),
        np.full(prior.shape[-1], 40, np.float32),
    )
    for number in range(rounds):
        weight = share.sum((0, 1, 2))
        means = (share * grey).sum((0, 1, 2)) / weight
        if number:  # the first means are rough: the spreads start wide
            spreads = np.maximum(np.sqrt((share * (grey - means) ** 2).sum((0, 1, 2)) / weight), 3)
        share = prior * np.exp(-0.5 * ((grey - means) / spreads) ** 2) / spreads
        share /= share.sum(-1, keepdims=True) + 1e-20
    return means, spreads


def _zoomed(image: np.ndarray, mask: np.ndarray, by: float) -> tuple[np.ndarray, np.ndarray]:
    back = scale.from_zoomed(mask.shape, by)
    return (
        transform.warp(image, back, order=1, mode="reflect"),
        transform.warp(mask, back, order=0, mode="reflect", preserve_range=True).astype(mask.dtype),
    )


def _free(
    random, regions: int, dark_background: float, spread: float
) -> tuple[np.ndarray, np.ndarray]:
    means, spreads = random.uniform(0, _WHITE, regions), random.uniform(0, _WHITE * spread, regions)
    if random.random() < dark_background:
        means[0], spreads[0] = random.uniform(0, 8), random.uniform(0, 4)
    return means, spreads


def _near(random, means: np.ndarray, spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return means + random.normal(0, 10, len(means)), spreads * random.uniform(
        0.2, 0.8, len(spreads)
    )


def _known(target_greys, masks: np.ndarray) -> np.ndarray:
    known = np.asarray(target_greys, float)
    if known.shape != (2, int(masks.max()) + 1) or not np.isfinite(known).all():
        raise ValueError(
            f"target_greys should be means and spreads of {int(masks.max()) + 1} regions, as greys(source_masks, ...) gives "
            f"for these masks; the shape is {known.shape}."
        )
    return known


def _field(random, shape: tuple[int, int], bias: float) -> np.ndarray:
    """Smooth, from 1 - strength to 1 + strength, with a strength of up to `bias`."""
    knots = random.uniform(-1, 1, (_BIAS_CELLS, _BIAS_CELLS)) * random.uniform(0, bias)
    return 1 + ndimage.zoom(
        knots, np.array(shape) / _BIAS_CELLS, order=1, mode="nearest", grid_mode=True
    )


def _coarser(grey: np.ndarray, by: float) -> np.ndarray:
    """Sampled at a resolution so many times lower, and back."""
    small = ndimage.zoom(
        grey,
        np.maximum(np.round(np.array(grey.shape) / by), 2) / grey.shape,
        order=1,
        mode="nearest",
        grid_mode=True,
    )
    return ndimage.zoom(
        small, np.array(grey.shape) / small.shape, order=1, mode="nearest", grid_mode=True
    )


def _checked(
    masks,
    dark_background: float,
    spread: float,
    blur: float,
    bias: float,
    noise: float,
    coarse: float,
) -> np.ndarray:
    masks = _whole(masks)
    if (
        not 0 <= dark_background <= 1
        or min(spread, blur, noise) < 0
        or not 0 <= bias < 1
        or coarse < 1
    ):
        raise ValueError(
            f"dark_background={dark_background!r} is a share, spread={spread!r}, blur={blur!r} and noise={noise!r} are at "
            f"least 0, bias={bias!r} from 0 to below 1, coarse={coarse!r} at least 1."
        )
    return masks


def _whole(masks) -> np.ndarray:
    masks = np.asarray(masks)
    if masks.ndim != 3 or not masks.size or masks.dtype.kind not in "iu" or masks.min() < 0:
        raise ValueError(
            f"source_masks should be whole numbers of at least 0, (N, H, W), one region a pixel; they are "
            f"{masks.dtype} of shape {masks.shape}."
        )
    return masks
