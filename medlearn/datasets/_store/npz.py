"""Arrays out of an .npz file without trusting it: no pickle, only expected shapes, any rows."""

import hashlib
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from medlearn.datasets._store import archive

Shape = tuple[int, ...]
Shapes = dict[str, tuple[Shape, ...]]  # the shapes that each array may have
_MAX_HEADER = 10_000  # characters
_PIECE = 1 << 20  # bytes that are read at a time


@dataclass(frozen=True)
class _Array:
    """One array of the file, as its header declares it; `start` is where the values begin."""

    name: str
    member: ZipInfo
    shape: Shape
    dtype: np.dtype
    start: int


def accept(path: Path, md5: str, shapes: Shapes, digests: dict[str, str]) -> None:
    """Check that a file is the published one: by its MD5, or else by the values of every array.

    A mirror may have packed the same arrays anew. Without `digests` that cannot be told from
    altered arrays, and the file is refused.

    Parameters
    ----------
    path : Path
        The file.
    md5 : str
        Published MD5 of the file.
    shapes : dict of str to tuple of shapes
        The arrays that the file must hold, and the shapes that each may have.
    digests : dict of str to str
        SHA-256 of the values of each array, as `digest` returns it; may be empty.

    Raises
    ------
    ValueError
        With the end of a sentence that names the file.
    """
    with archive.opened(path) as source:
        for name in shapes:
            _declared(source, name, shapes[name])
    with open(path, "rb") as file:
        actual = hashlib.file_digest(file, "md5").hexdigest()
    if actual == md5:
        return
    if not digests:
        raise ValueError(
            f"its MD5 is {actual} and not the published {md5}, and its card lists no checksums of "
            "the arrays that could show that only the packing differs"
        )
    for name in shapes:
        if digest(path, name, shapes[name]) != digests.get(name):
            raise ValueError(f"its array {name!r} is altered")


def digest(path: Path, name: str, shapes: tuple[Shape, ...]) -> str:
    """Return the SHA-256 of the values of one array, whatever its header and its packing.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the array.
    shapes : tuple of shapes
        The shapes that the array may have.
    """
    values = hashlib.sha256()
    with archive.opened(path) as source:
        array = _declared(source, name, shapes)
        with source.open(array.member) as file:
            file.read(array.start)
            while piece := file.read(_PIECE):
                values.update(piece)
    return values.hexdigest()


def read(
    path: Path, name: str, shapes: tuple[Shape, ...], rows: np.ndarray | None = None
) -> np.ndarray:
    """Return an array of whole numbers, or some of its rows.

    The file is read in pieces: memory holds little more than what is returned.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the array.
    shapes : tuple of shapes
        The shapes that the array may have.
    rows : numpy.ndarray of int, optional
        Increasing indices; None for all rows.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        If the array is missing, has another type or shape, or is damaged (its CRC counts).
    """
    with archive.opened(path) as source:
        array = _declared(source, name, shapes)
        with source.open(array.member) as file:
            file.read(array.start)
            values = _rows(file, array, np.arange(array.shape[0]) if rows is None else rows)
            file.read(1)  # to the end, where the CRC is compared
    return values


def _rows(file: IO[bytes], array: _Array, rows: np.ndarray) -> np.ndarray:
    """Return the rows of an array from a file that stands at its first value."""
    row_bytes = math.prod(array.shape[1:]) * array.dtype.itemsize
    block = max(1, _PIECE // row_bytes)
    result = np.empty((len(rows), *array.shape[1:]), array.dtype)
    for start in range(0, array.shape[0], block):
        count = min(block, array.shape[0] - start)
        piece = file.read(count * row_bytes)
        if len(piece) != count * row_bytes:
            raise ValueError(f"its array {array.name!r} ends early")
        values = np.frombuffer(piece, array.dtype).reshape(count, *array.shape[1:])
        first, last = np.searchsorted(rows, [start, start + count])
        result[first:last] = values[rows[first:last] - start]
    return result


def _declared(source: ZipFile, name: str, shapes: tuple[Shape, ...]) -> _Array:
    """Return an array whose declared sizes all agree; nothing but its header is inflated."""
    members = [member for member in source.infolist() if member.filename == f"{name}.npy"]
    if len(members) != 1:
        raise ValueError(f"it holds the array {name!r} {len(members)} times instead of once")
    member = members[0]
    with source.open(member) as file:
        shape, dtype = _header(file, name)
        start = file.tell()
    if shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ValueError(f"its array {name!r} has the shape {shape} and not {expected}")
    if member.file_size != start + math.prod(shape) * dtype.itemsize:
        raise ValueError(
            f"its array {name!r} says it has {member.file_size:,} bytes, which its shape "
            "contradicts"
        )
    return _Array(name, member, shape, dtype, start)


def _header(file: IO[bytes], name: str) -> tuple[Shape, np.dtype]:
    """Read the header of an .npy file; refuse all but whole numbers in C order."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = npy.read_magic(file)
            read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
            shape, in_fortran_order, dtype = read_header[version](file, _MAX_HEADER)
    except archive.DAMAGE:
        raise
    except Exception as error:  # NumPy raises many types on damaged headers
        raise ValueError(f"the header of its array {name!r} cannot be read") from error
    if in_fortran_order or dtype.kind not in "iu":
        raise ValueError(f"its array {name!r} is not one of plain whole numbers")
    return shape, dtype
