"""Layers of a vision transformer that Keras does not have."""

import numpy as np

from medlearn._keras import keras, tf

_CUBIC = -0.75  # the slope of the cubic kernel in torch, with which DINOv2 resizes its positions


def check_sides(sides: tuple[int | None, ...], patch: int) -> None:
    """Raise ValueError if a side of an image is no multiple of a patch's; None is any side.

    Parameters
    ----------
    sides : tuple of int or None
        Height and width in pixels.
    patch : int
        Side of a patch in pixels.
    """
    for side in sides:
        if side is not None and (side % patch or not side):
            below = max(side // patch, 1) * patch
            raise ValueError(
                f"Images with a side of {side} pixels cannot be cut into patches of {patch} x "
                f"{patch}: give them sides of {below} or {below + patch} pixels."
            )


@keras.saving.register_keras_serializable("medlearn")
class Patches(keras.layers.Conv2D):
    """A convolution whose patches do not overlap; it refuses images that leave a margin."""

    def call(self, inputs):
        """Return a map of patches.

        Parameters
        ----------
        inputs : tensor, shape (N, H, W, channels)
            H and W are multiples of the kernel's sides.
        """
        check_sides(tuple(inputs.shape[1:3]), self.kernel_size[0])
        return super().call(inputs)


def check_images(encoder: keras.Model, images: np.ndarray) -> None:
    """Raise ValueError if an encoder cuts images into patches and these cannot be cut so.

    Parameters
    ----------
    encoder : keras.Model
        Any model of images.
    images : numpy.ndarray, shape (N, H, W, channels)
        Its images.
    """
    for layer in encoder.layers:
        if isinstance(layer, Patches):
            check_sides(images.shape[1:3], layer.kernel_size[0])


@keras.saving.register_keras_serializable("medlearn")
class Tokens(keras.layers.Layer):
    """A map of patches becomes tokens: the class token, then the patches, each with its position.

    The positions are those of a square of patches. For a map of another size they are resized,
    bicubic and without smoothing, as in the published DINOv2 (Oquab et al. 2024, arXiv:2304.07193).

    Parameters
    ----------
    side : int
        Side of the square in patches.
    seed : int
        Random seed of the initial values.
    """

    def __init__(self, side: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.side, self.seed = side, seed

    def build(self, input_shape):
        """Make the class token and the positions, that of the class token first.

        Parameters
        ----------
        input_shape : tuple
            The shape (N, h, w, channels).
        """
        shapes = {"class_token": (1, input_shape[-1])}
        shapes["positions"] = (1 + self.side**2, input_shape[-1])
        for number, (name, shape) in enumerate(shapes.items()):
            initializer = keras.initializers.TruncatedNormal(0.0, 0.02, seed=self.seed + number)
            weight = self.add_weight(name=name, shape=shape, initializer=initializer)
            setattr(self, name, weight)

    def call(self, inputs):
        """Return tokens, shape (N, 1 + h * w, channels).

        Parameters
        ----------
        inputs : tensor, shape (N, h, w, channels)
            A map of patches.
        """
        count, height, width, channels = sides_of(inputs)
        patches = tf.reshape(inputs + self._resized_positions(height, width), (count, -1, channels))
        first = tf.cast(self.class_token + self.positions[:1], inputs.dtype)
        return tf.concat([tf.tile(first[None], (count, 1, 1)), patches], axis=1)

    def _resized_positions(self, height, width):
        """The vectors of the positions for a map of this size, (height, width, channels)."""
        table = tf.reshape(tf.cast(self.positions[1:], tf.float32), (self.side, self.side, -1))
        rows = _cubic_weights(self.side, height)
        columns = _cubic_weights(self.side, width)
        resized = tf.tensordot(columns, tf.tensordot(rows, table, [[1], [0]]), [[1], [1]])
        return tf.cast(tf.transpose(resized, (1, 0, 2)), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape (N, 1 + h * w, channels).

        Parameters
        ----------
        input_shape : tuple
            The shape (N, h, w, channels).
        """
        count, height, width, channels = input_shape
        patches = None if None in (height, width) else 1 + height * width
        return count, patches, channels

    def get_config(self):
        """Return the arguments of a layer like this."""
        return super().get_config() | {"side": self.side, "seed": self.seed}


def _cubic_weights(before: int, after):
    """The matrix (after, before) that resizes a row of values by cubic convolution.

    Pixels are squares whose values stand at their centres; the row goes on with its last value.
    Keys 1981, doi:10.1109/TASSP.1981.1163711, equation 15 with the slope `_CUBIC`.
    """
    centres = (tf.range(after, dtype=tf.float32) + 0.5) * before / tf.cast(after, tf.float32) - 0.5
    first = tf.floor(centres)
    matrix = tf.zeros((after, before))
    for step in (-1, 0, 1, 2):
        weights = _cubic_kernel(tf.abs(centres - first - step))
        index = tf.clip_by_value(tf.cast(first, tf.int32) + step, 0, before - 1)
        matrix += weights[:, None] * tf.one_hot(index, before)
    return matrix


def _cubic_kernel(distance):
    """The weight of a value at this distance, 0 to 2."""
    near = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance**2 + 1
    far = _CUBIC * (((distance - 5) * distance + 8) * distance - 4)
    return tf.where(distance <= 1, near, far)


def sides_of(tensor) -> list:
    """Return the sides of a tensor: whole numbers where they are known, else scalar tensors."""
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if side is None else side for axis, side in enumerate(tensor.shape)]


@keras.saving.register_keras_serializable("medlearn")
class Attention(keras.layers.Layer):
    """Each token takes a weighted mean of all tokens' values, in each head with weights of its own.

    Vaswani et al. 2017, arXiv:1706.03762, equation 1. The layer has no weights: queries, keys and
    values come from dense layers before it.

    Parameters
    ----------
    heads : int
        Number of heads, among which the channels are divided.
    """

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def call(self, inputs):
        """Return the means, shape (N, tokens, channels).

        Parameters
        ----------
        inputs : list of three tensors, shape (N, tokens, channels)
            Queries, keys and values.
        """
        queries, keys, values = [self._divided(vectors) for vectors in inputs]
        scores = tf.matmul(queries * queries.shape[-1] ** -0.5, keys, transpose_b=True)
        means = tf.matmul(tf.nn.softmax(scores), values)
        count, tokens, channels = sides_of(inputs[0])
        return tf.reshape(tf.transpose(means, (0, 2, 1, 3)), (count, tokens, channels))

    def _divided(self, vectors):
        """(N, tokens, channels) -> (N, heads, tokens, channels of a head)."""
        count, tokens, channels = sides_of(vectors)
        divided = tf.reshape(vectors, (count, tokens, self.heads, channels // self.heads))
        return tf.transpose(divided, (0, 2, 1, 3))

    def compute_output_shape(self, input_shape):
        """Return the shape of the values.

        Parameters
        ----------
        input_shape : list of three tuples
            The shapes of queries, keys and values.
        """
        return input_shape[2]

    def get_config(self):
        """Return the arguments of a layer like this."""
        return super().get_config() | {"heads": self.heads}


@keras.saving.register_keras_serializable("medlearn")
class LayerScale(keras.layers.Layer):
    """Multiply each channel by a weight of its own.

    Touvron et al. 2021, arXiv:2103.17239, equation 4.
    """

    def build(self, input_shape):
        """Make the weights.

        Parameters
        ----------
        input_shape : tuple
            Its last side is the number of channels.
        """
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        """Return the scaled tensor.

        Parameters
        ----------
        inputs : tensor, shape (..., channels)
            Any.
        """
        return inputs * self.scale


@keras.saving.register_keras_serializable("medlearn")
class PatchMap(keras.layers.Layer):
    """Tokens become a map again, without the class token."""

    def call(self, inputs):
        """Return the map of the patches, shape (N, h, w, channels).

        Parameters
        ----------
        inputs : list of two tensors, shapes (N, 1 + h * w, channels) and (N, h, w, any)
            The tokens, the class token first, and a map of the size to be reached.
        """
        tokens, target = inputs
        count, height, width, _ = sides_of(target)
        return tf.reshape(tokens[:, 1:], (count, height, width, tokens.shape[-1]))

    def compute_output_shape(self, input_shape):
        """Return the shape (N, h, w, channels).

        Parameters
        ----------
        input_shape : list of two tuples
            The shapes of the inputs.
        """
        tokens, target = input_shape
        return (*target[:3], tokens[-1])
