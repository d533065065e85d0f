"""Mask files: the values as they were drawn, from any picture format."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn.datasets.readers import _deep, _dicom, _formats, _nifti, _paths, _pictures
from medlearn.datasets.readers._frame import check_values
from medlearn.datasets.readers._problems import Unreadable

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF")
_ORIENTATION = 0x0112  # the EXIF tag that says how to turn a picture
_OPAQUE = 255
_NAMES = ", ".join(_FORMATS)
_PNG_BITS = 24  # where the header says how many bits a grey has
_TIFF_BITS = 258  # the tag that says it


def read(path: Path, *, as_stored: bool = False) -> tuple[np.ndarray, bool]:
    """Return the values (H, W) of a mask as stored, and whether the file compresses with losses.

    Indices of a palette are kept. Where a mask has an alpha channel, transparent pixels are
    background; a mask of one colour is its alpha channel.

    Parameters
    ----------
    path : Path
        The file.
    as_stored : bool
        Return greys of 2 or 4 bits as they are stored, such as 0 to 3, and not spread over 0 to
        255, as pictures show them.

    Raises
    ------
    Unreadable
        If it is damaged, of another format, has several pages, or colours whose meaning is unknown.
    """
    data = _paths.contents(path)
    if not _pictures.is_picture(data):
        raise Unreadable(_no_picture(data), "save it as PNG or TIFF, one grey per class")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                pages = _pictures.seek_full_size(image)
                check_values(image.width * image.height)
                if pages > 1:
                    raise Unreadable(
                        f"its mask has {_pictures.pages_in_words(pages)}",
                        "save one page, with one grey per class",
                    )
                deep = _deep.channels(data, image, is_upright=False)
                if deep is not None:
                    return _deep_values(deep), False
                values = _values(image)
                if as_stored and image.mode == "L":
                    values = values // _spread(image, data)
                return values, image.format == "JPEG"
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # Pillow's plugins raise many types on damaged files
        raise _pictures.undecodable(data, error, "its mask") from error


def _no_picture(data: bytes) -> str:
    """Return what is wrong with a mask that is no picture."""
    if not data:
        return "its mask is an empty file"
    name = _formats.foreign(data)
    if _nifti.is_nifti(data):
        name = "a NIfTI volume"
    elif _dicom.is_dicom(data):
        name = "a DICOM file"
    return f"its mask is {name or 'of an unknown format'}, and masks are read from {_NAMES} only"


def _spread(image: Image.Image, data: bytes) -> int:
    """Return by what Pillow multiplies the greys of a file of few bits, so that they reach 255."""
    bits = 8
    if image.format == "PNG":
        bits = data[_PNG_BITS]
    elif image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, (8,))[0]
    return 255 // (2 ** min(bits, 8) - 1)


def orientation(path: Path) -> int:
    """Return the EXIF orientation of a picture, 1 if it says none.

    Parameters
    ----------
    path : Path
        The file of the picture.
    """
    try:
        with warnings.catch_warnings(), Image.open(path, formats=_FORMATS) as image:
            warnings.simplefilter("ignore")
            return int(image.getexif().get(_ORIENTATION, 1) or 1)
    except Exception:  # not a picture with EXIF
        return 1


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Return values that were drawn on stored pixels, turned as EXIF turns the picture.

    Parameters
    ----------
    values : numpy.ndarray, shape (H, W)
        Drawn on the pixels as they are stored.
    orientation : int
        1 to 8, of the picture (EXIF 2.3, tag 0x0112).
    """
    turned = values[:, ::-1] if orientation in (2, 4, 5, 7) else values
    return np.rot90(turned, _QUARTER_TURNS.get(orientation, 0))


# Counter-clockwise quarter turns after a mirror image, by orientation.
_QUARTER_TURNS = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}


def _values(image: Image.Image) -> np.ndarray:
    if image.mode in ("P", "1"):
        # A GIF of greys numbers them anew; elsewhere the indices of a palette are the classes.
        return _greys_of_gif(image) if image.format == "GIF" else np.asarray(image, np.uint8)
    if image.mode in ("RGBA", "LA", "PA"):
        return _with_alpha(image)
    values = np.asarray(image)
    if values.ndim == 3:
        if not (values == values[..., :1]).all():
            raise Unreadable("its mask has colours", "save it as greys, one grey per class")
        values = values[..., 0]
    return _whole_numbers(values)


def _deep_values(channels: np.ndarray) -> np.ndarray:
    """Return the values of a mask whose channels have 16 bits each."""
    has_alpha = channels.shape[-1] in (2, 4)
    values = channels[..., :-1] if has_alpha else channels
    if not (values == values[..., :1]).all():
        raise Unreadable("its mask has colours", "save it as greys, one grey per class")
    if has_alpha and (channels[..., -1] < channels[..., -1].max()).any():
        raise Unreadable(
            "its mask has 16 bits and is partly transparent", "save it as greys, all of it opaque"
        )
    return values[..., 0]


def _greys_of_gif(image: Image.Image) -> np.ndarray:
    colours = np.asarray(image.convert("RGB"))
    if (colours == colours[..., :1]).all():
        return colours[..., 0]
    return np.asarray(image, np.uint8)


def _with_alpha(image: Image.Image) -> np.ndarray:
    channels = np.asarray(image.convert("RGBA"))
    colours, alpha = channels[..., :3], channels[..., 3]
    visible = colours[alpha > 0]
    if not len(visible) or (visible == visible[0]).all():
        return alpha.copy()
    if not (colours == colours[..., :1]).all():
        raise Unreadable("its mask has colours", "save it as greys, one grey per class")
    return np.where(alpha == _OPAQUE, colours[..., 0], 0)


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return values
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise Unreadable(
            "its mask holds fractions or NaN", "save the class of each pixel as a whole number"
        )
    return values.astype(np.int64)
