"""Is one model really better than the other on the same images? Two classic tests; the third is `paired_difference`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from medlearn import _checks
from medlearn.metrics._intervals import Interval


class Comparison(NamedTuple):
    """a minus b with its interval, and the chance `p` of a difference at least as large if there were none."""

    difference: Interval
    p: float

    def __str__(self) -> str:
        return (
            f"{self.difference}, p = {self.p:.3f}"
            if self.p >= 0.001
            else f"{self.difference}, p < 0.001"
        )


def mcnemar(labels: ArrayLike, predictions_a: ArrayLike, predictions_b: ArrayLike) -> float:
    """Exact p-value that a and b are right equally often, from the images where exactly one of them is right.

    labels, predictions_a, predictions_b: (N,) classes. Images are taken to be independent: one per patient; with
    several, ask `metrics.paired_difference`. Returns 1 if the two are right on the same images. Source: McNemar,
    Psychometrika 12:153, 1947; exact by the binomial distribution.
    """
    labels, a = _checks.labels_and_predictions(labels, predictions_a)
    _, b = _checks.labels_and_predictions(labels, predictions_b)
    only_a, only_b = (
        int(((a == labels) & (b != labels)).sum()),
        int(((b == labels) & (a != labels)).sum()),
    )
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def delong(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
) -> Comparison:
    """AUROC of a minus AUROC of b on the same images, with the interval and p-value of the normal approximation.

    labels: (N,) 0 or 1. scores_a, scores_b: (N,), higher means more likely yes. patients: (N,) ids, each image its own
    where unknown. Sources: DeLong et al., Biometrics 44:837, 1988, computed from ranks as by Sun & Xu, IEEE Signal
    Process. Lett. 21:1389, 2014; for several images of a patient Obuchowski, Biometrics 53:567, 1997, which is the same
    if each patient has one. Raises ValueError for other labels, NaN, lengths that differ, or fewer than two patients
    with an image of each class.
    """
    _checks.level(level)
    labels, a = _checks.binary_labels_and_scores(labels, scores_a)
    b = _checks.binary_labels_and_scores(labels, scores_b)[1]
    patient = np.unique(_checks.column("patients", patients), return_inverse=True)[1]
    _checks.same_length(labels=labels, patients=patient)
    placed = [np.stack(pair) for pair in zip(_placements(labels, a), _placements(labels, b))]
    areas = placed[0].mean(axis=1)
    covariance = _covariance(areas, *placed, patient[labels], patient[~labels])
    gain = float(areas[0] - areas[1])
    spread = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0)))
    reach = stats.norm.ppf((1 + level) / 2) * spread
    p = 2 * stats.norm.sf(abs(gain) / spread) if spread else float(abs(gain) < 1e-12)
    return Comparison(Interval(gain, gain - reach, gain + reach), float(p))


def _placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each positive, the share of the negatives below it; for each negative, of the positives above it."""
    positives, negatives = scores[labels], scores[~labels]
    among_all = stats.rankdata(scores)
    above = (among_all[labels] - stats.rankdata(positives)) / len(negatives)
    below = 1 - (among_all[~labels] - stats.rankdata(negatives)) / len(positives)
    return above, below


def _covariance(areas, positive, negative, patient_positive, patient_negative) -> np.ndarray:
    """Covariance (2, 2) of both areas from placements (2, M) and (2, N), summed over each patient first (Obuchowski 1997)."""
    patients = 1 + max(patient_positive.max(), patient_negative.max())
    sums = []
    for placed, patient in ((positive, patient_positive), (negative, patient_negative)):
        centred = placed - areas[:, None]
        sums.append(
            np.stack([np.bincount(patient, row, patients) for row in centred]) / placed.shape[1]
        )
    own = []
    for total, patient in zip(sums, (patient_positive, patient_negative)):
        number = len(np.unique(patient))
        if number < 2:
            raise ValueError(
                "All images of one of the two classes come from a single patient; DeLong's test needs two of each."
            )
        own.append(total @ total.T * number / (number - 1))
    across = sums[0] @ sums[1].T * patients / (patients - 1)
    return own[0] + own[1] + across + across.T
