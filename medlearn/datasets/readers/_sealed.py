"""A decoded set as one file of the cache: pictures and masks plain, all text sealed.

Names of files can hold names of patients. So every text, and every column but pictures and masks,
is enciphered with a key from the secret of the study: SHAKE-256 of the key and a random nonce is
the key stream. The whole file carries a keyed digest (BLAKE2b): what was altered, cut or written
with another secret is no decoded set.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medlearn import _files
from medlearn._dataset import Dataset
from medlearn.datasets.readers._problems import COLUMNS, ReadResult

MARK = b"medlearn decoded set 1\n"
_DIGEST, _NONCE, _LENGTH = 32, 16, 8  # bytes
_PLAIN = ("images", "masks")


def write(path: Path, source: bytes, secret: bytes, result: ReadResult) -> None:
    """Write a result atomically, for the eyes of its owner only.

    Parameters
    ----------
    path : Path
        The file to write.
    source : bytes
        Digest of all that the result depends on.
    secret : bytes
        Of the study.
    result : ReadResult
        What `read` will return.
    """
    nonce = secrets.token_bytes(_NONCE)
    text = json.dumps(_encoded(result)).encode()
    sealed = _enciphered(text, secret, nonce)
    parts: list[Any] = [MARK, source, nonce, len(sealed).to_bytes(_LENGTH, "big"), sealed]
    parts += _plain(result.dataset)

    def write_parts(temporary: Path) -> None:
        digest = _digest(secret)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
            file.write(digest.digest())

    _files.write_atomically(path, write_parts)


def read(path: Path, source: bytes, secret: bytes) -> ReadResult | None:
    """Return a result; None if there is none, it is of other files, or the file is damaged.

    Parameters
    ----------
    path : Path
        Of a file that `write` made.
    source : bytes
        Digest of all that the result depends on.
    secret : bytes
        Of the study.
    """
    head = MARK + source
    try:
        with path.open("rb") as file:
            if file.read(len(head)) != head:
                return None
            data = bytearray(path.stat().st_size)
            file.seek(0)
            if file.readinto(data) != len(data):
                return None
        content = memoryview(data)[:-_DIGEST]
        digest = _digest(secret)
        digest.update(content)
        if not secrets.compare_digest(digest.digest(), data[-_DIGEST:]):
            return None
        return _decoded(content[len(head) :], secret)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(purpose, key=secret, digest_size=_DIGEST).digest()


def _digest(secret: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=_key(secret, b"digest"), digest_size=_DIGEST)


def _enciphered(text: bytes, secret: bytes, nonce: bytes) -> bytes:
    """Return a text enciphered, or deciphered."""
    stream = hashlib.shake_256(_key(secret, b"text") + nonce).digest(len(text))
    return (np.frombuffer(text, np.uint8) ^ np.frombuffer(stream, np.uint8)).tobytes()


def _plain(dataset: Dataset) -> Iterator[np.ndarray]:
    for name in _PLAIN:
        array = getattr(dataset, name)
        if array is not None:
            yield np.ascontiguousarray(array).reshape(-1)


# ---- a result as JSON ----------------------------------------------------------------------------


def _encoded(result: ReadResult) -> dict[str, Any]:
    columns = {column.name: getattr(result.dataset, column.name) for column in fields(Dataset)}
    for name in _PLAIN:
        columns[name] = None if columns[name] is None else {"shape": columns[name].shape}
    columns["facts"] = {name: _of_array(column) for name, column in columns["facts"].items()}
    if columns["boxes"] is not None:
        columns["boxes"] = [_of_array(boxes) for boxes in columns["boxes"]]
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            columns[name] = _of_array(column)
    return {
        "dataset": columns,
        "problems": result.problems.to_numpy().tolist(),
        "paths": {name: str(path) for name, path in result.paths.items()},
    }


def _of_array(array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind not in "biufU":
        raise TypeError(f"a column of {array.dtype} is not kept")
    return {"dtype": array.dtype.str, "shape": array.shape, "values": array.ravel().tolist()}


def _to_array(encoded: dict[str, Any]) -> np.ndarray:
    return np.array(encoded["values"], encoded["dtype"]).reshape(encoded["shape"])


def _decoded(content: memoryview, secret: bytes) -> ReadResult:
    nonce, content = bytes(content[:_NONCE]), content[_NONCE:]
    length, content = int.from_bytes(content[:_LENGTH], "big"), content[_LENGTH:]
    encoded = json.loads(_enciphered(bytes(content[:length]), secret, nonce))
    content = content[length:]
    columns = encoded["dataset"]
    for name in _PLAIN:
        if columns[name] is None:
            continue
        shape = columns[name]["shape"]
        size = int(np.prod(shape))
        columns[name] = np.frombuffer(content[:size], np.uint8).reshape(shape)
        content = content[size:]
    columns["facts"] = {name: _to_array(column) for name, column in columns["facts"].items()}
    if columns["boxes"] is not None:
        columns["boxes"] = [_to_array(boxes) for boxes in columns["boxes"]]
    for name, column in columns.items():
        if isinstance(column, dict) and "dtype" in column:
            columns[name] = _to_array(column)
        elif name in ("classes", "mask_classes"):
            columns[name] = tuple(column)
    problems = pd.DataFrame(encoded["problems"], columns=list(COLUMNS))
    paths = {name: Path(path) for name, path in encoded["paths"].items()}
    return ReadResult(Dataset(**columns), problems, paths)
