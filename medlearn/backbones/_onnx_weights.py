"""Pretrained weights out of an ONNX file, without onnx and without trusting the file.

An ONNX file is a protobuf message. Its graph holds the trained arrays ("initializers") beside the
operations that use them. Only the arrays are read; nothing in the file is run.
"""

import math
from collections.abc import Iterator

import numpy as np

# Numbers of the fields, from onnx.proto of ONNX 1.9 (opset 14).
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_FLOAT = 1
# Wire types of protobuf.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_MOST_DIMENSIONS = 8


def read(data: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of 32-bit floats in an ONNX file, by name.

    Parameters
    ----------
    data : bytes
        The content of the file.

    Returns
    -------
    dict of str to numpy.ndarray
        Views of `data`; they cannot be written to.

    Raises
    ------
    ValueError
        With the end of a sentence about the file, if it is truncated or of another format.
    """
    arrays: dict[str, np.ndarray] = {}
    for graph in _messages(memoryview(data), _MODEL_GRAPH):
        for tensor in _messages(graph, _GRAPH_INITIALIZER):
            name, array = _array(tensor)
            if name in arrays:
                raise ValueError(f"it holds two arrays called {name}")
            if array is not None:
                arrays[name] = array
    if not arrays:
        raise ValueError("it holds no arrays")
    return arrays


def _array(tensor: memoryview) -> tuple[str, np.ndarray | None]:
    """The name of a tensor, and its values if they are 32-bit floats."""
    shape: list[int] = []
    name, data_type, raw = "", 0, memoryview(b"")
    for field, value in _fields(tensor):
        if field == _DIMS:
            shape += _packed(value) if isinstance(value, memoryview) else [value]
        elif field == _DATA_TYPE and isinstance(value, int):
            data_type = value
        elif field == _NAME and isinstance(value, memoryview):
            name = str(value, "utf-8", "replace")
        elif field == _RAW_DATA and isinstance(value, memoryview):
            raw = value
    if data_type != _FLOAT:
        return name, None
    if len(shape) > _MOST_DIMENSIONS or 4 * math.prod(shape) != len(raw):
        raise ValueError(f"the array {name} has another length than its shape")
    array = np.frombuffer(raw, "<f4").reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError(f"the array {name} holds values that are not finite")
    return name, array


def _messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """The messages inside a message that are its field of this number."""
    for field, value in _fields(message):
        if field == number and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: number and value, a whole number or a part of the message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(message, position)
            yield field, value
            continue
        if wire == _BYTES:
            size, position = _varint(message, position)
        elif wire in _FIXED_SIZES:
            size = _FIXED_SIZES[wire]
        else:
            raise ValueError("it is damaged or not an ONNX file")
        if position + size > len(message):
            raise ValueError("it is truncated")
        yield field, message[position : position + size]
        position += size


def _packed(values: memoryview) -> list[int]:
    """Whole numbers that stand one after the other."""
    numbers, position = [], 0
    while position < len(values):
        number, position = _varint(values, position)
        numbers.append(number)
    return numbers


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """A whole number of up to ten bytes, and the position after it."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("it is truncated")
        byte = message[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise ValueError("it is damaged or not an ONNX file")
