"""Lesson 03: regret, NCE by hand, and the network for a workstation."""

import math

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_SCORES, _PERFORMANCE = np.array([0.3, 2.0, 1.1]), np.array([0.7, 0.8, 0.9])


def _best_allowed(costs):
    is_fast = costs["images/s"] >= costs["images/s"].median()
    is_lean = costs["memory (MB)"] <= costs["memory (MB)"].median()
    return costs[is_fast & is_lean]["balanced accuracy"].idxmax()


def _least_accurate(costs):
    return costs["balanced accuracy"].idxmin()


def _different_units(scores, performance):
    return scores.max() - performance.max()


def _of_the_chosen(scores, performance):
    return performance[scores.argmax()]


def _negative(scores, performance):
    return performance[scores.argmax()] - performance.max()


EXERCISES = [
    Function(
        id="03.1",
        name="regret",
        cases=[
            ((_SCORES, _PERFORMANCE), 0.1),
            ((-_SCORES, _PERFORMANCE), 0.2),
            ((_PERFORMANCE, _PERFORMANCE), 0.0),
            ((np.array([5.0, 1.0]), np.array([0.25, 0.75])), 0.5),
        ],
        wrong=[
            (_different_units, "A score has no unit of accuracy; compare performances."),
            (_of_the_chosen, "That is what the chosen one does; how far is it from the best?"),
            (_negative, "The other way round: a loss is counted as positive."),
        ],
        hints=[
            "Which candidate is chosen? `np.argmax(scores)` is its index.",
            "Two performances are compared: that of the chosen one, and which other?",
        ],
    ),
    Value(
        id="03.2",
        name="nce_by_hand",
        expected=Sealed("03.2", "a number", ("0bae841c 78185d16 9d5b8f01 f2d00c8b fd73125c",)),
        wrong=[
            (0.6 * math.log(2), "NCE is *minus* an entropy, so it is at most 0."),
            (
                math.log(0.5),
                "Only the bubbles are uncertain; weigh them by their share of the cells.",
            ),
            (
                0.3 * math.log(0.3) + 0.7 * math.log(0.7),
                "That is minus the entropy of the labels alone; condition on what the network "
                "predicted.",
            ),
            (-0.6, "In nats, please: the natural logarithm."),
        ],
        hints=[
            "What is the probability of each label among the bubbles? And among the jellyfish?",
            "Work out each group alone first. What does a group add in which the label is certain?",
        ],
    ),
    Value(
        id="03.3",
        name="chosen_name",
        expected=_best_allowed,
        wrong=[(_least_accurate, "That is the least accurate of all; sort the other way.")],
        hints=[
            "Filter the rows of `costs` by two conditions joined with `&`.",
            "Of the rows that are left, `idxmax()` names the best.",
        ],
    ),
]
