"""The columns of the arena for one pair: scores, validators and evidence of every candidate."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import adaptation, backbones, features, metrics
from medlearn._keras import keras
from medlearn.selection import _evidence, validators

SCORES = ("score", "accuracy", "auroc", "transductive")
OF_SOURCE = ("source_accuracy", "weighted")
CANDIDATES = (  # the names of `adaptation.candidates`, in its order
    "source only",
    "self-training",
    "standardise",
    "standardise, self-training",
    "coral",
    "coral, self-training",
    "subspace",
    "subspace, self-training",
    "transport",
    "transport, self-training",
    "prior",
    "standardise, prior",
)
EVIDENCE = (*_evidence.OF_PAIR, *_evidence.OF_CANDIDATE)


class Task(NamedTuple):
    """Features and labels of both domains, and the rows of them that have a use."""

    source: np.ndarray
    source_labels: np.ndarray
    target: np.ndarray
    target_labels: np.ndarray
    learn: np.ndarray  # rows of the source
    held_out: np.ndarray
    adapted_on: np.ndarray  # rows of the target
    scored: np.ndarray

    @property
    def unlabelled(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Source features, source labels and target features, as candidates and choice get them."""
        learn = self.learn
        return self.source[learn], self.source_labels[learn], self.target[self.adapted_on]


def vectors(images: np.ndarray) -> np.ndarray:
    """Return pooled features of block_14, float (N, 192)."""
    return features.extract(_encoder(), images, layer="block_14", cache=False).astype(float)


@lru_cache
def _encoder() -> keras.Model:
    return backbones.load("efficientnet_lite0")


def measured(task: Task, models: dict[str, adaptation.Candidate]) -> dict[str, dict[str, float]]:
    """Return the columns of every candidate, and of the oracle.

    Parameters
    ----------
    task : Task
        The pair.
    models : dict of str to Candidate
        Candidates that were fitted to `task.unlabelled`.
    """
    seen = task.target[task.adapted_on]
    probabilities = {name: model.predict_proba(seen) for name, model in models.items()}
    of_pair = _evidence.of_pair(*task.unlabelled, 0)
    of_candidates = _evidence.of_candidates(probabilities, *task.unlabelled, 0)
    held_out = task.source[task.held_out]
    rows = {}
    for name, model in models.items():
        predicted = model.classes[model.predict_proba_source(held_out).argmax(1)]
        correct = (predicted == task.source_labels[task.held_out]).astype(float)
        weighted = validators.weighted_accuracy(correct, held_out, seen)
        values = dict(zip(OF_SOURCE, (correct.mean(), weighted))) | of_pair | of_candidates[name]
        rows[name] = _scores(model, task) | {key: round(v, 4) for key, v in values.items()}
    oracle = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))
    oracle.fit(seen, task.target_labels[task.adapted_on])
    rows["oracle"] = _scores(oracle, task)
    return rows


def _scores(model, task: Task) -> dict[str, float]:
    """The columns that need target labels; nothing else reads them."""
    scored, seen = task.target_labels[task.scored], task.target_labels[task.adapted_on]
    predicted = model.predict(task.target[task.scored])
    probabilities = model.predict_proba(task.target[task.scored])
    values = (
        metrics.balanced_accuracy(scored, predicted),
        metrics.accuracy(scored, predicted),
        _auroc(scored, probabilities, getattr(model, "classes", None)),
        metrics.balanced_accuracy(seen, model.predict(task.target[task.adapted_on])),
    )
    return {name: round(value, 4) for name, value in zip(SCORES, values)}


def _auroc(labels: np.ndarray, probabilities: np.ndarray, classes: np.ndarray | None) -> float:
    """Mean over the classes that occur of one class against the others; NaN for an oracle."""
    if classes is None:
        return np.nan
    areas = []
    for column, label in enumerate(classes):
        if 0 < (labels == label).mean() < 1:
            areas.append(roc_auc_score(labels == label, probabilities[:, column]))
    return float(np.mean(areas))
