"""Arguments that all readers share, checked once."""

from dataclasses import dataclass

import numpy as np

from medlearn import _checks
from medlearn.datasets.readers import _fit
from medlearn.datasets.readers._frame import Window


@dataclass(frozen=True)
class Options:
    """How pictures are read.

    Attributes
    ----------
    size : int
        Pixels a side of the square, 28 to 1024.
    window : (float, float) or None
        Centre and width for deep greys; None for the file's own, or else for percentiles.
    slices : int
        At most so many slices of a volume or frames of a file, 1 to 1000.
    fit : {"crop", "letterbox"}
        Whether the central square is cut out, or the picture made square with black.
    study : str or None
        Name of the study whose secret makes the pseudonyms; None for the one that all share.
    """

    size: int
    window: Window | None = None
    slices: int = 1
    study: str | None = None
    fit: str = "crop"

    def __post_init__(self) -> None:
        _checks.whole_number("size", self.size, 28, 1024)
        _checks.whole_number("slices", self.slices, 1, 1000)
        if self.fit not in _fit.FITS:
            raise ValueError(f"fit must be 'crop' or 'letterbox'; it was {self.fit!r}.")
        if self.window is None:
            return
        is_pair = np.shape(self.window) == (2,) and np.isfinite(self.window).all()
        if not is_pair or not self.window[1] > 0:
            raise ValueError(
                "window must be a pair (centre, width) with a positive width; it was "
                f"{self.window!r}."
            )
