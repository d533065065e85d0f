"""The level of empty glass in an image of a stained slide."""

import numpy as np

_PERCENTILE = 95  # of a colour, taken for empty glass


def glass_level(images: np.ndarray) -> np.ndarray:
    """Return the level of empty glass in each colour, at least 1; it broadcasts with the images."""
    level = np.percentile(images, _PERCENTILE, axis=(-3, -2), keepdims=True)
    return np.maximum(level, 1).astype(np.float32)
