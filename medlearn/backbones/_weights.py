"""Pretrained weights out of a legacy torch file, without torch and without trusting the file.

Such a file is five pickles and then raw numbers. A pickle is a program, so it is run only if every
instruction is on a short list. Numbers are taken only from inside the storages that the file itself
declares.
"""

import hashlib
import io
import math
import pickle
import pickletools
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_NUMBERS = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "|u1",
}
# The only pickle instructions that are run, by what they do.
_FRAME = {"PROTO", "STOP", "MARK"}
_CONSTANTS = {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"}
_LISTS_AND_DICTS = {"EMPTY_DICT", "EMPTY_LIST", "APPEND", "APPENDS", "SETITEM", "SETITEMS"}
_TUPLES = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_MEMO = {"BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
_OBJECTS = {"GLOBAL", "REDUCE", "BUILD", "BINPERSID"}  # `_Unpickler` says which
_INSTRUCTIONS = _FRAME | _CONSTANTS | _LISTS_AND_DICTS | _TUPLES | _MEMO | _OBJECTS
# What each instruction takes from the stack, and whether it leaves what holds it.
_TAKEN = {"TUPLE1": (1, True), "TUPLE2": (2, True), "TUPLE3": (3, True), "REDUCE": (2, True)}
_TAKEN |= {"APPEND": (1, False), "BUILD": (1, False), "SETITEM": (2, False), "BINPERSID": (1, True)}
_LARGEST_TUPLE = 1_000  # values, those of tuples in it included: an array is described by 20
_MOST_MEMOS = 1_000_000  # the unpickler allocates memory up to the highest memo number


def read(path: str | Path, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Return the named arrays of a legacy torch `state_dict` file.

    The format is that of ``torch.save(..., _use_new_zipfile_serialization=False)``.

    Parameters
    ----------
    path : str or Path
        The file.
    sha256 : str, optional
        The digest, in hexadecimal digits, that the file must have.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        With one sentence, for a file that is altered, truncated, of another format, or asks for
        anything but arrays.
    """
    path = Path(path)
    data = path.read_bytes()
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(
            f"{path.name} is not the file that was published (its SHA-256 differs): "
            "install it again."
        )
    try:
        return _parse(data)
    except Exception as error:  # whatever a hostile pickle provokes, the answer is the same
        raise ValueError(f"{path.name} was refused as a file of weights: {error}.") from error


class _Storage(NamedTuple):  # a tuple has no __dict__ that a BUILD instruction could write to
    key: str
    dtype: str
    length: int


class _View(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _parse(data: bytes) -> dict[str, np.ndarray]:
    stream = io.BytesIO(data)
    if data[:2] == b"PK":
        raise ValueError(
            "it is a zip, but only torch's legacy format is read "
            "(torch.save with _use_new_zipfile_serialization=False)"
        )
    _check_begin(stream)
    state, keys = _run(stream), _run(stream)
    views = dict.values(state) if isinstance(state, dict) else [None]
    if not all(isinstance(view, _View) for view in views):
        raise ValueError("it holds something else than named arrays")
    storages = {key: _numbers(stream, storage) for key, storage in _declared(state, keys).items()}
    if stream.read(1):
        raise ValueError("something follows its last array")
    return {str(name): _array(storages[view.storage.key], view) for name, view in dict.items(state)}


def _check_begin(stream: io.BytesIO) -> None:
    magic, protocol = _run(stream), _run(stream)
    if magic != _MAGIC or protocol != _PROTOCOL or _run(stream).get("little_endian") is not True:
        raise ValueError("it does not begin as a legacy torch file")


def _run(stream: io.BytesIO):
    """Check the next pickle instruction by instruction, then run it."""
    start = stream.tell()
    sizes = _Sizes()
    for instruction, argument, _ in pickletools.genops(stream):
        if instruction.name not in _INSTRUCTIONS:
            raise ValueError(f"its pickle uses the instruction {instruction.name}")
        if instruction.name == "LONG_BINPUT" and (argument or 0) > _MOST_MEMOS:
            raise ValueError(f"its pickle asks for memo {argument}")
        if sizes.after(instruction.name, argument) > _LARGEST_TUPLE:
            raise ValueError("its pickle nests tuples in tuples")
    stream.seek(start)
    return _Unpickler(stream).load()


class _Sizes:
    """How many values the tuples of a pickle hold, followed without making one.

    A tuple that holds another one twice, many times over, is a few bytes and would take hours to
    compare or to hash.
    """

    def __init__(self) -> None:
        self.stack: list[int | None] = []  # None is a mark
        self.memo: dict[int, int] = {}

    def after(self, name: str, argument: Any) -> int:
        """Return the size of what is on top of the stack after an instruction.

        Parameters
        ----------
        name : str
            Name of the instruction.
        argument : object
            Its argument, which is a number where it names a memo.
        """
        if name in _MEMO:
            if name.endswith("GET"):
                self.stack.append(self.memo.get(argument, 1))
            elif self.stack:
                self.memo[argument] = self.stack[-1] or 1
        elif name == "MARK":
            self.stack.append(None)
        elif name in ("TUPLE", "APPENDS", "SETITEMS"):
            size = self._popped(len(self.stack) - self._after_mark())
            self.stack.pop() if self.stack else None  # the mark
            self.stack += [1 + size] if name == "TUPLE" else []
        elif name in _TAKEN:
            taken, leaves = _TAKEN[name]
            size = self._popped(taken)
            self.stack += [1 + size] if leaves else []
        elif name not in _FRAME:
            self.stack.append(1)
        return (self.stack[-1] or 0) if self.stack else 0

    def _after_mark(self) -> int:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is None:
                return index + 1
        return 0

    def _popped(self, count: int) -> int:
        """Take values from the stack; return the sum of their sizes."""
        return sum(self.stack.pop() or 0 for _ in range(min(count, len(self.stack))))


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        """Return our stand-in for one of the few names that a file of weights needs.

        Parameters
        ----------
        module, name : str
            What the pickle asks for.
        """
        allowed = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
            "torch._utils._rebuild_parameter": _rebuild_parameter,
        }
        allowed |= {f"torch.{storage}": dtype for storage, dtype in _NUMBERS.items()}
        if f"{module}.{name}" not in allowed:
            raise ValueError(f"its pickle asks for {module}.{name}")
        return allowed[f"{module}.{name}"]

    def persistent_load(self, pid):
        label, dtype, key, _, length, view = pid
        if label != "storage" or dtype not in _NUMBERS.values() or view is not None:
            raise ValueError("a storage is not described as expected")
        return _Storage(str(key), dtype, _count(length))


def _rebuild_tensor(storage, offset, shape, strides, *_hooks_and_gradient):
    if not isinstance(storage, _Storage) or len(shape) != len(strides):
        raise ValueError("an array is not described as expected")
    return _View(storage, _count(offset), tuple(map(_count, shape)), tuple(map(_count, strides)))


def _rebuild_parameter(view, *_hooks_and_gradient):
    return view


def _count(value) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("something else stands where a count belongs")
    return value


def _declared(state: dict, keys) -> dict[str, _Storage]:
    """The storages in the order of their numbers in the file."""
    used = {view.storage.key: view.storage for view in dict.values(state)}
    if not isinstance(keys, list) or len(keys) != len(used) or set(keys) != set(used):
        raise ValueError("its list of storages does not match its arrays")
    return {key: used[key] for key in keys}


def _numbers(stream: io.BytesIO, storage: _Storage) -> np.ndarray:
    (length,) = struct.unpack("<q", stream.read(8))
    if length != storage.length:
        raise ValueError("a storage has another length than declared")
    raw = stream.read(length * np.dtype(storage.dtype).itemsize)
    if len(raw) != length * np.dtype(storage.dtype).itemsize:
        raise ValueError("it is truncated")
    return np.frombuffer(raw, storage.dtype)


def _array(numbers: np.ndarray, view: _View) -> np.ndarray:
    if view.storage.length != len(numbers) or view.storage.dtype != numbers.dtype.str:
        raise ValueError("two arrays disagree about their storage")
    count = math.prod(view.shape)
    last = view.offset + sum((side - 1) * stride for side, stride in zip(view.shape, view.strides))
    if count > len(numbers) or (count and last >= len(numbers)):
        raise ValueError("an array reaches outside its storage")
    strides = [stride * numbers.itemsize for stride in view.strides]
    array = np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides).copy()
    if not np.isfinite(array).all():
        raise ValueError("it holds values that are not finite")
    return array
