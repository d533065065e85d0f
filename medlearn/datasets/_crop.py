"""Crop images, boxes and spacing to the central square, and resize them."""

import numpy as np
from PIL import Image


def square(image: np.ndarray, size: int | None, labels: bool = False) -> np.ndarray:
    """Return the central square of an image, resized.

    Images are resampled with Pillow's bicubic filter, which widens with the reduction and so does
    not alias.

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (H, W) or (H, W, 3)
        An image or a mask.
    size : int or None
        Pixels a side; None returns the image whole.
    labels : bool
        Whether values are classes; then the nearest pixel is taken, because a value between two
        classes means nothing.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size) or (size, size, 3)
    """
    if size is None:
        return image
    top, left, side = central_square(image.shape[0], image.shape[1])
    resampling = Image.Resampling.NEAREST if labels else Image.Resampling.BICUBIC
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(image).resize((size, size), resampling, box=box))


def square_boxes(boxes: np.ndarray, height: int, width: int, size: int | None) -> np.ndarray:
    """Return the boxes of an image as they lie in `square(image, size)`.

    A box stays if its centre lies inside the central square, and is clipped to it.

    Parameters
    ----------
    boxes : numpy.ndarray, shape (k, 5)
        [y0, x0, y1, x1, class] in pixels of the image.
    height, width : int
        Of the image.
    size : int or None
        Pixels a side of the square; None for the whole image.

    Returns
    -------
    numpy.ndarray, shape (up to k, 5)
    """
    if size is None:
        return boxes
    top, left, side = central_square(height, width)
    corners = boxes[:, :4] - np.array([top, left, top, left])
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    inside = ((centres >= 0) & (centres < side)).all(axis=1)
    corners = corners.clip(0, side) * (size / side)
    return np.column_stack([corners, boxes[:, 4]])[inside]


def square_spacing(spacing: np.ndarray, height: int, width: int, size: int | None) -> np.ndarray:
    """Return the size of a pixel after `square`.

    Parameters
    ----------
    spacing : numpy.ndarray, shape (2,) or (N, 2)
        Height and width of a pixel before, in any unit.
    height, width : int
        Of the image.
    size : int or None
        Pixels a side of the square; None for the whole image.

    Returns
    -------
    numpy.ndarray
        Of the same shape and unit.
    """
    return spacing if size is None else spacing * (central_square(height, width)[2] / size)


def central_square(height: int, width: int) -> tuple[int, int, int]:
    """Return top, left and side of the central square, in pixels.

    Parameters
    ----------
    height, width : int
        Of the image.
    """
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side
