"""Do probabilities mean what they say? Reliability, calibration errors and temperature scaling."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from medlearn import _checks

_TINY = 1e-12  # probabilities of exactly 0 would cost infinitely much
_EXTREME = 50  # fitted temperatures lie between 1 / _EXTREME and _EXTREME


class Reliability(NamedTuple):
    """A reliability curve, with one entry per bin that holds images.

    Attributes
    ----------
    predicted : numpy.ndarray, shape (bins,)
        Mean probability of the images in the bin.
    observed : numpy.ndarray, shape (bins,)
        Share of these images for which the prediction came true.
    counts : numpy.ndarray of int, shape (bins,)
        Number of images in the bin.
    """

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray


def reliability(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, adaptive: bool = False
) -> Reliability:
    """Return how often predictions came true, for each bin of predicted probability.

    Of several classes, the largest probability is taken, and it came true if its class is the
    label.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1, or class indices from 0 to K - 1.
    probabilities : array_like, shape (N,) or (N, K)
        Of class 1, or of each class.
    bins : int
        Number of bins, at least 1.
    adaptive : bool
        Bins with equally many images each (equal probabilities stay together), in place of bins of
        equal width from 0 to 1.

    Returns
    -------
    Reliability
        One entry per bin that holds images.

    Raises
    ------
    ValueError
        For NaN, values outside 0 to 1, rows that do not sum to 1, labels without a column, and
        no bin.

    References
    ----------
    DeGroot & Fienberg, The comparison and evaluation of forecasters, The Statistician 32:12, 1983.
    """
    _checks.whole_number("bins", bins, 1)
    came_true, confidence = _outcomes(labels, probabilities)
    inner_edges = np.arange(1, bins) / bins
    if adaptive:
        inner_edges = np.quantile(confidence, inner_edges)
    # A probability on an edge belongs to the bin below it.
    bin_index = np.searchsorted(inner_edges, confidence, side="left")
    counts = np.bincount(bin_index, minlength=bins)
    filled = counts > 0
    predicted = np.bincount(bin_index, confidence, bins)[filled] / counts[filled]
    observed = np.bincount(bin_index, came_true, bins)[filled] / counts[filled]
    return Reliability(predicted, observed, counts[filled])


def calibration_error(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, adaptive: bool = False
) -> float:
    """Return the expected calibration error (ECE).

    It is the gap between predicted and observed share, averaged over the images. It depends on the
    bins, and few images make it too large even for perfect probabilities: compare it between models
    on the same images.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1, or class indices from 0 to K - 1.
    probabilities : array_like, shape (N,) or (N, K)
        Of class 1, or of each class.
    bins, adaptive
        As for `reliability`.

    Returns
    -------
    float
        From 0 to 1; 0 is perfect.

    Raises
    ------
    ValueError
        As `reliability`.

    References
    ----------
    Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015; Guo
    et al., On calibration of modern neural networks, ICML 2017, equation 3; adaptive bins: Nixon
    et al., Measuring calibration in deep learning, CVPR workshops 2019.

    Examples
    --------
    >>> from medlearn import metrics
    >>> round(metrics.calibration_error([0, 1, 1, 1], [0.1, 0.3, 0.9, 0.9], bins=2), 3)
    0.2
    """
    predicted, observed, counts = reliability(labels, probabilities, bins=bins, adaptive=adaptive)
    return float((abs(predicted - observed) * counts).sum() / counts.sum())


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the Brier score: the mean squared error of the probabilities.

    It rewards calibration and separation at once.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1, or class indices from 0 to K - 1.
    probabilities : array_like, shape (N,) or (N, K)
        Of class 1, or of each class.

    Returns
    -------
    float
        0 is perfect; from 0 to 1, or from 0 to 2 for (N, K), where the classes are summed.

    Raises
    ------
    ValueError
        As `reliability`.

    References
    ----------
    Brier, Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78:1,
    1950.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.brier([0, 1], [0.5, 1.0])
    0.125
    """
    binary = np.ndim(probabilities) == 1
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    targets = np.eye(probabilities.shape[1])[labels]
    squares = ((probabilities - targets) ** 2).sum(axis=1)
    return float(squares.mean() / (2 if binary else 1))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean of minus the logarithm of the true class's probability (cross-entropy).

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1, or class indices from 0 to K - 1.
    probabilities : array_like, shape (N,) or (N, K)
        Of class 1, or of each class.

    Returns
    -------
    float
        0 is perfect; a confident mistake costs most.

    Raises
    ------
    ValueError
        As `reliability`.
    """
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    of_true_class = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(of_true_class, _TINY, 1)).mean())


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the temperature T of least log loss for these probabilities.

    T above 1 means that the probabilities are overconfident. Give it validation patients: neither
    those of training, where every prediction looks certain, nor those of the test.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1, or class indices from 0 to K - 1.
    probabilities : array_like, shape (N,) or (N, K)
        Of class 1, or of each class.

    Returns
    -------
    float
        From 1/50 to 50.

    Raises
    ------
    ValueError
        As `reliability`, and if all labels are the same.

    References
    ----------
    Guo et al., On calibration of modern neural networks, ICML 2017, section 4.2.
    """
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    if len(np.unique(labels)) < 2:
        raise _checks.Undefined(
            f"All {len(labels)} images have the same label: "
            "a temperature fitted to them would be extreme."
        )
    logits = np.log(np.clip(probabilities, _TINY, 1))
    rows = np.arange(len(labels))

    def loss(log_inverse_temperature: float) -> float:
        scaled = logits * np.exp(log_inverse_temperature)
        return (np.logaddexp.reduce(scaled, axis=1) - scaled[rows, labels]).mean()

    limit = np.log(_EXTREME)
    best = optimize.minimize_scalar(
        loss, bounds=(-limit, limit), method="bounded", options={"xatol": 1e-6}
    )
    return float(np.exp(-best.x))


def apply_temperature(probabilities: ArrayLike, temperature: float) -> np.ndarray:
    """Soften (T > 1) or sharpen (T < 1) probabilities: the softmax of logits / T.

    No decision changes, because the order of the classes stays.

    Parameters
    ----------
    probabilities : array_like, shape (N,) or (N, K)
        Of class 1, or of each class.
    temperature : float
        T, above 0.

    Returns
    -------
    numpy.ndarray, shape of `probabilities`
        The scaled probabilities.

    Raises
    ------
    ValueError
        For T that is not above 0, NaN, and values outside 0 to 1.

    References
    ----------
    Guo et al., On calibration of modern neural networks, ICML 2017, equation 9.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(
            f"A temperature is a number above 0, not {temperature!r}; 1 changes nothing."
        )
    values = np.asarray(probabilities, float)
    rows = np.stack([1 - values, values], axis=1) if values.ndim == 1 else values
    _, rows = _checks.labels_and_probabilities(np.zeros(len(rows), int), rows)
    logits = np.log(np.clip(rows, _TINY, 1)) / temperature
    scaled = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    return scaled[:, 1] if values.ndim == 1 else scaled


def _outcomes(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Whether each prediction came true, as float (N,), and its probability (N,)."""
    binary = np.ndim(probabilities) == 1
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    if binary:
        return labels.astype(float), probabilities[:, 1]
    return (probabilities.argmax(axis=1) == labels).astype(float), probabilities.max(axis=1)
