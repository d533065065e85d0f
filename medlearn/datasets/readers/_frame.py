"""One picture out of a file, whatever the format: 8 bits, three channels, and what the file says about it."""

from dataclasses import dataclass

import numpy as np

from medlearn.datasets.readers._problems import Unreadable

MOST_VALUES = 100_000_000  # of one picture; a whole-slide image does not belong in a Dataset
MOST_BYTES = 1_000_000_000  # of one file


@dataclass(frozen=True)
class Frame:
    """pixels uint8 (H, W, 3); spacing (2,) mm per pixel or NaN; patient and series as hashes or ""; place in a series.

    warnings are pairs (what, how to fix) of a picture that can be used all the same.
    """

    pixels: np.ndarray
    spacing: tuple[float, float] = (np.nan, np.nan)
    patient: str = ""
    series: str = ""
    place: int = 0
    warnings: tuple[tuple[str, str], ...] = ()


def check_values(count: int, what: str = "picture") -> None:
    """Raises Unreadable if a header declares an empty picture, or one too large to decode."""
    if not 0 < count <= MOST_VALUES:
        raise Unreadable(
            f"the header declares a {what} of {count:,} values, and 1 to {MOST_VALUES:,} are allowed",
            "export it anew, smaller or in parts, or check that the file is whole",
        )


def to_bytes(
    values: np.ndarray, window: tuple[float, float] | None, exact: bool = False
) -> np.ndarray:
    """Values of any depth as uint8, by a window (centre, width) or from the 0.5th to the 99.5th percentile.

    The linear window of DICOM PS3.3 C.11.2.1.2.1, or C.11.2.1.3.2 with exact=True.
    """
    values = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=3e38, neginf=-3e38)
    if window is None:
        low, high = np.percentile(values, [0.5, 99.5]).astype(np.float64)
        if high <= low:
            low, high = float(values.min()), float(values.max())
    else:
        centre, width = float(window[0]), float(window[1])
        shift, span = (0.0, width) if exact else (0.5, max(width - 1, 1e-6))
        low, high = centre - shift - span / 2, centre - shift + span / 2
    scaled = (values.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)


def three_channels(grey: np.ndarray) -> np.ndarray:
    """uint8 (H, W) as (H, W, 3)."""
    return np.repeat(grey[..., None], 3, axis=-1)


def spread(total: int, most: int) -> list[int]:
    """At most `most` of `total` places, evenly spread and away from both ends."""
    count = min(total, most)
    return [int((2 * place + 1) * total / (2 * count)) for place in range(count)]
