"""Lesson 22: what an interval rests on, the mean of other patients, and a sealed hospital."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_POINTS = 0.05  # of accuracy, more than pooling


def _predictions(predict_sealed, vectors) -> np.ndarray:
    return np.asarray(predict_sealed(vectors.copy()))


def _has_other_shape(predict_sealed, vectors, truth, pooled) -> bool:
    predictions = _predictions(predict_sealed, vectors)
    return predictions.shape != truth.shape or predictions.dtype.kind not in "iu"


def _is_one_class(predict_sealed, vectors, truth, pooled) -> bool:
    return len(np.unique(_predictions(predict_sealed, vectors))) == 1


def _is_not_ahead(predict_sealed, vectors, truth, pooled) -> bool:
    accuracy = (_predictions(predict_sealed, vectors) == truth).mean()
    return bool(accuracy < pooled + _POINTS)


def _is_ahead(predict_sealed, vectors, truth, pooled) -> bool | None:
    if predict_sealed(vectors.copy()) is None:
        return None
    data = vectors, truth, pooled
    rules = _has_other_shape, _is_one_class, _is_not_ahead
    return not any(rule(predict_sealed, *data) for rule in rules)


EXERCISES = [
    Value(
        id="22.1",
        name="observations",
        expected=Sealed(id="22.1", type_name="a number", hashes=("6bf79690",)),
        wrong=[
            (
                800,
                "The 80 images of one hospital share its laboratory. A second look at the same "
                "laboratory says little about the next one.",
            ),
            (80, "That is the number of images of one hospital."),
            (1, "Each unseen hospital is one observation of its own."),
        ],
        hints=[
            "What is drawn anew when the *next* hospital comes: an image, or a laboratory?",
            "`over_hospitals` resamples these.",
        ],
    ),
    Value(
        id="22.2",
        name="neutrophil_value",
        expected=Sealed(id="22.2", type_name="a number", hashes=("f2aa1012",)),
        wrong=[
            (2, "That would be so if half of the cells were neutrophils there, too."),
            (3.6, "That is the mean of the new hospital; subtract it."),
            (-3.6, "That is what another cell has there."),
            (0, "It would be zero if *all* cells were neutrophils."),
        ],
        hints=[
            "What is the mean of this feature over all cells of the new hospital?",
            "Nine of ten cells have a 4, one has a 0.",
        ],
    ),
    Condition(
        id="22.3",
        name="predict_sealed",
        test=_is_ahead,
        wrong=[
            (
                lambda new: np.zeros((len(new), 5)),
                _has_other_shape,
                "Return one whole number for each cell, the index of its class.",
            ),
            (
                lambda new: np.zeros(len(new), int),
                _is_one_class,
                "One class for all cells is no diagnosis, even where it is the commonest.",
            ),
            (
                lambda new: np.arange(len(new)) % 5,
                _is_not_ahead,
                "It is not five points ahead of pooling. Which assumption of your recipe do the "
                "unequal shares break?",
            ),
        ],
        hints=[
            "Section 3 says what breaks when one class is common; section 6 has a memory that does "
            "not let one class take over.",
            "If a first guess of the classes is there, the mean can be taken with equal weight for "
            "each *predicted* class, and the guess improved by it.",
        ],
    ),
]
