"""Lesson 15: from error to distance, the class of a shift, and the worst single factor."""

from medlearn.instruments import smear
from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Value


def _by_accuracy(factors):
    """Names of single factors, the least accurate first."""
    return sorted(smear.FACTORS, key=lambda name: factors[name]["accuracy"].value)


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
    Value(
        id="15.3",
        name="worst",
        expected=lambda factors: _by_accuracy(factors)[0],
        wrong=[
            (
                lambda factors: _by_accuracy(factors)[-1],
                "That one costs least: look for the smallest accuracy.",
            ),
            ("all but stain", "That is six factors at once; name a single one."),
            ("everything", "That is all factors at once; name a single one."),
        ],
        hints=[
            "Print the accuracy of each name in `smear.FACTORS`.",
            "`min` takes a `key`: a function of the name.",
        ],
    ),
]
