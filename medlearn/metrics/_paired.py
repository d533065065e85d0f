"""Is one model better than the other on the same images? Two classic tests.

The third, for any metric, is `paired_difference`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from medlearn import _checks
from medlearn.metrics import _intervals
from medlearn.metrics._intervals import Interval


class Comparison(NamedTuple):
    """A difference between two models with its interval and p-value.

    Attributes
    ----------
    difference : Interval
        a minus b with its interval.
    p : float
        The chance of a difference at least as large if there were none.
    """

    difference: Interval
    p: float

    def __str__(self) -> str:
        p = f"p = {self.p:.3f}" if self.p >= 0.001 else "p < 0.001"
        return f"{self.difference}, {p}"


def mcnemar(labels: ArrayLike, predictions_a: ArrayLike, predictions_b: ArrayLike) -> float:
    """Return the exact p-value of McNemar's test: are a and b right equally often?

    It counts the images where exactly one of the two is right. Images are taken to be independent,
    one per patient; with several per patient, use `metrics.paired_difference`.

    Parameters
    ----------
    labels, predictions_a, predictions_b : array_like, shape (N,)
        Classes.

    Returns
    -------
    float
        From 0 to 1; 1 if both are right on the same images.

    Raises
    ------
    ValueError
        For lengths that differ, NaN, and probabilities instead of classes.

    References
    ----------
    McNemar, Note on the sampling error of the difference between correlated proportions,
    Psychometrika 12:153, 1947; exact by the binomial distribution.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.mcnemar([1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 1, 0])
    0.5
    """
    labels, a = _checks.labels_and_predictions(labels, predictions_a)
    _, b = _checks.labels_and_predictions(labels, predictions_b)
    only_a = int(((a == labels) & (b != labels)).sum())
    only_b = int(((b == labels) & (a != labels)).sum())
    if only_a + only_b == 0:
        return 1.0
    return float(stats.binomtest(only_a, only_a + only_b).pvalue)


def delong(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
) -> Comparison:
    """Return AUROC of a minus AUROC of b on the same images, with interval and p-value (DeLong).

    Both come from the normal approximation.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1.
    scores_a, scores_b : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.
    patients : array_like, shape (N,)
        Patient ids; where they are unknown, give each image an id of its own.
    level : float
        The confidence of the interval, above 0 and below 1.

    Returns
    -------
    Comparison
        The difference with its interval, and the p-value.

    Raises
    ------
    ValueError
        For other labels, NaN, lengths that differ, or fewer than two patients with an image of each
        class.

    References
    ----------
    DeLong et al., Biometrics 44:837, 1988, equations 4 to 7, computed from ranks as by Sun & Xu,
    IEEE Signal Process. Lett. 21:1389, 2014. For several images per patient: Obuchowski, Biometrics
    53:567, 1997, which is the same if each patient has one.
    """
    _checks.level(level)
    labels, a = _checks.binary_labels_and_scores(labels, scores_a)
    b = _checks.binary_labels_and_scores(labels, scores_b)[1]
    patient = np.unique(_checks.column("patients", patients), return_inverse=True)[1]
    _checks.same_length(labels=labels, patients=patient)
    positive_a, negative_a = _placements(labels, a)
    positive_b, negative_b = _placements(labels, b)
    positive, negative = np.stack([positive_a, positive_b]), np.stack([negative_a, negative_b])
    areas = positive.mean(axis=1)
    covariance = _covariance(areas, positive, negative, patient[labels], patient[~labels])
    difference = float(areas[0] - areas[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = float(np.sqrt(max(variance, 0.0)))
    reach = stats.norm.ppf((1 + level) / 2) * error
    p = 2 * stats.norm.sf(abs(difference) / error) if error else float(abs(difference) < 1e-12)
    number = min(len(np.unique(patient[labels])), len(np.unique(patient[~labels])))
    rests_on = _intervals._rests_on(patient, number)
    low, high = difference - reach, difference + reach
    return Comparison(Interval(difference, low, high, rests_on=rests_on), float(p))


def _placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each positive the share of negatives below it, for each negative of positives above."""
    positives, negatives = scores[labels], scores[~labels]
    ranks = stats.rankdata(scores)
    below = (ranks[labels] - stats.rankdata(positives)) / len(negatives)
    above = 1 - (ranks[~labels] - stats.rankdata(negatives)) / len(positives)
    return below, above


def _covariance(
    areas: np.ndarray,
    positive: np.ndarray,
    negative: np.ndarray,
    patient_of_positive: np.ndarray,
    patient_of_negative: np.ndarray,
) -> np.ndarray:
    """Covariance (2, 2) of both areas from placements (2, M) and (2, N) (Obuchowski 1997)."""
    patients = 1 + max(patient_of_positive.max(), patient_of_negative.max())
    positive_sums = _sums_per_patient(positive - areas[:, None], patient_of_positive, patients)
    negative_sums = _sums_per_patient(negative - areas[:, None], patient_of_negative, patients)
    own = _own_covariance(positive_sums, patient_of_positive)
    own = own + _own_covariance(negative_sums, patient_of_negative)
    across = positive_sums @ negative_sums.T * patients / (patients - 1)
    return own + across + across.T


def _sums_per_patient(centred: np.ndarray, patient: np.ndarray, patients: int) -> np.ndarray:
    """Placements (2, M), summed over the images of each patient (2, patients), over M."""
    sums = np.stack([np.bincount(patient, row, patients) for row in centred])
    return sums / centred.shape[1]


def _own_covariance(sums: np.ndarray, patient: np.ndarray) -> np.ndarray:
    number = len(np.unique(patient))
    if number < 2:
        raise ValueError(
            "All images of one of the two classes come from a single patient; "
            "DeLong's test needs two of each."
        )
    return sums @ sums.T * number / (number - 1)
