"""A trained encoder as a fixed, fast function from images to vectors."""

import hashlib
import json
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from medlearn import _folding
from medlearn._keras import keras, tf
from medlearn.backbones._pooling import POOLINGS, Pooled

Tap = str | None  # the name of a layer; None is the encoder's output

# encoder -> {(layers and how they are pooled, shape, dtype): (fingerprints, function)}
_FUNCTIONS: WeakKeyDictionary = WeakKeyDictionary()
# encoder -> {tap: (structure, layers, number of variables)}
_PARTS: WeakKeyDictionary = WeakKeyDictionary()


def compiled(
    encoder: keras.Model,
    taps: Sequence[Pooled],
    shape: tuple[int, ...],
    dtype: str,
    fingerprints: Sequence[str],
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Return a function from images to their vectors at some layers.

    Compiling takes seconds, so the function is kept as long as the encoder lives.

    Parameters
    ----------
    encoder : keras.Model
        A functional model.
    taps : sequence of Pooled
        Its layers, and how each becomes a vector.
    shape : tuple of int
        Height, width and channels of an image.
    dtype : {"uint8", "float32"}
        The type of the images.
    fingerprints : sequence of str
        What `fingerprints` returns now. Where it has changed, the weights have changed, and the
        function is compiled again.

    Returns
    -------
    callable
        Called with images (n, \\*shape), it returns for each tap an array float32 (n, D).
    """
    functions = _FUNCTIONS.setdefault(encoder, {})
    key = tuple(taps), tuple(shape), dtype
    if key not in functions or functions[key][0] != tuple(fingerprints):
        functions[key] = tuple(fingerprints), _compile(encoder, taps, shape, dtype)
    return functions[key][1]


def fingerprints(encoder: keras.Model, taps: Sequence[Pooled]) -> list[str]:
    """Return for each tap a digest of the layers up to it, their present weights, and the pooling.

    Parameters
    ----------
    encoder : keras.Model
        A functional model.
    taps : sequence of Pooled
        Its layers, and how each becomes a vector.
    """
    digests: dict[int, bytes] = {}  # of variables, which several taps share
    texts = []
    for tap in taps:
        structure, variables = _part(encoder, tap.layer)
        fingerprint = hashlib.sha256(structure)
        for variable in variables:
            if id(variable) not in digests:
                values = np.ascontiguousarray(variable.numpy())
                digests[id(variable)] = hashlib.sha256(values.data).digest()
            fingerprint.update(digests[id(variable)])
        pooling = "" if tap.how == "mean" else f"-{tap.how}"
        texts.append(fingerprint.hexdigest()[:40] + pooling)
    return texts


def _part(encoder: keras.Model, tap: Tap) -> tuple[bytes, list]:
    """The structure and the variables of the layers up to a tap."""
    parts = _PARTS.setdefault(encoder, {})
    if tap in parts:
        structure, layers, count = parts[tap]
        variables = _variables(layers)
        if len(variables) == count:  # else a layer was changed, by `enable_lora` for example
            return structure, variables
    part = _up_to(encoder, [tap])
    structure, variables = _structure(part.get_config()), _variables(part.layers)
    parts[tap] = structure, part.layers, len(variables)
    return structure, variables


def _variables(layers: list) -> list:
    variables = []
    for layer in layers:
        variables += layer.weights
    return variables


def _up_to(encoder: keras.Model, taps: Sequence[Tap]) -> keras.Model:
    outputs = [encoder.outputs[0] if tap is None else encoder.get_layer(tap).output for tap in taps]
    return keras.Model(encoder.inputs, outputs)


def _structure(config: dict) -> bytes:
    """The layers and their wiring, whatever the layers are called and whether they are frozen."""
    numbers: dict[str, str] = {}
    _number_names(config.get("layers", ()), numbers)
    return json.dumps(_with_numbers(config, numbers), sort_keys=True, default=repr).encode()


def _number_names(config, numbers: dict[str, str]) -> None:
    """Give every name within a configuration a number, in the order in which they come."""
    children = config.values() if isinstance(config, dict) else config
    if isinstance(config, dict | list | tuple):
        for child in children:
            _number_names(child, numbers)
    if isinstance(config, dict) and isinstance(config.get("name"), str):
        numbers.setdefault(config["name"], f"#{len(numbers)}")


def _with_numbers(config, numbers: dict[str, str]):
    """A configuration with numbers in the place of names, and without `trainable`."""
    if isinstance(config, dict):
        kept = {key: value for key, value in config.items() if key not in ("name", "trainable")}
        return {key: _with_numbers(value, numbers) for key, value in kept.items()}
    if isinstance(config, list | tuple):
        return [_with_numbers(value, numbers) for value in config]
    return numbers.get(config, config) if isinstance(config, str) else config


def _compile(encoder: keras.Model, taps: Sequence[Pooled], shape: tuple[int, ...], dtype: str):
    part = _up_to(encoder, [tap.layer for tap in taps])
    compute = _folding.folded(part)

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), dtype)], autograph=False)
    def vectors(images):
        maps = compute([tf.cast(images, tf.float32)])
        maps = maps if isinstance(maps, list | tuple) else [maps]
        pooled = [POOLINGS[tap.how](output) for tap, output in zip(taps, maps)]
        return [tf.cast(vector, tf.float32) for vector in pooled]

    function = _folding.frozen(vectors.get_concrete_function(), part)
    return lambda images: [vector.numpy() for vector in function(tf.constant(images))]
