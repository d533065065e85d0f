"""Which adapted model? Scores that need no target label; higher is better, and only a ranking on the same images means anything.

    scores = [validators.information(model.predict_proba(bring(target))) for model in candidates]
    committed = candidates[int(np.argmax(scores))]         # commit first, reveal the labels afterwards, once

Each trusts something: entropy that sure is right, information that all classes occur, the neighbourhood that clusters are
classes, the weighted ones that source and target overlap, consensus that models err in different ways. None is always
right; lesson 13 counts the regret.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.adaptation import _inputs


def certainty(target_probabilities: ArrayLike) -> float:
    """Minus the mean entropy of the answers, in nats: from -log(classes) to 0.

    target_probabilities: (N, classes). A model that calls everything one class, surely, gets the best score there is.
    Raises ValueError unless these are probabilities. Source: Morerio et al. 2018 (arXiv:1711.10288), sec. 3.3.
    """
    return -float(_entropy(_inputs.probabilities(target_probabilities)).mean())


def information(target_probabilities: ArrayLike) -> float:
    """Mutual information of image and answer, in nats: entropy of the mean answer minus the mean entropy; 0 to log(classes).

    target_probabilities: (N, classes). Sure answers that spread over the classes; it presumes that the target holds the
    classes in similar shares. Raises ValueError unless these are probabilities.
    Source: Bridle et al. 1991, NIPS; as a validator Musgrave et al. 2022 (arXiv:2208.07360).
    """
    told = _inputs.probabilities(target_probabilities)
    return float(_entropy(told.mean(0)) - _entropy(told).mean())


def neighbourhood(target_vectors: ArrayLike, temperature: float = 0.05) -> float:
    """Soft neighbourhood density: the entropy, in nats, of each image's nearness to all others; at most log(N - 1).

    target_vectors: (N, D) features or class probabilities of one model; each is scaled to length 1. temperature: above
    0; the lower, the fewer neighbours count. High where images of the target lie in dense clusters.
    Raises ValueError as all of `adaptation`, and for a temperature that is not above 0.
    Source: Saito et al. 2021 (arXiv:2108.10860), eq. 1 to 3.
    """
    vectors, _ = _inputs.vector_pair(target_vectors, target_vectors)
    if not temperature > 0:
        raise ValueError(f"temperature={temperature!r} divides a similarity: above 0; try 0.05.")
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    nearness = vectors @ vectors.T / temperature
    np.fill_diagonal(nearness, -np.inf)
    log_share = nearness - logsumexp(nearness, axis=1, keepdims=True)
    np.fill_diagonal(log_share, 0)
    share = np.exp(log_share)
    np.fill_diagonal(share, 0)
    return float(-(share * log_share).sum(1).mean())


def weighted_accuracy(
    correct: ArrayLike,
    source_vectors: ArrayLike,
    target_vectors: ArrayLike,
    *,
    control: bool = True,
) -> float:
    """Accuracy on held-out source images, each weighted by how much it looks like the target.

    correct: (N,) 0 or 1, whether the model was right on each held-out source image. source_vectors: (N, D) of these,
    target_vectors: (M, D), of the model that is judged. The weights come from a classifier of the domains; with
    `control` their chance fluctuation is taken out (DEV), so the result may leave 0..1. Where the domains do not
    overlap the weights are all near 0 or rest on a few images, and the score says little.
    Raises ValueError as all of `adaptation`, and for a `correct` that is not N values from 0 to 1.
    Source: Sugiyama et al. 2007, JMLR 8:985 (importance weights); You et al. 2019, ICML, PMLR 97:7124, eq. 6 (control).
    """
    source, target = _inputs.vector_pair(source_vectors, target_vectors, least=5)
    correct = np.asarray(correct, float)
    if correct.shape != (len(source),) or not ((correct >= 0) & (correct <= 1)).all():
        raise ValueError(
            f"correct should be 0 or 1 for each of the {len(source)} source images; its shape is {correct.shape}."
        )
    weights = density_ratio(source, target)
    weighted = weights * correct
    spread = weights.var()
    slope = np.cov(weighted, weights, ddof=0)[0, 1] / spread if control and spread > 1e-12 else 0.0
    return float(weighted.mean() - slope * (weights.mean() - 1))


def consensus(predicted: ArrayLike) -> np.ndarray:
    """Of each candidate, the share of target images on which it agrees with the vote of all candidates: (candidates,), 0 to 1.

    predicted: whole numbers of at least 0, (candidates, N): what each of two candidates or more calls the same images. Of
    classes with equally many votes the first counts. Where most candidates share an error, the vote has it too.
    Raises ValueError otherwise. Source: this course; the idea of agreement as a stand-in for accuracy is that of Platanios
    et al. 2014, UAI (Estimating accuracy from unlabeled data).
    """
    predicted = np.asarray(predicted)
    if (
        predicted.ndim != 2
        or len(predicted) < 2
        or not predicted.shape[1]
        or predicted.dtype.kind not in "iu"
        or predicted.min() < 0
    ):
        raise ValueError(
            f"predicted should be whole numbers of at least 0, one row for each of two candidates or more and one "
            f"column an image; it is {predicted.dtype} of shape {predicted.shape}."
        )
    votes = np.stack([(predicted == label).sum(0) for label in range(predicted.max() + 1)])
    return (predicted == votes.argmax(0)).mean(1)


def density_ratio(source_vectors: ArrayLike, target_vectors: ArrayLike) -> np.ndarray:
    """How much likelier each source vector is in the target than in the source, (N,), by logistic regression.

    source_vectors: (N, D), target_vectors: (M, D), at least five of each. Raises ValueError as all of `adaptation`.
    Source: Bickel et al. 2009, JMLR 10:2137, sec. 4.
    """
    source, target = _inputs.vector_pair(source_vectors, target_vectors, least=5)
    domain = np.repeat([0, 1], [len(source), len(target)])
    critic = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    told = critic.fit(np.concatenate([source, target]), domain).predict_proba(source)
    return told[:, 1] / np.maximum(told[:, 0], 1e-12) * len(source) / len(target)


def alarms(
    target_probabilities_before: ArrayLike,
    target_probabilities_after: ArrayLike,
    *,
    starved: float = 0.25,
) -> list[str]:
    """Reasons, in sentences, to suspect that adaptation made things worse; an empty list where there is none.

    Both: (N, classes) on the same target images, of the source-only and of the adapted model. It looks for lost
    information, and for a class that is called less than `starved` times as often as before. A model may be worse
    without an alarm, and better in spite of one: it is a reason to look, no verdict.
    Raises ValueError unless both are probabilities of the same images and classes.
    """
    before, after = (
        _inputs.probabilities(target_probabilities_before),
        _inputs.probabilities(target_probabilities_after),
    )
    if before.shape != after.shape:
        raise ValueError(
            f"Both models answer on the same images and classes; the shapes are {before.shape} and {after.shape}."
        )
    found = []
    if information(after) < information(before):
        found.append(
            f"Answers tell less about the images: information fell from {information(before):.2f} to {information(after):.2f}."
        )
    shares = [
        np.bincount(told.argmax(1), minlength=told.shape[1]) / len(told) for told in (before, after)
    ]
    for label in np.flatnonzero(shares[1] < starved * shares[0]):
        found.append(
            f"Class {label} is called for {shares[1][label]:.0%} of the images, before for {shares[0][label]:.0%}."
        )
    return found


def _entropy(told: np.ndarray) -> np.ndarray:
    return -(told * np.log(np.where(told > 0, told, 1))).sum(-1)
