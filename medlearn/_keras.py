"""The one way to TensorFlow and Keras, loaded late and quietly; layers and copies of models.

    from medlearn._keras import keras, tf

Nothing is loaded before one of the two names is asked for, so `import medlearn` stays quick.
"""

import importlib
import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

__all__ = [
    "batchnorms",
    "copied",
    "freeze_graph",
    "gpu_name",
    "installed",
    "keras",
    "leaves",
    "parts",
    "scalings",
    "tf",
]

MISSING = (
    "TensorFlow is not installed, and everything in medlearn that holds a network needs it: "
    'install it with `pip install "medlearn[cpu]"` '
    '(or "medlearn[gpu]" on Linux with an NVIDIA card).'
)
_MODULES = {"keras": "keras", "tf": "tensorflow"}


def installed() -> bool:
    """Return whether TensorFlow is installed; it is not loaded."""
    return importlib.util.find_spec("tensorflow") is not None


def gpu_name() -> str | None:
    """Return the name of the first graphics card that TensorFlow can use, or None.

    Raises
    ------
    ImportError
        If TensorFlow is not installed.
    """
    config = __getattr__("tf").config
    cards = config.list_physical_devices("GPU")
    if not cards:
        return None
    return config.experimental.get_device_details(cards[0]).get("device_name", cards[0].name)


def freeze_graph(function: "tf.types.experimental.ConcreteFunction"):
    """Return the same function with constants for variables, which TensorFlow can fold and fuse.

    It takes the same tensors and returns the flat list of results. Later changes of the variables
    do not reach it.
    """
    # Not in TensorFlow's public interface, but the first step of its own converters since 2.0.
    constants = importlib.import_module("tensorflow.python.framework.convert_to_constants")
    return constants.convert_variables_to_constants_v2(function)


def parts(layer: "keras.layers.Layer") -> list:
    """Return the layers right inside a model; of a wrapper such as TimeDistributed, its model."""
    keras = __getattr__("keras")
    if isinstance(layer, keras.layers.Wrapper) and isinstance(layer.layer, keras.Model):
        return [layer.layer]
    return layer.layers if isinstance(layer, keras.Model) else []


def leaves(model: "keras.Model") -> list:
    """Return the layers that hold no model themselves, from input to output, at any depth."""
    layers = []
    for layer in parts(model):
        layers += leaves(layer) if parts(layer) else [layer]
    return layers


def batchnorms(model: "keras.Model") -> list:
    """Return all BatchNormalization layers, those inside models and other layers too, in order."""
    batchnorm = __getattr__("keras").layers.BatchNormalization
    inside = [part for leaf in leaves(model) for part in leaf._flatten_layers()]
    return [layer for layer in inside if isinstance(layer, batchnorm)]


def scalings(layers: list) -> list:
    """Return those of some layers that scale images: Rescaling and Normalization."""
    keras = __getattr__("keras")
    scaling = (keras.layers.Rescaling, keras.layers.Normalization)
    return [layer for layer in layers if isinstance(layer, scaling)]


def copied(model: "keras.Model", copy_layer: Callable | None = None) -> "keras.Model":
    """Return a copy of a model with layers and weights of its own; it is not compiled.

    Parameters
    ----------
    model : keras.Model
        Nested models are copied too.
    copy_layer : callable, optional
        Makes the copy of one layer; by default a layer of the same configuration.
    """
    clone = __getattr__("keras").models.clone_model
    copy = clone(model, clone_function=copy_layer or _same_layer, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def _same_layer(layer):
    return type(layer).from_config(layer.get_config())


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"medlearn._keras offers {', '.join(__all__)}, not {name!r}.")
    _load()
    return globals()[name]


def _load() -> None:
    if not installed():
        raise ImportError(MISSING)
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow leaves its fast CPU kernels off on processors without AVX-512. They help those too:
    # measured with AVX2 only, training is 1.5 to 2 times as fast and prediction 1.4 times.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _quiet_stderr():
        loaded = {name: importlib.import_module(module) for name, module in _MODULES.items()}
        # This prints too. No operation is run here: the first one fixes the number of logical
        # devices, which the lesson on several workers sets after this import.
        loaded["tf"].config.list_physical_devices()
    logging.getLogger("tensorflow").addFilter(_is_no_retracing_warning)
    backend = loaded["keras"].backend.backend()
    if backend != "tensorflow":
        raise ImportError(
            f"Keras runs on {backend!r} here, but medlearn needs TensorFlow: set the environment "
            "variable KERAS_BACKEND=tensorflow and start Python again."
        )
    globals().update(loaded)


def _is_no_retracing_warning(record: logging.LogRecord) -> bool:
    """Each of several models is traced once, which TensorFlow mistakes for one traced often."""
    return "triggered tf.function retracing" not in record.getMessage()


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what compiled code writes to file descriptor 2; show it after an exception.

    TensorFlow's start-up lines come from C++, before its log level is read: only the descriptor
    helps.
    """
    _flush()
    try:
        saved = os.dup(2)
    except OSError:  # no descriptor 2, so nothing can appear there either
        yield
        return
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            _flush()
            os.dup2(saved, 2)
            os.close(saved)
            if failed:
                noise.seek(0)
                os.write(2, noise.read())


def _flush() -> None:
    with suppress(Exception):  # stderr of a notebook or a windowed program may be None or closed
        sys.stderr.flush()
