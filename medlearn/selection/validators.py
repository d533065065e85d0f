"""Validators: scores that choose between adapted models without target labels; higher is better.

    scores = [validators.mutual_information(model.predict_proba(target)) for model in candidates]
    committed = candidates[int(np.argmax(scores))]   # commit first, then reveal the labels, once

Only the ranking of models on the same images has a meaning. Each validator presumes something:
`certainty`, that certain predictions are right; `mutual_information`, that all classes occur;
`soft_neighbourhood_density`, that clusters are classes; `weighted_accuracy`, that source and target
overlap; `consensus`, that models make different mistakes; `amounts`, that a segmenter outlines
as much as there is in the source. None is always right; lesson 18 counts the regret.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import _checks

_FEWEST_IMAGES = 5  # of each domain, for a classifier that tells the domains apart


def certainty(target_probabilities: ArrayLike) -> float:
    """Return the negative mean entropy of the predictions, in nats: from -log(classes) to 0.

    A model that predicts one class for all images, with certainty, gets the best possible score.

    Parameters
    ----------
    target_probabilities : array_like, shape (N, classes)
        Class probabilities of the target images.

    Raises
    ------
    ValueError
        Unless these are probabilities.

    References
    ----------
    Morerio et al. 2018 (arXiv:1711.10288), sec. 3.3.

    Examples
    --------
    >>> round(certainty([[0.5, 0.5], [1.0, 0.0]]), 3)
    -0.347
    """
    return -float(_entropy(_checks.probabilities(target_probabilities)).mean())


def mutual_information(target_probabilities: ArrayLike) -> float:
    """Return the mutual information of image and prediction, in nats: from 0 to log(classes).

    It is the entropy of the mean prediction minus the mean entropy of the predictions: high where
    predictions are certain and spread over the classes. It presumes that the target holds the
    classes in similar shares.

    Parameters
    ----------
    target_probabilities : array_like, shape (N, classes)
        Class probabilities of the target images.

    Raises
    ------
    ValueError
        Unless these are probabilities.

    References
    ----------
    Bridle et al. 1991, NIPS; as a validator Musgrave et al. 2022 (arXiv:2208.07360).

    Examples
    --------
    >>> round(mutual_information([[1.0, 0.0], [0.0, 1.0]]), 3)
    0.693
    """
    probabilities = _checks.probabilities(target_probabilities)
    return float(_entropy(probabilities.mean(0)) - _entropy(probabilities).mean())


def soft_neighbourhood_density(target_vectors: ArrayLike, temperature: float = 0.05) -> float:
    """Return the soft neighbourhood density (SND), in nats: from 0 to log(N - 1).

    It is the mean entropy of each image's similarity to all other images: high where the images of
    the target lie in dense clusters.

    Parameters
    ----------
    target_vectors : array_like, shape (N, D)
        Features or class probabilities of one model; each is scaled to length 1.
    temperature : float
        Above 0; the lower, the fewer neighbours count.

    Raises
    ------
    ValueError
        For vectors that are not finite, fewer than two, or a temperature that is not above 0.

    References
    ----------
    Saito et al. 2021 (arXiv:2108.10860), eq. 1 to 3.
    """
    vectors, _ = _checks.feature_pair(target_vectors, target_vectors)
    if not temperature > 0:
        raise ValueError(f"temperature={temperature!r} divides a similarity: above 0; try 0.05.")
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    similarity = vectors @ vectors.T / temperature
    np.fill_diagonal(similarity, -np.inf)
    log_shares = similarity - logsumexp(similarity, axis=1, keepdims=True)
    shares = np.exp(log_shares)
    np.fill_diagonal(log_shares, 0)  # the diagonal of shares is 0, and 0 times -inf is no number
    return float(-(shares * log_shares).sum(1).mean())


def weighted_accuracy(
    correct: ArrayLike,
    source_vectors: ArrayLike,
    target_vectors: ArrayLike,
    *,
    control: bool = True,
) -> float:
    """Return the importance-weighted accuracy on held-out source images (IWV, or DEV).

    Each source image is weighted by how much it looks like the target. Where the domains do not
    overlap, the weights are all near 0 or rest on a few images, and the score says little.

    Parameters
    ----------
    correct : array_like, shape (N,)
        1 where the model's prediction of a held-out source image is right, else 0.
    source_vectors, target_vectors : array_like, shape (N, D) and (M, D)
        Features of these source images and of the target, at least five of each, of the model that
        is validated.
    control : bool
        Whether a control variate removes the chance fluctuation of the weights (DEV); then the
        result may leave 0 to 1.

    Raises
    ------
    ValueError
        For vectors that do not fit, and for values of `correct` outside 0 to 1.

    References
    ----------
    Sugiyama et al. 2007, JMLR 8:985 (weights); You et al. 2019, ICML, PMLR 97:7124, eq. 6
    (control variate).
    """
    source, target = _checks.feature_pair(source_vectors, target_vectors, _FEWEST_IMAGES)
    correct = np.asarray(correct, float)
    if correct.shape != (len(source),) or not ((correct >= 0) & (correct <= 1)).all():
        raise ValueError(
            f"correct should be 0 or 1 for each of the {len(source)} source images; "
            f"its shape is {correct.shape}."
        )
    weights = density_ratio(source, target)
    weighted = weights * correct
    variance = weights.var()
    slope = 0.0
    if control and variance > 1e-12:
        slope = np.cov(weighted, weights, ddof=0)[0, 1] / variance
    return float(weighted.mean() - slope * (weights.mean() - 1))


def consensus(predictions: ArrayLike) -> np.ndarray:
    """Return how often each model agrees with the majority vote of all models.

    Where most models make the same mistake, the vote makes it too.

    Parameters
    ----------
    predictions : array_like, shape (models, N)
        The class index that each of two models or more predicts for the same images.

    Returns
    -------
    numpy.ndarray, shape (models,)
        Share of the images, 0 to 1. Where several classes have the most votes, the first counts.

    Raises
    ------
    ValueError
        For anything but whole numbers of at least 0, (models, N).

    References
    ----------
    This course. The idea that agreement can replace accuracy is that of Platanios et al. 2014, UAI
    (Estimating accuracy from unlabeled data).

    Examples
    --------
    >>> consensus([[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 0, 1]]).tolist()
    [0.75, 1.0, 0.75]
    """
    predictions = np.asarray(predictions)
    is_table = predictions.ndim == 2 and len(predictions) >= 2 and predictions.shape[1] > 0
    if not is_table or predictions.dtype.kind not in "iu" or predictions.min() < 0:
        raise ValueError(
            "predictions should be whole numbers of at least 0, one row for each of two models or "
            f"more and one column per image; they are {predictions.dtype} of shape "
            f"{predictions.shape}."
        )
    class_indices = range(predictions.max() + 1)
    votes = np.stack([(predictions == class_index).sum(0) for class_index in class_indices])
    return (predictions == votes.argmax(0)).mean(1)


def amounts(predicted_masks: ArrayLike, source_masks: ArrayLike) -> float:
    """Return how alike the amounts of all classes are in predicted and in source masks: -1 to 0.

    It is minus half the sum of the absolute differences between the shares of the pixels (the total
    variation): 0 where the shares are equal. It presumes the same organ in the same share of the
    image, and asks nothing about where a class lies.

    Parameters
    ----------
    predicted_masks : array_like, shape (N, H, W)
        Of target images; a class index per pixel.
    source_masks : array_like, shape (M, H, W)
        The masks of the source; a class index per pixel.

    Raises
    ------
    ValueError
        Unless both are whole numbers of at least 0, and not empty.

    References
    ----------
    The belief of Bateson et al. 2020 (arXiv:2005.03697), there a term of the loss.

    Examples
    --------
    >>> amounts([[[0, 0], [1, 1]]], [[[0, 0], [0, 1]]])
    -0.25
    """
    predicted = _checks.masks(predicted_masks, name="predicted masks")
    source = _checks.masks(source_masks, name="source masks")
    classes = int(max(predicted.max(), source.max())) + 1
    predicted_shares, source_shares = (
        np.bincount(masks.ravel().astype(int), minlength=classes) / masks.size
        for masks in (predicted, source)
    )
    return -float(np.abs(predicted_shares - source_shares).sum()) / 2


def density_ratio(source_vectors: ArrayLike, target_vectors: ArrayLike) -> np.ndarray:
    """Return how much likelier each source vector is in the target than in the source, (N,).

    A logistic regression tells the two domains apart; its odds are the ratio.

    Parameters
    ----------
    source_vectors, target_vectors : array_like, shape (N, D) and (M, D)
        Features of both domains, at least five images of each.

    Raises
    ------
    ValueError
        For vectors that do not fit.

    References
    ----------
    Bickel et al. 2009, JMLR 10:2137, sec. 4.
    """
    source, target = _checks.feature_pair(source_vectors, target_vectors, _FEWEST_IMAGES)
    domains = np.repeat([0, 1], [len(source), len(target)])
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    classifier.fit(np.concatenate([source, target]), domains)
    probabilities = classifier.predict_proba(source)
    odds = probabilities[:, 1] / np.maximum(probabilities[:, 0], 1e-12)
    return odds * len(source) / len(target)


def alarms(
    target_probabilities_before: ArrayLike,
    target_probabilities_after: ArrayLike,
    *,
    starved: float = 0.25,
) -> list[str]:
    """Return reasons, in sentences, to suspect that adaptation made a model worse.

    Two signs are checked: lost mutual information, and a class that is predicted much less often
    than before. A model may be worse without an alarm, and better in spite of one: an alarm is a
    reason to look at the images, not a verdict.

    Parameters
    ----------
    target_probabilities_before, target_probabilities_after : array_like, shape (N, classes)
        Class probabilities of the same target images by the source-only and the adapted model.
    starved : float
        A class raises an alarm where it is predicted less than this many times as often as before.

    Returns
    -------
    list of str
        Empty where there is no sign.

    Raises
    ------
    ValueError
        Unless both are probabilities of the same images and classes.
    """
    before = _checks.probabilities(target_probabilities_before)
    after = _checks.probabilities(target_probabilities_after)
    if before.shape != after.shape:
        raise ValueError(
            "Both models predict the same images and classes; the shapes are "
            f"{before.shape} and {after.shape}."
        )
    sentences = []
    old, new = mutual_information(before), mutual_information(after)
    if new < old:
        sentences.append(
            "The predictions tell less about the images: mutual information fell "
            f"from {old:.2f} to {new:.2f}."
        )
    old_shares, new_shares = _predicted_shares(before), _predicted_shares(after)
    for class_index in np.flatnonzero(new_shares < starved * old_shares):
        sentences.append(
            f"Class {class_index} is predicted for {new_shares[class_index]:.0%} of the images, "
            f"before for {old_shares[class_index]:.0%}."
        )
    return sentences


def _predicted_shares(probabilities: np.ndarray) -> np.ndarray:
    counts = np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])
    return counts / len(probabilities)


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    logarithms = np.log(np.where(probabilities > 0, probabilities, 1))
    return -(probabilities * logarithms).sum(-1)
