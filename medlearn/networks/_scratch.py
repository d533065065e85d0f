"""The rival of every borrowed encoder: a small network that starts from random weights."""

import numpy as np

from medlearn._keras import keras


def small(
    shape: tuple[int, int, int],
    classes: int,
    *,
    augment: keras.layers.Layer | None = None,
    dropout: float = 0.3,
    seed: int = 0,
) -> keras.Model:
    """Four convolutions, each halving the side, and the mean and maximum of the last maps; about 60,000 weights.

    Images of `shape` (H, W, channels), of any range, go in: each is standardised inside. Probabilities (N, classes)
    come out. `augment`: Keras layers that act on the standardised images while training (and crop, if they crop).
    `seed` draws the weights and the dropout. Raises ValueError for a side under 32 pixels (after `augment`, too), fewer than
    two classes or a dropout outside 0..1.
    """
    if not _is_shape(shape):
        raise ValueError(
            f"shape={_short(shape)} is not (height, width, channels) with sides of at least 32 pixels; "
            "images.shape[1:] is it."
        )
    if not isinstance(classes, int | np.integer) or classes < 2:
        raise ValueError(
            f"classes={classes!r} is not a number of at least 2; len(np.unique(labels)) counts them."
        )
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise ValueError(f"dropout={dropout!r} is not a share, from 0 to below 1; try 0.3.")
    layers = keras.layers
    image = keras.Input(shape, name="image")
    # One group of all channels and no learned scale: mean 0 and standard deviation 1, image by image.
    x = layers.GroupNormalization(groups=1, center=False, scale=False, name="standardise")(image)
    x = augment(x) if augment is not None else x
    if not _is_shape(x.shape[1:]):
        raise ValueError(
            f"After augment the images are {_short(x.shape[1:])}: crop less, sides of at least 32 pixels are needed."
        )
    x = _convolve(x, 16, seed, kernel=5, stride=2)
    for number, channels in enumerate((24, 48, 96), start=1):
        x = layers.MaxPooling2D()(_convolve(x, channels, seed + number))
    both = layers.Concatenate()(
        [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    )
    head = layers.Dense(
        int(classes),
        "softmax",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        name="head",
    )
    return keras.Model(image, head(layers.Dropout(dropout, seed=seed)(both)), name="small")


def _is_shape(shape) -> bool:
    return (
        isinstance(shape, tuple | list)
        and len(shape) == 3
        and all(
            isinstance(side, int | np.integer) and side >= least
            for side, least in zip(shape, (32, 32, 1))
        )
    )


def _short(shape) -> str:
    return repr(tuple(shape)) if isinstance(shape, tuple | list) else f"<{type(shape).__name__}>"


def _convolve(x, channels: int, seed: int, kernel: int = 3, stride: int = 1):
    glorot = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Conv2D(
        channels, kernel, stride, "same", use_bias=False, kernel_initializer=glorot
    )(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
