"""One picture out of a file, whatever the format: 8 bits, three channels, and its facts."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from medlearn._images import to_uint8
from medlearn.datasets.readers._problems import Unreadable

MAX_VALUES = 100_000_000  # of one picture; a whole-slide image does not belong in a Dataset
Window = tuple[float, float]  # centre and width, in the units of the file
_LEAST_CONTRAST = 26  # greys: a tenth of the range
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


def windowed(values: np.ndarray, window: Window | None, function: str = "LINEAR") -> np.ndarray:
    """Return values of any depth as uint8; what is not a number becomes black.

    Parameters
    ----------
    values : numpy.ndarray
        Of any shape and numeric type.
    window : (float, float) or None
        Centre and width; None for the 0.5th to the 99.5th percentile of the numbers.
    function : {"LINEAR", "LINEAR_EXACT", "SIGMOID"}
        How a window maps values to greys: DICOM PS3.3 C.11.2.1.2.1, C.11.2.1.3.2, C.11.2.1.3.1.

    Returns
    -------
    numpy.ndarray of uint8
        Of the same shape.
    """
    values = np.asarray(values, np.float32)
    numbers = np.isfinite(values)
    if not numbers.any():
        return np.zeros(values.shape, np.uint8)
    if window is not None and function == "SIGMOID":
        centre, width = window
        exponent = -4 * (values.astype(np.float64) - centre) / max(width, 1e-6)
        return _greys(1 / (1 + np.exp(exponent.clip(-700, 700))))
    if window is None:
        return between(values, *percentiles(values[numbers]))
    return between(values, *window_limits(window, function == "LINEAR_EXACT"))


def between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values as uint8, black at `low` and below, white at `high` and above.

    Parameters
    ----------
    values : numpy.ndarray
        Of any shape and numeric type; what is not a number becomes black.
    low, high : float
        What `percentiles` or `window_limits` returned.
    """
    values = np.asarray(values, np.float32).astype(np.float64)
    return _greys((values - low) / max(high - low, 1e-12))


def _greys(scaled: np.ndarray) -> np.ndarray:
    """Return values from 0 to 1 as uint8."""
    # Infinity is the brightest; NaN, such as the padding around a round field of view, is black.
    return to_uint8(np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1) * 255)


def decoded_in_turn(
    frames: Iterator[Frame], guard: Callable[[], contextlib.AbstractContextManager]
) -> Iterator[Frame]:
    """Yield frames, of which each is decoded when it is asked for, and inside a guard.

    Parameters
    ----------
    frames : iterator of Frame
        Decodes the next one at each step.
    guard : callable
        Returns a context, such as one that turns errors of a decoder into Unreadable. Whoever
        uses a frame does so outside of it.
    """
    while True:
        with guard():
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def contrast_warnings(pixels: np.ndarray) -> tuple[tuple[str, str], ...]:
    """Return a warning (what, how to fix) for a picture of one grey or of hardly any contrast.

    Parameters
    ----------
    pixels : numpy.ndarray of uint8, shape (H, W, 3)
        The picture as it will be used.
    """
    low, high = int(pixels.min()), int(pixels.max())
    if high - low >= _LEAST_CONTRAST:
        return ()
    fix = "look at its window and its bit depth: pass window=(centre, width), or export it anew"
    if low == high:
        return ((f"the picture comes out of one grey, {low}", fix),)
    return ((f"the picture uses only the greys {low} to {high} of 0 to 255", fix),)


def nan_warnings(values: np.ndarray) -> tuple[tuple[str, str], ...]:
    """Return a warning (what, how to fix) for values that are not finite.

    Parameters
    ----------
    values : numpy.ndarray
        As they are stored.
    """
    if values.dtype.kind != "f":
        return ()
    return missing_warnings(int(np.isfinite(values).sum()), values.size)


def missing_warnings(finite: int, count: int) -> tuple[tuple[str, str], ...]:
    """Return a warning (what, how to fix) if some of the values are not finite.

    Parameters
    ----------
    finite, count : int
        How many values are finite, and how many there are.
    """
    share = 1 - finite / count
    if not share:
        return ()
    problem = f"{share:.1%} of its values are not numbers (NaN or infinite), and are shown black"
    return ((problem, "fine for what lies outside the body; else export it anew"),)


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


def percentiles(numbers: np.ndarray) -> tuple[float, float]:
    """Return the 0.5th and the 99.5th percentile of some numbers, or the extremes if both agree.

    Parameters
    ----------
    numbers : numpy.ndarray of float32, shape (N,)
        At least one, all finite; their order is changed.
    """
    low, high = np.percentile(numbers, _PERCENTILES, overwrite_input=True).astype(np.float64)
    return (low, high) if high > low else (float(numbers.min()), float(numbers.max()))


def window_limits(window: Window, exact: bool = False) -> tuple[float, float]:
    """Return the values that a window shows as black and as white.

    Parameters
    ----------
    window : (float, float)
        Centre and width.
    exact : bool
        Whether the function is LINEAR_EXACT, and not LINEAR (DICOM PS3.3 C.11.2.1.2).
    """
    centre, width = float(window[0]), float(window[1])
    if not exact:
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return centre - width / 2, centre + width / 2
