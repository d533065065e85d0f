"""Lesson 16: CORAL in one dimension, a scale factor, and the remedy for other shares."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

EXERCISES = [
    Value(
        id="16.1",
        name="sent_to",
        expected=Sealed("16.1", "a number", ("4f10db05",)),
        wrong=[
            (2.0, "That is whitened; now give it the target's spread and mean."),
            (6.0, "Now give it the target's mean as well."),
            (8.0, "The mean is the target's; the spread is still the source's."),
            (13.0, "Divide by the standard deviation, which is the root of the variance."),
        ],
        hints=[
            "How many of its standard deviations lies 14 above the source's mean?",
            "In the target, where is a value that lies just as many of *its* deviations away?",
        ],
    ),
    Function(
        id="16.2",
        name="length_factor",
        cases=[((1800, 2450), 7 / 6), ((100, 100), 1.0), ((400, 100), 0.5)],
        wrong=[
            (
                lambda target_area, source_area: source_area / target_area,
                "That is the factor of areas; how do lengths grow?",
            ),
            (
                lambda target_area, source_area: (target_area / source_area) ** 0.5,
                "The other way round: theirs are smaller, so they must grow.",
            ),
        ],
        hints=[
            "If all lengths double, what happens to an area?",
            "Try areas of 100 and 400: by how much must the lengths grow?",
        ],
    ),
    Value(
        id="16.3",
        name="first_remedy",
        expected=Sealed("16.3", "text", ("2a359734 42f149c9 7843f49e db80786f dcf3cc91 ed4c5ac3",)),
        choices=["match the features", "change the colours", "correct the prior"],
        wrong=[
            (
                "match the features",
                "The features of each class already agree; matching would mix the classes.",
            ),
            ("change the colours", "Same scanner, same protocol: the pictures look the same."),
        ],
        hints=[
            "What differs: how a class looks, or how often it comes?",
            "Would a single picture tell you which of the two hospitals it comes from?",
        ],
    ),
]
