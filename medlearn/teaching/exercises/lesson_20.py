"""Lesson 20: orders of greys, an assumption that breaks, and a recipe before the reveal."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises import _commitments
from medlearn.teaching.exercises._forms import Condition, Value

RECIPES = ("source only", "histograms", "fourier", "adabn", "painted in found greys")
VALIDATORS = ("certainty", "information", "amounts")


def _is_unknown(choice, sealed):
    return _commitments.is_unknown(choice, RECIPES, VALIDATORS)


def _is_committed_blindly(choice, sealed):
    return not _is_unknown(choice, sealed) and _commitments.is_blind(choice, sealed)


EXERCISES = [
    Value(
        id="20.1",
        name="orders",
        expected=Sealed("20.1", "a number", ("c48976e9",)),
        wrong=[
            (3, "Three tissues can be the darkest; how many orders are left for the other two?"),
            (8, "Two choices a tissue would be 8; but no two tissues share a place."),
            (9, "Three times three counts orders in which a tissue comes twice."),
        ],
        hints=["How many choices for the darkest?", "And then for the middle one?"],
    ),
    Value(
        id="20.2",
        name="broken_assumption",
        expected=Sealed("20.2", "text", ("d047e0b9 fdb17dd4",)),
        choices=["certainty", "information", "amounts"],
        wrong=[
            (
                "certainty",
                "It asks whether each answer is sure, whatever it is. "
                "Which one compares with the masks from home?",
            ),
            (
                "information",
                "It wants sure and various answers, and knows no masks from home. Which one does?",
            ),
        ],
        hints=[
            "What is different about an old brain, for the same scanner?",
            "Which validator takes something over from home?",
        ],
    ),
    Condition(
        id="20.3",
        name="my_choice",
        test=_is_committed_blindly,
        wrong=[
            (
                "histograms",
                _is_unknown,
                "Give a pair of texts: one of the five recipes, and one of the three validators.",
            )
        ],
        hints=[
            "Is fluid brighter or darker than white matter on the slices of the fresh scanner?",
            "If masks of this scanner have been seen, take another number and begin again.",
        ],
    ),
]
