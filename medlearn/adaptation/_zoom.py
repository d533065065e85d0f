"""Enlarging about the centre, as scikit-image's `warp` needs it."""

import numpy as np
from skimage import transform


def zoom_map(shape: tuple[int, int], factor: float) -> transform.AffineTransform:
    """Return the map from a pixel of an enlarged image to that of the original.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image.
    factor : float
        Enlargement about the centre, above 0.
    """
    centre = (np.array(shape[::-1]) - 1) / 2  # x, y
    return transform.AffineTransform(scale=1 / factor, translation=centre - centre / factor)
