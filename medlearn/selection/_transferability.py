"""Which backbone, which layer? Scores of frozen features or of ImageNet probabilities that need no training.

    vectors = features.extract(encoder, images, layer="block_14")
    selection.logme(vectors, labels)           # higher: these features suit these labels better

A score ranks candidates on the same images and labels; its value means little alone. Score training images only.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.covariance import ledoit_wolf_shrinkage

from medlearn.metrics import Interval
from medlearn.selection import _correlations

CORRELATIONS = {
    "weighted tau": _correlations.weighted_tau,
    "Kendall": _correlations.kendall,
    "Spearman": _correlations.spearman,
}
_DECADES = 12  # how far the ratio of the two precisions may lie from the features' scale


def logme(features: ArrayLike, labels: ArrayLike) -> float:
    """LogME: the log evidence, per image, of a Bayesian linear model from features to labels; higher is better.

    features: (N, D), finite. labels: (N,) whole numbers; the classes are those that occur, at least two. Each class
    against the rest is y ~ N(0, F F' / alpha + I / beta), with the alpha and beta of the largest evidence, and the
    classes' evidences are averaged. Unlike a fit's likelihood, evidence does not grow merely because D does.
    Raises ValueError for other shapes, values that are not finite, or a single class.
    Source: You et al. 2021, arXiv:2102.11005; here the optimum is searched along alpha / beta, the only free one.
    """
    features, members = _checked(features, labels)
    powers, directions = _spectrum(features)
    parts = (directions.T @ members) ** 2
    rest = np.maximum(
        members.sum(0) - parts.sum(0), 0
    )  # members are 0 or 1, so their sum is that of squares
    evidences = [
        _largest_evidence(powers, part, left, len(features)) for part, left in zip(parts.T, rest)
    ]
    return float(np.mean(evidences) / len(features))


def h_score(features: ArrayLike, labels: ArrayLike, *, shrinkage: float | None = None) -> float:
    """H-score: variance between classes in units of the features' covariance, tr(cov(f)^-1 cov(E[f | y])).

    features: (N, D), finite. labels: (N,) whole numbers; the classes are those that occur, at least two. From 0 to
    the number of classes less one. shrinkage: 0..1, how far the covariance is drawn to a multiple of the identity;
    None estimates it (Ledoit & Wolf 2004). With 0 the original score, which is useless unless N is far above D:
    at N <= D any features reach the maximum. Raises ValueError as `logme`, or for another shrinkage.
    Source: Bao et al. 2019, doi:10.1109/ICIP.2019.8803726; with shrinkage Ibrahim et al. 2021, arXiv:2110.06893.
    """
    features, members = _checked(features, labels)
    features = features - features.mean(0)
    if shrinkage is None:
        shrinkage = ledoit_wolf_shrinkage(features, assume_centered=True) if features.any() else 0.0
    if not 0 <= shrinkage <= 1:
        raise ValueError(
            f"shrinkage is a share from 0 to 1, or None to estimate it, not {shrinkage!r}."
        )
    powers, directions = _spectrum(features)
    between = ((directions.T @ (members / np.sqrt(members.sum(0)))) ** 2).sum(1)
    kept = (1 - shrinkage) * powers
    return float((between * kept / (kept + shrinkage * powers.sum() / features.shape[1])).sum())


def leep(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """LEEP: mean log probability of the labels, predicted from what the source classes turned out to mean.

    probabilities: (N, Z) of the source classes, as `backbones.load(name, head=True)` gives them: at least 0, sum 1.
    labels: (N,) whole numbers. At most 0, higher is better. Raises ValueError for anything else, or a single class.
    Source: Nguyen et al. 2020, arXiv:2002.12462.
    """
    probabilities, members = _checked(probabilities, labels, what="probabilities")
    if probabilities.min() < 0 or np.abs(probabilities.sum(1) - 1).max() > 1e-3:
        raise ValueError(
            "Each row of probabilities should be at least 0 and sum to 1; "
            "load the backbone with head=True, and do not pass features or logits."
        )
    joint = members.T @ probabilities  # (classes, Z), times N
    meaning = joint / np.where(joint.any(0), joint.sum(0), 1)
    expected = probabilities @ meaning.T
    return float(np.log(expected[members.astype(bool)]).mean())


def nce(source_labels: ArrayLike, labels: ArrayLike) -> float:
    """NCE: minus the conditional entropy, in nats, of the labels when the predicted source class is known.

    source_labels: (N,) whole numbers, the most probable ImageNet classes; labels: (N,) whole numbers. At most 0,
    higher is better. Raises ValueError as `leep`. Source: Tran et al. 2019, arXiv:1908.08142.
    """
    source = _codes(source_labels, "source_labels")
    _, members = _checked(np.ones((len(source), 1)), labels, what="source_labels")
    joint = np.zeros((source.max() + 1, members.shape[1]))
    np.add.at(joint, source, members / len(members))
    known = joint / joint.sum(1, keepdims=True)
    return float((joint * np.log(np.where(joint > 0, known, 1))).sum())


def agreement(
    scores: ArrayLike,
    performance: ArrayLike,
    *,
    correlation: str = "weighted tau",
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """How well scores rank candidates: -1 backwards, 0 by chance, 1 as their real performance does.

    scores: (M,), one a candidate, at least three. performance: (M,), or (M, R) with R repeats (seeds, draws) that are
    averaged. correlation: "weighted tau" (Vigna 2015: mistakes at the top weigh more), "Kendall" or "Spearman".
    The interval is that of a bootstrap over candidates, and over repeats where there are any: another list of
    candidates could have been tried. Layers of one network resemble each other, so it is rather too narrow.
    Raises ValueError for other shapes or names, and for values that are not finite.
    """
    if correlation not in CORRELATIONS:
        raise ValueError(
            f"There is no correlation {correlation!r}; choose one of {', '.join(CORRELATIONS)}."
        )
    scores, performance = np.asarray(scores, float), np.asarray(performance, float)
    columns = performance[:, None] if performance.ndim == 1 else performance
    if scores.ndim != 1 or columns.ndim != 2 or len(columns) != len(scores) or len(scores) < 3:
        raise ValueError(
            f"Give at least three candidates, each with a score and a performance; the shapes are "
            f"{scores.shape} and {performance.shape}."
        )
    if not (np.isfinite(scores).all() and np.isfinite(columns).all()):
        raise ValueError(
            "Scores and performances must be finite; leave out a candidate that was not measured."
        )
    random, rows = np.random.default_rng(seed), [(scores, columns.mean(1))]
    for _ in range(repeats):
        drawn = random.integers(len(scores), size=len(scores))
        seeds = random.integers(columns.shape[1], size=columns.shape[1])
        rows.append((scores[drawn], columns[drawn][:, seeds].mean(1)))
    value, *values = CORRELATIONS[correlation](*np.swapaxes(rows, 0, 1))
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def _checked(
    features: ArrayLike, labels: ArrayLike, what: str = "features"
) -> tuple[np.ndarray, np.ndarray]:
    """Features as float64 (N, D) and the membership matrix (N, classes) of zeros and ones."""
    features, codes = np.asarray(features, float), _codes(labels, "labels")
    if features.ndim != 2 or not features.size:
        raise ValueError(
            f"{what} should be one vector an image, (N, D), not {features.shape}; "
            "features.extract makes such vectors."
        )
    if len(features) != len(codes):
        raise ValueError(
            f"Each image needs one of each: {len(features)} rows of {what}, {len(codes)} labels."
        )
    if not np.isfinite(features).all():
        bad = int((~np.isfinite(features)).any(1).sum())
        raise ValueError(
            f"{bad} of {len(features)} rows of {what} hold NaN or infinite values; drop or mend them."
        )
    if not codes.any():
        raise ValueError(
            "All labels are of one class; a score compares classes, so give images of at least two."
        )
    return features, np.eye(codes.max() + 1)[codes]


def _codes(labels: ArrayLike, what: str) -> np.ndarray:
    """Labels as 0 .. classes - 1 with the classes that do not occur left out."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{what} should be one whole number an image, (N,), not {labels.dtype} of shape {labels.shape}; "
            "drop the images without a label first."
        )
    return np.unique(labels, return_inverse=True)[1]


def _spectrum(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared singular values (r,) above rounding, and the left singular vectors (N, r), by the smaller Gram matrix."""
    wide = features.shape[0] <= features.shape[1]
    powers, vectors = np.linalg.eigh(features @ features.T if wide else features.T @ features)
    real = powers > powers[-1] * max(features.shape) * np.finfo(float).eps
    powers, vectors = powers[real], vectors[:, real]
    return powers, vectors if wide else features @ vectors / np.sqrt(powers)


def _largest_evidence(powers: np.ndarray, parts: np.ndarray, rest: float, count: int) -> float:
    """The largest log evidence of a target of which `parts` lies along each direction and `rest` along none."""
    scale = np.log10(powers.max()) if len(powers) else 0.0
    exponents = np.linspace(scale - _DECADES, scale + _DECADES, 8 * _DECADES + 1)
    for _ in range(4):
        signals = (
            1 + powers / 10 ** exponents[:, None]
        )  # variance along each direction, in units of the noise
        noise = ((parts / signals).sum(1) + rest) / count  # its best value, given the ratio
        evidence = -0.5 * (count * (np.log(2 * np.pi * noise) + 1) + np.log(signals).sum(1))
        best, step = exponents[evidence.argmax()], exponents[1] - exponents[0]
        exponents = np.linspace(best - step, best + step, 21)
    return float(evidence.max())
