"""Lesson 25: which problem first, labels that come later, and marks for a report."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_FILES, _NAMES, _LABELS = ["a.png", "b.png", "c.png"], ["c.png", "a.png"], ["ill", "well"]


def _as_they_come(files, names, labels):
    return list(labels)


def _without_gaps(files, names, labels):
    return [labels[names.index(file)] for file in files if file in names]


def _order_of_names(files, names, labels):
    return [label if name in files else None for name, label in zip(names, labels, strict=True)]


EXERCISES = [
    Value(
        id="25.1",
        name="worst_problem",
        expected=Sealed("25.1", "text", ("0032fbeb 728d6af2 aa08d15a b761c2e1 f6c771a0 fc8f69b4",)),
        choices=["a", "b", "c"],
        wrong=[
            ("b", "One row among hundreds hardly moves a number."),
            ("c", "One pair among hundreds hardly moves a number; tie it all the same."),
        ],
        hints=[
            "What is special about those that are missing?",
            "A loss at random makes the data smaller; a loss of one scanner bends them.",
        ],
    ),
    Function(
        id="25.2",
        name="in_order",
        cases=[
            ((_FILES, _NAMES, _LABELS), ["well", None, "ill"]),
            ((["b.png"], _NAMES, _LABELS), [None]),
            ((["c.png", "c.png"], _NAMES, _LABELS), ["ill", "ill"]),
        ],
        wrong=[
            (_as_they_come, "That trusts the order of the table; match by name."),
            (
                _without_gaps,
                "Files without a label vanish there, and all later rows slip; "
                "keep their places with None.",
            ),
            (_order_of_names, "That is the order of the names; the order of the files is asked."),
        ],
        hints=[
            "Which structure of Python finds a label by the name of its file?",
            "And what does that structure answer to a name that it does not hold?",
        ],
    ),
    Value(
        id="25.3",
        name="points",
        expected=Sealed("25.3", "a number", ("21d2b88d",)),
        wrong=[
            (6, "One too many: on whom was the network chosen, and did anybody look for copies?"),
            (7, "Two too many: on whom was the network chosen, and did anybody look for copies?"),
            (
                4,
                "One too few: what is said about other hospitals, and about the files that failed?",
            ),
        ],
        hints=[
            "Go through the six rows; each says what one point asks for.",
            "For each row ask twice: is it said at all, and is it said with its reason?",
        ],
    ),
]
