"""Lesson 16: CORAL in one dimension, a scale factor, and a plan before the reveal."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

IMAGES = ("as they are", "Reinhard", "scale", "scale, then Reinhard")
MATCHERS = ("none", "standardise", "coral", "subspace", "transport")
TRUSTED = ("consensus", "pictures")


def _is_unknown(plan, sealed):
    names = list(plan)
    choices = (IMAGES, MATCHERS, TRUSTED)
    return len(names) != len(choices) or any(
        name not in allowed for name, allowed in zip(names, choices, strict=True)
    )


def _is_committed_blindly(plan, sealed):
    if _is_unknown(plan, sealed):
        return False
    written = dict(zip(("images", "vectors", "trusted"), plan, strict=True))
    has_seen = sealed.asked or sealed.opened
    return not has_seen or sealed.committed == written


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
    Condition(
        id="16.3",
        name="my_plan",
        test=_is_committed_blindly,
        wrong=[
            (("magic", "none", "luck"), _is_unknown, "Give three names: a row, a column, a reason.")
        ],
        hints=[
            "What differs in the pictures: colour, size, or something that no recipe moves?",
            "If labels of this laboratory have been seen, take another number and begin again.",
        ],
    ),
]
