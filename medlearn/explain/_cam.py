"""Grad-CAM: the maps of a layer, weighted by how much each of them moves the score of a class."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike

from medlearn._keras import keras, tf


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    class_index: int | ArrayLike | None = None,
    layer: str | None = None,
    *,
    batch_size: int = 32,
) -> np.ndarray:
    """Where a layer's maps speak for a class: float32 (N, H, W), at least 0, enlarged to the images' size.

    model: one classifier, with or without an encoder inside as a layer of its own. images: (N, H, W, channels) as the
    model takes them. class_index: a class for all images, or (N,) of them; None explains the highest score of each
    image. layer: the name of a layer with maps, of the model or of an encoder in it (`map_layers` lists them); None is
    the last one that does not merely pool. The score is taken before a softmax or sigmoid at the end. The values have
    no unit, and only those of one image and class compare; a map of zeros says that nothing there speaks for the class.

    Raises ValueError for images of another shape or type or not finite, an unknown class, an unknown layer or one without maps.
    Source: Selvaraju et al. 2017 (arXiv:1610.02391), equations 1 and 2.
    """
    images = _checked_images(model, images)
    wanted = _checked_classes(class_index, len(images), model.output_shape[-1])
    target = _find(model, layer)
    results = []
    with _without_softmax(model):
        for start in range(0, len(images), batch_size):
            rows = slice(start, start + batch_size)
            maps, slopes = _maps_and_slopes(
                model, target, images[rows], None if wanted is None else wanted[rows]
            )
            weights = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
            heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))
            results.append(tf.image.resize(heat, images.shape[1:3])[..., 0].numpy())
    return np.concatenate(results)


def map_layers(model: keras.Model) -> tuple[str, ...]:
    """The names of the layers that `grad_cam` can explain, from input to output, those of an encoder inside included."""
    return tuple(layer.name for layer in _map_layers(model))


def _maps_and_slopes(model, target, images, wanted):
    """A layer's maps (N, h, w, C) and the slopes of the wanted scores along them, both float32."""
    with tf.GradientTape(watch_accessed_variables=False) as tape, _overheard(target, tape) as heard:
        scores = tf.cast(model(tf.convert_to_tensor(images), training=False), tf.float32)
        wanted = tf.argmax(scores, axis=-1) if wanted is None else wanted
        # Images do not influence each other when nothing trains, so one gradient of the sum serves them all.
        total = tf.reduce_sum(tf.gather(scores, wanted, axis=-1, batch_dims=1))
    maps = heard[-1]
    slopes = tape.gradient(total, maps, unconnected_gradients="zero")
    return tf.cast(maps, tf.float32), tf.cast(slopes, tf.float32)


@contextmanager
def _overheard(layer, tape) -> Iterator[list]:
    """Note down what a layer returns while the model runs, however deep in it the layer lies.

    A second model from the input to the layer, which most recipes build, cannot be had across a nested encoder.
    """
    heard, call = [], layer.call

    def call_and_tell(*args, **kwargs):
        maps = call(*args, **kwargs)
        tape.watch(maps)
        heard.append(maps)
        return maps

    layer.call = call_and_tell
    try:
        yield heard
    finally:
        del layer.call  # the method of its class shows again


@contextmanager
def _without_softmax(model) -> Iterator[None]:
    """Scores instead of probabilities: where a softmax is sure of itself it is flat, and no gradient comes through."""
    last = leaves(model)[-1]
    squeezes = getattr(last, "activation", None) in (
        keras.activations.softmax,
        keras.activations.sigmoid,
    )
    if isinstance(last, keras.layers.Softmax):
        last.call = lambda scores, *args, **kwargs: scores
    elif squeezes:
        activation, last.activation = last.activation, keras.activations.linear
    try:
        yield
    finally:
        if isinstance(last, keras.layers.Softmax):
            del last.call
        elif squeezes:
            last.activation = activation


def leaves(model) -> list:
    """The layers that are not models themselves, from input to output."""
    nested = (
        leaves(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers
    )
    return [leaf for leaves in nested for leaf in leaves]


def _map_layers(model) -> list:
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _map_layers(layer)
        if not isinstance(layer, keras.layers.InputLayer) and len(_shape(layer)) == 4:
            found.append(layer)
    return found


def _shape(layer) -> tuple:
    try:
        return tuple(layer.output.shape)
    except (AttributeError, ValueError):  # several outputs, or none: a layer that was never called
        return ()


def _find(model, name: str | None):
    layers = _map_layers(model)
    if not layers:
        raise ValueError(
            f"{model.name} has no layer with maps (N, h, w, channels); Grad-CAM needs a convolutional network."
        )
    if name is None:
        return [
            layer
            for layer in layers
            if "Pooling" not in type(layer).__name__ and not isinstance(layer, keras.Model)
        ][-1]
    for layer in layers:
        if layer.name == name:
            return layer
    names = [layer.name for layer in layers]
    near = get_close_matches(str(name), names, n=3, cutoff=0.4) or names[-3:]
    raise ValueError(
        f"{model.name} has no layer {name!r} with maps; do you mean {' or '.join(near)}?"
    )


def _checked_images(model, images) -> np.ndarray:
    images = np.asarray(images)
    shape = (
        model.input_shape
        if isinstance(model, keras.Model) and isinstance(model.input_shape, tuple)
        else ()
    )
    if len(shape) != 4 or len(model.output_shape) != 2:
        raise ValueError(
            "Grad-CAM explains a model with images (N, H, W, channels) in and one score a class (N, classes) out; "
            f"{getattr(model, 'name', type(model).__name__)} is not one."
        )
    if images.ndim != 4 or any(
        side not in (None, given) for side, given in zip(shape[1:], images.shape[1:])
    ):
        hint = "; a single image goes in as images[None]" if images.ndim == 3 else ""
        wanted = ", ".join(str(side or "any") for side in shape[1:])
        raise ValueError(
            f"The images have the shape {images.shape}, but {model.name} takes (N, {wanted}){hint}."
        )
    if not len(images):
        raise ValueError("There is no image to explain: the array is empty.")
    if images.dtype.kind not in "biuf":
        raise ValueError(
            f"Images of type {images.dtype} hold no grey values; give numbers as the model takes them."
        )
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise ValueError(
            "The images hold values that are not finite (NaN or infinite): mend or drop those."
        )
    return images.astype(np.float32, copy=False)


def _checked_classes(class_index, count: int, classes: int) -> np.ndarray | None:
    if class_index is None:
        return None
    wanted = np.asarray(class_index)
    if wanted.dtype.kind not in "iu" or wanted.shape not in ((), (count,)):
        raise ValueError(
            f"class_index is one whole number, or one for each of {count} images, not {class_index!r}."
        )
    if wanted.min() < 0 or wanted.max() >= classes:
        raise ValueError(
            f"class_index {wanted.max() if wanted.max() >= classes else wanted.min()} does not exist: "
            f"the model has the classes 0 to {classes - 1}."
        )
    return np.broadcast_to(wanted, (count,)).astype(np.int32)
