"""PNG, JPEG, TIFF and BMP: upright as the camera's EXIF says, RGB from any colour mode, deep greys windowed last."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from medlearn.datasets.readers._frame import Frame, check_values, three_channels, to_bytes
from medlearn.datasets.readers._problems import Unreadable, short

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")


def frames(data: bytes, window: tuple[float, float] | None = None, most: int = 1) -> list[Frame]:
    """The picture in `data`, the first one of a file with several pages; raises Unreadable."""
    values, notes = decoded(data)
    if values.dtype != np.uint8:
        values = to_bytes(values, window)
    return [Frame(values if values.ndim == 3 else three_channels(values), warnings=tuple(notes))]


def decoded(data: bytes) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """uint8 (H, W) or (H, W, 3), or deep greys (H, W) as they are stored; and warnings. Raises Unreadable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                check_values(image.width * image.height)
                pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
                return _upright(image), _pages(pages)
        except Unreadable:
            raise
        except Image.DecompressionBombError as error:
            raise Unreadable(
                "the header declares far too many pixels",
                "export it smaller, or check that the file is whole",
            ) from error
        except Exception as error:  # Pillow's plugins raise many kinds on damaged files
            raise Unreadable(
                f"the picture is damaged ({short(error)})", "copy or export it anew from its source"
            ) from error


def _upright(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return np.asarray(image)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        glass = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(glass, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _pages(pages: int) -> list[tuple[str, str]]:
    if pages <= 1:
        return []
    return [
        (
            f"the file has {pages} pages, and only the first was read",
            "save each page as a file of its own if you need them",
        )
    ]
