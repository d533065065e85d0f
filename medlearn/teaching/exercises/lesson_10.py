"""Lesson 10: the energy inside a mask, what a tolerance gives away, and a winner to be broken."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_HEAT = np.array([[0.0, 1.0, 1.0], [0.0, 5.0, 1.0], [0.0, 0.0, 2.0]])
_LESION = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 0]], bool)
_TRIED = 24  # images
_ROOM = 5  # pixels around the outline in which nothing may change
_CHANGED = 1 / 40  # of the pixels
_MISSES = 0.9  # of the images


def _tried(mislead: Callable, images, masks, winner) -> list[tuple]:
    """Image, mask and changed copy of images on which the winner points into the outline."""
    hits = [index for index, mask in enumerate(masks) if _points(winner, images[index], mask)]
    rows = hits[:: max(1, len(hits) // _TRIED)]
    return [(images[row], masks[row], mislead(images[row].copy(), masks[row])) for row in rows]


def _points(winner: Callable, image: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the hottest point of the winner's map lies in the outline."""
    heat_map = winner(image[None])[0]
    return bool(mask[np.unravel_index(heat_map.argmax(), mask.shape)])


def _changed(image: np.ndarray, copy: np.ndarray) -> np.ndarray:
    return (np.asarray(copy) != image).any(axis=-1)


def _is_no_image(mislead, images, masks, winner) -> bool:
    image, mask = images[0], masks[0]
    copy = np.asarray(mislead(image.copy(), mask))
    return copy.shape != image.shape or copy.dtype != np.uint8


def _changes_too_much(mislead, images, masks, winner) -> bool:
    tried = _tried(mislead, images, masks, winner)
    return any(_changed(image, copy).mean() > _CHANGED for image, _, copy in tried)


def _touches(mislead, images, masks, winner) -> bool:
    for image, mask, copy in _tried(mislead, images, masks, winner):
        away = ndimage.distance_transform_edt(~mask)
        if (away[_changed(image, copy)] < _ROOM).any():
            return True
    return False


def _still_points(mislead, images, masks, winner) -> bool:
    tried = _tried(mislead, images, masks, winner)
    misses = [not _points(winner, np.asarray(copy), mask) for _, mask, copy in tried]
    return bool(np.mean(misses) < _MISSES)


def _breaks(mislead, images, masks, winner) -> bool | None:
    if mislead(images[0].copy(), masks[0]) is None:
        return None
    rules = (_is_no_image, _changes_too_much, _touches, _still_points)
    return not any(rule(mislead, images, masks, winner) for rule in rules)


def _with_square(image: np.ndarray, centre: tuple[int, int], value: int) -> np.ndarray:
    y, x = centre
    image[max(0, y - 6) : y + 6, max(0, x - 6) : x + 6] = value
    return image


EXERCISES = [
    Function(
        id="10.1",
        name="share_inside",
        cases=[
            ((_HEAT, _LESION), 0.6),
            ((np.ones((3, 3)), _LESION), 2 / 9),
            ((_HEAT, ~_LESION), 0.4),
        ],
        wrong=[
            (
                lambda heat_map, mask: heat_map[mask].mean(),
                "That is how hot it is inside; how much of *all* heat is inside?",
            ),
            (
                lambda heat_map, mask: mask.mean(),
                "That is the share of the image inside the mask, whatever the map says.",
            ),
            (
                lambda heat_map, mask: heat_map[mask].sum() / heat_map[~mask].sum(),
                "Inside over outside are odds; divide by all of the heat.",
            ),
        ],
        hints=[
            "How much heat is inside, and how much is there everywhere?",
            "`heat_map[mask]` are the values inside the mask.",
        ],
    ),
    Value(
        id="10.2",
        name="hit_by_guessing",
        expected=Sealed("10.2", "a number", ("28206d50 3d9c0a81 42e3f03f",)),
        wrong=[
            (
                np.pi * 9**2 / (112 * 96),
                "That is the lesion alone. With the tolerance, points around it count as well.",
            ),
            (
                np.pi * 15**2 / (112 * 96),
                "The tolerance begins at the outline, not at the middle of the lesion.",
            ),
            (np.pi * 24**2, "That is the area in pixels; which share of the image is it?"),
        ],
        hints=[
            "Each pixel is equally often the hottest of an even map. Which pixels count as hits?",
            "The pixels that count are a larger disc. What is its radius?",
        ],
    ),
    Condition(
        id="10.3",
        name="mislead",
        test=_breaks,
        wrong=[
            (
                lambda image, mask: image.mean(axis=-1),
                _is_no_image,
                "Return an image of the same shape and type (uint8) as the one that came in.",
            ),
            (
                lambda image, mask: np.where(mask[..., None], image, 255 - image),
                _changes_too_much,
                "More than one pixel in forty has changed. A small mark is enough.",
            ),
            (
                lambda image, mask: _with_square(
                    image, tuple(np.argwhere(mask).mean(axis=0).astype(int)), 0
                ),
                _touches,
                "A pixel in the outline, or fewer than five pixels from it, has changed.",
            ),
            (
                lambda image, mask: image,
                _still_points,
                "On too many copies the map is still hottest inside the outline. The blur "
                "weakens small marks; and which grey does this map like?",
            ),
        ],
        hints=[
            "The map knows only grey values. Offer it something hotter, far from the outline.",
            "`scipy.ndimage.distance_transform_edt` gives every pixel's distance to an outline.",
        ],
    ),
]
