"""Image quality: four dials that spoil a picture, and four measures that notice.

    blurred = quality.blur(images, 2.0)                              # uint8 in, uint8 out; the images given stay as they are
    normal = quality.limits(quality.measure(training_images))
    alarms = quality.alarms(quality.measure(images), normal)         # "sharpness" -> which images are outside

The dials act on finished pictures, so they work on real ones too; what happens before the camera (focus, lamp, dye) has
dials of its own in the virtual instruments (`smear.adjust`).
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image
from scipy import ndimage

_CLEAR = 95  # percentile of a colour that is taken for empty glass
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


# ---- dials: images uint8 (H, W, 3) or (N, H, W, 3) in, the same shape and type out --------------------------------


def blur(images: ArrayLike, sigma_px: float) -> np.ndarray:
    """Out of focus: a Gaussian with a standard deviation of `sigma_px` pixels, 0 or more; 0 changes nothing."""
    images = _checked(images)
    if not 0 <= sigma_px < np.inf:
        raise ValueError(f"sigma_px={sigma_px!r} is a width in pixels, 0 or more; try 1.5.")
    widths = [0] * (images.ndim - 3) + [sigma_px, sigma_px, 0]
    return _bytes(ndimage.gaussian_filter(images.astype(np.float32), widths, mode="nearest"))


def noise(images: ArrayLike, sd_grey: float, seed: int = 0) -> np.ndarray:
    """A sensor short of light: Gaussian noise of `sd_grey` grey levels (of 255), 0 or more, in each pixel and colour.

    The same seed gives the same noise to the image at the same place of a batch.
    """
    images = _checked(images)
    if not 0 <= sd_grey < np.inf:
        raise ValueError(
            f"sd_grey={sd_grey!r} is a standard deviation in grey levels, 0 or more; try 10."
        )
    grain = np.random.default_rng(seed).standard_normal(images.shape, np.float32)
    return _bytes(images + np.float32(sd_grey) * grain)


def stain(images: ArrayLike, strength: float) -> np.ndarray:
    """Too little or too much dye: `strength` times the amount, above 0; 1 changes nothing.

    Light follows the Beer-Lambert law, so the share of light that passes is raised to the power of `strength`. Empty glass,
    taken as the 95th percentile of each colour of each image, stays as bright as it is.
    Source: Ruifrok & Johnston, Anal. Quant. Cytol. Histol. 23:291, 2001.
    """
    images = _checked(images)
    if not 0 < strength < np.inf:
        raise ValueError(
            f"strength={strength!r} is a factor of the amount of dye, above 0; try 0.5 or 1.5."
        )
    glass = _glass(images)
    return _bytes(glass * (images / glass) ** np.float32(strength))


def jpeg(images: ArrayLike, quality: int) -> np.ndarray:
    """Saved too small: once through a JPEG file of `quality` 1 (worst) to 95, colours at half resolution as usual."""
    images = _checked(images)
    if not isinstance(quality, int | np.integer) or not 1 <= quality <= 95:
        raise ValueError(
            f"quality={quality!r} is JPEG's own whole number from 1 (worst) to 95; try 10."
        )
    rows = images.reshape(-1, *images.shape[-3:])
    return np.stack([_through_jpeg(row, int(quality)) for row in rows]).reshape(images.shape)


DIALS: dict[str, Callable] = {"blur": blur, "noise": noise, "stain": stain, "jpeg": jpeg}


# ---- measures: images uint8 (N, H, W, 3) in, one number an image out ---------------------------------------------


def sharpness(images: ArrayLike) -> np.ndarray:
    """Variance of the Laplacian of the grey image, float (N,), in squared grey levels: low when out of focus.

    Noise raises it, so it is to be read beside `graininess`. Source: Pech-Pacheco et al., ICPR 2000,
    doi:10.1109/ICPR.2000.903548.
    """
    return np.stack([ndimage.laplace(grey, mode="nearest").var() for grey in _grey(images)]).astype(
        float
    )


def graininess(images: ArrayLike) -> np.ndarray:
    """Estimated standard deviation of the noise in the grey image, float (N,), in grey levels.

    A mask that is blind to flat and evenly sloping places, averaged. Sharp detail counts as noise, so compare it
    between images of one kind. Source: Immerkaer, Comput. Vis. Image Underst. 64:300, 1996.
    """
    inner = [ndimage.convolve(grey, _IMMERKAER)[1:-1, 1:-1] for grey in _grey(images)]
    return np.array([np.sqrt(np.pi / 2) * np.abs(each).mean() / 6 for each in inner], float)


def density(images: ArrayLike) -> np.ndarray:
    """Mean optical density against the image's own empty glass, float (N,), base e: how much dye there is.

    Twice the dye is about twice the number; glass as in `stain`.
    """
    images = _batch(images)
    return -np.log(np.clip(images / _glass(images), 1 / 255, None)).mean((1, 2, 3)).astype(float)


def blockiness(images: ArrayLike) -> np.ndarray:
    """Steps across the borders of JPEG's 8-pixel blocks over steps elsewhere, float (N,): about 1 without JPEG.

    Sees only JPEG files that were neither cropped nor resized afterwards. Source: after Wang, Sheikh & Bovik, ICIP 2002,
    doi:10.1109/ICIP.2002.1038064. Raises ValueError for images with a side under 16 pixels.
    """
    grey = _grey(images)
    if min(grey.shape[1:]) < 16:
        raise ValueError(
            f"These images have {grey.shape[1]} x {grey.shape[2]} pixels; blocks of 8 show from 16 pixels a side on."
        )
    return np.mean(
        [_border_steps(np.abs(np.diff(grey, axis=axis)).mean(axis=3 - axis)) for axis in (1, 2)],
        axis=0,
    ).astype(float)


MEASURES: dict[str, Callable] = {
    "sharpness": sharpness,
    "graininess": graininess,
    "density": density,
    "blockiness": blockiness,
}


def measure(images: ArrayLike) -> dict[str, np.ndarray]:
    """All four measures of images uint8 (N, H, W, 3): name -> float (N,)."""
    return {name: function(images) for name, function in MEASURES.items()}


def limits(
    measured: Mapping[str, np.ndarray], outside: float = 0.02
) -> dict[str, tuple[float, float]]:
    """What is normal: name -> (low, high), so that a share `outside` of these images lies out of them, half on each side.

    measured: what `measure` says of the training images, good ones. Raises ValueError for a share outside 0..1 and for
    fewer than 20 images.
    """
    if not 0 < outside < 1:
        raise ValueError(
            f"outside={outside!r} is the share of good images that may raise an alarm, above 0 and below 1; try 0.02."
        )
    count = min(map(len, measured.values()), default=0)
    if count < 20:
        raise ValueError(f"{count} images do not tell what is normal; give at least 20 good ones.")
    shares = outside / 2, 1 - outside / 2
    return {name: tuple(np.quantile(values, shares).tolist()) for name, values in measured.items()}


def alarms(
    measured: Mapping[str, np.ndarray], normal: Mapping[str, tuple[float, float]]
) -> dict[str, np.ndarray]:
    """Which images are outside their limits: name -> bool (N,). Raises ValueError for a measure without limits."""
    missing = [name for name in measured if name not in normal]
    if missing:
        raise ValueError(
            f"There are no limits for {', '.join(missing)}; take quality.limits of the same measures."
        )
    return {
        name: (values < normal[name][0]) | (values > normal[name][1])
        for name, values in measured.items()
    }


# ---- inside ------------------------------------------------------------------------------------------------------


def _checked(images: ArrayLike) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim not in (3, 4) or images.shape[-1] != 3 or not images.size:
        raise ValueError(
            f"Images are (H, W, 3) or (N, H, W, 3), of colour and not empty; here the shape is {images.shape}."
        )
    if images.dtype != np.uint8:
        raise ValueError(
            f"Images are uint8, 0 to 255, as datasets.load gives them, not {images.dtype}."
        )
    return images


def _batch(images: ArrayLike) -> np.ndarray:
    images = _checked(images)
    if images.ndim == 3:
        raise ValueError(
            "A measure is taken of a batch (N, H, W, 3); a single image goes in as image[None]."
        )
    return images


def _grey(images: ArrayLike) -> np.ndarray:
    """float32 (N, H, W), with the weights of ITU-R BT.601."""
    return _batch(images) @ np.array([0.299, 0.587, 0.114], np.float32)


def _glass(images: np.ndarray) -> np.ndarray:
    """Grey level of empty glass in each colour, float32, at least 1, that broadcasts with the images."""
    return np.maximum(np.percentile(images, _CLEAR, axis=(-3, -2), keepdims=True), 1).astype(
        np.float32
    )


def _border_steps(steps: np.ndarray) -> np.ndarray:
    """Mean step (N, W - 1) at places 8, 16, ... over the mean of the others; flat images have none and get 1."""
    border = np.arange(1, steps.shape[1] + 1) % 8 == 0
    at, elsewhere = steps[:, border].mean(1), steps[:, ~border].mean(1)
    return (at + 1e-3) / (elsewhere + 1e-3)


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(file, formats=("JPEG",)))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
