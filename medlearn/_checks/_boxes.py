"""The check of boxes."""

import numpy as np
from numpy.typing import ArrayLike


def boxes(
    values: ArrayLike,
    *,
    columns: int = 4,
    shape: tuple[int, int] | None = None,
    classes: int | None = None,
) -> np.ndarray:
    """Check the boxes of one image.

    Parameters
    ----------
    values : array_like, shape (K, 4), (K, 5) or (K, 6)
        Rows of [y0, x0, y1, x1, class index, score], edges in pixels; an empty list is no box.
    columns : int
        How many columns there must be at least: 5 with a class, 6 with a score.
    shape : tuple of int, optional
        (height, width) of the image, if boxes that lie wholly outside it are an error.
    classes : int, optional
        The number of classes, if the fifth column must be a whole number below it.

    Returns
    -------
    numpy.ndarray, shape (K, columns or more)
        The boxes as float64.

    Raises
    ------
    ValueError
        Names the first box with NaN, without area, outside the image, or of an unknown class;
        also for another shape or text.
    """
    array = _numbers(values)
    if array.size == 0 and array.ndim < 2:
        array = np.zeros((0, max(4, columns)))
    if array.ndim != 2 or not max(4, columns) <= array.shape[1] <= 6:
        row = ", ".join(["y0", "x0", "y1", "x1", "class", "score"][: max(4, columns)])
        raise ValueError(
            f"Boxes are rows [{row}], an array (K, {columns}); "
            f"the shape of this one is {array.shape}."
        )
    y0, x0, y1, x1 = array[:, :4].T
    _refuse(
        ~np.isfinite(array).all(1), array, "holds NaN or infinity; drop it or mend the annotation"
    )
    _refuse(
        (y1 <= y0) | (x1 <= x0),
        array,
        "has no area: y1 must exceed y0 and x1 exceed x0; drop it or swap its corners",
    )
    if shape is not None:
        _refuse(
            (y1 <= 0) | (x1 <= 0) | (y0 >= shape[0]) | (x0 >= shape[1]),
            array,
            f"lies outside its image of {shape[0]} x {shape[1]} pixels; "
            "were the images resized without their boxes?",
        )
    if classes is not None and array.shape[1] > 4:
        _refuse(
            ~np.isin(array[:, 4], np.arange(classes)),
            array,
            f"is of an unknown class: classes are whole numbers from 0 to {classes - 1}",
        )
    return array


def _numbers(values: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError):
        raise ValueError(
            "Boxes are rows of numbers, [y0, x0, y1, x1] and perhaps a class and a score; "
            "these hold text or rows of different lengths."
        ) from None


def _refuse(wrong: np.ndarray, boxes: np.ndarray, problem: str) -> None:
    """Raise ValueError for the first box that is wrong, if there is any."""
    if wrong.any():
        first = int(wrong.argmax())
        box = np.round(boxes[first], 2).tolist()
        raise ValueError(f"Box {first} of {len(boxes)}, {box}, {problem}.")
