"""BatchNorm statistics of the target images (AdaBN): no weight is trained."""

from collections.abc import Callable
from functools import partial

import numpy as np

from medlearn import _checks, _folding
from medlearn._keras import batchnorms, copied, keras, tf


def reestimate_batchnorm(
    model: keras.Model, images: np.ndarray, batch_size: int = 64
) -> keras.Model:
    """Return a copy of a model whose BatchNormalization layers hold the statistics of some images.

    Frozen layers are re-estimated as well; Dropout and augmentation stay off. Each batch is
    normalised by its own statistics, and the moments of the batches are then pooled: the result is
    exact in the first BatchNorm, and everywhere with `batch_size >= N`; elsewhere it is close.
    A network with random weights needs this before its features are of use.

    Parameters
    ----------
    model : keras.Model
        A model with BatchNormalization layers, nested ones included. It stays as it is.
    images : numpy.ndarray, shape (N, H, W, 3)
        Images as the model takes them, 0 to 255, without labels; or features (N, D), where the
        model takes those.
    batch_size : int
        Images per batch; larger batches give more exact statistics.

    Returns
    -------
    keras.Model
        A copy, not compiled.

    Raises
    ------
    ValueError
        For a model without BatchNormalization, or images that do not fit it.

    References
    ----------
    AdaBN: Li et al. 2016 (arXiv:1603.04779); pooled over batches as in Wu & Johnson 2021
    (arXiv:2105.07576).
    """
    images = _checked(model, images)
    _checks.whole_number("batch_size", batch_size, 1)
    means, squares = _pooled_moments(model, images, batch_size)
    adapted = copied(model)
    for norm, mean, square in zip(batchnorms(adapted), means, squares, strict=True):
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(np.maximum(square - mean**2, 0))
    return adapted


def with_batch_statistics(model: keras.Model) -> keras.Model:
    """Return a copy of a model that normalises each batch by the statistics of that batch.

    Parameters
    ----------
    model : keras.Model
        A model with BatchNormalization layers. It stays as it is.

    Returns
    -------
    keras.Model
        A copy, not compiled; Dropout and augmentation stay off as in `model`.
    """
    return copied(model, _measuring_layer)


def demand_batchnorm(model: keras.Model) -> None:
    """Raise ValueError unless a model has BatchNormalization layers, nested ones included."""
    if not batchnorms(model):
        raise ValueError(
            f"{model.name} has no BatchNormalization layer, so there is nothing to adapt: take a "
            "network that has some, such as efficientnet_lite0."
        )


def _checked(model: keras.Model, images: np.ndarray) -> np.ndarray:
    demand_batchnorm(model)
    if len(model.input_shape) == 4:
        return _checks.images(images, model)
    features = _checks.vectors(images)
    if not len(features) or features.shape[1] != model.input_shape[-1]:
        raise ValueError(
            f"The features have the shape {features.shape}, but {model.name} takes "
            f"(N, {model.input_shape[-1]}) with at least one row."
        )
    return features


def _pooled_moments(model: keras.Model, images: np.ndarray, batch_size: int) -> tuple[list, list]:
    """Mean and mean square of the inputs of each BatchNorm, over all images."""
    measure = _moments_function(model, images)
    norms = batchnorms(model)
    means = [np.zeros(norm.moving_mean.shape) for norm in norms]
    squares = [np.zeros(norm.moving_mean.shape) for norm in norms]
    for start in range(0, len(images), batch_size):
        batch = np.ascontiguousarray(images[start : start + batch_size])
        share = len(batch) / len(images)
        for index, (batch_mean, variance) in enumerate(measure(tf.constant(batch))):
            batch_mean = batch_mean.numpy().astype(float)
            means[index] += batch_mean * share
            squares[index] += (variance.numpy() + batch_mean**2) * share
    return means, squares


def _moments_function(model: keras.Model, images: np.ndarray):
    """From a batch to the mean and variance of what comes into each BatchNorm, as a graph.

    Eagerly, every activation of the batch would stay in memory.
    """
    signature = [tf.TensorSpec((None, *images.shape[1:]), images.dtype)]
    run = _folding.graph_runner(model)
    if run is not None and _is_plain(model):
        of_model = partial(_moments, model, run)
        return tf.function(of_model, input_signature=signature, autograph=False)
    measuring = with_batch_statistics(model)

    @tf.function(input_signature=signature, autograph=False)
    def measure(batch):
        measuring(tf.cast(batch, tf.float32), training=False)

    def moments(batch):
        measure(batch)
        return [(norm.moving_mean, norm.moving_variance) for norm in batchnorms(measuring)]

    return moments


def _is_plain(model: keras.Model) -> bool:
    """Whether all BatchNorm layers are right inside the model, each used once, in float32."""
    inside = [layer for layer in model.layers if type(layer) is keras.layers.BatchNormalization]
    return (
        [id(norm) for norm in inside] == [id(norm) for norm in batchnorms(model)]
        and all(len(norm._inbound_nodes) == 1 for norm in inside)
        and all(norm.compute_dtype == "float32" for norm in inside)
    )


def _moments(model: keras.Model, run: Callable, batch) -> list:
    """Mean and variance of each BatchNorm's inputs, where each normalises by those of the batch."""
    moments: dict[int, tuple] = {}

    def step(operation):
        if isinstance(operation, keras.layers.BatchNormalization):
            return partial(_normalise, operation, moments)
        return _folding.at_rest(operation)

    run(tf.cast(batch, tf.float32), operation_fn=step)
    return [moments[id(norm)] for norm in batchnorms(model)]


def _normalise(norm, moments: dict, inputs, **options):
    inputs = tf.cast(inputs, tf.float32)
    axis = norm.axis % len(inputs.shape)
    axes = [other for other in range(len(inputs.shape)) if other != axis]
    mean, variance = moments[id(norm)] = tf.nn.moments(inputs, axes)
    shape = [1] * len(inputs.shape)
    shape[axis] = -1
    scale = tf.math.rsqrt(variance + norm.epsilon)
    scale = scale if norm.gamma is None else scale * tf.convert_to_tensor(norm.gamma)
    offset = 0.0 if norm.beta is None else tf.convert_to_tensor(norm.beta)
    return inputs * tf.reshape(scale, shape) + tf.reshape(offset - mean * scale, shape)


def _measuring_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Copy a layer; a BatchNorm becomes one that uses, and keeps, the statistics of each batch."""
    config = layer.get_config()
    if not isinstance(layer, keras.layers.BatchNormalization):
        return type(layer).from_config(config)

    class Measuring(keras.layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=True, mask=mask)

    # A frozen BatchNorm ignores training=True without a warning.
    return Measuring.from_config(config | {"momentum": 0.0, "trainable": True})
