"""A small network that starts from random weights: what every pretrained encoder has to beat."""

import numpy as np

from medlearn import _checks
from medlearn._keras import keras
from medlearn.networks._classification import softmax_head

_SMALLEST = (32, 32, 1)  # height, width, channels


def small_cnn(
    shape: tuple[int, int, int],
    classes: int,
    *,
    augment: keras.layers.Layer | None = None,
    dropout: float = 0.3,
    seed: int = 0,
) -> keras.Model:
    """Build four convolutions that each halve the side, mean and maximum pooling, and a softmax.

    About 60,000 weights. Each image is standardised inside, so any range of grey values will do.

    Parameters
    ----------
    shape : tuple of int
        (height, width, channels) of the images; sides of at least 32 pixels.
    classes : int
        Number of classes, at least 2.
    augment : keras.layers.Layer, optional
        Acts on the standardised images while training (and crops, if it crops).
    dropout : float
        Share of the pooled vector that is dropped in training, from 0 to below 1.
    seed : int
        Draws the weights and the dropout.

    Returns
    -------
    keras.Model
        Images (N, H, W, channels) in, probabilities float32 (N, classes) out.

    Raises
    ------
    ValueError
        For a side under 32 pixels, also after `augment`, and arguments out of range.
    """
    if not _is_shape(shape):
        raise ValueError(
            f"shape={_short(shape)} is not (height, width, channels) with sides of at least 32 "
            "pixels; images.shape[1:] is it."
        )
    _checks.whole_number("classes", classes, 2)
    _checks.fraction("dropout", dropout)
    image = keras.Input(shape, name="image")
    # One group of all channels and no learned scale: mean 0 and deviation 1, image by image.
    x = keras.layers.GroupNormalization(
        groups=1, center=False, scale=False, dtype="float32", name="standardise"
    )(image)
    x = augment(x) if augment is not None else x
    if not _is_shape(x.shape[1:]):
        raise ValueError(
            f"After augment the images are {_short(x.shape[1:])}: crop less, sides of at least 32 "
            "pixels are needed."
        )
    x = _convolve(x, 16, seed, kernel=5, stride=2)
    for number, channels in enumerate((24, 48, 96), start=1):
        x = keras.layers.MaxPooling2D()(_convolve(x, channels, seed + number))
    vector = keras.layers.Concatenate()(
        [keras.layers.GlobalAveragePooling2D()(x), keras.layers.GlobalMaxPooling2D()(x)]
    )
    vector = keras.layers.Dropout(dropout, seed=seed)(vector)
    return keras.Model(image, softmax_head(classes, seed)(vector), name="small")


def _is_shape(shape) -> bool:
    if not isinstance(shape, tuple | list) or len(shape) != len(_SMALLEST):
        return False
    if not all(isinstance(side, int | np.integer) for side in shape):
        return False
    return all(side >= smallest for side, smallest in zip(shape, _SMALLEST, strict=True))


def _short(shape) -> str:
    return repr(tuple(shape)) if isinstance(shape, tuple | list) else f"<{type(shape).__name__}>"


def _convolve(x, channels: int, seed: int, kernel: int = 3, stride: int = 1):
    glorot = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Conv2D(
        channels, kernel, stride, "same", use_bias=False, kernel_initializer=glorot
    )(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
