"""A trained encoder as a fixed, fast function from images to vectors."""

import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from medlearn import _keras
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
    convolutional = _is_convolutional(part)
    compute = _folded(part) if convolutional else partial(part, training=False)

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), dtype)], autograph=False)
    def vectors(images):
        maps = compute([tf.cast(images, tf.float32)])
        maps = maps if isinstance(maps, list | tuple) else [maps]
        pooled = [POOLINGS[tap.how](output) for tap, output in zip(taps, maps)]
        return [tf.cast(vector, tf.float32) for vector in pooled]

    function = vectors.get_concrete_function()
    if convolutional and function.variables:  # folding makes most of them constants already
        function = _keras.freeze_graph(function)
    return lambda images: [vector.numpy() for vector in function(tf.constant(images))]


def _is_convolutional(model: keras.Model) -> bool:
    """Whether constants pay: convolutions become quicker, the matrix products of a transformer not.

    A transformer of 88 MB took 13 CPU-seconds and 1.7 GB to be frozen.
    """
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return sum(isinstance(layer, kinds) for layer in _keras.leaves(model)) > 1


def _folded(model: keras.Model) -> Callable:
    """The same computation, in which BatchNormalization after a convolution is in its kernel.

    Outputs are the same up to rounding. TensorFlow computes a convolution, its bias and a ReLU in
    one pass over memory, but a BatchNormalization after a depthwise convolution prevents that: it
    took a third of the time. Kernels come in as constants, which need not be frozen afterwards.
    """
    try:
        steps = _folded_steps(model)
        run = model._run_through_graph  # what `model.call` calls; not public
    except Exception:  # a layer of an unknown kind costs only this gain in speed
        return partial(model, training=False)
    return partial(run, operation_fn=lambda operation: steps[id(operation)])


def _folded_steps(model: keras.Model) -> dict[int, Callable]:
    """What each operation of a model does, by its id."""
    norms = _norms_after_convolutions(model)
    skipped = {id(norm) for norm in norms.values()}
    steps = {}
    for operation in model.operations:
        if id(operation) in skipped:
            steps[id(operation)] = _unchanged
        elif operation.name in norms:
            steps[id(operation)] = _convolution(operation, norms[operation.name])
        elif "training" in inspect.signature(operation.call).parameters:
            steps[id(operation)] = partial(operation, training=False)
        else:
            steps[id(operation)] = operation
    return steps


def _unchanged(images, **options):
    return images


def _convolution(layer, norm) -> Callable:
    """A convolution with the BatchNormalization after it, whose weights are constants."""
    kernel, bias = _with_norm(layer, norm)
    depthwise = type(layer) is keras.layers.DepthwiseConv2D
    convolve = keras.ops.depthwise_conv if depthwise else keras.ops.conv

    steps = {"strides": layer.strides, "dilation_rate": layer.dilation_rate}

    def convolution(images, **options):
        maps = convolve(images, kernel, padding=layer.padding, data_format="channels_last", **steps)
        return tf.nn.bias_add(maps, bias)

    return convolution


def _norms_after_convolutions(model: keras.Model) -> dict:
    """Name of a convolution -> the BatchNormalization that is the only one to take its output."""
    makers = {id(operation.output): operation for operation in model.operations}
    uses = Counter(map(id, model.outputs))
    for operation in model.operations:
        uses.update(map(id, keras.tree.flatten(operation.input)))
    norms = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and uses[id(layer.input)] == 1:
            maker = makers.get(id(layer.input))
            if maker is not None and _is_linear_convolution(maker):
                norms[maker.name] = layer
    return norms


def _is_linear_convolution(layer) -> bool:
    return (
        type(layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
        and layer.compute_dtype == "float32"
        and len(layer.weights) == 1 + layer.use_bias
    )


def _with_norm(convolution, norm) -> list[np.ndarray]:
    """Kernel and bias that do what a convolution and its BatchNormalization do."""
    kernel, *bias = convolution.get_weights()
    scale = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * norm.gamma.numpy()
    shift = (bias[0] if bias else 0) - norm.moving_mean.numpy()
    offset = 0 if norm.beta is None else norm.beta.numpy()
    depthwise = type(convolution) is keras.layers.DepthwiseConv2D
    by_channel = scale.reshape(kernel.shape[2:]) if depthwise else scale
    return [kernel * by_channel, np.asarray(shift * scale + offset, np.float32)]
