"""Views of an image: quarter turns and mirror images, to learn from or to average over.

A view is a pair (quarter turns, whether left and right are swapped first).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

# The eight symmetries of a square, called the dihedral group; the first is the image itself.
DIHEDRAL = tuple((turns, swap) for swap in (False, True) for turns in range(4))
MIRROR = ((0, False), (0, True))


def apply(images: ArrayLike, views: Sequence[tuple[int, bool]] = DIHEDRAL) -> np.ndarray:
    """Return views of images or masks, one view after the other.

    Where a patient has a left and a right, or an up and a down, turns may mislead.

    Parameters
    ----------
    images : array_like, shape (N, H, W) or (N, H, W, C)
        Images or masks of any type.
    views : sequence of (int, bool)
        Quarter turns and whether left and right are swapped first, of each view: `DIHEDRAL` has
        all eight that keep a square, `MIRROR` the image and its mirror image.

    Returns
    -------
    numpy.ndarray, shape (views * N, ...)
        The N images in the first view, then in the second, and so on.

    Raises
    ------
    ValueError
        For another shape, no view, and quarter turns of images that are not square.

    Examples
    --------
    >>> apply(np.array([[[1, 2], [3, 4]]]), MIRROR).tolist()
    [[[1, 2], [3, 4]], [[2, 1], [4, 3]]]
    """
    images = np.asarray(images)
    check_views(images, views)
    return np.concatenate([turn(images, *view) for view in views])


def turn(images: np.ndarray, turns: int, swap: bool) -> np.ndarray:
    """Return one view of images or maps.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, H, W, ...)
        Images or maps.
    turns : int
        Number of quarter turns, anticlockwise.
    swap : bool
        Whether left and right are swapped first.
    """
    return np.rot90(images[:, :, ::-1] if swap else images, turns, (1, 2))


def turn_back(maps: np.ndarray, turns: int, swap: bool) -> np.ndarray:
    """Undo `turn` on what was computed from a view.

    Parameters
    ----------
    maps : numpy.ndarray, shape (N, H, W, ...)
        Maps of the view.
    turns : int
        Number of quarter turns of the view.
    swap : bool
        Whether left and right were swapped.
    """
    maps = np.rot90(maps, -turns, (1, 2))
    return maps[:, :, ::-1] if swap else maps


def check_views(images: np.ndarray, views: Sequence[tuple[int, bool]]) -> None:
    """Raise ValueError unless these views of these images exist.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, H, W) or (N, H, W, C)
        Images or masks.
    views : sequence of (int, bool)
        As in `apply`.
    """
    if images.ndim not in (3, 4) or not len(images):
        raise ValueError(
            "Views are made of images or masks (N, H, W[, channels]); these have the shape "
            f"{images.shape}."
        )
    if not len(views):
        raise ValueError(
            "views is empty; views.DIHEDRAL has all eight, views.DIHEDRAL[:1] the image alone."
        )
    has_quarter_turns = any(turns % 2 for turns, _ in views)
    if images.shape[1] != images.shape[2] and has_quarter_turns:
        raise ValueError(
            f"Images of {images.shape[1]} x {images.shape[2]} pixels do not fit their own quarter "
            "turns: use views.MIRROR."
        )
