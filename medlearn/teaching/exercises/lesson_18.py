"""Lesson 18: information by hand, regret, and a rule that may abstain."""

import functools
import math

import numpy as np

from medlearn.teaching import results
from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_SCORES, _ACCURACIES = np.array([0.1, 0.9, 0.4]), np.array([0.5, 0.6, 0.8])


def _of_the_chosen(scores, accuracies):
    return accuracies[np.argmax(scores)]


def _over_the_first(scores, accuracies):
    return accuracies[np.argmax(scores)] - accuracies[0]


def _negative(scores, accuracies):
    return accuracies[np.argmax(scores)] - np.max(accuracies)


# The open task: a rule is tried on the half of the arena that the lesson does not show.
MOST_HARM, LEAST_GAIN = 0.1, 0.05
HARM = -0.02
SOURCE_ONLY = "source only"
LABEL_FREE = ["consensus", "agreement", "certainty", "information", "reverse", "imbalance"]


@functools.cache
def _unseen_pairs():
    """For each pair of the test half, its label-free table and its gains over source only."""
    arena = results.read("arena")
    unseen = arena[(arena.half == "test") & (arena.method != "oracle")].set_index("method")
    return [
        (pair[LABEL_FREE], pair.score - pair.score[SOURCE_ONLY])
        for _, pair in unseen.groupby("pair")
    ]


def _gains(rule):
    """The gain of a rule on each pair: None if it returns nothing, NaN for an unknown name."""
    gains = []
    for table, gain_of in _unseen_pairs():
        name = rule(table.copy())
        if name is None or name is ...:
            return None
        gains.append(gain_of.get(name, np.nan) if isinstance(name, str) else np.nan)
    return np.array(gains)


def _harms_little_and_gains(rule):
    gains = _gains(rule)
    if gains is None:
        return None
    return not _unknown(gains) and not _harms(gains) and not _is_timid(gains)


def _unknown(gains):
    return bool(np.isnan(gains).any())


def _harms(gains):
    return bool((gains < HARM).mean() > MOST_HARM)


def _is_timid(gains):
    return bool(gains.mean() < LEAST_GAIN)


def _names_nobody(rule):
    return _unknown(_gains(rule))


def _harms_too_often(rule):
    return _harms(_gains(rule))


def _gains_too_little(rule):
    return _is_timid(_gains(rule))


def _nobody(pair):
    return 0


def _highest_consensus(pair):
    return pair.consensus.idxmax()


def _never(pair):
    return SOURCE_ONLY


EXERCISES = [
    Value(
        id="18.1",
        name="nats",
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
    Condition(
        id="18.3",
        name="keep_or_change",
        test=_harms_little_and_gains,
        wrong=[
            (
                _nobody,
                _names_nobody,
                "Return the name of a candidate: a label of the table's rows.",
            ),
            (
                _highest_consensus,
                _harms_too_often,
                "It harms in more than one of ten unseen pairs. What do the pairs look like in "
                "which it should have kept source only?",
            ),
            (
                _never,
                _gains_too_little,
                "It gains too little. A rule that always abstains harms nobody and helps nobody.",
            ),
        ],
        hints=[
            "In which pairs of the development half does your rule harm? Look at the columns of "
            "`source only` there.",
            "How far must the best candidate be ahead before it is worth a change?",
        ],
    ),
]
