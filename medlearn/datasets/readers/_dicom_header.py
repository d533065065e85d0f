"""Values of a DICOM header, also of one frame of a file with many frames."""

import math
from typing import Any

import numpy as np
import pydicom

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
        return dataset[keyword].value
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for group in [*own[index : index + 1], *shared[:1]]:
        for element in group:
            if element.VR == "SQ" and element.value and keyword in element.value[0]:
                return element.value[0][keyword].value
    return None


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
    entry = value(dataset, keyword, index)
    if entry is None or entry == "":
        return default
    if isinstance(entry, list | tuple | pydicom.multival.MultiValue):
        entry = entry[0]
    return float(entry) if math.isfinite(float(entry)) else default


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
    entry = value(dataset, "PixelSpacing", index) or value(dataset, "ImagerPixelSpacing", index)
    if not entry or isinstance(entry, str) or len(entry) != 2:
        return np.nan, np.nan
    height, width = float(entry[0]), float(entry[1])
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
