"""From the bytes of an image file to an array."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

_MAX_PIXELS = 50_000_000
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def image(files: Mapping[str, bytes], name: str, mode: str = "RGB") -> np.ndarray:
    """Return one image file as uint8.

    Parameters
    ----------
    files : mapping of str to bytes
        Contents by path.
    name : str
        Path of the image.
    mode : {"RGB", "L"}
        Colours (H, W, 3), or grey (H, W).

    Returns
    -------
    numpy.ndarray of uint8

    Raises
    ------
    ValueError
        With the name, if the file is no image, is damaged, or declares too many pixels.
    """
    data = files[name]
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise ValueError(f"{opened.width} x {opened.height} pixels are too many")
            return np.asarray(opened.convert(mode))
    except _DAMAGE as error:
        raise ValueError(f"The file {name!r} cannot be read as an image: {error}.") from error
