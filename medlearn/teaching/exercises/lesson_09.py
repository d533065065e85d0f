"""Lesson 09: F1 by hand, another waiting room, and the report of a colleague's model."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

# The report on `practice.predictions()` at the threshold 0.3: value, low, high.
_INTERVALS = {"sensitivity": (0.617, 0.464, 0.755), "specificity": (0.831, 0.704, 0.911)}
_BY_IMAGE = {"sensitivity": (0.617, 0.530, 0.707), "specificity": (0.831, 0.761, 0.887)}
_TOLERANCE = 0.03  # resamples of another seed move the ends by less
_WRITTEN = {"ill patients": 30, "not claimed": "child", "lowest claimed": "senior"}
_RIGHT = {**_INTERVALS, **_WRITTEN}


def _found(prevalence, sensitivity, specificity):
    return prevalence * sensitivity


def _without_prevalence(prevalence, sensitivity, specificity):
    return sensitivity / (sensitivity + 1 - specificity)


def _negative(prevalence, sensitivity, specificity):
    spared = (1 - prevalence) * specificity
    return spared / (spared + prevalence * (1 - sensitivity))


def _near(numbers, expected):
    if np.shape(numbers) != (3,):
        return False
    return bool(np.abs(np.asarray(numbers, dtype=float) - expected).max() < _TOLERANCE)


def _is_right_report(my_report):
    if _lacks_entries(my_report):
        return False
    has_intervals = all(_near(my_report[name], ends) for name, ends in _INTERVALS.items())
    return has_intervals and all(_is(my_report, name) for name in _WRITTEN)


def _is(my_report, name):
    """Whether an entry is right; "30 patients", as `rests_on` says it, is 30."""
    answer, expected = my_report[name], _WRITTEN[name]
    if np.size(answer) == 1 and np.ndim(answer) == 1:
        answer = answer[0]
    if isinstance(answer, str):
        return _plain(answer).removesuffix(" patient") == str(expected)
    return np.ndim(answer) == 0 and answer == expected


def _plain(text):
    return text.strip().lower().replace("children", "child").removesuffix("s")


def _lacks_entries(my_report):
    return not isinstance(my_report, dict) or not set(_RIGHT) <= set(my_report)


def _lacks_ends(my_report):
    return any(np.shape(my_report[name]) != (3,) for name in _INTERVALS)


def _is_at_one_half(my_report):
    return abs(my_report["sensitivity"][0] - 0.442) < 0.01


def _is_by_image(my_report):
    return any(_near(my_report[name], ends) for name, ends in _BY_IMAGE.items())


def _counts_others(my_report):
    return not _is(my_report, "ill patients")


def _claims_too_much(my_report):
    return not _is(my_report, "not claimed")


def _is_not_lowest(my_report):
    return not _is(my_report, "lowest claimed")


EXERCISES = [
    Value(
        id="09.1",
        name="f1_by_hand",
        expected=Sealed("09.1", "a number", ("15ed6c50 1eb7edbe 2c8f6b0b 2fb4618d 35a0516f",)),
        wrong=[
            (
                0.675,
                "That is the ordinary mean; the harmonic mean stays nearer to the smaller one.",
            ),
            (0.45**0.5, "That is the geometric mean; the harmonic mean is a little smaller."),
            (0.6, "That is the precision: 30 of 50 alarms were right."),
            (0.75, "That is the sensitivity: 30 of 40 were found."),
        ],
        hints=[
            "50 patients were called ill, and 30 of them are.",
            "Precision and sensitivity lie on either side of it. It is smaller than their ordinary "
            "mean, and smaller than their geometric mean.",
        ],
    ),
    Function(
        id="09.2",
        name="precision_at",
        cases=[
            ((0.01, 0.9, 0.9), 0.009 / 0.108),
            ((0.5, 0.8, 0.6), 0.4 / 0.6),
            ((0.2, 0.5, 1.0), 1.0),
        ],
        wrong=[
            (
                _found,
                "Those are the people found, as a share of everybody; "
                "divide by all who were called yes.",
            ),
            (_without_prevalence, "That leaves the prevalence out: the healthy outnumber the ill."),
            (_negative, "That is the share of the healthy among those called no."),
        ],
        hints=[
            "Of 1,000 people, how many are found, and how many healthy ones are alarmed?",
            "Draw a table of 1,000 people: ill or healthy, called yes or no. Which boxes count?",
        ],
    ),
    Condition(
        id="09.3",
        name="my_report",
        test=_is_right_report,
        wrong=[
            (
                {"sensitivity": 0.62},
                _lacks_entries,
                "The report is a dictionary with the five entries that the task names.",
            ),
            (
                _RIGHT | {"sensitivity": 0.617},
                _lacks_ends,
                "A number without an interval is not a report: value, lower and upper end.",
            ),
            (
                _RIGHT | {"sensitivity": (0.442, 0.269, 0.629)},
                _is_at_one_half,
                "You cut at one half. The colleague had promised another threshold before the "
                "test was opened.",
            ),
            (
                _RIGHT | _BY_IMAGE,
                _is_by_image,
                "These intervals take each image for a patient of its own. "
                "The table has a column that says whose image it is.",
            ),
            (
                _RIGHT | {"ill patients": 64},
                _counts_others,
                "Count the patients, not images, on whom the sensitivity rests: "
                "those who are well play no part in it.",
            ),
            (
                _RIGHT | {"not claimed": "senior"},
                _claims_too_much,
                "A low number is a claim too, if enough patients stand behind it. "
                "Which group has fewer than ten ill patients?",
            ),
            (
                _RIGHT | {"lowest claimed": "adult"},
                _is_not_lowest,
                "Compare the sensitivities of the groups that have ten or more ill patients.",
            ),
        ],
        hints=[
            "Section 3 has the intervals, section 6 the subgroups. First make answers of 0 and 1 "
            "from the probabilities, with the threshold of the task.",
            "Print what metrics.per_subgroup returns for the sensitivity: one group is too small "
            "to say anything, and of the others one is far below the rest.",
        ],
    ),
]
