"""Masks, probabilities and weights of pixels, as the losses read them."""

from medlearn._keras import keras


def masks_and_probabilities(masks, probabilities) -> tuple:
    """Return masks without the last axis of one that Keras may add, and probabilities, float32.

    Parameters
    ----------
    masks : tensor, shape (N, H, W) or (N, H, W, 1)
        Class of each pixel.
    probabilities : tensor, shape (N, H, W, classes)
        Output of a segmenter.

    Raises
    ------
    ValueError
        If masks and probabilities do not belong to images of one size.
    """
    masks = _without_last_axis_of_one(keras.ops.convert_to_tensor(masks))
    probabilities = keras.ops.cast(keras.ops.convert_to_tensor(probabilities), "float32")
    if len(masks.shape) != 3 or len(probabilities.shape) != 4 or _differ(masks, probabilities):
        raise ValueError(
            f"Masks {tuple(masks.shape)} and probabilities {tuple(probabilities.shape)} do not "
            "belong together: expected (N, H, W), the class of each pixel, and (N, H, W, classes)."
        )
    return masks, probabilities


def pixel_weights(sample_weight, masks):
    """Return one weight per pixel, float32 (N, H, W), of weights per pixel or per image.

    Parameters
    ----------
    sample_weight : tensor, shape (N, H, W), (N, H, W, 1), (N,) or (N, 1)
        Weights of the pixels or of whole images.
    masks : tensor, shape (N, H, W)
        Class of each pixel, as `masks_and_probabilities` returns it.

    Raises
    ------
    ValueError
        For weights of another shape.
    """
    weights = keras.ops.cast(keras.ops.convert_to_tensor(sample_weight), "float32")
    if len(weights.shape) in (2, 4):
        weights = _without_last_axis_of_one(weights)
    shape = tuple(weights.shape)
    if len(shape) == 1:
        weights = keras.ops.reshape(weights, (-1, 1, 1))
    if len(weights.shape) != 3 or (len(shape) == 3 and _differ(weights, masks)):
        raise ValueError(
            f"sample_weight has the shape {shape}, but the masks have {tuple(masks.shape)}: give "
            "one weight per pixel, (N, H, W), or one per image, (N,)."
        )
    return weights * keras.ops.ones_like(masks, dtype="float32")


def one_hot(masks, probabilities):
    """Return the masks as float32 (N, H, W, classes).

    Parameters
    ----------
    masks : tensor, shape (N, H, W)
        Class of each pixel.
    probabilities : tensor, shape (N, H, W, classes)
        Their last axis says how many classes there are.
    """
    classes = probabilities.shape[-1]
    return keras.ops.one_hot(keras.ops.cast(masks, "int32"), classes, dtype="float32")


def mean_over_present(truth, values):
    """Return the mean of values over the classes that occur in the one-hot truth.

    Parameters
    ----------
    truth : tensor, shape (N, H, W, classes)
        One-hot masks, times the weights of the pixels if there are any.
    values : tensor, shape (classes,)
        One value per class.
    """
    present = keras.ops.cast(keras.ops.any(truth > 0, axis=(0, 1, 2)), values.dtype)
    return keras.ops.sum(present * values) / keras.ops.maximum(keras.ops.sum(present), 1)


def _without_last_axis_of_one(tensor):
    has_last_axis = len(tensor.shape) in (2, 4) and tensor.shape[-1] == 1
    return keras.ops.squeeze(tensor, -1) if has_last_axis else tensor


def _differ(first, second) -> bool:
    """Whether a side that is known of both is not the same."""
    sides = zip(first.shape[:3], second.shape[:3], strict=True)
    return any(a != b for a, b in sides if None not in (a, b))
