"""Lesson 25: which problem first, marks for a report, and whose images these are."""

import re

from medlearn.teaching import practice
from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_SEEDS = (1, 2)  # of names that the lesson does not show


def _answers(patient_of, seed: int) -> tuple[list, list[int]]:
    """What the answer says of each name, and whose it is."""
    names, people = practice.export_names(seed)
    return [patient_of(name) for name in names], people.tolist()


def _parts_a_person(patient_of) -> bool:
    for seed in _SEEDS:
        answers, people = _answers(patient_of, seed)
        if len(set(zip(answers, people))) > len(set(people)):
            return True
    return False


def _joins_two_people(patient_of) -> bool:
    for seed in _SEEDS:
        answers, people = _answers(patient_of, seed)
        if len(set(zip(answers, people))) > len(set(answers)):
            return True
    return False


def _knows_them(patient_of) -> bool | None:
    if patient_of("clinic1/P7_20240311_L.png") is None:
        return None
    return not _parts_a_person(patient_of) and not _joins_two_people(patient_of)


def _number_alone(name):
    return int(re.findall(r"\d+", name)[1])


def _as_written(name):
    return re.split(r"_2024", name)[0]


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
    Value(
        id="25.2",
        name="points",
        expected=Sealed("25.2", "a number", ("082541fe",)),
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
    Condition(
        id="25.3",
        name="patient_of",
        test=_knows_them,
        wrong=[
            (
                _as_written,
                _parts_a_person,
                "One person gets several answers: images of her would be on both sides of a split.",
            ),
            (
                _number_alone,
                _joins_two_people,
                "Two people get one answer: which numbers are the same in two clinics?",
            ),
        ],
        hints=[
            "Which parts of a name say who it is, and which when and what?",
            "P7, p007 and PAT 07: which type of Python takes the zeros away?",
        ],
    ),
]
