"""Lesson 10: the energy inside a mask, slices for a mean, and the price of the maximum."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_HEAT = np.array([[0.0, 1.0, 1.0], [0.0, 5.0, 1.0], [0.0, 0.0, 2.0]])
_LESION = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 0]], bool)


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
        name="slices_needed",
        expected=Sealed("10.2", "a number", ("e0f4e6af",)),
        wrong=[
            (
                1,
                "That is the maximum: one slice would do. The mean dilutes it with seven slices of "
                "0.1.",
            ),
            (3, "With three the mean is 0.4; that is below one half."),
            (5, "With five the mean is 0.6; would fewer do?"),
            (8, "With all eight the mean is 0.9; would fewer do?"),
        ],
        hints=[
            "With one such slice of eight, what is the mean? And with two?",
            "Each further slice with a lesion raises the mean by the same amount.",
        ],
    ),
    Value(
        id="10.3",
        name="alarmed",
        expected=Sealed("10.3", "a number", ("0e2090e2 24e099ac 71b896f0 809fa8e9 a444d0f2",)),
        wrong=[
            (0.05, "That is one slice; a patient has twenty chances to be alarmed."),
            (
                1.0,
                "20 times 5 % counts those twice who are alarmed twice; "
                "ask instead who is *never* alarmed.",
            ),
            (0.95**20, "Those are the patients who are left in peace."),
        ],
        hints=[
            "How probable is it that none of the twenty alarms?",
            "Begin with two slices: which share of healthy patients is left in peace by both?",
        ],
    ),
]
