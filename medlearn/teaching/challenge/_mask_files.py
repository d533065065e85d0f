"""Masks that somebody hands in, as PNG files or one NPZ file: bounded in bytes and in pixels."""

import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn.teaching.challenge import _tables

LARGEST_PNG = 200_000  # bytes; a mask of 96 x 96 pixels has some hundred
LARGEST_NPZ = 5_000_000  # bytes
_LONGEST_HEADER = 4096  # bytes of an array's header
_PNG_MODES = ("1", "L", "P")  # whole numbers in one channel


def from_pngs(
    files: Mapping[str, Path], ids: Sequence[str], shape: tuple[int, int], classes: int
) -> np.ndarray:
    """Return the masks of PNG files that are named after the ids.

    Parameters
    ----------
    files : mapping of str to Path
        The files by their names without ending.
    ids : sequence of str
        All ids that must be there.
    shape : tuple of int
        Height and width of each mask.
    classes : int
        Masks hold whole numbers from 0 to below it.

    Returns
    -------
    numpy.ndarray of uint8, shape (ids, H, W)
        In the order of the ids.

    Raises
    ------
    ValueError
        For missing or invented ids, other sizes, and files that cannot be read.
    """
    by_id = {name.casefold(): path for name, path in files.items()}
    _demand_ids(list(by_id), ids)
    return np.array([_checked(_png(by_id[id], shape), id, shape, classes) for id in ids])


def from_npz(path: Path, ids: Sequence[str], shape: tuple[int, int], classes: int) -> np.ndarray:
    """Return the masks of a file with the arrays `ids` (M,) and `masks` (M, H, W).

    Parameters
    ----------
    path : Path
        What `numpy.savez_compressed` wrote; objects in it are refused, never unpickled.
    ids, shape, classes
        As for `from_pngs`.

    Returns
    -------
    numpy.ndarray of uint8, shape (ids, H, W)
        In the order of the ids.

    Raises
    ------
    ValueError
        As `from_pngs`.
    """
    if path.stat().st_size > LARGEST_NPZ:
        raise ValueError(f"the file is larger than {LARGEST_NPZ // 1_000_000} MB")
    names = _array(path, "ids", (len(ids),), "U")
    handed_in = [str(name).strip().casefold() for name in names]
    _demand_ids(handed_in, ids)
    masks = _array(path, "masks", (len(ids), *shape), "uib")
    rows = [handed_in.index(id) for id in ids]
    return np.array([_checked(masks[row], id, shape, classes) for row, id in zip(rows, ids)])


def _demand_ids(handed_in: list[str], ids: Sequence[str]) -> None:
    """Raise ValueError unless each id is there once, and no other."""
    _tables.refuse("masks of ids that this challenge does not have", sorted({*handed_in} - {*ids}))
    _tables.refuse("ids that occur twice", [id for id in ids if handed_in.count(id) > 1])
    _tables.refuse("masks that are missing", [id for id in ids if id not in handed_in])


def _png(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """The numbers of a picture, which is decoded only if its header has the right size."""
    if path.stat().st_size > LARGEST_PNG:
        raise ValueError(f"{path.name} is larger than {LARGEST_PNG // 1000} kB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs: the size is checked below
            image = Image.open(io.BytesIO(path.read_bytes()), formats=["PNG"])
        if image.size == shape[::-1] and image.mode in _PNG_MODES:
            return np.asarray(image)
    except Exception as error:  # whatever a damaged or hostile picture raises
        raise ValueError(f"{path.name} cannot be read as a PNG picture") from error
    raise ValueError(
        f"{path.name} has {image.width} x {image.height} pixels of mode {image.mode}; expected "
        f"{shape[1]} x {shape[0]} whole numbers in one channel (grey levels)"
    )


def _array(path: Path, name: str, shape: tuple[int, ...], kinds: str) -> np.ndarray:
    """One array of the file; its header is checked before memory is asked for."""
    problem = f"the array {name!r} should be {shape} of {'text' if kinds == 'U' else 'numbers'}"
    most = int(np.prod(shape)) * 8 + 64 * _LONGEST_HEADER
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise ValueError
        stream = io.BytesIO(data)
        version = np.lib.format.read_magic(stream)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        stored_shape, _, dtype = readers[version](stream, max_header_size=_LONGEST_HEADER)
        if stored_shape != shape or dtype.kind not in kinds or dtype.itemsize > _LONGEST_HEADER:
            raise ValueError
        stream.seek(0)
        return np.load(stream, allow_pickle=False)
    except Exception as error:  # whatever a damaged or hostile archive raises
        raise ValueError(f"{problem}, in a file of numpy.savez_compressed") from error


def _checked(mask: np.ndarray, id: str, shape: tuple[int, int], classes: int) -> np.ndarray:
    if mask.shape != shape or mask.min() < 0 or mask.max() >= classes:
        raise ValueError(
            f"the mask of {id} should be {shape} whole numbers from 0 to {classes - 1}; it is "
            f"{mask.shape}, from {mask.min()} to {mask.max()}"
        )
    return mask.astype(np.uint8)
