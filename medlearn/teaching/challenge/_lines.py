"""What the course itself answers: a line of the board for each candidate, its choice, an oracle."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import adaptation, selection
from medlearn.teaching.challenge import _pixels
from medlearn.teaching.challenge._hospitals import Hospital, Truth

SOURCE_ONLY, ORACLE = "source only", "oracle"


@dataclass(frozen=True, eq=False)
class Lines:
    """Predictions of the course, made before anybody hands in.

    Attributes
    ----------
    names : tuple of str
        Candidates, "source only" first, and "oracle" last.
    predictions : numpy.ndarray, shape (names, M) or (names, M, H, W)
        Class indices of each.
    course : str
        The candidate that the course commits to: for kinds what `selection.choose` takes (lesson
        18), for outlines the one whose amounts are most like those of home (lesson 20).
    reason : str
        Why.
    """

    names: tuple[str, ...]
    predictions: np.ndarray
    course: str
    reason: str

    def of(self, name: str) -> np.ndarray:
        """Return the predictions of a line, by its name."""
        return self.predictions[self.names.index(name)]

    @property
    def candidates(self) -> tuple[str, ...]:
        """All names but the oracle's."""
        return tuple(name for name in self.names if name != ORACLE)


def course_lines(hospital: Hospital, truth: Truth | None = None) -> Lines:
    """Return what the course predicts for the new hospital.

    Candidates and choice see what everybody sees. Only the oracle sees the truth: it learns from
    one half of the new hospital's patients and predicts the other, both ways round. It is no upper
    limit, because half a hospital is little to learn from.

    Parameters
    ----------
    hospital : Hospital
        What everybody sees.
    truth : Truth, optional
        For the oracle; without it there is none.
    """
    if hospital.task == "outlines":
        return _of_outlines(hospital, truth)
    home, labels, away = hospital.source_features, hospital.source_labels, hospital.target_features
    models = adaptation.candidates(home, labels, away)
    choice = selection.choose(models, home, labels, away)
    predictions = {name: model.predict(away) for name, model in models.items()}
    if truth is not None:
        predictions[ORACLE] = _oracle(away, truth)
    return _lines(predictions, choice.name, choice.reason)


def _of_outlines(hospital: Hospital, truth: Truth | None) -> Lines:
    predictions = _pixels.candidates(hospital)
    home = _pixels.amounts(hospital.source_labels)
    distances = {
        name: float(np.abs(_pixels.amounts(masks) - home).sum())
        for name, masks in predictions.items()
    }
    course = min(distances, key=lambda name: distances[name])
    reason = f"the amounts that {course!r} outlines are most like those of home"
    if truth is not None:
        predictions[ORACLE] = _pixels.oracle(hospital.target_images, truth)
    return _lines(predictions, course, reason)


def _lines(predictions: dict[str, np.ndarray], course: str, reason: str) -> Lines:
    table = np.array(list(predictions.values()), np.uint8)
    return Lines(tuple(predictions), table, course, reason)


def _oracle(features: np.ndarray, truth: Truth) -> np.ndarray:
    """Each half of the patients, predicted by a probe that learned on the other half."""
    predictions = np.zeros(len(features), int)
    for learn, predict in truth.halves():
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))
        probe.fit(features[learn], truth.labels[learn])
        predictions[predict] = probe.predict(features[predict])
    return predictions
