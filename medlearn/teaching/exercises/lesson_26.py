"""Lesson 26: a row of a board, counting harm, and a fresh hospital."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_HARM, _REGRET = 0.02, 0.10
_SCORES, _SOURCE = [0.70, 0.485, 0.30, 0.62], [0.60, 0.50, 0.45, 0.66]


def _without_a_margin(scores, source_scores):
    return sum(score < source for score, source in zip(scores, source_scores, strict=True))


def _share(scores, source_scores):
    return _counted(scores, source_scores) / len(scores)


def _the_other_way(scores, source_scores):
    return _counted(source_scores, scores)


def _counted(scores, source_scores):
    return int(np.sum(np.subtract(source_scores, scores) > _HARM))


_last: list = []  # a recipe, and what it predicted when it was checked last: it may take seconds


def _predictions(predict_fresh, fresh) -> np.ndarray:
    if not _last or _last[0] is not predict_fresh:
        _last[:] = predict_fresh, predict_fresh(fresh)
    return np.asarray(_last[1])


def _score(predictions, seal) -> float:
    """Balanced accuracy, written out."""
    truth = seal.truth.labels
    right = np.asarray(predictions) == truth
    return float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))


def _has_other_shape(predict_fresh, fresh, seal) -> bool:
    predictions = _predictions(predict_fresh, fresh)
    return predictions.shape != seal.truth.labels.shape or predictions.dtype.kind not in "iu"


def _is_harm(predict_fresh, fresh, seal) -> bool:
    source_only = _score(seal.lines.of("source only"), seal)
    return _score(_predictions(predict_fresh, fresh), seal) < source_only - _HARM


def _is_far_behind(predict_fresh, fresh, seal) -> bool:
    best = max(_score(seal.lines.of(name), seal) for name in seal.lines.candidates)
    return best - _score(_predictions(predict_fresh, fresh), seal) > _REGRET


def _source_only(hospital) -> np.ndarray:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))
    probe.fit(hospital.source_features, hospital.source_labels)
    return probe.predict(hospital.target_features)


def _passes(predict_fresh, fresh, seal) -> bool | None:
    _last[:] = predict_fresh, predict_fresh(fresh)  # each check asks it once, anew
    if _last[1] is None:
        return None
    rules = _has_other_shape, _is_harm, _is_far_behind
    return not any(rule(predict_fresh, fresh, seal) for rule in rules)


EXERCISES = [
    Value(
        id="26.1",
        name="gain_and_regret",
        expected=Sealed(
            id="26.1", type_name="a list of 2 numbers", hashes=("0acbd170", "b56c0f6d")
        ),
        wrong=[
            ([0.09, 0.08], "The gain comes first, then the regret."),
            ([0.08, -0.09], "The regret is a loss against the best: count it from above."),
            ([0.08, 0.17], "The regret of whom? .17 is that of source only."),
        ],
        hints=[
            "One of the two compares with source only, the other with the best candidate.",
            "Both are differences of two of the three numbers, and both are above zero here.",
        ],
    ),
    Function(
        id="26.2",
        name="harm_count",
        cases=[
            ((_SCORES, _SOURCE), 2),
            (([0.5, 0.6], [0.4, 0.61]), 0),
            (([0.1, 0.2, 0.3], [0.9, 0.9, 0.9]), 3),
        ],
        wrong=[
            (_without_a_margin, "A point and a half below source only is not yet harm."),
            (_share, "Return how many laboratories, not which share of them."),
            (_the_other_way, "Harm is where the *method* lies below source only."),
        ],
        hints=[
            "Compare the two lists laboratory by laboratory.",
            "Count where the source score is higher by more than .02.",
        ],
    ),
    Condition(
        id="26.3",
        name="predict_fresh",
        test=_passes,
        wrong=[
            (
                lambda hospital: np.zeros((len(hospital.target_images), 5)),
                _has_other_shape,
                "Return one whole number for each target image, the index of its class.",
            ),
            (
                lambda hospital: np.zeros(len(hospital.target_images), int),
                _is_harm,
                "This scores more than two points below source only: harm. What does your recipe "
                "assume about the new hospital?",
            ),
            (
                _source_only,
                _is_far_behind,
                "No harm, but more than .10 below the best candidate. Which of the two hospitals' "
                "images has your recipe not looked at?",
            ),
        ],
        hints=[
            "Section 2 has a recipe that looks at the unlabelled images.",
            "Lesson 16 and `adaptation.candidates` have others; lesson 18 says how one may choose.",
        ],
    ),
]
