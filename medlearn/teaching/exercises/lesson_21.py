"""Lesson 21: the share of a gap, who has seen the target, and a recipe before the reveal."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises import _commitments
from medlearn.teaching.exercises._forms import Condition, Function, Value

RECIPES = ("as they are", "standardised", "CORAL", "transport")
VALIDATORS = ("certainty", "information", "consensus")


def _of_the_oracle(source, adapted, oracle):
    return adapted / oracle


def _gain(source, adapted, oracle):
    return adapted - source


def _what_is_left(source, adapted, oracle):
    return (oracle - adapted) / (oracle - source)


def _is_unknown(choice, sealed):
    return _commitments.is_unknown(choice, RECIPES, VALIDATORS)


def _is_committed_blindly(choice, sealed):
    return not _is_unknown(choice, sealed) and _commitments.is_blind(choice, sealed)


EXERCISES = [
    Function(
        id="21.1",
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
        id="21.2",
        name="has_seen_images",
        expected=Sealed("21.2", "text", ("984c9477 f02ac0c4",)),
        choices=["simulated only", "the same in random looks", "standardised", "cut out"],
        wrong=[
            ("simulated only", "Its images are drawn, and nothing was fitted to the target."),
            (
                "the same in random looks",
                "Its images are those of the other laboratory, and the looks are drawn at random.",
            ),
            (
                "cut out",
                "The masks come from a segmenter that saw simulated cells only. It is applied to "
                "the target when the target is used, and nothing was fitted.",
            ),
        ],
        hints=[
            "For which of the four must the target's images be there before the model is made?",
            "Which of them needs a number that is computed from all images of the target?",
        ],
    ),
    Condition(
        id="21.3",
        name="my_choice",
        test=_is_committed_blindly,
        wrong=[
            (
                "standardised",
                _is_unknown,
                "Give a pair of texts: one of the four recipes, and one of the three validators.",
            )
        ],
        hints=[
            "Do the classes of this laboratory come in the shares of the simulated ones? What does "
            "each recipe assume of them?",
            "If labels of this laboratory have been seen, take another number and begin again.",
        ],
    ),
]
