"""Which backbone, which layer? Scores of frozen features, or of ImageNet probabilities.

    features_of_layer = features.extract(encoder, images, layer="block_14")
    selection.logme(features_of_layer, labels)     # higher: the features suit these labels better

A score ranks candidates on the same images and labels; its value alone means little. No network is
trained. Score training images only.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.covariance import ledoit_wolf_shrinkage

from medlearn import _checks, _files
from medlearn.metrics import Interval
from medlearn.selection import _correlations

CORRELATIONS = {
    "weighted tau": _correlations.weighted_tau,
    "Kendall": _correlations.kendall,
    "Spearman": _correlations.spearman,
}
_DECADES = 12  # how far the ratio of the two precisions may lie from the features' scale


def logme(features: ArrayLike, labels: ArrayLike) -> float:
    """Return LogME: the log evidence, per image, of a Bayesian linear model; higher is better.

    Each class against the rest is modelled as y ~ N(0, F F' / alpha + I / beta), with the alpha and
    beta of the largest evidence; the evidences of the classes are averaged. Unlike a likelihood,
    the evidence does not grow merely because D does.

    Parameters
    ----------
    features : array_like, shape (N, D)
        Finite features.
    labels : array_like, shape (N,)
        Whole numbers; at least two classes occur.

    Raises
    ------
    ValueError
        For other shapes, values that are not finite, or a single class.

    References
    ----------
    You et al. 2021, arXiv:2102.11005. Here the optimum is searched along alpha / beta, the only
    free parameter.
    """
    features, members = _checked(features, labels)
    variances, directions = _spectrum(features)
    explained = (directions.T @ members) ** 2
    # Members are 0 or 1, so their sum is the sum of their squares.
    unexplained = np.maximum(members.sum(0) - explained.sum(0), 0)
    evidences = [
        _largest_evidence(variances, inside, outside, len(features))
        for inside, outside in zip(explained.T, unexplained, strict=True)
    ]
    return float(np.mean(evidences) / len(features))


def h_score(features: ArrayLike, labels: ArrayLike, *, shrinkage: float | None = None) -> float:
    """Return the H-score: tr(cov(f)^-1 cov(E[f | y])), from 0 to the number of classes less one.

    It is the variance between classes in units of the covariance of the features.

    Parameters
    ----------
    features : array_like, shape (N, D)
        Finite features.
    labels : array_like, shape (N,)
        Whole numbers; at least two classes occur.
    shrinkage : float, optional
        How far the covariance is shrunk towards a multiple of the identity, 0 to 1; by default it
        is estimated (Ledoit & Wolf 2004). With 0 this is the original score, which is useless
        unless N is far above D: at N <= D any features reach the maximum.

    Raises
    ------
    ValueError
        For other shapes, values that are not finite, a single class, or another shrinkage.

    References
    ----------
    Bao et al. 2019, doi:10.1109/ICIP.2019.8803726; with shrinkage Ibrahim et al. 2021,
    arXiv:2110.06893.
    """
    vectors, members = _checked(features, labels)
    centred = vectors - vectors.mean(0)
    if shrinkage is None:
        shrinkage = ledoit_wolf_shrinkage(centred, assume_centered=True) if centred.any() else 0.0
    if not 0 <= shrinkage <= 1:
        raise ValueError(
            f"shrinkage is a share from 0 to 1, or None to estimate it, not {shrinkage!r}."
        )
    variances, directions = _spectrum(centred)
    class_means = directions.T @ (members / np.sqrt(members.sum(0)))
    between = (class_means**2).sum(1)
    shrunken = (1 - shrinkage) * variances
    ridge = shrinkage * variances.sum() / centred.shape[1]
    return float((between * shrunken / (shrunken + ridge)).sum())


def leep(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return LEEP: the mean log probability of the labels, predicted from the source classes.

    Parameters
    ----------
    probabilities : array_like, shape (N, source classes)
        Class probabilities of the source model, as `backbones.load(name, head=True)` gives them.
    labels : array_like, shape (N,)
        Whole numbers; at least two classes occur.

    Returns
    -------
    float
        At most 0; higher is better.

    Raises
    ------
    ValueError
        For anything but probabilities, or a single class.

    References
    ----------
    Nguyen et al. 2020, arXiv:2002.12462.
    """
    probabilities, members = _checked(probabilities, labels, name="probabilities")
    if probabilities.min() < 0 or np.abs(probabilities.sum(1) - 1).max() > 1e-3:
        raise ValueError(
            "Each row of probabilities should be at least 0 and sum to 1; "
            "load the backbone with head=True, and do not pass features or logits."
        )
    joint = members.T @ probabilities  # (classes, source classes), times N
    conditional = joint / np.where(joint.any(0), joint.sum(0), 1)
    expected = probabilities @ conditional.T
    return float(np.log(expected[members.astype(bool)]).mean())


def nce(source_labels: ArrayLike, labels: ArrayLike) -> float:
    """Return NCE: the negative conditional entropy, in nats, of labels given the source class.

    Parameters
    ----------
    source_labels : array_like, shape (N,)
        The most probable source class of each image, such as its ImageNet class.
    labels : array_like, shape (N,)
        Whole numbers; at least two classes occur.

    Returns
    -------
    float
        At most 0; higher is better.

    Raises
    ------
    ValueError
        For anything but whole numbers, or a single class.

    References
    ----------
    Tran et al. 2019, arXiv:1908.08142.

    Examples
    --------
    >>> round(nce([0, 0, 1, 1], [0, 1, 1, 1]), 3)
    -0.347
    """
    source = _class_codes(source_labels, "source_labels")
    _, members = _checked(np.ones((len(source), 1)), labels, name="source_labels")
    joint = np.zeros((source.max() + 1, members.shape[1]))
    np.add.at(joint, source, members / len(members))
    conditional = joint / joint.sum(1, keepdims=True)
    return float((joint * np.log(np.where(joint > 0, conditional, 1))).sum())


def agreement(
    scores: ArrayLike,
    performance: ArrayLike,
    *,
    correlation: str = "weighted tau",
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return how well scores rank candidates: -1 backwards, 0 by chance, 1 as their performance.

    The interval is that of a bootstrap over candidates, and over repeats where there are any:
    another list of candidates could have been tried. Layers of one network resemble each other, so
    the interval is rather too narrow.

    Parameters
    ----------
    scores : array_like, shape (M,)
        One per candidate, at least three.
    performance : array_like, shape (M,) or (M, R)
        Their performance; R repeats (seeds, draws) are averaged.
    correlation : {"weighted tau", "Kendall", "Spearman"}
        In the weighted tau (Vigna 2015) mistakes at the top weigh more.
    level : float
        Confidence of the interval, above 0, below 1.
    repeats : int
        Number of bootstrap samples.
    seed : int
        Draws them.

    Returns
    -------
    Interval
        The correlation with its interval.

    Raises
    ------
    ValueError
        For other shapes or names, and for values that are not finite.
    """
    if correlation not in CORRELATIONS:
        raise ValueError(_files.unknown("correlation", correlation, CORRELATIONS))
    _checks.level(level)
    scores, columns = _checked_performance(scores, performance)
    rows = [(scores, columns.mean(1))]
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        candidates = random.integers(len(scores), size=len(scores))
        draws = random.integers(columns.shape[1], size=columns.shape[1])
        rows.append((scores[candidates], columns[candidates][:, draws].mean(1)))
    score_rows, performance_rows = np.swapaxes(rows, 0, 1)
    value, *values = CORRELATIONS[correlation](score_rows, performance_rows)
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def _checked_performance(
    scores: ArrayLike, performance: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (M,) and performance (M, R) of at least three candidates."""
    scores, performance = np.asarray(scores, float), np.asarray(performance, float)
    columns = performance[:, None] if performance.ndim == 1 else performance
    if scores.ndim != 1 or columns.ndim != 2 or len(columns) != len(scores) or len(scores) < 3:
        raise ValueError(
            "Give at least three candidates, each with a score and a performance; the shapes are "
            f"{scores.shape} and {performance.shape}."
        )
    if not (np.isfinite(scores).all() and np.isfinite(columns).all()):
        raise ValueError(
            "Scores and performances must be finite; leave out a candidate that was not measured."
        )
    return scores, columns


def _checked(
    features: ArrayLike, labels: ArrayLike, name: str = "features"
) -> tuple[np.ndarray, np.ndarray]:
    """Features as float64 (N, D) and the membership matrix (N, classes) of zeros and ones."""
    features, codes = _checks.vectors(features, name), _class_codes(labels, "labels")
    _checks.same_length(**{name: features}, labels=codes)
    if not codes.any():
        raise ValueError(
            "All labels are of one class; a score compares classes, so give images of at least two."
        )
    return features, np.eye(codes.max() + 1)[codes]


def _class_codes(labels: ArrayLike, name: str) -> np.ndarray:
    """Labels as 0 .. classes - 1, with the classes that do not occur left out."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{name} should be one whole number per image, (N,), not {labels.dtype} of shape "
            f"{labels.shape}; drop the images without a label first."
        )
    return np.unique(labels, return_inverse=True)[1]


def _spectrum(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared singular values (r,) above rounding, and the left singular vectors (N, r).

    They come from the smaller of the two Gram matrices.
    """
    wide = features.shape[0] <= features.shape[1]
    gram = features @ features.T if wide else features.T @ features
    squares, vectors = np.linalg.eigh(gram)
    above_rounding = squares > squares[-1] * max(features.shape) * np.finfo(float).eps
    squares, vectors = squares[above_rounding], vectors[:, above_rounding]
    return squares, vectors if wide else features @ vectors / np.sqrt(squares)


def _largest_evidence(
    variances: np.ndarray, explained: np.ndarray, unexplained: float, count: int
) -> float:
    """The largest log evidence over the ratio of the two precisions, by a search on a log scale.

    `explained` of the target lies along each direction, `unexplained` along none.
    """
    scale = np.log10(variances.max()) if len(variances) else 0.0
    exponents = np.linspace(scale - _DECADES, scale + _DECADES, 8 * _DECADES + 1)
    for _ in range(4):
        # The variance along each direction, in units of the noise, for each ratio.
        signals = 1 + variances / 10 ** exponents[:, None]
        noise = ((explained / signals).sum(1) + unexplained) / count  # the best, given the ratio
        evidence = -0.5 * (count * (np.log(2 * np.pi * noise) + 1) + np.log(signals).sum(1))
        best, step = exponents[evidence.argmax()], exponents[1] - exponents[0]
        exponents = np.linspace(best - step, best + step, 21)
    return float(evidence.max())
