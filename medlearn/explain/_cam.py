"""Grad-CAM: the maps of a layer, weighted by how much each of them moves the score of a class."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _files, _keras
from medlearn._keras import keras, tf

_SCALE = 1024.0  # of the scores: in half precision the gradients of large maps would become zero


def grad_cam(
    model: keras.Model,
    images: ArrayLike,
    class_index: int | ArrayLike | None = None,
    layer: str | None = None,
    *,
    batch_size: int = 32,
) -> np.ndarray:
    """Return where a layer's maps speak for a class.

    The score of a class is taken before a softmax or sigmoid at the end of the model. A model with
    a single output has the classes 0 and 1: the score speaks for 1, its negative for 0. The values
    of a map have no unit, and only those of one image and class compare. A map of zeros says that
    nothing there speaks for the class.

    Parameters
    ----------
    model : keras.Model
        A classifier, with or without an encoder inside as a layer of its own.
    images : array_like, shape (N, H, W, C)
        uint8 or float, as the model takes them: 0 to 255 if it scales them itself.
    class_index : int or array_like of int, shape (N,), optional
        A class for all images, or one for each; None for the class that the model predicts.
    layer : str, optional
        A layer with maps, of the model or of an encoder in it (`map_layers` lists them); None for
        the last one that does not merely pool.
    batch_size : int
        Images per batch, at least 1.

    Returns
    -------
    numpy.ndarray, shape (N, H, W)
        float32, at least 0, enlarged to the size of the images.

    Raises
    ------
    ValueError
        For images of another shape, type or range, an unknown class, and a layer that is unknown
        or has no maps.

    References
    ----------
    Selvaraju et al. 2017 (arXiv:1610.02391), equations 1 and 2.
    """
    _check_model(model)
    has_scaling = bool(_keras.scalings(_keras.leaves(model)))
    images = _checks.images(images, model, any_range=not has_scaling)
    images = images.astype(np.float32, copy=False)
    class_indices = _checked_classes(class_index, len(images), max(model.output_shape[-1], 2))
    _checks.whole_number("batch_size", batch_size, 1)
    target = _find(model, layer)
    heatmaps = []
    with _without_softmax(model):
        for start in range(0, len(images), batch_size):
            rows = slice(start, start + batch_size)
            labels = None if class_indices is None else class_indices[rows]
            heatmaps.append(_heatmaps(model, target, images[rows], labels))
    return np.concatenate(heatmaps)


def map_layers(model: keras.Model) -> tuple[str, ...]:
    """Return the names of the layers that `grad_cam` can explain, from input to output.

    Parameters
    ----------
    model : keras.Model
        A model; layers of an encoder inside are listed too.
    """
    return tuple(layer.name for layer in _map_layers(model))


def _heatmaps(model, target, images: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Return the heat maps (N, H, W) of one batch: equations 1 and 2, enlarged."""
    maps, gradients = _maps_and_gradients(model, target, images, labels)
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))
    return tf.image.resize(heat, images.shape[1:3])[..., 0].numpy()


def _maps_and_gradients(model, target, images: np.ndarray, labels: np.ndarray | None):
    """Return a layer's maps (N, h, w, C) and the gradients of the scores by them, in float32."""
    with tf.GradientTape(watch_accessed_variables=False) as tape, _watched(target, tape) as outputs:
        scores = tf.cast(model(tf.convert_to_tensor(images), training=False), tf.float32)
        if scores.shape[-1] == 1:  # one output: its negative is the score of class 0
            scores = tf.concat([-scores, scores], axis=-1)
        labels = tf.argmax(scores, axis=-1) if labels is None else labels
        # Images do not influence each other here, so one gradient of the sum serves them all.
        total = _SCALE * tf.reduce_sum(tf.gather(scores, labels, axis=-1, batch_dims=1))
    maps = outputs[-1]
    gradients = tape.gradient(total, maps, unconnected_gradients="zero")
    return tf.cast(maps, tf.float32), tf.cast(gradients, tf.float32) / _SCALE


@contextmanager
def _watched(layer, tape) -> Iterator[list]:
    """Collect what a layer returns while the model runs, however deep in it the layer lies.

    A second model from the input to the layer, which most recipes build, is not possible across a
    nested encoder.
    """
    outputs: list = []
    original = layer.call

    def watched_call(*args, **kwargs):
        maps = original(*args, **kwargs)
        tape.watch(maps)
        outputs.append(maps)
        return maps

    with _replaced(layer, "call", watched_call):
        yield outputs


@contextmanager
def _without_softmax(model) -> Iterator[None]:
    """Let the model return scores: where a softmax is sure it is flat, and gradients vanish."""
    last = _keras.leaves(model)[-1]
    squashing = (keras.activations.softmax, keras.activations.sigmoid)
    if isinstance(last, keras.layers.Softmax):
        with _replaced(last, "call", _identity):
            yield
    elif getattr(last, "activation", None) in squashing:
        activation, last.activation = last.activation, keras.activations.linear
        try:
            yield
        finally:
            last.activation = activation
    else:
        yield


@contextmanager
def _replaced(layer, name: str, method: Callable) -> Iterator[None]:
    """Put another method in front of that of the layer's class."""
    setattr(layer, name, method)
    try:
        yield
    finally:
        delattr(layer, name)  # the method of its class shows again


def _identity(scores, *args, **kwargs):
    return scores


def _map_layers(model) -> list:
    layers = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            layers += _map_layers(layer)
        if not isinstance(layer, keras.layers.InputLayer) and len(_shape(layer)) == 4:
            layers.append(layer)
    return layers


def _shape(layer) -> tuple:
    try:
        return tuple(layer.output.shape)
    except (AttributeError, ValueError):  # several outputs, or none: a layer never called
        return ()


def _find(model, name: str | None):
    """Return the layer of a name; of None, the last one with maps that does not merely pool."""
    layers = _map_layers(model)
    if not layers:
        raise ValueError(
            f"{model.name} has no layer with maps (N, h, w, channels); Grad-CAM needs a "
            "convolutional network."
        )
    if name is None:
        own = [layer for layer in layers if not isinstance(layer, keras.Model)]
        return [layer for layer in own if "Pooling" not in type(layer).__name__][-1]
    for layer in layers:
        if layer.name == name:
            return layer
    names = [layer.name for layer in layers]
    raise ValueError(_files.unknown("layer with maps", name, names, model.name))


def _check_model(model) -> None:
    is_model = isinstance(model, keras.Model) and getattr(model, "inputs", None)
    shape = model.input_shape if is_model else ()
    if not isinstance(shape, tuple) or len(shape) != 4 or len(model.output_shape) != 2:
        raise ValueError(
            "Grad-CAM explains a model with images (N, H, W, channels) in and one score for each "
            f"class (N, classes) out; {getattr(model, 'name', type(model).__name__)} is not one."
        )


def _checked_classes(class_index, count: int, classes: int) -> np.ndarray | None:
    if class_index is None:
        return None
    indices = np.asarray(class_index)
    if indices.dtype.kind not in "iu" or indices.shape not in ((), (count,)):
        raise ValueError(
            f"class_index is one whole number, or one for each of {count} images, not "
            f"{class_index!r}."
        )
    if indices.min() < 0 or indices.max() >= classes:
        wrong = indices.max() if indices.max() >= classes else indices.min()
        raise ValueError(
            f"class_index {wrong} does not exist: the model has the classes 0 to {classes - 1}."
        )
    return np.broadcast_to(indices, (count,)).astype(np.int32)
