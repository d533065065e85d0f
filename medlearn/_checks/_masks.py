"""The checks of masks: a class index for each pixel."""

import numpy as np
from numpy.typing import ArrayLike


def masks(values: ArrayLike, name: str = "masks") -> np.ndarray:
    """Check masks of one size.

    Parameters
    ----------
    values : array_like, shape (N, H, W)
        Whole numbers or booleans: the class index of each pixel.
    name : str
        What the masks are called in an error, such as ``"predictions"``.

    Returns
    -------
    numpy.ndarray, shape (N, H, W)
        The same values and type.

    Raises
    ------
    ValueError
        For several sizes, another shape, no mask, or fractions.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(
            f"{name} have different sizes: score images of one size together, "
            "the others on their own."
        ) from None
    if array.ndim != 3 or not array.size:
        raise ValueError(
            f"{name} are whole numbers (N, H, W), the class index of each pixel; "
            f"here the shape is {array.shape}{_shape_hint(array)}."
        )
    if array.dtype.kind not in "biu":
        raise ValueError(
            f"{name} are {array.dtype}, but whole numbers are expected, the class index of each "
            "pixel; for probabilities take .argmax(-1)."
        )
    return array


def masks_and_predictions(
    true_masks: ArrayLike, predictions: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Check true masks and predicted masks of one shape.

    Parameters
    ----------
    true_masks, predictions : array_like, shape (N, H, W)
        Whole numbers: the class index of each pixel.

    Returns
    -------
    tuple of numpy.ndarray
        Both, as arrays.

    Raises
    ------
    ValueError
        As `masks`, and for shapes that differ.
    """
    true_masks = masks(true_masks)
    predictions = masks(predictions, "predictions")
    if true_masks.shape != predictions.shape:
        raise ValueError(
            f"masks are {true_masks.shape} but predictions {predictions.shape}: each pixel needs "
            "both; resize the prediction to the mask, not the mask."
        )
    return true_masks, predictions


def _shape_hint(array: np.ndarray) -> str:
    if array.ndim == 4:
        return "; for probabilities take .argmax(-1) first"
    if array.ndim == 2:
        return "; a single one goes in as mask[None]"
    return ""
