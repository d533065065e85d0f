"""Lesson 15: from error to distance, the class of a shift, and a shift that is told apart."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_CLASSES, _DIMENSIONS, _PER_CLASS, _TARGET = 5, 12, 60, 240
_KINDS = ("none", "acquisition", "prior")
_HOSPITALS, _ENOUGH = 15, 12


class _Hospital(NamedTuple):
    """Features of home with labels, features of a new hospital, and what kind it is."""

    source: np.ndarray
    labels: np.ndarray
    target: np.ndarray
    kind: str


def _hospital(number: int) -> _Hospital:
    generator = np.random.default_rng([15, number])
    middles = generator.normal(0, 2, (_CLASSES, _DIMENSIONS))
    labels = np.repeat(np.arange(_CLASSES), _PER_CLASS)
    source = middles[labels] + generator.normal(0, 1, (len(labels), _DIMENSIONS))
    kind = _KINDS[number % len(_KINDS)]
    shares = np.full(_CLASSES, 1 / _CLASSES)
    if kind == "prior":
        shares = np.full(_CLASSES, 0.08)
        shares[generator.integers(_CLASSES)] = 1 - 0.08 * (_CLASSES - 1)
    there = generator.choice(_CLASSES, _TARGET, p=shares)
    target = middles[there] + generator.normal(0, 1, (_TARGET, _DIMENSIONS))
    if kind == "acquisition":
        target = target * generator.uniform(0.8, 1.2, _DIMENSIONS)
        target = target + generator.normal(0, 2.2, _DIMENSIONS)
    return _Hospital(source, labels, target, kind)


@lru_cache
def _hospitals() -> list[_Hospital]:
    return [_hospital(number) for number in range(_HOSPITALS)]


def _answers(kind_of_shift) -> list:
    """What the function says of each hospital; it sees no labels of the target."""
    return [
        kind_of_shift(hospital.source.copy(), hospital.labels.copy(), hospital.target.copy())
        for hospital in _hospitals()
    ]


def _mistaken(kind_of_shift, truth: str, answer: str) -> bool:
    """Whether more than one hospital of a kind is called another."""
    pairs = zip(_hospitals(), _answers(kind_of_shift))
    return sum((hospital.kind, shift) == (truth, answer) for hospital, shift in pairs) > 1


def _has_other_answers(kind_of_shift) -> bool:
    return any(answer not in _KINDS for answer in _answers(kind_of_shift))


def _always_the_same(kind_of_shift) -> bool:
    return len(set(_answers(kind_of_shift))) == 1


def _takes_prior_for_acquisition(kind_of_shift) -> bool:
    return _mistaken(kind_of_shift, "prior", "acquisition")


def _takes_acquisition_for_prior(kind_of_shift) -> bool:
    return _mistaken(kind_of_shift, "acquisition", "prior")


def _misses_none(kind_of_shift) -> bool:
    answers = zip(_hospitals(), _answers(kind_of_shift))
    return sum(hospital.kind == "none" != answer for hospital, answer in answers) > 1


def _names_most(kind_of_shift) -> bool | None:
    first = _hospitals()[0]
    if kind_of_shift(first.source.copy(), first.labels.copy(), first.target.copy()) is None:
        return None
    pairs = zip(_hospitals(), _answers(kind_of_shift))
    return sum(hospital.kind == answer for hospital, answer in pairs) >= _ENOUGH


def _nearest_class(source, labels, target) -> np.ndarray:
    middles = np.stack([source[labels == value].mean(0) for value in range(_CLASSES)])
    return np.linalg.norm(target[:, None] - middles, axis=2).argmin(1)


def _by_distance_alone(source_features, source_labels, target_features):
    gap = np.linalg.norm(source_features.mean(0) - target_features.mean(0))
    return "acquisition" if gap > 0.9 else "none"


def _by_shares_alone(source_features, source_labels, target_features):
    nearest = _nearest_class(source_features, source_labels, target_features)
    largest = np.bincount(nearest, minlength=_CLASSES).max() / len(nearest)
    return "prior" if largest > 0.3 else "none"


def _sees_shifts_everywhere(source_features, source_labels, target_features):
    nearest = _nearest_class(source_features, source_labels, target_features)
    largest = np.bincount(nearest, minlength=_CLASSES).max() / len(nearest)
    return "prior" if largest > 0.5 else "acquisition"


EXERCISES = [
    Value(
        id="15.1",
        name="distance",
        expected=Sealed("15.1", "a number", ("3e9d1a83",)),
        wrong=[
            (1.4, "That is not 0 for a classifier that guesses; put in an error of 0.5 and see."),
            (0.4, "The factor 2 in front is missing."),
            (-0.8, "A distance is positive: what would an error of 0 give?"),
        ],
        hints=[
            "Put the error into the formula of section 2.",
            "What does the formula give for an error of 0.5, and of 0?",
        ],
    ),
    Value(
        id="15.2",
        name="shift_of_the_clinic",
        expected=Sealed("15.2", "text", ("07fa0da4 4d82d829 8f8738ae a5212177 bc93d84e ce8e7a31",)),
        choices=["covariate", "prior", "concept"],
        wrong=[
            (
                "covariate",
                "Then eosinophils would look different; but within each class nothing changed.",
            ),
            (
                "covariate shift",
                "Then eosinophils would look different; but within each class nothing changed.",
            ),
            (
                "concept",
                "Then the labels of the two laboratories would disagree about the same cell.",
            ),
            (
                "concept shift",
                "Then the labels of the two laboratories would disagree about the same cell.",
            ),
        ],
        hints=[
            "Within each class, is anything different?",
            "Write down how often each class comes, at home and in the clinic.",
        ],
    ),
    Condition(
        id="15.3",
        name="kind_of_shift",
        test=_names_most,
        wrong=[
            (
                lambda source_features, source_labels, target_features: "covariate",
                _has_other_answers,
                "Return one of three texts: 'none', 'acquisition' or 'prior'.",
            ),
            (
                lambda source_features, source_labels, target_features: "acquisition",
                _always_the_same,
                "The answer is the same for all hospitals.",
            ),
            (
                _by_distance_alone,
                _takes_prior_for_acquisition,
                "Some prior shifts are called acquisition: the distance sees both. What does a "
                "hospital look like that has the classes of home in other shares?",
            ),
            (
                _by_shares_alone,
                _takes_acquisition_for_prior,
                "Some acquisition shifts are called prior: a classifier's shares change as well "
                "where the images differ. Does each class still lie where it lay at home?",
            ),
            (
                _sees_shifts_everywhere,
                _misses_none,
                "Some hospitals without a shift get one: what does chance alone do between two "
                "halves of home?",
            ),
        ],
        hints=[
            "If only the shares differ, you can draw images of home in such shares that the "
            "distance vanishes.",
            "Classify the target, count the answers, and compare the target with images of home "
            "drawn in these shares.",
        ],
    ),
]
