"""Lesson 23: a threshold of sets, an accuracy without labels, and limits that keep two promises."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_CORRECT = np.array([1, 1, 1, 0, 1])
_SOURCE = np.array([0.9, 0.8, 0.9, 0.6, 0.8])
_TARGET = np.array([0.7, 0.6, 0.8])
_FALSE_ALARMS = 1.0  # in 50 weeks
_CAUGHT = 0.9  # of the runs


def _limits(alarm_limits, quiet: np.ndarray) -> np.ndarray:
    """Low and high limits of each run, (runs, 2)."""
    return np.array([alarm_limits(weeks.copy()) for weeks in quiet], float)


def _outside(alarm_limits, streams: dict, later: str) -> np.ndarray:
    low, high = _limits(alarm_limits, streams["quiet"]).T[:, :, None]
    return (streams[later] < low) | (streams[later] > high)


def _are_no_limits(alarm_limits, streams) -> bool:
    limits = _limits(alarm_limits, streams["quiet"][:3])
    return limits.shape != (3, 2) or not (limits[:, 0] < limits[:, 1]).all()


def _cries_wolf(alarm_limits, streams) -> bool:
    return _outside(alarm_limits, streams, "later").sum(axis=1).mean() > _FALSE_ALARMS


def _sleeps(alarm_limits, streams) -> bool:
    return _outside(alarm_limits, streams, "moved").any(axis=1).mean() < _CAUGHT


def _keeps_both(alarm_limits, streams) -> bool | None:
    if alarm_limits(streams["quiet"][0].copy()) is None:
        return None
    rules = (_are_no_limits, _cries_wolf, _sleeps)
    return not any(rule(alarm_limits, streams) for rule in rules)


EXERCISES = [
    Value(
        id="23.1",
        name="threshold_of_75",
        expected=Sealed("23.1", "a number", ("52bf5430",)),
        wrong=[
            (0.40, "That covers six of eight. The new cell counts as well: nine cells in all."),
            (0.90, "That promises more than 75 %; which rank is enough?"),
            (0.75, "The threshold is a surprise; 75 % is how many cells do not exceed it."),
        ],
        hints=[
            "With the new cell there are nine. How many are 75 % of nine, rounded up?",
            "The rank is counted among the eight sorted surprises, from the smallest on.",
        ],
    ),
    Function(
        id="23.2",
        name="estimated_accuracy",
        cases=[
            ((_CORRECT, _SOURCE, _TARGET), 0.7),
            ((_CORRECT, _SOURCE, _SOURCE), 0.8),
            ((_CORRECT[:2], _SOURCE[:2], _TARGET), 0.85),
        ],
        wrong=[
            (
                lambda correct, source_confidence, target_confidence: target_confidence.mean(),
                "That is the mean confidence on the target; where does the accuracy of the source "
                "come in?",
            ),
            (
                lambda correct, source_confidence, target_confidence: (
                    correct.mean() + source_confidence.mean() - target_confidence.mean()
                ),
                "The wrong way round: where confidence falls, the estimate falls.",
            ),
            (
                lambda correct, source_confidence, target_confidence: (
                    source_confidence.mean() - target_confidence.mean()
                ),
                "That is what is lost; from which accuracy is it lost?",
            ),
        ],
        hints=[
            "Start from the accuracy on the source.",
            "What does the mean confidence lose from source to target?",
        ],
    ),
    Condition(
        id="23.3",
        name="alarm_limits",
        test=_keeps_both,
        wrong=[
            (
                lambda quiet_weeks: (quiet_weeks.max(), quiet_weeks.min()),
                _are_no_limits,
                "Return two numbers, the lower limit first.",
            ),
            (
                lambda quiet_weeks: (quiet_weeks.min(), quiet_weeks.max()),
                _cries_wolf,
                "More than one false alarm in 50 weeks. How often is a new week beyond the most "
                "extreme of 20?",
            ),
            (
                lambda quiet_weeks: (quiet_weeks.mean() - 1e9, quiet_weeks.mean() + 1e9),
                _sleeps,
                "The changed stain is missed too often: these limits are too wide.",
            ),
        ],
        hints=[
            "Mean and standard deviation of the quiet weeks: how many deviations to either side?",
            "Of normal numbers, 5 % lie beyond two deviations. How many weeks of 50 are that?",
        ],
    ),
]
