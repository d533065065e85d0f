"""Arrays out of a .npz file without trusting it: no pickle, no surprise in shape or size, only the rows one wants."""

import hashlib
import math
import re
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipExtFile, ZipFile, ZipInfo

import numpy as np

from medlearn.datasets import _archive

Shapes = dict[str, tuple[tuple[int, ...], ...]]  # the shapes that each array may have
_HEADER = re.compile(
    rb"\{'descr': '([|<>][iu][1248])', 'fortran_order': False, 'shape': \(([\d, ]{1,80})\),? \} *\n"
)
_PIECE = 1 << 20


def accept(path: Path, md5: str, shapes: Shapes, digests: dict[str, str]) -> None:
    """Whether a file is the published one: by its MD5, or else by the SHA-256 of the values of every array.

    A mirror may have packed the same arrays anew; without `digests` that cannot be told from altered ones, and the
    file is refused. Every array must in any case have a shape of `shapes`. Raises ValueError, ending a sentence that
    names the file.
    """
    with _archive.opened(path) as source:
        sizes = {name: _header(source, name, shapes[name])[1] for name in shapes}
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found == md5:
        return
    if not digests:
        raise ValueError(
            f"its MD5 is {found} and not the published {md5}, and its card lists no checksums of the "
            "arrays that could show that only the packing differs"
        )
    for name in sizes:
        if digest(path, name, shapes[name]) != digests.get(name):
            raise ValueError(f"its array {name!r} is altered")


def digest(path: Path, name: str, shapes: tuple[tuple[int, ...], ...]) -> str:
    """SHA-256 of the values of one array, whatever its header and its packing."""
    values = hashlib.sha256()
    with _archive.opened(path) as source:
        _, _, member = _header(source, name, shapes)
        with source.open(member) as file:
            file.read(_start(file))
            while piece := file.read(_PIECE):
                values.update(piece)
    return values.hexdigest()


def read(
    path: Path, name: str, shapes: tuple[tuple[int, ...], ...], rows: np.ndarray | None = None
) -> np.ndarray:
    """One integer array, or those of its `rows` (increasing), read in pieces: memory holds no more than is returned.

    Raises ValueError if the array is missing, has another shape than one of `shapes`, or is damaged (its CRC counts).
    """
    with _archive.opened(path) as source:
        shape, dtype, member = _header(source, name, shapes)
        rows = np.arange(shape[0]) if rows is None else rows
        each = math.prod(shape[1:]) * dtype.itemsize
        block = max(1, _PIECE // each)
        found = np.empty((len(rows), *shape[1:]), dtype)
        with source.open(member) as file:
            file.read(_start(file))
            for start in range(0, shape[0], block):
                count = min(block, shape[0] - start)
                piece = file.read(count * each)
                if len(piece) != count * each:
                    raise ValueError(f"its array {name!r} ends early")
                first, last = np.searchsorted(rows, [start, start + count])
                values = np.frombuffer(piece, dtype).reshape(count, *shape[1:])
                found[first:last] = values[rows[first:last] - start]
            file.read(1)  # to the end, where the CRC is compared
    return found


def _header(
    source: ZipFile, name: str, shapes: Iterable[tuple[int, ...]]
) -> tuple[tuple, np.dtype, ZipInfo]:
    """Shape and type of an array whose declared sizes all agree; nothing but the header is inflated."""
    members = [member for member in source.infolist() if member.filename == f"{name}.npy"]
    if len(members) != 1:
        raise ValueError(f"it holds the array {name!r} {len(members)} times instead of once")
    with source.open(members[0]) as file:
        length = _start(file)
        written = _HEADER.fullmatch(file.read(length)) if length <= 10_000 else None
        start = file.tell()
    if written is None:
        raise ValueError(f"the header of its array {name!r} is not one of plain whole numbers")
    shape = tuple(int(number) for number in written[2].decode().split(",") if number.strip())
    dtype = np.dtype(written[1].decode())
    if shape not in shapes:
        raise ValueError(
            f"its array {name!r} has the shape {shape} and not {' or '.join(map(str, shapes))}"
        )
    if members[0].file_size != start + math.prod(shape) * dtype.itemsize:
        raise ValueError(
            f"its array {name!r} says it has {members[0].file_size:,} bytes, which its shape contradicts"
        )
    return shape, dtype, members[0]


def _start(file: ZipExtFile) -> int:
    """Read the magic of an .npy file; returns the length of the header that follows (0 if it is no .npy)."""
    magic = file.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) < 8 or magic[6] not in (1, 2):
        return 0
    return int.from_bytes(file.read(2 if magic[6] == 1 else 4), "little")
