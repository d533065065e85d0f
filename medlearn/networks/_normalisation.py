"""Group normalisation as in Keras, with fewer passes over the maps."""

from medlearn._keras import keras

ops = keras.ops


@keras.saving.register_keras_serializable("medlearn")
class GroupNormalization(keras.layers.GroupNormalization):
    """Keras' group normalisation of the last axis in about half of the time.

    Sums over places are taken channel by channel, and the gradient is written down: Keras' own
    layer puts a fifth axis of four channels into each of its passes, which is slow on processors.
    Weights and results are those of Keras' layer with its usual axis, offset and scale.

    References
    ----------
    Wu & He 2018 (arXiv:1803.08494), group normalisation.
    """

    def call(self, inputs, training=None):
        """Return normalised maps.

        Parameters
        ----------
        inputs : tensor, shape (N, ..., channels)
            Maps of images or volumes.
        training : bool, optional
            Whether the written gradient is used; exported models hold plain operations only.
        """
        shape, channels = ops.shape(inputs), inputs.shape[-1]
        rows = ops.reshape(ops.cast(inputs, "float32"), (shape[0], -1, channels))
        normalise = _normalisation(self.groups, channels // self.groups, self.epsilon)
        weights = (ops.cast(weight.value, "float32") for weight in (self.gamma, self.beta))
        if training:
            result = ops.custom_gradient(normalise)(rows, *weights)
        else:
            result, _ = normalise(rows, *weights)
        return ops.cast(ops.reshape(result, shape), self.compute_dtype)


def _normalisation(groups: int, width: int, epsilon: float):
    """A function of rows (N, places, channels), gamma and beta: the result, and its gradient."""

    def in_groups(values):
        return ops.reshape(values, (-1, groups, width))

    def over_places(values):
        """Values of groups, or of their channels, as (N or 1, 1, channels)."""
        wide = ops.broadcast_to(values, (*ops.shape(values)[:2], width))
        return ops.reshape(wide, (-1, 1, groups * width))

    def normalise(rows, gamma, beta):
        mean_of_channels = in_groups(ops.mean(rows, axis=1))
        squares = in_groups(ops.mean(ops.square(rows), axis=1))
        mean = ops.mean(mean_of_channels, axis=-1, keepdims=True)
        variance = ops.mean(squares, axis=-1, keepdims=True) - ops.square(mean)
        inverse = ops.rsqrt(ops.maximum(variance, 0.0) + epsilon)
        scale = inverse * in_groups(gamma)
        scale_rows = over_places(scale)
        result = rows * scale_rows + over_places(in_groups(beta) - mean * scale)

        def gradient(*arguments, upstream=None):
            above = arguments[0] if upstream is None else upstream
            count = ops.cast(ops.shape(rows)[1] * width, "float32")
            total = in_groups(ops.sum(above, axis=1))
            slope = (in_groups(ops.sum(above * rows, axis=1)) - mean * total) * inverse
            of_gamma = ops.reshape(ops.sum(slope, axis=0), (-1,))
            of_beta = ops.reshape(ops.sum(total, axis=0), (-1,))
            mean_total = ops.sum(total * in_groups(gamma), axis=-1, keepdims=True) / count
            mean_slope = ops.sum(slope * in_groups(gamma), axis=-1, keepdims=True) / count
            factor = -mean_slope * ops.square(inverse)
            offset = -mean_total * inverse - factor * mean
            of_rows = above * scale_rows + rows * over_places(factor) + over_places(offset)
            return of_rows, of_gamma, of_beta

        return result, gradient

    return normalise
