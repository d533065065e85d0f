"""Lesson 12: from IoU to Dice, the mean over four slices, and an augmentation with its masks."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_COLOURS = np.array([[220, 215, 205], [150, 120, 190], [70, 30, 120]], np.uint8)  # far apart
_SIDE = 48
_FOLLOWS = 0.9  # share of pixels whose colour agrees with the mask; enlarging blurs the outlines


def _painted(count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Images painted from masks: a cell with a nucleus, off the middle, on a pale background."""
    generator = np.random.default_rng(12)
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    masks = np.zeros((count, _SIDE, _SIDE), np.uint8)
    for mask in masks:
        y, x = generator.uniform(12, 22, 2)
        mask[((rows - y) / 9) ** 2 + ((columns - x) / 6) ** 2 < 1] = 1
        mask[(rows - y + 2) ** 2 + (columns - x) ** 2 < 12] = 2
    return _COLOURS[masks], masks


def _agreement(images, masks) -> float:
    """Share of pixels, least over the images, whose class by grey rank fits the mask."""
    shares = []
    for image, mask in zip(np.asarray(images, float).mean(-1), np.asarray(masks)):
        means = [
            image[mask == value].mean() if (mask == value).any() else np.nan for value in range(3)
        ]
        nearest = np.nanargmin(np.abs(image[..., None] - np.array(means)), axis=-1)
        shares.append(np.mean(nearest == mask))
    return min(shares)


def _results(augment, seed=0):
    images, masks = _painted()
    return augment(images, masks, np.random.default_rng(seed))


def _changes_arguments(augment) -> bool:
    images, masks = _painted()
    augment(images, masks, np.random.default_rng(0))
    return not all(map(np.array_equal, (images, masks), _painted()))


def _has_other_shape(augment) -> bool:
    images, masks = map(np.asarray, _results(augment))
    return (images.shape, masks.shape) != tuple(part.shape for part in _painted())


def _leaves_range(augment) -> bool:
    images = np.asarray(_results(augment)[0], float)
    return not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 255)


def _makes_new_classes(augment) -> bool:
    return not np.isin(_results(augment)[1], (0, 1, 2)).all()


def _parts(augment) -> bool:
    return _agreement(*_results(augment)) < _FOLLOWS


def _keeps_position(augment) -> bool:
    _, masks = _results(augment)
    _, originals = _painted()
    same = [np.array_equal(mask, original) for mask, original in zip(masks, originals)]
    return bool(np.mean(same) > 0.5)


def _repeats(augment) -> bool:
    """Whether another generator gives the same masks."""
    return np.array_equal(_results(augment, 0)[1], _results(augment, 1)[1])


def _keeps_colour(augment) -> bool:
    """Whether the background has the same colour in nearly all images."""
    images, masks = _results(augment)
    greys = [np.asarray(image, float)[mask == 0].mean() for image, mask in zip(images, masks)]
    return np.std(greys) < 1


_FAULTS = (
    _has_other_shape,
    _changes_arguments,
    _makes_new_classes,
    _leaves_range,
    _parts,
    _keeps_position,
    _repeats,
    _keeps_colour,
)


def _augments(augment) -> bool | None:
    if _results(augment) is None:
        return None
    return not any(fault(augment) for fault in _FAULTS)


def _turned(images, generator):
    return np.stack([np.rot90(image, generator.integers(1, 4)) for image in images])


def _images_alone(images, masks, generator):
    return _turned(images, generator), masks


def _each_by_chance(images, masks, generator):
    return _turned(images, generator), _turned(masks, generator)


def _no_colour(images, masks, generator):
    turns = generator.integers(0, 4)
    return np.rot90(images, turns, (1, 2)), np.rot90(masks, turns, (1, 2))


def _no_position(images, masks, generator):
    factors = generator.uniform(0.8, 1.0, (len(images), 1, 1, 1))
    return images * factors, masks


def _too_bright(images, masks, generator):
    images, masks = _no_colour(images, masks, generator)
    return images * 1.5, masks


def _in_place(images, masks, generator):
    images[:], masks[:] = _no_colour(images, masks, generator)
    return images, masks


def _blended_masks(images, masks, generator):
    return images, (masks + np.roll(masks, 1, 1)) / 2


def _always_the_same(images, masks, generator):
    factors = np.linspace(0.8, 1, len(images))[:, None, None, None]
    return np.rot90(images, 1, (1, 2)) * factors, np.rot90(masks, 1, (1, 2))


def _one_image(images, masks, generator):
    return images[0], masks[0]


EXERCISES = [
    Value(
        id="12.1",
        name="dice_of_paper",
        expected=Sealed("12.1", "a number", ("2979048c",)),
        wrong=[
            (0.6 / 1.4, "That is the other way round: Dice is the larger of the two."),
            (0.6, "The two differ unless they are 0 or 1."),
        ],
        hints=[
            "Take areas: 3 in common, and 5 in the union. How large are the two regions together?",
            "Put these areas into the definition of Dice: which of them does it divide by?",
        ],
    ),
    Value(
        id="12.2",
        name="mean_of_four",
        expected=Sealed("12.2", "a number", ("09603d28 253dcd42 54aa68a0 829005d4 d9fadf32",)),
        wrong=[
            (0.85, "The false alarm on the fourth slice counts too: its Dice is 0."),
            (
                0.675,
                "Nothing to find is no success here: the third slice is undefined and left out.",
            ),
            (0.425, "The third slice is undefined, so it is left out of the count as well."),
        ],
        hints=[
            "Which of the four have a Dice at all? See section 5.",
            "Two empty areas, or one empty and one of three pixels: what is the Dice of each?",
        ],
    ),
    Condition(
        id="12.3",
        name="augment_with_masks",
        test=_augments,
        wrong=[
            (
                _one_image,
                _has_other_shape,
                "Return images and masks of the shapes that came in: (N, H, W, 3) and (N, H, W).",
            ),
            (_in_place, _changes_arguments, "The arguments were changed; work on copies."),
            (
                _blended_masks,
                _makes_new_classes,
                "The new masks hold values that are no class: never interpolate between class "
                "indices; take the nearest pixel.",
            ),
            (_too_bright, _leaves_range, "The images leave the range from 0 to 255."),
            (
                _images_alone,
                _parts,
                "The masks do not lie over their images any more. Does each pair share one "
                "random draw?",
            ),
            (
                _each_by_chance,
                _parts,
                "The masks do not lie over their images any more. Does each pair share one "
                "random draw?",
            ),
            (_no_position, _keeps_position, "Most cells are still where they were."),
            (
                _always_the_same,
                _repeats,
                "Two generators give the same positions: an epoch would repeat the last one.",
            ),
            (_no_colour, _keeps_colour, "The colours of the images do not differ from before."),
        ],
        hints=[
            "Go through the images one by one, and draw what is to be done with a pair before you "
            "do it to either of the two.",
            "`np.rot90(image, turns)` and `np.rot90(mask, turns)` turn a pair; a factor from "
            "`generator.uniform(0.8, 1.0)` makes an image darker.",
        ],
    ),
]
