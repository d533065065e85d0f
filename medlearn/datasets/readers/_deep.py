"""Colours of 16 bits in PNG and TIFF: Pillow keeps their upper bytes only, so both are decoded."""

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from medlearn.datasets.readers._problems import Unreadable

_HIGHEST = 65535
_BITS, _PLANES = 258, 284  # tags of TIFF 6.0: BitsPerSample, PlanarConfiguration
_DEPTH, _COLOURS, _HEAD_END = 24, 25, 29  # bytes of a PNG: bit depth, colour type, end of its head
_GREY_ALPHA, _RGB_ALPHA = 4, 6  # colour types
_OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


def channels(data: bytes, image: Image.Image, is_upright: bool = True) -> np.ndarray | None:
    """Return the values of a picture with several channels of 16 bits.

    Parameters
    ----------
    data : bytes
        Content of the file.
    image : PIL.Image.Image
        The opened file, at the page to read and not loaded yet.
    is_upright : bool
        Whether the picture is turned as its EXIF header says.

    Returns
    -------
    numpy.ndarray of uint16, shape (H, W, C), or None
        Grey and alpha, RGB, or RGB and alpha; None for any other picture.

    Raises
    ------
    Unreadable
        If each channel is stored in a plane of its own.
    """
    if image.format == "PNG" and data[_DEPTH] == 16 and data[_COLOURS] == _GREY_ALPHA:
        halves = _values(_opened(_as_four_bytes(data), 0), is_upright).astype(np.uint16)
        return halves[..., ::2] << 8 | halves[..., 1::2]
    if not _is_deep(data, image):
        return None
    if _tags(image).get(_PLANES, 1) != 1:
        raise Unreadable(
            "its colours have 16 bits and lie in separate planes, which is not read",
            "save it with interleaved channels, or as PNG",
        )
    high = _values(_opened(data, image.tell()), is_upright)
    low = _values(_with_low_bytes(data, image.tell()), is_upright)
    return high.astype(np.uint16) << 8 | low


def over_white(values: np.ndarray) -> np.ndarray:
    """Return a picture without its alpha channel, on white where it is transparent.

    Parameters
    ----------
    values : numpy.ndarray of uint16, shape (H, W, C)
        As `channels` returns them. White is the highest value that occurs, or 65535 if the picture
        uses more than half of the range.

    Returns
    -------
    numpy.ndarray of uint16, shape (H, W) or (H, W, 3)
    """
    colours = values if values.shape[-1] == 3 else values[..., :-1]
    if colours is not values:
        alpha = values[..., -1:] / _HIGHEST
        highest = int(colours.max(where=alpha > 0, initial=0))
        white = _HIGHEST if uses_full_range(highest) else highest
        colours = np.round(colours * alpha + white * (1 - alpha)).astype(np.uint16)
    return colours if colours.shape[-1] == 3 else colours[..., 0]


def uses_full_range(highest: int) -> bool:
    """Say whether a picture of 16 bits uses more than half of their range."""
    return highest > _HIGHEST // 2


def _is_deep(data: bytes, image: Image.Image) -> bool:
    if image.mode not in ("RGB", "RGBA", "RGBX", "RGBa"):
        return False
    if image.format == "PNG":
        return data[_DEPTH] == 16
    return image.format == "TIFF" and 16 in tuple(_tags(image).get(_BITS, ()))


def _tags(image: Image.Image) -> dict[int, Any]:
    return getattr(image, "tag_v2", {})


def _opened(data: bytes, page: int) -> Any:
    image = Image.open(io.BytesIO(data), formats=("PNG", "TIFF"))
    image.seek(page)
    return image


def _values(image: Image.Image, is_upright: bool) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(image) if is_upright else image)


def _with_low_bytes(data: bytes, page: int) -> Image.Image:
    """Return a picture of the lower bytes: Pillow reads them in the other order."""
    image = _opened(data, page)
    image.tile = [_swapped(part) for part in image.tile]
    return image


def _swapped(part: Any) -> Any:
    """Return a part of a file, as Pillow describes it, with the other order of bytes."""
    arguments = part[3]
    if isinstance(arguments, str):
        arguments = _other_order(arguments)
    else:
        arguments = (_other_order(arguments[0]), *arguments[1:])
    if hasattr(part, "_replace"):  # a named tuple since Pillow 11
        return part._replace(args=arguments)
    return (*part[:3], arguments)


def _other_order(raw_mode: str) -> str:
    name, _, order = raw_mode.partition(";")
    return f"{name};{_OTHER_BYTE[order]}"


def _as_four_bytes(data: bytes) -> bytes:
    """Return a PNG of grey and alpha, 16 bits each, as one of four channels of 8 bits."""
    head = bytearray(data[12:_HEAD_END])
    head[_DEPTH - 12], head[_COLOURS - 12] = 8, _RGB_ALPHA
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[_HEAD_END + 4 :]
