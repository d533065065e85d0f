"""The rival of every borrowed encoder: a small network that starts from random weights."""

from medlearn.engine import keras


def small(shape: tuple[int, int, int], classes: int, *, augment: keras.layers.Layer | None = None, dropout: float = 0.3,
          seed: int = 0) -> keras.Model:
    """Four convolutions, each halving the side, and the mean and maximum of the last maps; about 60,000 weights.

    Images of `shape` (H, W, channels), of any range, go in: each is standardised inside. Probabilities (N, classes)
    come out. `augment`: Keras layers that act on the standardised images while training (and crop, if they crop).
    `seed` draws the weights and the dropout. Raises ValueError for a side under 32 pixels or fewer than two classes.
    """
    if len(shape) != 3 or min(shape[:2]) < 32:
        raise ValueError(f"shape={shape!r} is not (height, width, channels) with sides of at least 32 pixels.")
    if classes < 2:
        raise ValueError(f"classes={classes!r} is not a number of at least 2; len(np.unique(labels)) counts them.")
    layers = keras.layers
    image = keras.Input(shape, name="image")
    # One group of all channels and no learned scale: mean 0 and standard deviation 1, image by image.
    x = layers.GroupNormalization(groups=1, center=False, scale=False, name="standardise")(image)
    x = _convolve(augment(x) if augment is not None else x, 16, seed, kernel=5, stride=2)
    for number, channels in enumerate((24, 48, 96), start=1):
        x = layers.MaxPooling2D()(_convolve(x, channels, seed + number))
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    head = layers.Dense(int(classes), "softmax", kernel_initializer=keras.initializers.GlorotUniform(seed), name="head")
    return keras.Model(image, head(layers.Dropout(dropout, seed=seed)(both)), name="small")


def _convolve(x, channels: int, seed: int, kernel: int = 3, stride: int = 1):
    glorot = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Conv2D(channels, kernel, stride, "same", use_bias=False, kernel_initializer=glorot)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
