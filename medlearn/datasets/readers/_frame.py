"""One picture out of a file, whatever the format: 8 bits, three channels, and its facts."""

from dataclasses import dataclass

import numpy as np

from medlearn._images import to_uint8
from medlearn.datasets.readers._problems import Unreadable

MAX_VALUES = 100_000_000  # of one picture; a whole-slide image does not belong in a Dataset
Window = tuple[float, float]  # centre and width, in the units of the file
_PERCENTILES = (0.5, 99.5)  # shown as black and white where no window is known


@dataclass(frozen=True)
class Frame:
    """One picture of a file.

    Attributes
    ----------
    pixels : numpy.ndarray of uint8, shape (H, W, 3)
    spacing : (float, float)
        Height and width of a pixel in mm; NaN if unknown.
    patient, series : str
        As the file names them, to be replaced by pseudonyms; "" if unknown.
    index_in_series : int
        Sorts the pictures of a series or a volume.
    warnings : tuple of (what, how to fix)
        Oddities of a picture that can be used all the same.
    """

    pixels: np.ndarray
    spacing: tuple[float, float] = (np.nan, np.nan)
    patient: str = ""
    series: str = ""
    index_in_series: int = 0
    warnings: tuple[tuple[str, str], ...] = ()


def check_values(count: int, name: str = "picture") -> None:
    """Raise Unreadable if a header declares an empty picture, or one too large to decode.

    Parameters
    ----------
    count : int
        Number of values that the header declares.
    name : str
        Of what it declares them, such as ``"slice"``.
    """
    if not 0 < count <= MAX_VALUES:
        raise Unreadable(
            f"the header declares a {name} of {count:,} values, and 1 to {MAX_VALUES:,} are "
            "allowed",
            "export it anew, smaller or in parts, or check that the file is whole",
        )


def windowed(values: np.ndarray, window: Window | None, exact: bool = False) -> np.ndarray:
    """Return values of any depth as uint8.

    Parameters
    ----------
    values : numpy.ndarray
        Of any shape and numeric type.
    window : (float, float) or None
        Centre and width; None for the 0.5th to the 99.5th percentile.
    exact : bool
        The window of DICOM PS3.3 C.11.2.1.3.2 (LINEAR_EXACT) instead of C.11.2.1.2.1 (LINEAR).

    Returns
    -------
    numpy.ndarray of uint8
        Of the same shape.
    """
    values = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=3e38, neginf=-3e38)
    low, high = _percentile_limits(values) if window is None else _window_limits(window, exact)
    scaled = (values.astype(np.float64) - low) / max(high - low, 1e-12)
    return to_uint8(scaled.clip(0, 1) * 255)


def three_channels(grey: np.ndarray) -> np.ndarray:
    """Return a grey picture (H, W) as (H, W, 3)."""
    return np.repeat(grey[..., None], 3, axis=-1)


def evenly_spread(total: int, count: int) -> list[int]:
    """Return some indices, evenly spread and away from both ends.

    Parameters
    ----------
    total : int
        Number of indices to choose from.
    count : int
        At most so many are returned.
    """
    count = min(total, count)
    return [int((2 * number + 1) * total / (2 * count)) for number in range(count)]


def _percentile_limits(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, _PERCENTILES).astype(np.float64)
    return (low, high) if high > low else (float(values.min()), float(values.max()))


def _window_limits(window: Window, exact: bool) -> tuple[float, float]:
    centre, width = float(window[0]), float(window[1])
    if not exact:
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return centre - width / 2, centre + width / 2
