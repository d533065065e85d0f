"""Lesson 06: the variance term by hand, a measure of collapse, and a loss to be mended."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises import _practice_views as practice
from medlearn.teaching.exercises._forms import Condition, Function, Value

_CROSS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
_CORNER = np.array([[2.0, 0.0], [0.0, 4.0]])
_DEVIATION_3 = np.sqrt(2) / 3  # of a column of the identity, three rows


def _unit(embeddings):
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def _of_any_length(embeddings):
    return np.sqrt(embeddings.shape[1]) * np.std(embeddings, axis=0).mean()


def _within_an_image(embeddings):
    return np.sqrt(embeddings.shape[1]) * np.std(_unit(embeddings), axis=1).mean()


def _not_multiplied(embeddings):
    return np.std(_unit(embeddings), axis=0).mean()


def _divided_by_columns(embeddings):
    columns = embeddings / (np.linalg.norm(embeddings, axis=0) + 1e-12)
    return np.sqrt(embeddings.shape[1]) * np.std(columns, axis=0).mean()


EXERCISES = [
    Value(
        id="06.1",
        name="variance_of_view",
        expected=Sealed("06.1", "a number", ("6b4282fb",)),
        wrong=[
            (0.5, "A dimension with a deviation above 1 has a term of 0, not a negative one."),
            (2.2, "That is the sum; the term is a mean over the dimensions."),
            (0.45, "That is what the deviations reach; the term is what they lack."),
        ],
        hints=[
            "For each dimension: how far is its deviation below 1? At least nothing.",
            "Four numbers, of which one is 0; then their mean.",
        ],
    ),
    Function(
        id="06.2",
        name="spread_of",
        cases=[
            ((_CROSS,), 1.0),
            ((np.array([[3.0, 4.0], [6.0, 8.0], [0.3, 0.4]]),), 0.0),
            ((_CORNER,), np.sqrt(0.5)),
            ((100 * _CORNER,), np.sqrt(0.5)),
            ((np.eye(3),), np.sqrt(3) * _DEVIATION_3),
        ],
        wrong=[
            (
                _of_any_length,
                "Embeddings a hundred times as long got another spread: divide each by its length.",
            ),
            (
                _within_an_image,
                "That is how the numbers *within* one embedding differ. A collapse is about the "
                "differences *between* images.",
            ),
            (_not_multiplied, "Four directions of a cross should give 1: a factor is missing."),
            (_divided_by_columns, "Each *embedding* is divided by its length, not each dimension."),
        ],
        hints=[
            "A row is an embedding. Which axis gives its length, and which the deviation?",
            "`keepdims=True` keeps a column of lengths, by which rows can be divided.",
        ],
    ),
    Condition(
        id="06.3",
        name="mended_loss",
        test=practice.is_sound,
        wrong=[
            (
                practice.FAULTS["number"],
                practice.gives_no_number,
                "Return one number that is computed from `first` and `second` with keras.ops.",
            ),
            (
                practice.FAULTS["axis"],
                practice.collapses,
                "After training all images have nearly the same embedding. Along which axis should "
                "the deviation be taken: over the numbers of one image, or over the images?",
            ),
            (
                practice.FAULTS["copies"],
                practice.copies_one_fact,
                "The embeddings differ, but their dimensions repeat each other: the easiest fact "
                "was learned again and again. Which term of the lesson forbids that?",
            ),
            (
                practice.FAULTS["agreement"],
                practice.keeps_the_photograph,
                "Two views of one cell got different embeddings: what should make them agree?",
            ),
        ],
        hints=[
            "There are two faults: one collapses everything, the other shows only after the first "
            "is mended.",
            "Ask of each term: which embeddings make it zero? Is one of them useless?",
        ],
    ),
]
