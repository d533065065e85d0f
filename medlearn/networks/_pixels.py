"""Masks, probabilities and weights of pixels or voxels, as the losses read them."""

from medlearn._keras import keras


def masks_and_probabilities(masks, probabilities) -> tuple:
    """Return masks without the last axis of one that Keras may add, and probabilities, float32.

    Parameters
    ----------
    masks : tensor, shape (N, [Z,] H, W) or (N, [Z,] H, W, 1)
        Class of each pixel or voxel.
    probabilities : tensor, shape (N, [Z,] H, W, classes)
        Output of a segmenter of images or of volumes.

    Raises
    ------
    ValueError
        If masks and probabilities do not belong to images or volumes of one size.
    """
    masks = keras.ops.convert_to_tensor(masks)
    probabilities = keras.ops.cast(keras.ops.convert_to_tensor(probabilities), "float32")
    axes = len(probabilities.shape)
    masks = _without_last_axis_of_one(masks, axes)
    if axes not in (4, 5) or len(masks.shape) != axes - 1 or _differ(masks, probabilities):
        raise ValueError(
            f"Masks {tuple(masks.shape)} and probabilities {tuple(probabilities.shape)} do not "
            "belong together: expected (N, H, W), the class of each pixel, and (N, H, W, classes); "
            "for volumes (N, Z, H, W) and (N, Z, H, W, classes)."
        )
    return masks, probabilities


def pixel_weights(sample_weight, masks):
    """Return one weight per pixel, float32, in the shape of the masks.

    Parameters
    ----------
    sample_weight : tensor, shape (N, [Z,] H, W), the same with a last axis of one, (N,) or (N, 1)
        Weights of the pixels or of whole images.
    masks : tensor, shape (N, [Z,] H, W)
        Class of each pixel, as `masks_and_probabilities` returns it.

    Raises
    ------
    ValueError
        For weights of another shape.
    """
    weights = keras.ops.cast(keras.ops.convert_to_tensor(sample_weight), "float32")
    axes = len(masks.shape)
    for with_last_axis in (2, axes + 1):
        weights = _without_last_axis_of_one(weights, with_last_axis)
    shape = tuple(weights.shape)
    if len(shape) == 1:
        weights = keras.ops.reshape(weights, (-1, *[1] * (axes - 1)))
    if len(weights.shape) != axes or (len(shape) == axes and _differ(weights, masks)):
        raise ValueError(
            f"sample_weight has the shape {shape}, but the masks have {tuple(masks.shape)}: give "
            "one weight per pixel, (N, H, W), or one per image, (N,)."
        )
    return weights * keras.ops.ones_like(masks, dtype="float32")


def one_hot(masks, probabilities):
    """Return the masks as float32 (N, [Z,] H, W, classes).

    Parameters
    ----------
    masks : tensor, shape (N, [Z,] H, W)
        Class of each pixel.
    probabilities : tensor, shape (N, [Z,] H, W, classes)
        Their last axis says how many classes there are.
    """
    classes = probabilities.shape[-1]
    return keras.ops.one_hot(keras.ops.cast(masks, "int32"), classes, dtype="float32")


def mean_over_present(truth, values):
    """Return the mean of values over the classes that occur in the one-hot truth.

    Parameters
    ----------
    truth : tensor, shape (N, [Z,] H, W, classes)
        One-hot masks, times the weights of the pixels if there are any.
    values : tensor, shape (classes,)
        One value per class.
    """
    present = keras.ops.cast(keras.ops.any(truth > 0, axis=all_but_last(truth)), values.dtype)
    return keras.ops.sum(present * values) / keras.ops.maximum(keras.ops.sum(present), 1)


def all_but_last(tensor) -> tuple[int, ...]:
    """Return the axes of a tensor (N, [Z,] H, W, classes) without that of the classes."""
    return tuple(range(len(tensor.shape) - 1))


def _without_last_axis_of_one(tensor, axes: int):
    """Return a tensor of so many axes without its last one, if that has the length one."""
    has_last_axis = len(tensor.shape) == axes and tensor.shape[-1] == 1
    return keras.ops.squeeze(tensor, -1) if has_last_axis else tensor


def _differ(first, second) -> bool:
    """Whether a side that is known of both is not the same."""
    sides = zip(first.shape, second.shape, strict=False)  # the second may have classes, too
    return any(a != b for a, b in sides if None not in (a, b))
