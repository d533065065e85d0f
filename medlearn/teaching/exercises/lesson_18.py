"""Lesson 18: information by hand, regret, and whom to believe."""

import math

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_SCORES, _ACCURACIES = np.array([0.1, 0.9, 0.4]), np.array([0.5, 0.6, 0.8])


def _of_the_chosen(scores, accuracies):
    return accuracies[np.argmax(scores)]


def _over_the_first(scores, accuracies):
    return accuracies[np.argmax(scores)] - accuracies[0]


def _negative(scores, accuracies):
    return accuracies[np.argmax(scores)] - np.max(accuracies)


EXERCISES = [
    Value(
        id="18.1",
        name="information",
        expected=Sealed("18.1", "a number", ("3462b34b 56894050 6698d850 dbace2cc",)),
        wrong=[
            (0.0, "That is the mean entropy of the answers; add the entropy of the *mean* answer."),
            (-math.log(3), "Entropy is positive: minus the sum of p log p."),
            (math.log2(3), "Those are bits; in nats, please."),
        ],
        hints=[
            "What is the mean of the three answers, and its entropy?",
            "And the mean entropy of the single answers?",
        ],
    ),
    Function(
        id="18.2",
        name="validator_regret",
        cases=[
            ((_SCORES, _ACCURACIES), 0.2),
            ((-_SCORES, _ACCURACIES), 0.3),
            ((_ACCURACIES, _ACCURACIES), 0.0),
        ],
        wrong=[
            (_of_the_chosen, "That is what the choice achieves; how far is it from the best?"),
            (_over_the_first, "That is the gain over the first candidate."),
            (_negative, "The other way round: a loss is counted as positive."),
        ],
        hints=[
            "`np.argmax(scores)` is the chosen one.",
            "A choice without regret gives 0: with which candidate is the chosen one compared?",
        ],
    ),
    Value(
        id="18.3",
        name="suspicion",
        expected=Sealed(
            "18.3",
            "text",
            ("070a2615 38a65caa 390fc70d 5d816667 929534a5 a9cc7d85 de069ca6 e17f95f9",),
        ),
        choices=["A collapsed on the source", "B is overfitted to the source", "nothing is wrong"],
        wrong=[
            (
                "B is overfitted to the source",
                "These are validation patients, whom B did not learn from.",
            ),
            ("nothing is wrong", "From 0.93 to 0.61 on images with labels: what did A forget?"),
        ],
        hints=["Which of the four numbers rests on labels?", "What does a low one of those say?"],
    ),
]
