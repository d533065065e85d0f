"""Learning from a model's own confident predictions: balanced pseudo-labels and class prototypes.

For example:

    model = self_training.self_train(classifier, source, source_labels, target)
    probabilities = self_training.prototypes(target, model.predict_proba(target))
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, clone

from medlearn import _checks
from medlearn.adaptation import _domains


class PseudoLabels(NamedTuple):
    """Images with a trusted pseudo-label: their indices (k,), sorted, and their labels (k,)."""

    indices: np.ndarray
    labels: np.ndarray


def balanced_pseudo_labels(target_probabilities: ArrayLike, share: float = 0.5) -> PseudoLabels:
    """Return the most confident predictions of each predicted class, the same share of each.

    A single threshold for all classes would favour the easy classes.

    Parameters
    ----------
    target_probabilities : array_like, shape (N, classes)
        Class probabilities of the target images.
    share : float
        Share of the images predicted as each class, above 0, at most 1. Of each predicted class at
        least one image is taken.

    Returns
    -------
    PseudoLabels
        Indices and pseudo-labels.

    Raises
    ------
    ValueError
        For other values.

    References
    ----------
    Class-balanced self-training: Zou et al. 2018 (arXiv:1810.07911), algorithm 2.

    Examples
    --------
    >>> chosen = balanced_pseudo_labels([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], share=0.5)
    >>> chosen.indices.tolist(), chosen.labels.tolist()
    ([0, 2], [0, 1])
    """
    probabilities = _checks.probabilities(target_probabilities)
    if not 0 < share <= 1:
        raise ValueError(
            f"share={share!r} is a share of the images of each class: above 0, at most 1; try 0.5."
        )
    labels, confidence = probabilities.argmax(1), probabilities.max(1)
    selected = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        by_confidence = members[np.argsort(-confidence[members], kind="stable")]
        selected.append(by_confidence[: max(1, round(share * len(members)))])
    indices = np.sort(np.concatenate(selected))
    return PseudoLabels(indices, labels[indices])


def self_train(
    classifier: ClassifierMixin,
    source: ArrayLike,
    source_labels: ArrayLike,
    target: ArrayLike,
    *,
    rounds: int = 4,
    share: float = 0.8,
    source_weight: float = 0.5,
) -> ClassifierMixin:
    """Return a classifier that learned from the source and from its own predictions of the target.

    The trusted share of each predicted class grows from round to round. Where most of the first
    predictions are wrong, most of the last will be: self-training hardens what the source-only
    model believes.

    Parameters
    ----------
    classifier : scikit-learn classifier
        Unfitted, with `predict_proba` and `sample_weight`; a pipeline of such a classifier will do.
    source, target : array_like, shape (N, D) and (M, D)
        Features of both domains in one space, see `matching`.
    source_labels : array_like, shape (N,)
        Whole numbers, at least two classes.
    rounds : int
        How often pseudo-labels are chosen anew, at least 1.
    share : float
        Share of the images of each predicted class that is trusted in the last round.
    source_weight : float
        Total weight of the source, between 0 and 1; that of the target is the rest.

    Returns
    -------
    scikit-learn classifier
        A fitted copy.

    Raises
    ------
    ValueError
        For features, labels or options that do not fit.

    References
    ----------
    Class-balanced self-training: Zou et al. 2018 (arXiv:1810.07911), algorithm 2.
    """
    source, target = _checks.feature_pair(source, target, minimum=1)
    labels = _domains.source_labels(source_labels, len(source))
    _checks.whole_number("rounds", rounds, 1)
    if not 0 < source_weight < 1:
        raise ValueError(f"source_weight={source_weight!r} should be between 0 and 1; try 0.5.")
    model = _fitted(classifier, source, labels, np.ones(len(source)))
    for number in range(1, rounds + 1):
        trusted = balanced_pseudo_labels(model.predict_proba(target), share * number / rounds)
        pseudo_labels = model.classes_[trusted.labels]
        weights = _weights(len(source), len(pseudo_labels), source_weight)
        features = np.concatenate([source, target[trusted.indices]])
        model = _fitted(classifier, features, np.concatenate([labels, pseudo_labels]), weights)
    return model


def prototypes(
    target: ArrayLike, target_probabilities: ArrayLike, *, rounds: int = 3, temperature: float = 0.1
) -> np.ndarray:
    """Return class probabilities by the similarity of each target image to the class prototypes.

    A prototype is the mean of the features of a class in the target; the similarity is the cosine
    after centring.

    Parameters
    ----------
    target : array_like, shape (M, D)
        Features of the target.
    target_probabilities : array_like, shape (M, classes)
        Class probabilities to begin with: the weights of the first means. In later rounds each
        image counts for the nearest class; a class that is nearest to no image keeps its prototype.
    rounds : int
        How often the prototypes are computed.
    temperature : float
        Above 0; the lower, the more certain the result.

    Returns
    -------
    numpy.ndarray, shape (M, classes)
        Probabilities.

    Raises
    ------
    ValueError
        For features or probabilities that do not fit.

    References
    ----------
    The pseudo-labels of SHOT, Liang et al. 2020 (arXiv:2002.08546), eq. 4 to 6.
    """
    probabilities = _checks.probabilities(target_probabilities)
    features = _checks.vectors(target, "target features")
    _checks.same_length(features=features, probabilities=probabilities)
    _checks.whole_number("rounds", rounds, 1)
    features = _unit_rows(features - features.mean(0))
    weights = probabilities
    for _ in range(rounds):
        similarity = features @ _unit_rows(weights.T @ features).T
        nearest = np.eye(probabilities.shape[1])[similarity.argmax(1)]
        weights = np.where(nearest.any(0), nearest, weights)
    exponentials = np.exp((similarity - similarity.max(1, keepdims=True)) / temperature)
    return exponentials / exponentials.sum(1, keepdims=True)


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _weights(source_count: int, target_count: int, source_weight: float) -> np.ndarray:
    """Sample weights with the mean 1 and the given share for the source."""
    per_image = [source_weight / source_count, (1 - source_weight) / target_count]
    weights = np.repeat(per_image, [source_count, target_count])
    return weights * len(weights)


def _fitted(classifier, features, labels, weights):
    model = clone(classifier)
    prefix = model.steps[-1][0] + "__" if hasattr(model, "steps") else ""
    return model.fit(features, labels, **{f"{prefix}sample_weight": weights})
