"""Values of a DICOM header, also of one frame of a file with many frames."""

import math
from typing import Any

import numpy as np
import pydicom

_NUMBERS = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "InstanceNumber",
    "WindowCenter",
    "WindowWidth",
    "RescaleSlope",
    "RescaleIntercept",
)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def value(dataset: pydicom.Dataset, keyword: str, index: int) -> Any:
    """Return a value of the data set, or of the functional groups that hold what a frame has.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    keyword : str
        Keyword of the element.
    index : int
        Index of the frame.

    Returns
    -------
    object
        None if there is no such value.
    """
    if keyword in dataset:
        return _readable(dataset, keyword)
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for group in [*own[index : index + 1], *shared[:1]]:
        for element in group:
            if element.VR == "SQ" and element.value and keyword in element.value[0]:
                return _readable(element.value[0], keyword)
    return None


def _readable(dataset: pydicom.Dataset, keyword: str) -> Any:
    """Return a value; None where its text is no number, such as one with a decimal comma."""
    try:
        return dataset[keyword].value
    except (ValueError, TypeError, OverflowError):
        return None


def _is_given(dataset: pydicom.Dataset, keyword: str) -> bool:
    """Say whether an element is there and not empty."""
    try:
        return keyword in dataset and not dataset[keyword].is_empty
    except (ValueError, TypeError, OverflowError):
        return True


def unreadable(dataset: pydicom.Dataset) -> tuple[tuple[str, str], ...]:
    """Return a warning (what, how to fix) for numbers of the header that cannot be read.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    """
    named = [
        key
        for key in _NUMBERS
        if _is_given(dataset, key) and _floats(_readable(dataset, key)) is None
    ]
    if not named:
        return ()
    problem = f"its {', '.join(named)} cannot be read as a number, and is taken as unknown"
    return ((problem, "correct the header if the value matters to you"),)


def index_in_series(dataset: pydicom.Dataset, index: int) -> int:
    """Return a number that sorts the frames of a series: that of the header, or the position.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    index : int
        Index of the frame.
    """
    first = number(dataset, "InstanceNumber", 0)
    if first is not None:
        return int(first) + index
    position = _position(dataset, index)
    return index if position is None else round(1000 * position)


def _position(dataset: pydicom.Dataset, index: int) -> float | None:
    """Return how far a frame lies along the normal of its plane, in mm; None if unknown."""
    corner = value(dataset, "ImagePositionPatient", index)
    axes = value(dataset, "ImageOrientationPatient", index)
    try:
        corner = np.array(corner, float)
        axes = np.array(axes, float).reshape(2, 3)
        position = float(np.cross(*axes) @ corner)
    except (TypeError, ValueError):
        return None
    return position if math.isfinite(position) else None


def padding(dataset: pydicom.Dataset, values: np.ndarray) -> np.ndarray:
    """Return where stored values are padding, which is no part of the picture (C.7.5.1.1.2).

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    values : numpy.ndarray, shape (H, W)
        As they are stored.
    """
    first = number(dataset, "PixelPaddingValue", 0)
    if first is None:
        return np.zeros(values.shape, bool)
    last = number(dataset, "PixelPaddingRangeLimit", 0, first)
    first, last = (_as_stored(dataset, padding_value, values) for padding_value in (first, last))
    return (values >= min(first, last)) & (values <= max(first, last))


def _as_stored(dataset: pydicom.Dataset, entry: float, values: np.ndarray) -> float:
    """Return a padding value in the type of the pixels: some scanners write 63536 for -2000."""
    span = 2 ** int(dataset.BitsAllocated)
    if values.dtype.kind == "i" and entry >= span / 2:
        return entry - span
    return entry + span if values.dtype.kind == "u" and entry < 0 else entry


def number(dataset: pydicom.Dataset, keyword: str, index: int, default: Any = None) -> Any:
    """Return a finite number, the first one of several.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    keyword : str
        Keyword of the element.
    index : int
        Index of the frame.
    default : object
        Returned where there is no finite number.
    """
    entries = _floats(value(dataset, keyword, index))
    return entries[0] if entries and math.isfinite(entries[0]) else default


def _floats(entry: Any) -> list[float] | None:
    """Return the numbers of a value; None if it is missing, empty or no number."""
    if entry is None or entry == "":
        return None
    several = isinstance(entry, list | tuple | pydicom.multival.MultiValue)
    try:
        return [float(part) for part in (entry if several else [entry])]
    except (ValueError, TypeError):
        return None


def window(dataset: pydicom.Dataset, index: int) -> tuple[float, float] | None:
    """Return the first window (centre, width) of a frame.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    index : int
        Index of the frame.

    Returns
    -------
    (float, float) or None
        None without a window of a width of 1 or more.
    """
    centre = number(dataset, "WindowCenter", index)
    width = number(dataset, "WindowWidth", index)
    if centre is None or width is None or width < 1:
        return None
    return centre, width


def voi_function(dataset: pydicom.Dataset, index: int) -> str:
    """Return the name of the window's function, such as "LINEAR_EXACT".

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    index : int
        Index of the frame.

    Returns
    -------
    str
        "" if it is not named.
    """
    return str(value(dataset, "VOILUTFunction", index) or "").strip()


def spacing(dataset: pydicom.Dataset, index: int) -> tuple[float, float]:
    """Return the height and width of a pixel in mm.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    index : int
        Index of the frame.

    Returns
    -------
    (float, float)
        NaN if they are missing or make no sense.
    """
    entries = _floats(value(dataset, "PixelSpacing", index))
    entries = entries or _floats(value(dataset, "ImagerPixelSpacing", index))
    if not entries or len(entries) != 2:
        return np.nan, np.nan
    height, width = entries
    if not (0 < height < math.inf and 0 < width < math.inf):
        return np.nan, np.nan
    return height, width


def burned_in_text(dataset: pydicom.Dataset) -> tuple[tuple[str, str], ...]:
    """Return a warning (what, how to fix) if text may be burned into the picture."""
    declared = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    storage_class = f"{dataset.get('SOPClassUID', '')}."
    is_secondary = storage_class.startswith(f"{_SECONDARY_CAPTURE}.")  # 7 and 7.1, but not 77.1
    if declared == "YES":
        reason = "the header says so"
    elif is_secondary and declared != "NO":
        reason = "it is a secondary capture"
    else:
        return ()
    warning = f"text, such as a name, may be burned into the picture ({reason})"
    return ((warning, "look at it, and crop or black out the text"),)
