"""Lesson 17: a gradient turned round, a balanced choice, and a method before the reveal."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

METHODS = ("distance", "reversed gradient", "class confusion", "self-training", "closed form")


def _is_committed_blindly(method, sealed):
    has_seen = sealed.asked or sealed.opened
    return method in METHODS and (not has_seen or sealed.committed.get("method") == method)


def _is_unknown(method, sealed):
    return method not in METHODS


EXERCISES = [
    Value(
        id="17.1",
        name="value_and_gradient",
        expected=Sealed("17.1", "a list of 2 numbers", ("1026b7c1", "c30c9d2f")),
        wrong=[
            (
                (15, 5),
                "That is the gradient without the layer; turn it round, and mind its weight.",
            ),
            ((-30, -10), "Forwards the layer is the identity: the value is not turned."),
            ((15, -5), "The weight multiplies the gradient too."),
            ((15, 10), "The weight is there; the sign is missing."),
            ((-10, 15), "First the value, then the gradient."),
        ],
        hints=[
            "What does the layer do on the way forwards?",
            "What is the gradient without the layer? Two things happen to it on the way back.",
        ],
    ),
    Value(
        id="17.2",
        name="chosen_eosinophils",
        expected=Sealed("17.2", "a list of 2 numbers", ("269b2dcd", "a650baaa")),
        wrong=[
            (
                (0, 10),
                "The other way round: the balanced choice keeps the class that is less sure.",
            ),
            ((10, 10), "How sure are the eosinophils? Would any be among the surest fifty?"),
            ((50, 0), "Count the eosinophils only."),
        ],
        hints=[
            "The balanced choice takes its share of each class. How many eosinophils are there?",
            "The surest half of all: how many neutrophils are surer than the eosinophils?",
        ],
    ),
    Condition(
        id="17.3",
        name="my_method",
        test=_is_committed_blindly,
        wrong=[("magic", _is_unknown, "Give one of the five names in the task.")],
        hints=[
            "How much do the two laboratories differ? Is the first model mostly right?",
            "If labels of this laboratory have been seen, take another number and begin again.",
        ],
    ),
]
