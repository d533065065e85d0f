"""From the bytes of a file to arrays: decode, crop to the central square, resize."""

import io

import numpy as np
from PIL import Image


def decode(data: bytes, mode: str = "RGB") -> np.ndarray:
    """Bytes of an image file as uint8 (H, W, 3), or (H, W) with mode "L"."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode))


def decode_file(files, name: str, mode: str = "RGB", most: int = 50_000_000) -> np.ndarray:
    """The image file `name` of `files` (paths to bytes) as `decode` gives it.

    Raises ValueError with the name if it is no image, is damaged, or says it has more than `most` pixels.
    """
    data = files[name]
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > most:
                raise ValueError(f"{image.width} x {image.height} pixels are more than {most:,}")
        return decode(data, mode)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"The file {name!r} cannot be read as an image: {error}.") from error


def square(image: np.ndarray, size: int | None, labels: bool = False) -> np.ndarray:
    """The central square of a uint8 image (H, W) or (H, W, 3), `size` pixels a side; size None returns it whole.

    Images are resampled with Pillow's bicubic filter, which widens with the reduction and so does not alias; with
    labels=True the nearest pixel is taken, because a value between two classes means nothing.
    """
    if size is None:
        return image
    top, left, side = _central(image.shape[0], image.shape[1])
    filtering = Image.Resampling.NEAREST if labels else Image.Resampling.BICUBIC
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(image).resize((size, size), filtering, box=box))


def square_boxes(boxes: np.ndarray, height: int, width: int, size: int | None) -> np.ndarray:
    """Boxes (k, 5) of a height x width image as they lie in `square(image, size)`.

    A box stays if its centre lies inside the central square, and is clipped to it.
    """
    if size is None:
        return boxes
    top, left, side = _central(height, width)
    corners = boxes[:, :4] - np.array([top, left, top, left])
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    inside = ((centres >= 0) & (centres < side)).all(axis=1)
    corners = corners.clip(0, side) * (size / side)
    return np.column_stack([corners, boxes[:, 4]])[inside]


def square_spacing(spacing: np.ndarray, height: int, width: int, size: int | None) -> np.ndarray:
    """Millimetres or micrometres per pixel after `square`, from those before."""
    return spacing if size is None else spacing * (_central(height, width)[2] / size)


def _central(height: int, width: int) -> tuple[int, int, int]:
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side
