"""Lesson 12: from IoU to Dice, the mean over four slices, and crumbs."""

import numpy as np
from scipy import ndimage

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_CRUMBS = np.array([[1, 1, 0, 0, 1], [1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 0, 0, 1, 0]])
_OF_3 = [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 0]]
_OF_4 = [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]


def _one_too_many(mask, least):
    regions = ndimage.label(mask)[0]
    return np.where(np.bincount(regions.ravel())[regions] > least, mask, 0)


def _with_corners(mask, least):
    regions = ndimage.label(mask, np.ones((3, 3)))[0]
    return np.where(np.bincount(regions.ravel())[regions] >= least, mask, 0)


def _background_too(mask, least):
    regions = ndimage.label(mask)[0]
    return (np.bincount(regions.ravel())[regions] >= least).astype(int)


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
    Function(
        id="12.3",
        name="without_crumbs",
        cases=[
            ((_CRUMBS, 3), _OF_3),
            ((_CRUMBS, 4), _OF_4),
            ((_CRUMBS, 1), _CRUMBS),
            ((np.eye(3, dtype=int), 2), np.zeros((3, 3), int)),
        ],
        wrong=[
            (_one_too_many, "A region of exactly `least` pixels stays."),
            (lambda mask, least: mask, "Nothing was removed."),
            (_with_corners, "Pixels that touch only at a corner are not connected here."),
            (_background_too, "The background is region 0, and it is large; it is no lesion."),
        ],
        hints=[
            "`ndimage.label` gives each region a number. How many pixels has each number?",
            "`np.bincount` counts how often each number occurs. How do you get from the size of "
            "each region to a size for each pixel?",
        ],
    ),
]
