"""The checks of masks: a class index for each pixel."""

import numpy as np
from numpy.typing import ArrayLike


def masks(
    values: ArrayLike, name: str = "masks", *, classes: int | None = None, images=None
) -> np.ndarray:
    """Check masks of one size.

    Parameters
    ----------
    values : array_like, shape (N, H, W)
        Whole numbers or booleans: the class index of each pixel.
    name : str
        What the masks are called in an error, such as ``"predictions"``.
    classes : int, optional
        The number of classes, if all values must be below it.
    images : array_like, shape (N, H, W, C), optional
        Images, if each must have a mask of its own size.

    Returns
    -------
    numpy.ndarray, shape (N, H, W)
        The same values and type.

    Raises
    ------
    ValueError
        For several sizes, another shape, no mask, fractions, and a value beyond the classes.
    """
    if values is None:
        raise ValueError(
            f"There are no {name} (None): not every data set has them, its card says which do."
        )
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
    if images is not None and np.shape(images)[:3] != array.shape:
        raise ValueError(
            f"The images have the shape {np.shape(images)} and the {name} {array.shape}: "
            "give one mask for each image, of the same size."
        )
    if classes is not None:
        _check_classes(array, name, classes)
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
    for name, array in (("masks", true_masks), ("predictions", predictions)):
        if _is_black_and_white(array):
            raise ValueError(
                f"The {name} hold 0 and 255, but the class index of each pixel is expected, "
                f"0 or 1: take {name} > 0."
            )
    if true_masks.shape != predictions.shape:
        raise ValueError(
            f"masks are {true_masks.shape} but predictions {predictions.shape}: each pixel needs "
            "both; resize the prediction to the mask, not the mask."
        )
    return true_masks, predictions


def mask_pairs(
    true_masks: ArrayLike, predictions: ArrayLike
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Check true masks and predicted masks of images, or of volumes of any sizes.

    Parameters
    ----------
    true_masks, predictions : array_like
        Whole numbers, the class index of each pixel or voxel: (N, H, W), (N, Z, Y, X), or a
        sequence of N arrays (Z, Y, X).

    Returns
    -------
    list of tuple of numpy.ndarray
        For each image or volume its mask and its prediction.

    Raises
    ------
    ValueError
        As `masks_and_predictions`, for volumes with the number of the volume, and for one-hot
        masks.
    """
    if not _are_volumes(true_masks):
        return list(zip(*masks_and_predictions(true_masks, predictions), strict=True))
    volumes, others = list(true_masks), list(predictions)  # type: ignore[arg-type]
    _check_not_one_hot(volumes[0])
    if len(volumes) != len(others):
        raise ValueError(
            f"There are {len(volumes)} masks of volumes but {len(others)} predictions: "
            "each volume needs both."
        )
    pairs = []
    for number, pair in enumerate(zip(volumes, others, strict=True)):
        try:
            pairs.append(masks_and_predictions(*pair))
        except ValueError as error:
            raise ValueError(f"Volume {number}: {error}") from error
    return pairs


def _are_volumes(values: ArrayLike) -> bool:
    if isinstance(values, list | tuple):
        return len(values) > 0 and all(np.ndim(value) == 3 for value in values)
    return np.ndim(values) == 4 and np.shape(values)[0] > 0


def _check_not_one_hot(mask: ArrayLike) -> None:
    """Raise ValueError for the first of images (N, H, W, classes) that look like volumes."""
    first = np.asarray(mask)
    if first.shape[-1] > 1 and first.dtype.kind in "biu" and (first.sum(axis=-1) == 1).all():
        raise ValueError(
            "masks look one-hot, with a 0 or 1 for each class, but the class index is expected: "
            "take .argmax(-1) of masks and predictions."
        )


def _is_black_and_white(array: np.ndarray) -> bool:
    return array.dtype.kind != "b" and array.max() == 255 and bool(np.isin(array, (0, 255)).all())


def _check_classes(array: np.ndarray, name: str, classes: int) -> None:
    unknown = (array < 0) | (array >= classes)
    if not unknown.any():
        return
    index = tuple(np.argwhere(unknown)[0])
    count = unknown.any(axis=(1, 2)).sum()
    is_black_and_white = classes == 2 and _is_black_and_white(array)
    remedy = f"take {name} > 0" if is_black_and_white else "map or drop such values first"
    raise ValueError(
        f"The {name} hold values beyond the classes 0 to {classes - 1}, such as {array[index]} in "
        f"number {index[0]}; {count} of {len(array)} are affected: {remedy}."
    )


def _shape_hint(array: np.ndarray) -> str:
    if array.ndim == 4:
        return "; for probabilities take .argmax(-1) first"
    if array.ndim == 2:
        return "; a single one goes in as mask[None]"
    return ""
