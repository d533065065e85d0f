"""Learn from one's own confident answers: pseudo-labels that stay balanced, and class prototypes.

model = self_training.self_train(probe, source, source_labels, target)         # any scikit-learn classifier
labels = self_training.prototypes(target, model.predict_proba(target)).argmax(1)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from medlearn.adaptation import _inputs


class Chosen(NamedTuple):
    """Images whose pseudo-label is trusted: their indices (k,), sorted, and their pseudo-labels (k,)."""

    indices: np.ndarray
    labels: np.ndarray


def balanced(target_probabilities: ArrayLike, share: float = 0.5) -> Chosen:
    """The same share of the images predicted as each class, its most confident ones; at least one where there is one.

    target_probabilities: (N, classes). share: above 0, at most 1. One threshold for all classes would keep the easy
    ones and starve the others. Raises ValueError for other values.
    Source: class-balanced self-training, Zou et al. 2018 (arXiv:1810.07911), alg. 2.
    """
    told = _inputs.probabilities(target_probabilities)
    if not 0 < share <= 1:
        raise ValueError(
            f"share={share!r} is a share of the images of each class: above 0, at most 1; try 0.5."
        )
    labels, confidence = told.argmax(1), told.max(1)
    kept = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        best = members[np.argsort(-confidence[members], kind="stable")]
        kept.append(best[: max(1, round(share * len(members)))])
    indices = np.sort(np.concatenate(kept))
    return Chosen(indices, labels[indices])


def self_train(
    classifier,
    source: ArrayLike,
    source_labels: ArrayLike,
    target: ArrayLike,
    *,
    rounds: int = 4,
    share: float = 0.8,
    source_weight: float = 0.5,
):
    """A fitted copy of `classifier` that learned from the source and from its own confident answers on the target.

    classifier: unfitted, in scikit-learn's manner, with `predict_proba`, `sample_weight` (a pipeline will do), and 0, 1,
    ... as classes. source: (N, D), target: (M, D), already brought to one space. The trusted share of each predicted
    class grows from round to round up to `share`; trusted target images and source images weigh
    1 - source_weight and source_weight in all. Where most first answers are wrong, so will the last be: it hardens
    what the source-only model believes. Raises ValueError as all of `adaptation`. Source: as `balanced`.
    """
    source, target = _inputs.vector_pair(source, target, least=1)
    labels = _inputs.labels_of(source, source_labels)
    if rounds < 1 or not 0 < source_weight < 1:
        raise ValueError(
            f"rounds={rounds!r} should be at least 1 and source_weight={source_weight!r} between 0 and 1."
        )
    model = _fit(classifier, source, labels, np.ones(len(source)))
    for number in range(1, rounds + 1):
        chosen = balanced(model.predict_proba(target), share * number / rounds)
        own = model.classes_[chosen.labels]
        weights = np.repeat(
            [source_weight / len(source), (1 - source_weight) / len(own)], [len(source), len(own)]
        )
        model = _fit(
            classifier,
            np.concatenate([source, target[chosen.indices]]),
            np.concatenate([labels, own]),
            weights * len(weights),
        )
    return model


def prototypes(
    target: ArrayLike, target_probabilities: ArrayLike, *, rounds: int = 3, temperature: float = 0.1
) -> np.ndarray:
    """Probabilities (M, classes) from the nearness of each target vector to the mean of its class in the target.

    target: (M, D). target_probabilities: (M, classes) to begin with, which weigh the first means; in later rounds the
    nearest class counts. Nearness is the cosine after centring; temperature: the lower, the surer. A class that nobody is
    near keeps its place. Raises ValueError as all of `adaptation`.
    Source: the pseudo-labels of SHOT, Liang et al. 2020 (arXiv:2002.08546), eq. 4 to 6.
    """
    told = _inputs.probabilities(target_probabilities)
    target, _ = _inputs.vector_pair(target, target, least=1)
    if len(told) != len(target):
        raise ValueError(
            f"Each image needs one of each: {len(target)} vectors, {len(told)} rows of probabilities."
        )
    target = target - target.mean(0)
    target = target / np.maximum(np.linalg.norm(target, axis=1, keepdims=True), 1e-12)
    weights = told
    for _ in range(rounds):
        means = weights.T @ target
        nearness = (
            target @ (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)).T
        )
        nearest = np.eye(told.shape[1])[nearness.argmax(1)]
        weights = np.where(nearest.any(0), nearest, weights)
    softened = np.exp((nearness - nearness.max(1, keepdims=True)) / temperature)
    return softened / softened.sum(1, keepdims=True)


def _fit(classifier, vectors, labels, weights):
    model = clone(classifier)
    last = model.steps[-1][0] + "__" if hasattr(model, "steps") else ""
    return model.fit(vectors, labels, **{f"{last}sample_weight": weights})
