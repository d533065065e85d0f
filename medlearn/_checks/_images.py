"""The check of images."""

import numpy as np
from numpy.typing import ArrayLike

_CHUNK = 256  # images whose range is computed together, so that a memory map is streamed


def one_array(values: ArrayLike, name: str = "images") -> np.ndarray:
    """Make one array of images.

    Parameters
    ----------
    values : array_like or list of numpy.ndarray
        Images of one size.
    name : str
        What the images are called in an error, such as ``"source images"``.

    Returns
    -------
    numpy.ndarray
        The images in one array; an array is not copied.

    Raises
    ------
    ValueError
        For a list of images of several shapes.
    """
    if isinstance(values, list | tuple):
        shapes = sorted({np.shape(value) for value in values})
        if len(shapes) > 1:
            raise ValueError(
                f"The {name} have several sizes, such as {shapes[0]} and {shapes[1]}: "
                "crop or resize them to one size first."
            )
    return np.asarray(values)


def images(
    values: ArrayLike, model=None, *, name: str = "images", any_range: bool = False
) -> np.ndarray:
    """Check colour images of one size with values from 0 to 255.

    Images that were already divided by 255 look black to an encoder that scales them itself. A
    batch that is black all over is accepted: nothing in it says that it was divided.

    Parameters
    ----------
    values : array_like, shape (N, H, W, 3)
        uint8 or any floating type, 0 to 255. Not copied; a memory map is read in parts.
    model : keras.Model, optional
        A model whose input size the images must have.
    name : str
        What the images are called in an error, such as ``"source images"``.
    any_range : bool
        Whether other values than 0 to 255 are right, for a model that does not scale its images.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, 3)
        The same values and type.

    Raises
    ------
    ValueError
        For several sizes, another shape or type, no image, NaN, or another range.
    """
    values = one_array(values, name)
    _check_shape(values, model, name)
    if values.dtype != np.uint8 and values.dtype.kind != "f":
        raise ValueError(
            f"The {name} are of type {values.dtype}, but uint8 or float from 0 to 255 is expected: "
            "window them to that range first."
        )
    _check_range(values, name, any_range)
    return values


def _check_shape(values: np.ndarray, model, name: str) -> None:
    expected = tuple(model.input_shape[1:]) if model is not None else (None, None, 3)
    sides = ", ".join(str(side or letter) for side, letter in zip(expected, "HWC", strict=True))
    owner = f"{model.name} takes" if model is not None else "expected is"
    if values.ndim != 4 or values.shape[-1] != expected[-1]:
        raise ValueError(
            f"The {name} have the shape {values.shape}, but {owner} (N, {sides})"
            f"{_shape_hint(values)}."
        )
    if not len(values):
        raise ValueError(f"There is no image: the array of {name} is empty.")
    sizes = zip(expected, values.shape[1:], strict=True)
    if any(side not in (None, size) for side, size in sizes):
        raise ValueError(
            f"The {name} have the shape {values.shape}, but {model.name} was built for "
            f"(N, {sides}): load the images, or the backbone, with that size."
        )


def _shape_hint(values: np.ndarray) -> str:
    if values.ndim == 3 and values.shape[-1] == 3:
        return "; a single image goes in as images[None]"
    if values.ndim == 3:
        return "; grey images go in as np.repeat(images[..., None], 3, axis=-1)"
    if values.ndim == 4 and values.shape[-1] == 1:
        return "; grey images go in as np.repeat(images, 3, axis=-1)"
    return ""


def _check_range(values: np.ndarray, name: str, any_range: bool) -> None:
    chunks = [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
    low = min(chunk.min() for chunk in chunks)
    high = max(chunk.max() for chunk in chunks)
    if values.dtype.kind == "f" and not all(np.isfinite(chunk).all() for chunk in chunks):
        raise ValueError(
            f"The {name} hold values that are not finite (NaN or infinite): "
            "mend those images or leave them out."
        )
    if not any_range and (low < 0 or high > 255 or 0 < high <= 1):
        raise ValueError(
            f"The {name} run from {low:g} to {high:g}, but 0 to 255 is expected: give them as they "
            "are, without rescaling or preprocessing, which the encoder does itself."
        )
