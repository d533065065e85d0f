"""PNG, JPEG, TIFF, BMP, GIF: upright as EXIF says, RGB from any mode, deep greys windowed."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from medlearn.datasets.readers._frame import (
    Frame,
    Window,
    check_values,
    nan_warnings,
    three_channels,
    windowed,
)
from medlearn.datasets.readers._problems import Unreadable, short

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF")
_BIG_TIFF = (b"II+\0", b"MM\0+")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", *_BIG_TIFF, b"BM", b"GIF8")
_TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")


def is_picture(data: bytes) -> bool:
    """Say whether bytes are a PNG, JPEG, TIFF, BMP or GIF file, by its first bytes."""
    return data.startswith(_MAGIC)


def frames(data: bytes, window: Window | None = None, count: int = 1) -> list[Frame]:
    """Return the picture in a file, the first one of a file with several pages.

    Parameters
    ----------
    data : bytes
        Content of the file.
    window : (float, float), optional
        Centre and width for deep greys; None for percentiles.
    count : int
        Not used: one picture is read.

    Raises
    ------
    Unreadable
        If the file is damaged or too large.
    """
    values, notes = decoded(data)
    deep = values
    if values.dtype != np.uint8:
        values = windowed(values, window)
    pixels = values if values.ndim == 3 else three_channels(values)
    return [Frame(pixels, warnings=tuple(notes) + nan_warnings(deep))]


def decoded(data: bytes) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Return the values of a picture, upright, and warnings (what, how to fix).

    The values are uint8 (H, W) or (H, W, 3), or deep greys (H, W) as they are stored. Raises
    Unreadable.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                check_values(image.width * image.height)
                pages = getattr(image, "n_frames", 1) if image.format in ("TIFF", "GIF") else 1
                return _values(ImageOps.exif_transpose(image)), _page_warnings(pages)
        except (Unreadable, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise Unreadable(
                "the header declares far too many pixels",
                "export it smaller, or check that the file is whole",
            ) from error
        except Exception as error:  # Pillow's plugins raise many types on damaged files
            raise Unreadable(
                f"the picture is damaged ({short(error)})", "copy or export it anew from its source"
            ) from error


def _values(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I") or image.mode == "F":
        return np.asarray(image)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _page_warnings(pages: int) -> list[tuple[str, str]]:
    if pages <= 1:
        return []
    warning = f"the file has {pages} pages, and only the first was read"
    return [(warning, "save each page as a file of its own if you need them")]
