"""Lesson 09: F1 by hand, a threshold for a price, and another waiting room."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value


def _found(prevalence, sensitivity, specificity):
    return prevalence * sensitivity


def _without_prevalence(prevalence, sensitivity, specificity):
    return sensitivity / (sensitivity + 1 - specificity)


def _negative(prevalence, sensitivity, specificity):
    spared = (1 - prevalence) * specificity
    return spared / (spared + prevalence * (1 - sensitivity))


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
        name="choose",
        cases=[((1, 1), 0.5), ((9, 1), 0.1), ((1, 3), 0.75), ((20, 5), 0.2)],
        wrong=[
            (
                lambda miss, alarm: miss / (miss + alarm),
                "The other way round: costly misses call for a low threshold.",
            ),
            (
                lambda miss, alarm: alarm / miss,
                "Nearly: that is the odds p / (1 - p) at the threshold, not p itself.",
            ),
            (lambda miss, alarm: 0.5, "One half is right only if both mistakes cost the same."),
        ],
        hints=[
            "Of patients with the probability p: what does a no cost on average, and a yes?",
            "At the threshold both cost the same. Put in miss = 9, alarm = 1, and look for p.",
        ],
    ),
    Function(
        id="09.3",
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
]
