"""Small steps on finished images that several rooms share: rounding, JPEG compression."""

import io

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image


def to_uint8(values: ArrayLike) -> np.ndarray:
    """Return values rounded to the nearest whole number, clipped to 0..255, as uint8.

    Parameters
    ----------
    values : array_like
        Numbers of any shape, finite.

    Examples
    --------
    >>> to_uint8([-3.0, 12.6, 300.0]).tolist()
    [0, 13, 255]
    """
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def through_jpeg(image: np.ndarray, quality: int, *, halve_colours: bool = True) -> np.ndarray:
    """Return an image as it is after it was saved as a JPEG file and read again.

    Parameters
    ----------
    image : numpy.ndarray, shape (H, W, 3)
        uint8.
    quality : int
        From 1 (worst) to 95, as Pillow counts.
    halve_colours : bool
        Whether colours are kept at half the resolution (4:2:0), as most encoders do.

    Returns
    -------
    numpy.ndarray, shape (H, W, 3)
        uint8. The given image stays as it is.
    """
    file = io.BytesIO()
    Image.fromarray(image).save(
        file, "JPEG", quality=quality, subsampling=2 if halve_colours else 0
    )
    return np.asarray(Image.open(file, formats=("JPEG",)))
