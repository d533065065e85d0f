"""Flips and quarter turns: more images to learn from, and several opinions to average."""

from collections.abc import Sequence

import numpy as np

from medlearn._keras import keras
from medlearn.networks._inputs import checked_images

# Quarter turns, and whether left and right are swapped first.
TURNS = tuple((turns, swap) for swap in (False, True) for turns in range(4))
MIRROR = ((0, False), (0, True))


def turned(images: np.ndarray, how: Sequence[tuple[int, bool]] = TURNS) -> np.ndarray:
    """All views of images or masks (N, H, W[, C]), one after the other: (views * N, ...), the first N as they are.

    how: (quarter turns, whether left and right are swapped first) of each view; `views.TURNS` are all eight that keep a
    square, `views.MIRROR` two. Where a patient has a left and a right, or an up and a down, turns may mislead.
    Raises ValueError for quarter turns of images that are not square.
    """
    images = np.asarray(images)
    _check(images, how)
    return np.concatenate([_turn(images, *view) for view in how])


def segment(
    model: keras.Model,
    images: np.ndarray,
    how: Sequence[tuple[int, bool]] = TURNS[:1],
    batch_size: int = 32,
) -> np.ndarray:
    """A segmenter's probabilities float32 (N, H, W, classes), averaged over views that are turned back before.

    images: (N, H, W, 3), 0 to 255. `how` as in `turned`; the default is one view, the image itself. Raises ValueError for
    images of several sizes, of another than the model takes, or of another range, such as already divided by 255.
    """
    images, total = checked_images(images, model), 0.0
    _check(images, how)
    for turns, swap in how:
        total = total + _turn_back(
            _predicted(model, _turn(images, turns, swap), batch_size), turns, swap
        )
    return total / np.float32(len(how))


def _predicted(model, images: np.ndarray, batch_size: int) -> np.ndarray:
    """What the model says of the images, in batches of one size: TensorFlow compiles anew for a last one that is smaller."""
    batches = -(-len(images) // batch_size)
    batch = -(-len(images) // batches)
    padding = images[:1].repeat(batches * batch - len(images), axis=0)
    return model.predict(np.concatenate([images, padding]), batch_size=batch, verbose=0)[
        : len(images)
    ]


def _turn(images: np.ndarray, turns: int, swap: bool) -> np.ndarray:
    return np.rot90(images[:, :, ::-1] if swap else images, turns, (1, 2))


def _turn_back(maps: np.ndarray, turns: int, swap: bool) -> np.ndarray:
    maps = np.rot90(maps, -turns, (1, 2))
    return maps[:, :, ::-1] if swap else maps


def _check(images: np.ndarray, how) -> None:
    if images.ndim not in (3, 4) or not len(images):
        raise ValueError(
            f"Views are made of images or masks (N, H, W[, channels]); these have the shape {images.shape}."
        )
    if not len(how):
        raise ValueError(
            "how is empty; views.TURNS has all eight views, views.TURNS[:1] the image alone."
        )
    if images.shape[1] != images.shape[2] and any(turns % 2 for turns, _ in how):
        raise ValueError(
            f"Images of {images.shape[1]} x {images.shape[2]} pixels do not fit their own quarter turns: use views.MIRROR."
        )
