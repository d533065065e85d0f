"""Lesson 20: orders of greys, the share of a gap, and a belief that breaks."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value


def _of_the_oracle(source, adapted, oracle):
    return adapted / oracle


def _gain(source, adapted, oracle):
    return adapted - source


def _what_is_left(source, adapted, oracle):
    return (oracle - adapted) / (oracle - source)


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
    Function(
        id="20.2",
        name="closed_share",
        cases=[
            ((0.2, 0.6, 0.7), 0.8),
            ((0.5, 0.4, 0.9), -0.25),
            ((0.3, 0.3, 0.8), 0.0),
            ((0.25, 0.75, 0.75), 1.0),
        ],
        wrong=[
            (_of_the_oracle, "That is the share of the oracle's score; where does it start from?"),
            (_gain, "That is the gain; compare it with the largest gain there could be."),
            (_what_is_left, "That is the share of the gap that is left."),
        ],
        hints=[
            "What was gained, over what could be gained?",
            "Test it: if adapted equals source, the share is 0; if it equals the oracle, 1.",
        ],
    ),
    Value(
        id="20.3",
        name="broken_belief",
        expected=Sealed("20.3", "text", ("103e69df b3c09399",)),
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
]
