"""Checks of source and target together, built on those of `medlearn._checks`."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def source_labels(labels: ArrayLike, count: int) -> np.ndarray:
    """Return the labels of the source as int (N,), of two classes or more, or raise ValueError.

    Parameters
    ----------
    labels : array_like, shape (N,)
        A whole number for each source image.
    count : int
        The number N of source images.
    """
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"source_labels should be one whole number for each of the {count} source images; "
            f"they are {labels.dtype} of shape {labels.shape}."
        )
    if len(np.unique(labels)) < 2:
        raise ValueError(
            "All source labels are of one class, so there is nothing to tell apart in the target: "
            "give source images of at least two classes."
        )
    return labels


def reference_images(reference: ArrayLike) -> np.ndarray:
    """Return reference images (N, H, W, 3); one image (H, W, 3) becomes a batch of one."""
    reference = _checks.one_array(reference, "reference images")
    if reference.ndim == 3:
        reference = reference[None]
    return _checks.images(reference, name="reference images")


def masks(values: ArrayLike, name: str = "source_masks") -> np.ndarray:
    """Return masks as whole numbers of at least 0, (N, H, W), or raise ValueError.

    Parameters
    ----------
    values : array_like, shape (N, H, W)
        The class index of each pixel.
    name : str
        What the masks are called in an error.
    """
    values = np.asarray(values)
    whole = values.dtype.kind in "iu"
    if values.ndim != 3 or not values.size or not whole or values.min() < 0:
        raise ValueError(
            f"{name} should be whole numbers of at least 0, (N, H, W), one class index per pixel; "
            f"they are {values.dtype} of shape {values.shape}."
        )
    return values
