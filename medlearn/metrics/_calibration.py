"""Do probabilities mean what they say? Reliability, calibration errors, and temperature scaling that mends most of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from medlearn import _checks

_TINY = 1e-12  # probabilities of exactly 0 would cost infinitely much


class Reliability(NamedTuple):
    """A reliability curve, one entry a bin that holds images: mean probability, observed share, number of images."""

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray


def reliability(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, adaptive: bool = False
) -> Reliability:
    """What happened, against what was predicted.

    labels: (N,) 0 or 1 with probabilities (N,) of yes; or classes 0..K-1 with probabilities (N, K), of which the
    largest is the confidence, and what happened is that it was right. bins: equally wide from 0 to 1, or with
    `adaptive` equally many images each (equal probabilities stay together). Raises ValueError for NaN, values outside
    0..1, rows that do not sum to one, labels without a column, and no bin.
    Source: DeGroot & Fienberg, The Statistician 32:12, 1983.
    """
    if not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"bins is a number of bins of at least 1, not {bins!r}; try 10.")
    happened, said = _claims(labels, probabilities)
    inner = np.quantile(said, np.arange(1, bins) / bins) if adaptive else np.arange(1, bins) / bins
    bin_ = np.searchsorted(
        inner, said, side="left"
    )  # a probability on an edge belongs to the bin below it
    count = np.bincount(bin_, minlength=bins)
    held = count > 0
    predicted, observed = (
        np.bincount(bin_, each, bins)[held] / count[held] for each in (said, happened)
    )
    return Reliability(predicted, observed, count[held])


def calibration_error(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, adaptive: bool = False
) -> float:
    """Expected calibration error (ECE), 0..1: the gap between predicted and observed, averaged over the images.

    Arguments and errors as for `reliability`. It depends on the bins, and few images make it too large even for
    perfect probabilities: compare it between models on the same images. Sources: Naeini et al., AAAI 2015; Guo et al.,
    ICML 2017; adaptive bins: Nixon et al., CVPR workshops 2019.
    """
    predicted, observed, count = reliability(labels, probabilities, bins=bins, adaptive=adaptive)
    return float((abs(predicted - observed) * count).sum() / count.sum())


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Brier score: mean squared error of the probabilities, 0 is perfect; it asks for calibration and for separation.

    labels: (N,) 0 or 1 with probabilities (N,) of yes, 0..1; or classes with probabilities (N, K), summed over the classes,
    0..2. Errors as for `reliability`. Source: Brier, Mon. Weather Rev. 78:1, 1950.
    """
    binary = np.ndim(probabilities) == 1
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    squares = ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1)
    return float(squares.mean() / (2 if binary else 1))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean of minus the logarithm of the true class's probability, 0 is perfect; a sure mistake costs most.

    Arguments and errors as for `reliability`.
    """
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    return float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], _TINY, 1)).mean())


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """The temperature T that makes these probabilities fit best (least log loss), between 1/50 and 50; above 1 for a boaster.

    Arguments and errors as for `reliability`; give it validation patients: neither those of training, where everything looks
    sure, nor those of the test. Raises ValueError if all labels are the same. Source: Guo et al., ICML 2017.
    """
    labels, logits = _checks.labels_and_probabilities(labels, probabilities)
    if len(np.unique(labels)) < 2:
        raise _checks.Undefined(
            f"All {len(labels)} images have the same label: a temperature fitted to them would be extreme."
        )
    logits = np.log(np.clip(logits, _TINY, 1))

    def loss(log_cooling: float) -> float:
        scaled = logits * np.exp(log_cooling)
        return (np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean()

    reach = np.log(50)
    return float(
        np.exp(
            -optimize.minimize_scalar(
                loss, bounds=(-reach, reach), method="bounded", options={"xatol": 1e-6}
            ).x
        )
    )


def apply_temperature(probabilities: ArrayLike, temperature: float) -> np.ndarray:
    """Probabilities of the same shape, (N,) of yes or (N, K), softened (T > 1) or sharpened (T < 1); no decision changes.

    It is the softmax of logits / T, since log-probabilities are logits. Raises ValueError for T <= 0, NaN and values
    outside 0..1. Source: Guo et al., ICML 2017.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(
            f"A temperature is a number above 0, not {temperature!r}; 1 changes nothing."
        )
    given = np.asarray(probabilities, float)
    rows = np.stack([1 - given, given], axis=1) if given.ndim == 1 else given
    _, rows = _checks.labels_and_probabilities(np.zeros(len(rows), int), rows)
    logits = np.log(np.clip(rows, _TINY, 1)) / temperature
    scaled = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    return scaled[:, 1] if given.ndim == 1 else scaled


def _claims(labels, probabilities) -> tuple[np.ndarray, np.ndarray]:
    """Whether what was claimed happened, float (N,), and the probability it was claimed with (N,)."""
    binary = np.ndim(probabilities) == 1
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    if binary:
        return labels.astype(float), probabilities[:, 1]
    return (probabilities.argmax(axis=1) == labels).astype(float), probabilities.max(axis=1)
