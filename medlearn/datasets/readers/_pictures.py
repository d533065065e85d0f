"""PNG, JPEG, TIFF, BMP, GIF: upright as EXIF says, RGB from any mode, deep values windowed."""

import contextlib
import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from medlearn._images import to_uint8
from medlearn.datasets.readers import _deep, _encodings
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
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", *_BIG_TIFF, b"GIF8")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes: "BM" begins texts, too
_WITH_PAGES = ("TIFF", "GIF", "PNG")
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # TIFF 6.0, section 8
_SUBFILE, _REDUCED = 254, 1  # a page that shows another one smaller
_MOST_PAGES = 100  # that are looked at for one at full size
_FROM_16_BITS = 257  # 65535 / 255
_TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")


def is_picture(data: bytes) -> bool:
    """Say whether bytes are a PNG, JPEG, TIFF, BMP or GIF file, by its first bytes."""
    is_bmp = data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS
    return is_bmp or data.startswith(_MAGIC)


def frames(data: bytes, window: Window | None = None, count: int = 1) -> list[Frame]:
    """Return the picture in a file, the first one of a file with several pages.

    Parameters
    ----------
    data : bytes
        Content of the file.
    window : (float, float), optional
        Centre and width for deep greys and colours. None for percentiles; colours that use more
        than half of their 16 bits are then shown as they are.
    count : int
        Not used: one picture is read.

    Raises
    ------
    Unreadable
        If the file is damaged or too large.
    """
    deep, notes, is_negative = _decoded(data)
    values = deep
    if deep.ndim == 3 and deep.dtype != np.uint8:
        values, further_notes = _colours(deep, window)
        notes += further_notes
    elif deep.dtype != np.uint8:
        values = windowed(deep, window)
        values = 255 - values if is_negative else values
    pixels = values if values.ndim == 3 else three_channels(values)
    return [Frame(pixels, warnings=tuple(notes) + nan_warnings(deep))]


def _colours(values: np.ndarray, window: Window | None) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Return colours of 16 bits as 8 bits, the same way in each channel, and warnings."""
    highest = int(values.max())
    if window is not None:
        return windowed(values, window), []
    if _deep.uses_full_range(highest):
        return to_uint8(values / _FROM_16_BITS), []
    warning = (
        f"its colours have 16 bits and reach {highest:,} of 65,535 only",
        "nothing, if it looks right: its range was spread as that of deep greys is, the same way "
        "in each channel; window=(centre, width) gives all pictures one range",
    )
    return windowed(values, None), [warning]


def _decoded(data: bytes) -> tuple[np.ndarray, list[tuple[str, str]], bool]:
    """Return the values of a picture, upright, warnings, and whether deep greys grow darker.

    The values are uint8 (H, W) or (H, W, 3), or deep greys (H, W) or colours (H, W, 3) as they are
    stored. Raises Unreadable.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                notes = _page_warnings(seek_full_size(image))
                check_values(image.width * image.height)
                is_negative = _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO
                deep = _deep.channels(data, image)
                if deep is not None:
                    return _deep.over_white(deep), notes, False
                return _values(ImageOps.exif_transpose(image)), notes, is_negative
        except (Unreadable, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise Unreadable(
                "the header declares far too many pixels",
                "export it smaller, or check that the file is whole",
            ) from error
        except Exception as error:  # Pillow's plugins raise many types on damaged files
            raise undecodable(data, error, "the picture") from error


def undecodable(data: bytes, error: Exception, noun: str) -> Unreadable:
    """Return what to say of a file that Pillow cannot decode: not supported, or damaged.

    Parameters
    ----------
    data : bytes
        Content of the file.
    error : Exception
        What Pillow raised.
    noun : str
        What the file is, such as ``"its mask"``.
    """
    encoding = _encodings.unsupported(data)
    if encoding:
        return Unreadable(
            f"{noun} is {encoding}, which is not supported",
            "export it as PNG, or as TIFF of 8 or 16 bits",
        )
    return Unreadable(
        f"{noun} is damaged ({short(error)})", "copy or export it anew from its source"
    )


def seek_full_size(image: Image.Image) -> int:
    """Go to the first page that is not a small copy of another; return how many pages there are.

    Small copies are not counted, and of a TIFF file no more than 101 pages are looked at: the
    next one is found only behind the last, and there may be a million.

    Parameters
    ----------
    image : PIL.Image.Image
        As it was opened. No pixels are decoded.
    """
    if image.format != "TIFF":
        return getattr(image, "n_frames", 1) if image.format in _WITH_PAGES else 1
    full_size = []
    with contextlib.suppress(EOFError):  # after the last page
        for page in range(_MOST_PAGES + 1):
            image.seek(page)
            if page == _MOST_PAGES or not (_tag(image, _SUBFILE) or 0) & _REDUCED:
                full_size.append(page)
    image.seek(full_size[0] if full_size else 0)
    return max(len(full_size), 1)


def pages_in_words(pages: int) -> str:
    """Return a number of pages in words, such as "3 pages" or "more than 100 pages".

    Parameters
    ----------
    pages : int
        What `seek_full_size` returned.
    """
    return f"{pages} pages" if pages <= _MOST_PAGES else f"more than {_MOST_PAGES} pages"


def _tag(image: Image.Image, number: int) -> int | None:
    """Return a tag of a TIFF page; None if it has none."""
    return getattr(image, "tag_v2", {}).get(number)


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
    warning = f"the file has {pages_in_words(pages)}, and only the first was read"
    return [(warning, "save each page as a file of its own if you need them")]
