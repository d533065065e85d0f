"""Lesson 08: class weights, alarms that add up, and an expert's five minutes."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_CELLS = [90, 30, 10, 20]
_DOUBT = np.random.default_rng(50).permutation(60) / 60
_MISTAKEN = np.random.default_rng(51).random(60) < 0.2 + 0.6 * _DOUBT
_MISTAKES_OF_20 = _MISTAKEN[np.argsort(-_DOUBT)[:20]]  # hits of two minutes, of three
_MISTAKES_OF_30 = _MISTAKEN[np.argsort(-_DOUBT)[:30]]


def _least_suspicious(doubt, mistaken, minutes):
    return mistaken[np.argsort(doubt)[: 10 * minutes]].mean()


def _one_a_minute(doubt, mistaken, minutes):
    return mistaken[np.argsort(-doubt)[:minutes]].mean()


def _share_of_mistakes(doubt, mistaken, minutes):
    return mistaken[np.argsort(-doubt)[: 10 * minutes]].sum() / mistaken.sum()


def _number_of_mistakes(doubt, mistaken, minutes):
    return mistaken[np.argsort(-doubt)[: 10 * minutes]].sum()


def _in_the_order_of_the_file(doubt, mistaken, minutes):
    return mistaken[: 10 * minutes].mean()


EXERCISES = [
    Value(
        id="08.1",
        name="class_weights",
        expected=Sealed(
            "08.1",
            "a list of 4 numbers",
            (
                "16709450 56df7615 68ba3f66 9e28ef2b bd195180",
                "06ab5bf3 8c85f08a b2755b6f",
                "70768f76 8e6419b5 dd67e933",
                "82079522 9e042a9d c6567611 eda83811",
            ),
        ),
        wrong=[
            (
                [count / 150 for count in _CELLS],
                "Those are the shares: the frequent class would count even more.",
            ),
            (
                [1 / count for count in _CELLS],
                "The proportions are right; now scale them so that the mean over the cells is 1.",
            ),
            (
                [150 / count for count in _CELLS],
                "All classes count the same, but each as much as the whole set. "
                "What is the mean weight of a cell?",
            ),
        ],
        hints=[
            "The weight falls as the number of cells rises: something divided by each count.",
            "Test your weights: cells times weight must be the same for each class, and all four "
            "together give the number of cells, 150.",
        ],
    ),
    Value(
        id="08.2",
        name="any_alarm",
        expected=Sealed("08.2", "a number", ("0aaa48a4 19200126 509a9232 b5a191b9 d46cfdd3",)),
        wrong=[
            (0.08, "Nearly: an image that rings two alarms is counted twice by that."),
            (0.98**4, "That is the share that raises no alarm at all."),
            (0.02, "That is one measure alone."),
            (0.02**4, "That is the share that rings all four."),
        ],
        hints=[
            "Which share stays silent with one measure? And with all four?",
            "An image rings at least one alarm, or it rings none: there is no third way.",
        ],
    ),
    Function(
        id="08.3",
        name="hit_rate",
        cases=[
            ((_DOUBT, _MISTAKEN, 2), _MISTAKES_OF_20.mean()),
            ((_DOUBT, _MISTAKEN, 3), _MISTAKES_OF_30.mean()),
        ],
        wrong=[
            (_least_suspicious, "These are the least suspicious; `np.argsort` sorts upwards."),
            (_one_a_minute, "Ten labels a minute, not one."),
            (
                _share_of_mistakes,
                "That is the share of all mistakes that is found; divide by the number looked at.",
            ),
            (_number_of_mistakes, "That is a number of mistakes; a share is asked for."),
            (_in_the_order_of_the_file, "The most suspicious labels come first."),
        ],
        hints=[
            "`np.argsort` gives the indices in rising order; which end is the most suspicious?",
            "How many labels does the expert look at? Of those alone, which share is mistaken?",
        ],
    ),
]
