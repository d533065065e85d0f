"""Resizing to the size of another tensor, which only the image that comes in decides."""

from medlearn._keras import keras, tf


@keras.saving.register_keras_serializable("medlearn")
class ResizeLike(keras.layers.Layer):
    """Resize maps, bilinear, to the height and width of other maps."""

    def call(self, inputs):
        """Return the first maps in the size of the second.

        Parameters
        ----------
        inputs : list of two tensors, shapes (N, h, w, channels) and (N, H, W, any)
            The maps to be resized, and those of the size to be reached.
        """
        maps, target = inputs
        # keras.ops.image.resize compares the sides with 0, which a graph cannot do.
        resized = tf.image.resize(maps, tf.shape(target)[1:3])
        return tf.cast(resized, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape (N, H, W, channels).

        Parameters
        ----------
        input_shape : list of two tuples
            The shapes of the inputs.
        """
        maps, target = input_shape
        return (*target[:3], maps[3])
