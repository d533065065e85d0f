"""Lesson 11: slices for a mean, the price of the maximum, and a rule to which the order matters."""

import numpy as np
from scipy import stats

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_ENOUGH = 0.75  # AUROC


def _scores(stack_rule, suspicion) -> np.ndarray:
    return np.asarray(stack_rule(suspicion.copy()), float)


def _auroc(ill: np.ndarray, scores: np.ndarray) -> float:
    """The chance that a random ill patient scores above a random other one."""
    wins = stats.mannwhitneyu(scores[ill], scores[~ill]).statistic
    return float(wins / (ill.sum() * (~ill).sum()))


def _has_other_shape(stack_rule, suspicion, ill) -> bool:
    return _scores(stack_rule, suspicion).shape != (len(suspicion),)


def _is_blind_to_order(stack_rule, suspicion, ill) -> bool:
    shuffled = np.random.default_rng(0).permuted(suspicion, axis=1)
    return np.allclose(_scores(stack_rule, suspicion), _scores(stack_rule, shuffled))


def _is_reversed(stack_rule, suspicion, ill) -> bool:
    return _auroc(ill, -_scores(stack_rule, suspicion)) > _ENOUGH


def _is_too_weak(stack_rule, suspicion, ill) -> bool:
    return _auroc(ill, _scores(stack_rule, suspicion)) <= _ENOUGH


def _uses_the_order(stack_rule, suspicion, ill) -> bool | None:
    if stack_rule(suspicion.copy()) is None:
        return None
    if _has_other_shape(stack_rule, suspicion, ill):
        return False
    return not _is_too_weak(stack_rule, suspicion, ill)


EXERCISES = [
    Value(
        id="11.1",
        name="slices_needed",
        expected=Sealed("11.1", "a number", ("bfcf260f",)),
        wrong=[
            (
                1,
                "That is the maximum: one slice would do. The mean dilutes it with seven slices of "
                "0.1.",
            ),
            (3, "With three the mean is 0.4; that is below one half."),
            (5, "With five the mean is 0.6; would fewer do?"),
            (8, "With all eight the mean is 0.9; would fewer do?"),
        ],
        hints=[
            "With one such slice of eight, what is the mean? And with two?",
            "Each further slice with a lesion raises the mean by the same amount.",
        ],
    ),
    Value(
        id="11.2",
        name="alarmed",
        expected=Sealed("11.2", "a number", ("0f41d09f 2b42c1e9 4a609cd7 7134bf01 c26d465a",)),
        wrong=[
            (0.05, "That is one slice; a patient has twenty chances to be alarmed."),
            (
                1.0,
                "20 times 5 % counts those twice who are alarmed twice; "
                "ask instead who is *never* alarmed.",
            ),
            (0.95**20, "Those are the patients without any alarm."),
        ],
        hints=[
            "How probable is it that none of the twenty alarms?",
            "Begin with two slices: what share of healthy patients has no alarm on both?",
        ],
    ),
    Condition(
        id="11.3",
        name="stack_rule",
        test=_uses_the_order,
        wrong=[
            (
                lambda suspicion: suspicion,
                _has_other_shape,
                "Return one number for each patient: an array of shape (patients,).",
            ),
            (
                lambda suspicion: suspicion.mean(axis=1),
                _is_blind_to_order,
                "This rule gives the same answer if the slices are shuffled, so it cannot tell "
                "neighbours from scattered alarms.",
            ),
            (
                lambda suspicion: -np.minimum(suspicion[:, 1:], suspicion[:, :-1]).max(axis=1),
                _is_reversed,
                "The rule finds them, but the wrong way round: higher must mean more probably ill.",
            ),
            (
                lambda suspicion: suspicion[:, 0],
                _is_too_weak,
                "The AUROC is not above 0.75. Is the rule sure that two high values are "
                "neighbours?",
            ),
        ],
        hints=[
            "What is true of two neighbouring slices of a lesion, and rarely of two in a row "
            "elsewhere?",
            "`suspicion[:, 1:]` and `suspicion[:, :-1]` are each slice and the one below it.",
        ],
    ),
]
