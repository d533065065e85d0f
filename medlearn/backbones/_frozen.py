"""A trained encoder as a fixed, fast function from images to vectors."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from medlearn import _keras
from medlearn._keras import keras, tf

Tap = str | None  # a layer's name, or None for the encoder's output

_FUNCTIONS: WeakKeyDictionary = (
    WeakKeyDictionary()
)  # encoder -> {(taps, shape, dtype): (prints, function)}
_PARTS: WeakKeyDictionary = WeakKeyDictionary()  # encoder -> {tap: (structure, variables)}


def function(
    encoder: keras.Model,
    taps: Sequence[Tap],
    shape: tuple[int, int, int],
    dtype: str,
    prints: Sequence[str],
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A function from images (n, *shape) of that dtype to one float32 array (n, D) for each tap, means of maps.

    Compiling takes seconds, so the function is kept as long as the encoder lives; `prints` (see `fingerprints`)
    tell whether the weights are still those that it was compiled with.
    """
    kept, key = _FUNCTIONS.setdefault(encoder, {}), (tuple(taps), tuple(shape), dtype)
    if key not in kept or kept[key][0] != tuple(prints):
        kept[key] = tuple(prints), _compile(encoder, taps, shape, dtype)
    return kept[key][1]


def fingerprints(encoder: keras.Model, taps: Sequence[Tap]) -> list[str]:
    """For each tap, a digest of all that decides its values: the layers up to it and their present weights."""
    contents = {}

    def content(variable) -> bytes:
        if id(variable) not in contents:
            contents[id(variable)] = hashlib.sha256(np.ascontiguousarray(variable.numpy())).digest()
        return contents[id(variable)]

    prints = []
    for tap in taps:
        structure, variables = _part(encoder, tap)
        prints.append(
            hashlib.sha256(structure + b"".join(map(content, variables))).hexdigest()[:40]
        )
    return prints


def _part(encoder: keras.Model, tap: Tap):
    parts = _PARTS.setdefault(encoder, {})
    if tap not in parts:
        part = _up_to(encoder, [tap])
        parts[tap] = _structure(part.get_config()), part.weights
    return parts[tap]


def _up_to(encoder: keras.Model, taps: Sequence[Tap]) -> keras.Model:
    return keras.Model(
        encoder.inputs,
        [encoder.outputs[0] if tap is None else encoder.get_layer(tap).output for tap in taps],
    )


def _structure(config: dict) -> bytes:
    """The layers and their wiring, whatever the layers are called and whether they are frozen."""
    numbers = {}

    def collect(part):
        for value in (
            part.values()
            if isinstance(part, dict)
            else part
            if isinstance(part, (list, tuple))
            else ()
        ):
            collect(value)
        if isinstance(part, dict) and isinstance(part.get("name"), str):
            numbers.setdefault(part["name"], f"#{len(numbers)}")

    def rename(part):
        if isinstance(part, dict):
            return {
                key: rename(value)
                for key, value in part.items()
                if key not in ("name", "trainable")
            }
        if isinstance(part, (list, tuple)):
            return [rename(value) for value in part]
        return numbers.get(part, part) if isinstance(part, str) else part

    collect(config.get("layers", ()))
    return json.dumps(rename(config), sort_keys=True, default=repr).encode()


def _compile(encoder: keras.Model, taps: Sequence[Tap], shape: tuple[int, int, int], dtype: str):
    part = _fold_batchnorm(_up_to(encoder, taps))

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), dtype)], autograph=False)
    def vectors(images):
        maps = part([tf.cast(images, tf.float32)], training=False)
        maps = maps if isinstance(maps, (list, tuple)) else [maps]
        return [tf.cast(tf.reduce_mean(m, range(1, len(m.shape) - 1)), tf.float32) for m in maps]

    frozen = _keras.freeze_graph(vectors.get_concrete_function())
    return lambda images: [vector.numpy() for vector in frozen(tf.constant(images))]


def _fold_batchnorm(model: keras.Model) -> keras.Model:
    """A copy in which each BatchNormalization after a convolution has moved into its kernel and bias.

    Outputs are the same up to rounding. TensorFlow computes a convolution, its bias and a ReLU in one go over
    memory, but after a depthwise convolution a BatchNormalization is in the way: it took a third of the time.
    """
    try:
        norms = _norms_after_convolutions(model)
        moved = {id(norm) for norm in norms.values()}
        copy = keras.models.clone_model(
            model,
            clone_function=lambda layer: (
                layer if id(layer) in moved else _like(layer, layer.name in norms)
            ),
            call_function=lambda layer, *args, **kwargs: (
                args[0] if id(layer) in moved else layer(*args, **kwargs)
            ),
        )
    except Exception:  # a layer that cannot be copied costs this gain only
        return model
    for layer in filter(lambda layer: layer.weights, copy.layers):
        original, norm = model.get_layer(layer.name), norms.get(layer.name)
        layer.set_weights(original.get_weights() if norm is None else _with_norm(original, norm))
    return copy


def _norms_after_convolutions(model: keras.Model) -> dict:
    """By the name of a convolution, the BatchNormalization that alone takes what it gives."""
    makers, users = {}, Counter(map(id, model.outputs))
    for operation in model.operations:
        makers[id(operation.output)] = operation
        users.update(map(id, keras.tree.flatten(operation.input)))
    norms = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and users[id(layer.input)] == 1:
            maker = makers.get(id(layer.input))
            if _is_linear_convolution(maker):
                norms[maker.name] = layer
    return norms


def _is_linear_convolution(layer) -> bool:
    return (
        type(layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
        and len(layer.weights) == 1 + layer.use_bias
    )


def _like(layer, with_bias: bool):
    return type(layer).from_config(layer.get_config() | ({"use_bias": True} if with_bias else {}))


def _with_norm(convolution, norm) -> list[np.ndarray]:
    """Kernel and bias of the convolution and its BatchNormalization together."""
    kernel, *bias = convolution.get_weights()
    scale = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * norm.gamma.numpy()
    shift = (bias[0] if bias else 0) - norm.moving_mean.numpy()
    by_output = (
        scale.reshape(kernel.shape[2:])
        if type(convolution) is keras.layers.DepthwiseConv2D
        else scale
    )
    return [kernel * by_output, shift * scale + (0 if norm.beta is None else norm.beta.numpy())]
