"""A trained network as a fixed computation: BatchNormalization in the kernels, weights constant."""

import inspect
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np

from medlearn import _keras
from medlearn._keras import keras, tf


def compiled_maps(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from images to the maps of a model as it is now.

    Later changes of the weights do not reach the function of a convolutional model.

    Parameters
    ----------
    model : keras.Model
        A functional model with one output.

    Returns
    -------
    callable
        Called with images (n, H, W, C), 0 to 255, it returns maps float32 (n, h, w, channels).
    """
    compute = folded(model)

    @tf.function(input_signature=[tf.TensorSpec((None, *model.input_shape[1:]))], autograph=False)
    def maps(images):
        output = compute(images)
        output = output[0] if isinstance(output, list | tuple) else output
        return [tf.cast(output, tf.float32)]

    function = frozen(maps.get_concrete_function(), model)
    return lambda images: function(tf.constant(images, tf.float32))[0].numpy()


def folded(model: keras.Model) -> Callable:
    """Return the computation of a model, in which kernels hold the BatchNormalization after them.

    Outputs are the same up to rounding. TensorFlow computes a convolution, its bias and a ReLU in
    one pass over memory, but a BatchNormalization after a depthwise convolution prevents that: it
    took a third of the time. Kernels come in as constants, which need not be frozen afterwards.

    Parameters
    ----------
    model : keras.Model
        A functional model. One that is not convolutional stays as it is.
    """
    try:
        steps = _folded_steps(model) if _is_convolutional(model) else None
    except Exception:  # a layer of an unknown kind costs only this gain in speed
        steps = None
    run = graph_runner(model)
    if steps is None or run is None:
        return partial(model, training=False)
    return partial(run, operation_fn=lambda operation: steps[id(operation)])


def graph_runner(model: keras.Model) -> Callable | None:
    """Return what runs a functional model with other steps in place of its layers, if it has that.

    Parameters
    ----------
    model : keras.Model
        A model.

    Returns
    -------
    callable or None
        Called with images and with `operation_fn`, which takes a layer and returns what is called
        for it. It is what `model.call` itself calls, but Keras does not promise to keep it.
    """
    run = getattr(model, "_run_through_graph", None)
    if run is None or "operation_fn" not in inspect.signature(run).parameters:
        return None
    return run


def at_rest(operation: keras.layers.Layer) -> Callable:
    """Return an operation as it is in prediction, whatever was said when the graph was built.

    Parameters
    ----------
    operation : keras.layers.Layer
        A layer, or another operation of a functional model.
    """
    if "training" not in inspect.signature(operation.call).parameters:
        return operation
    return lambda *inputs, **options: operation(*inputs, **options | {"training": False})


def frozen(
    function: "tf.types.experimental.ConcreteFunction", model: keras.Model
) -> "tf.types.experimental.ConcreteFunction":
    """Return a function of a convolutional model with constants for variables.

    Parameters
    ----------
    function : tf.types.experimental.ConcreteFunction
        That was traced with what `folded` returned, which leaves few variables or none.
    model : keras.Model
        The model. Where it is not convolutional, the function stays as it is.
    """
    if function.variables and _is_convolutional(model):
        return _keras.freeze_graph(function)
    return function


def _is_convolutional(model: keras.Model) -> bool:
    """Whether constants pay: convolutions become quicker, the matrix products of a transformer not.

    A transformer of 88 MB took 13 CPU-seconds and 1.7 GB to be frozen.
    """
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return sum(isinstance(layer, kinds) for layer in _keras.leaves(model)) > 1


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
        else:
            steps[id(operation)] = at_rest(operation)
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
            last = layer.axis in (-1, len(layer.output.shape) - 1)
            if maker is not None and last and _is_linear_convolution(maker):
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
