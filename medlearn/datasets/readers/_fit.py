"""Own pictures, masks and boxes in a square: its central part cut out, or black added around."""

import numpy as np
from PIL import Image

from medlearn.datasets import _crop

FITS = ("crop", "letterbox")
_Part = tuple[int, int, int, int]  # top, left, height, width


def pixels(image: np.ndarray, size: int, fit: str) -> np.ndarray:
    """Return a picture as a square of uint8, shape (size, size, 3).

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (H, W, 3)
        A picture.
    size : int
        Pixels a side.
    fit : {"crop", "letterbox"}
        The central square, or the whole picture with black above and below, or left and right.
    """
    if fit == "crop":
        return _crop.square(image, size)
    _, (top, left, height, width) = parts(image.shape[0], image.shape[1], size, fit)
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    square = np.zeros((size, size, *image.shape[2:]), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(resized)
    return square


def mask(classes: np.ndarray, size: int, fit: str) -> np.ndarray:
    """Return a mask as a square: each pixel is the class that covers most of it.

    Of two classes that cover a pixel equally, the first one is taken. What a letterbox adds is
    class 0.

    Parameters
    ----------
    classes : numpy.ndarray of uint8, shape (H, W)
        Class of each pixel.
    size : int
        Pixels a side.
    fit : {"crop", "letterbox"}
        As in `pixels`.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size)
    """
    source, (top, left, height, width) = parts(classes.shape[0], classes.shape[1], size, fit)
    part = classes[source[0] : source[0] + source[2], source[1] : source[1] + source[3]]
    largest = np.zeros((height, width), np.float32)
    resized = np.zeros((height, width), np.uint8)
    for index in np.unique(part):
        indicator = Image.fromarray((part == index).astype(np.float32))
        shares = np.asarray(indicator.resize((width, height), Image.Resampling.BOX))
        is_larger = shares > largest + 1e-6
        resized[is_larger] = index
        largest = np.maximum(largest, shares)
    square = np.zeros((size, size), np.uint8)
    square[top : top + height, left : left + width] = resized
    return square


def boxes(edges: np.ndarray, height: int, width: int, size: int, fit: str) -> np.ndarray:
    """Return boxes [y0, x0, y1, x1, class] in pixels of the square.

    Parameters
    ----------
    edges : numpy.ndarray, shape (k, 5)
        In pixels of the picture.
    height, width : int
        Of the picture.
    size : int
        Pixels a side.
    fit : {"crop", "letterbox"}
        As in `pixels`. A crop leaves out the boxes whose centre it cuts off.
    """
    if fit == "crop":
        return _crop.square_boxes(edges, height, width, size)
    _, (top, left, new_height, new_width) = parts(height, width, size, fit)
    scale = np.array([new_height / height, new_width / width] * 2)
    return np.column_stack([edges[:, :4] * scale + [top, left, top, left], edges[:, 4]])


def spacing(pixel: np.ndarray, height: int, width: int, size: int, fit: str) -> np.ndarray:
    """Return the height and width of a pixel of the square.

    Parameters
    ----------
    pixel : numpy.ndarray, shape (2,)
        Height and width of a pixel of the picture, in any unit.
    height, width : int
        Of the picture.
    size : int
        Pixels a side.
    fit : {"crop", "letterbox"}
        As in `pixels`.
    """
    if fit == "crop":
        return _crop.square_spacing(pixel, height, width, size)
    _, (_, _, new_height, new_width) = parts(height, width, size, fit)
    return pixel * np.array([height / new_height, width / new_width])


def parts(height: int, width: int, size: int, fit: str) -> tuple[_Part, _Part]:
    """Return the part of the picture that is read, and the part of the square that it fills.

    Parameters
    ----------
    height, width : int
        Of the picture.
    size : int
        Pixels a side of the square.
    fit : {"crop", "letterbox"}
        As in `pixels`.

    Returns
    -------
    two tuples of int
        Top, left, height and width.
    """
    if fit == "crop":
        top, left, side = _crop.central_square(height, width)
        return (top, left, side, side), (0, 0, size, size)
    longest = max(height, width)
    new_height = max(round(height * size / longest), 1)
    new_width = max(round(width * size / longest), 1)
    target = ((size - new_height) // 2, (size - new_width) // 2, new_height, new_width)
    return (0, 0, height, width), target
