"""A trained encoder as a fixed, fast function from images to vectors."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from medlearn import engine
from medlearn.engine import keras, tf

Tap = str | None                       # a layer's name, or None for the encoder's output

_FUNCTIONS: WeakKeyDictionary = WeakKeyDictionary()      # encoder -> {(taps, shape, dtype): (prints, function)}
_PARTS: WeakKeyDictionary = WeakKeyDictionary()          # encoder -> {tap: (structure, variables)}


def function(encoder: keras.Model, taps: Sequence[Tap], shape: tuple[int, int, int], dtype: str,
             prints: Sequence[str]) -> Callable[[np.ndarray], list[np.ndarray]]:
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
        prints.append(hashlib.sha256(structure + b"".join(map(content, variables))).hexdigest()[:40])
    return prints


def _part(encoder: keras.Model, tap: Tap):
    parts = _PARTS.setdefault(encoder, {})
    if tap not in parts:
        part = _up_to(encoder, [tap])
        parts[tap] = _structure(part.get_config()), part.weights
    return parts[tap]


def _up_to(encoder: keras.Model, taps: Sequence[Tap]) -> keras.Model:
    return keras.Model(encoder.inputs, [encoder.outputs[0] if tap is None else encoder.get_layer(tap).output
                                        for tap in taps])


def _structure(config: dict) -> bytes:
    """The layers and their wiring, whatever the layers are called and whether they are frozen."""
    numbers = {}
    def collect(part):
        for value in part.values() if isinstance(part, dict) else part if isinstance(part, (list, tuple)) else ():
            collect(value)
        if isinstance(part, dict) and isinstance(part.get("name"), str):
            numbers.setdefault(part["name"], f"#{len(numbers)}")

    def rename(part):
        if isinstance(part, dict):
            return {key: rename(value) for key, value in part.items() if key not in ("name", "trainable")}
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

    frozen = engine.freeze(vectors.get_concrete_function())
    return lambda images: [vector.numpy() for vector in frozen(tf.constant(images))]


def _fold_batchnorm(model: keras.Model) -> keras.Model:
    """A copy in which the scale of each BatchNormalization has moved into the convolution before it.

    Outputs are the same up to rounding; a tenth of the time goes, since TensorFlow drops a scale of one.
    """
    try:
        copy = keras.models.clone_model(model)
    except Exception:                  # a layer that cannot be copied costs this gain only
        return model
    copy.set_weights(model.get_weights())
    makers, users = {}, Counter(map(id, copy.outputs))
    for operation in copy.operations:
        makers[id(operation.output)] = operation
        users.update(map(id, keras.tree.flatten(operation.input)))
    for layer in copy.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            before = makers.get(id(layer.input))
            if users[id(layer.input)] == 1 and _is_linear_convolution(before):
                _move_scale(layer, before)
    return copy


def _is_linear_convolution(layer) -> bool:
    return (type(layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
            and layer.activation is keras.activations.linear and layer.data_format == "channels_last")


def _move_scale(norm, convolution) -> None:
    gamma, mean, variance = norm.gamma, norm.moving_mean, norm.moving_variance
    scale = 1 / np.sqrt(variance.numpy() + norm.epsilon)
    if gamma is not None:
        scale = scale * gamma.numpy()
        gamma.assign(np.ones_like(scale))
    kernel = convolution.kernel
    per_output = scale.reshape(kernel.shape[2:]) if type(convolution) is keras.layers.DepthwiseConv2D else scale
    kernel.assign(kernel.numpy() * per_output)
    if convolution.use_bias:
        convolution.bias.assign(convolution.bias.numpy() * scale)
    mean.assign(mean.numpy() * scale)
    variance.assign(np.full_like(scale, 1 - norm.epsilon))
