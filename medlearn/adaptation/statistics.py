"""Adaptation that changes no weight: BatchNorm statistics of the images at hand."""

import numpy as np

from medlearn._keras import keras, tf


def reestimate_batchnorm(
    model: keras.Model, images: np.ndarray, batch_size: int = 64
) -> keras.Model:
    """A copy of `model` whose BatchNormalization layers hold the mean and variance that `images` have there.

    `images` (N, ...) as the model takes them; no labels. The given model stays as it is, and the copy is not
    compiled. Frozen layers are re-estimated as well; Dropout and augmentation stay off. Each batch is normalised
    by its own statistics and the batches' moments are then pooled, so that the result is exact with
    `batch_size >= N` and in the first BatchNorm, and close elsewhere. A network with random weights needs this
    before its features are of use.
    Raises ValueError for a model without BatchNormalization or images that do not fit it.
    Source: AdaBN, Li et al. 2016 (arXiv:1603.04779); pooled over batches as in Wu & Johnson 2021
    (arXiv:2105.07576).
    """
    images = np.asarray(images)
    _check(model, images, batch_size)
    measuring = _copy(model, _measuring_layer)
    norms = _batchnorms(measuring)

    @tf.function(
        input_signature=[tf.TensorSpec((None, *images.shape[1:]), images.dtype)], autograph=False
    )
    def measure(batch):  # as a graph: eagerly, every activation of the batch would stay in memory
        measuring(tf.cast(batch, tf.float32), training=False)

    means = [np.zeros(norm.moving_mean.shape) for norm in norms]
    squares = [np.zeros(norm.moving_mean.shape) for norm in norms]
    for start in range(0, len(images), batch_size):
        batch = np.ascontiguousarray(images[start : start + batch_size])
        measure(tf.constant(batch))
        for norm, mean, square in zip(norms, means, squares):
            batch_mean = norm.moving_mean.numpy().astype(float)
            mean += batch_mean * len(batch) / len(images)
            square += (norm.moving_variance.numpy() + batch_mean**2) * len(batch) / len(images)

    adapted = _copy(model, _same_layer)
    for norm, mean, square in zip(_batchnorms(adapted), means, squares):
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(np.maximum(square - mean**2, 0))
    return adapted


def _check(model: keras.Model, images: np.ndarray, batch_size: int) -> None:
    if not _batchnorms(model):
        raise ValueError(
            f"{model.name} has no BatchNormalization layer: there is nothing to re-estimate."
        )
    expected = tuple(model.input_shape[1:])
    if images.ndim != len(expected) + 1 or any(
        e not in (None, g) for e, g in zip(expected, images.shape[1:])
    ):
        raise ValueError(
            f"The images have the shape {images.shape}, but {model.name} takes (N, *{expected})."
        )
    if len(images) == 0 or batch_size < 1:
        raise ValueError(
            f"{len(images)} images in batches of {batch_size} give no statistics: "
            "both must be positive."
        )


def _batchnorms(model: keras.Model) -> list:
    """All BatchNormalization layers, those inside nested models too, in the order of the layers."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _batchnorms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found


def _copy(model: keras.Model, copy_layer) -> keras.Model:
    copy = keras.models.clone_model(model, clone_function=copy_layer, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def _same_layer(layer):
    return type(layer).from_config(layer.get_config())


def _measuring_layer(layer):
    """BatchNorm becomes one that always uses, and keeps as moving statistics, those of the batch."""
    if not isinstance(layer, keras.layers.BatchNormalization):
        return _same_layer(layer)

    class Measuring(keras.layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=True, mask=mask)

    # A frozen BatchNorm ignores training=True, without a word.
    return Measuring.from_config(layer.get_config() | {"momentum": 0.0, "trainable": True})
