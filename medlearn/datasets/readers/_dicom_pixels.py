"""Stored values of a DICOM file: also where its header lacks what describes them."""

import numpy as np
import pydicom
from pydicom import pixels

from medlearn.datasets.readers._frame import windowed
from medlearn.datasets.readers._problems import Unreadable

_SIZES = ("Rows", "Columns")
_BYTES = (1, 2, 4)  # of a value


def complete(dataset: pydicom.Dataset) -> tuple[tuple[str, str], ...]:
    """Fill in what a header lacks about its pixels, in place; return a warning that says so.

    Only the size and the photometric interpretation are essential.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.

    Raises
    ------
    Unreadable
        If the header does not say the size of the picture.
    """
    unknown = [keyword for keyword in _SIZES if dataset.get(keyword) is None]
    if unknown:
        raise Unreadable(
            f"its header does not say the size of the picture ({' and '.join(unknown)})",
            "export it anew from the archive",
        )
    if "PixelData" not in dataset:  # values of floating point need no more
        return ()
    assumed = {}
    for keyword in _ASSUMED:
        if dataset.get(keyword) is None:
            assumed[keyword] = _ASSUMED[keyword](dataset)
            setattr(dataset, keyword, assumed[keyword])
    assumed.pop("HighBit", None)  # follows from the others
    if not assumed:
        return ()
    listed = ", ".join(f"{keyword} (taken as {value})" for keyword, value in assumed.items())
    return ((f"its header lacks {listed}", "compare the picture with another program"),)


def _channels(dataset: pydicom.Dataset) -> int:
    name = str(dataset.get("PhotometricInterpretation", "")).strip()
    return 1 if name.startswith(("MONOCHROME", "PALETTE")) else 3


def _bits(dataset: pydicom.Dataset) -> int:
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    values = int(dataset.Rows) * int(dataset.Columns) * int(dataset.SamplesPerPixel) * frames
    length = len(dataset.get("PixelData", b""))
    fitting = [size for size in _BYTES if values * size <= length]
    return 8 * max(fitting, default=1)


_ASSUMED = {  # in this order: the later ones need the earlier ones
    "SamplesPerPixel": _channels,
    "BitsAllocated": _bits,
    "BitsStored": lambda dataset: dataset.BitsAllocated,
    "HighBit": lambda dataset: dataset.BitsStored - 1,
    "PixelRepresentation": lambda dataset: 0,
}


def stored(dataset: pydicom.Dataset, index: int) -> np.ndarray:
    """Return the stored values of a frame; raise Unreadable if they cannot be decoded.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file, completed.
    index : int
        Index of the frame.
    """
    is_compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
    if not is_compressed and "PixelData" in dataset:
        shift = int(dataset.HighBit) + 1 - int(dataset.BitsStored)
        if shift > 0 and int(dataset.HighBit) < int(dataset.BitsAllocated):
            return _shifted(dataset, index, shift)
    try:
        return pixels.pixel_array(dataset, index=index)
    except MemoryError:
        raise
    except Exception as error:  # plugins raise many types
        if not is_compressed:
            raise
        raise Unreadable(
            "its compressed pixels are damaged, or of a kind that no installed plugin decodes",
            "export it anew, uncompressed",
        ) from error


def _shifted(dataset: pydicom.Dataset, index: int, shift: int) -> np.ndarray:
    """Return values that lie in the high bits of their words, as old scanners wrote them."""
    bits, high_bit = int(dataset.BitsStored), int(dataset.HighBit)
    dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, int(dataset.BitsAllocated) - 1
    try:
        words = pixels.pixel_array(dataset, index=index)
    finally:
        dataset.BitsStored, dataset.HighBit = bits, high_bit
    above = words.dtype.itemsize * 8 - 1 - high_bit  # unused bits, or those of overlays
    return (words << above) >> (above + shift)


def by_voi_table(dataset: pydicom.Dataset, values: np.ndarray) -> np.ndarray:
    """Return values as uint8 by the first table of the file (VOI LUT, PS3.3 C.11.2).

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    values : numpy.ndarray, shape (H, W)
        In the units of the modality; NaN where there is padding.
    """
    entries, first, bits = (int(number) for number in dataset.VOILUTSequence[0].LUTDescriptor)
    table = _table(dataset, entries or 2**16)
    if first >= 2**15 and np.nanmin(values) < 0:  # of a signed value, which pydicom may not know
        first -= 2**16
    positions = np.rint(np.nan_to_num(values)).astype(np.int64) - first
    highest = max(2**bits - 1, int(table.max()))
    shown = table[positions.clip(0, len(table) - 1)]
    return windowed(shown, (highest / 2, highest), "LINEAR_EXACT")


def _table(dataset: pydicom.Dataset, entries: int) -> np.ndarray:
    """Return the entries of the first table, words or bytes, whichever fill its length."""
    data = dataset.VOILUTSequence[0].LUTData
    if not isinstance(data, bytes):
        return np.atleast_1d(np.array(data, np.int64))
    if len(data) < 2 * entries:
        return np.frombuffer(data, np.uint8)[:entries]
    _, is_little_endian = dataset.original_encoding
    return np.frombuffer(data, "<u2" if is_little_endian else ">u2")[:entries]
