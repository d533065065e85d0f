"""Layers that segmenters of volumes are made of."""

from medlearn._keras import keras
from medlearn.networks._normalisation import GroupNormalization

GROUP = 4  # channels of a group


def convolve(
    x, channels: int, kernel: int | tuple[int, int, int], name: str, seed: int, *, norm: bool = True
):
    """Return a convolution in three dimensions, group normalisation if asked for, and a ReLU.

    Parameters
    ----------
    x : tensor, shape (N, Z, Y, X, any)
        Maps.
    channels : int
        Channels of the result, a multiple of four.
    kernel : int or tuple of int
        Sides of the kernel.
    name : str
        Beginning of the layers' names.
    seed : int
        Draws the weights.
    norm : bool
        Whether there is a normalisation. At full resolution it costs as much as the convolution.
    """
    he = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv3D(
        channels,
        kernel,
        padding="same",
        use_bias=not norm,
        kernel_initializer=he,
        name=f"{name}_conv",
    )(x)
    if norm:
        x = GroupNormalization(channels // GROUP, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def probabilities(x, classes: int, seed: int):
    """Return class scores and their softmax, in float32 under every precision.

    Parameters
    ----------
    x : tensor, shape (N, Z, Y, X, channels)
        Maps at full resolution.
    classes : int
        Number of classes.
    seed : int
        Draws the weights.
    """
    glorot = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Conv3D(classes, 1, kernel_initializer=glorot, dtype="float32", name="head")(x)
    return keras.layers.Softmax(dtype="float32", name="probabilities")(x)


@keras.saving.register_keras_serializable("medlearn")
class SlicesAsImages(keras.layers.Layer):
    """Volumes (N, Z, Y, X, 1) as images (N * Z, Y, X, 3), one for each slice.

    Parameters
    ----------
    neighbours : bool
        Whether the channels are the slice before, the slice and the slice after, or three times
        the slice. Beyond the first and the last slice, these are repeated.
    **options
        As for any Keras layer.
    """

    def __init__(self, neighbours: bool = False, **options):
        super().__init__(**options)
        self.neighbours = neighbours

    def call(self, volume):
        """Return the images.

        Parameters
        ----------
        volume : tensor, shape (N, Z, Y, X, 1)
            The volumes.
        """
        before = after = volume
        if self.neighbours:
            before = keras.ops.concatenate([volume[:, :1], volume[:, :-1]], axis=1)
            after = keras.ops.concatenate([volume[:, 1:], volume[:, -1:]], axis=1)
        channels = keras.ops.concatenate([before, volume, after], axis=-1)
        return keras.ops.reshape(channels, (-1, *channels.shape[2:]))

    def compute_output_shape(self, input_shape):
        """Return the shape (N * Z, Y, X, 3), N * Z unknown.

        Parameters
        ----------
        input_shape : tuple
            The shape of the volumes.
        """
        return (None, *input_shape[2:4], 3)

    def get_config(self):
        """Return what a copy of the layer is made from."""
        return super().get_config() | {"neighbours": self.neighbours}


@keras.saving.register_keras_serializable("medlearn")
class ImagesAsSlices(keras.layers.Layer):
    """Maps of images (N * Z, y, x, channels) as maps of volumes (N, Z, y, x, channels).

    Parameters
    ----------
    slices : int
        Number of slices of a volume.
    **options
        As for any Keras layer.
    """

    def __init__(self, slices: int, **options):
        super().__init__(**options)
        self.slices = slices

    def call(self, maps):
        """Return the maps of volumes.

        Parameters
        ----------
        maps : tensor, shape (N * Z, y, x, channels)
            The maps of images.
        """
        return keras.ops.reshape(maps, (-1, self.slices, *maps.shape[1:]))

    def compute_output_shape(self, input_shape):
        """Return the shape (N, Z, y, x, channels), N unknown.

        Parameters
        ----------
        input_shape : tuple
            The shape of the maps.
        """
        return (None, self.slices, *input_shape[1:])

    def get_config(self):
        """Return what a copy of the layer is made from."""
        return super().get_config() | {"slices": self.slices}
