"""From scores to decisions: what a threshold costs, and which one to take. A score at the threshold means yes."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def bayes_threshold(false_negative_cost: float, false_positive_cost: float) -> float:
    """The threshold, 0..1, that costs least if the scores are calibrated probabilities: alarm / (miss + alarm).

    miss, alarm: what a missed case and a false alarm cost, in any one unit. Raises ValueError unless both are above 0.
    Source: Elkan, IJCAI 2001.
    """
    _check_costs(false_negative_cost, false_positive_cost)
    return false_positive_cost / (false_negative_cost + false_positive_cost)


def mean_cost(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    *,
    false_negative_cost: float,
    false_positive_cost: float,
) -> float:
    """Mean cost of an image if scores of at least `threshold` mean yes.

    labels, scores: (N,), 0 or 1 and any number. miss, alarm: what a missed case and a false alarm cost, in any one unit.
    Raises ValueError for other labels, NaN, lengths that differ, and costs that are not above 0.
    """
    _check_costs(false_negative_cost, false_positive_cost)
    labels, scores = _checks.binary_labels(labels, both=False), _checks.column("scores", scores)
    _checks.same_length(labels=labels, scores=scores)
    called = scores >= threshold
    return float(
        (false_negative_cost * (labels & ~called) + false_positive_cost * (~labels & called)).mean()
    )


def cost_curve(
    labels: ArrayLike, scores: ArrayLike, *, false_negative_cost: float, false_positive_cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Every threshold that makes a difference, rising (T,), and its mean cost (T,); the last, infinity, calls nobody.

    Arguments and errors as for `mean_cost`.
    """
    _check_costs(false_negative_cost, false_positive_cost)
    labels, scores = _checks.binary_labels_and_scores(labels, scores)
    thresholds = np.append(np.unique(scores), np.inf)
    missed = np.searchsorted(np.sort(scores[labels]), thresholds)  # positives below each threshold
    alarms = (~labels).sum() - np.searchsorted(np.sort(scores[~labels]), thresholds)
    return thresholds, (false_negative_cost * missed + false_positive_cost * alarms) / len(labels)


def cheapest_threshold(
    labels: ArrayLike, scores: ArrayLike, *, false_negative_cost: float, false_positive_cost: float
) -> float:
    """The threshold of least mean cost on these images: validation patients, for it flatters the images it was chosen on.

    It lies halfway between the lowest score called yes and the next one below; where several are equally cheap, the
    lowest, which misses fewest. Arguments and errors as for `mean_cost`; both labels must occur.
    """
    thresholds, prices = cost_curve(
        labels,
        scores,
        false_negative_cost=false_negative_cost,
        false_positive_cost=false_positive_cost,
    )
    return _between(thresholds, int(np.argmin(prices)))


def threshold_at_specificity(
    labels: ArrayLike, scores: ArrayLike, specificity: float = 0.9
) -> float:
    """The lowest threshold that keeps at least this share of the negatives below it, 0..1, on these (validation) images.

    labels, scores: (N,), 0 or 1 and any number; both labels must occur. Raises ValueError also for a share outside 0..1.
    """
    labels, scores = _checks.binary_labels_and_scores(labels, scores)
    if not 0 <= specificity <= 1:
        raise ValueError(f"specificity is a share from 0 to 1, not {specificity!r}.")
    thresholds = np.append(np.unique(scores), np.inf)
    kept = np.searchsorted(np.sort(scores[~labels]), thresholds) / (~labels).sum()
    return _between(thresholds, int(np.argmax(kept >= specificity - 1e-12)))


def _between(thresholds: np.ndarray, place: int) -> float:
    """Halfway to the next lower score, so that the decision does not hang on the last digit of one image."""
    if place == 0:
        return float(thresholds[0])
    if np.isinf(thresholds[place]):
        return float(np.nextafter(thresholds[place - 1], np.inf))
    middle = thresholds[place - 1] / 2 + thresholds[place] / 2
    return float(middle if middle > thresholds[place - 1] else thresholds[place])


def _check_costs(false_negative_cost: float, false_positive_cost: float) -> None:
    if not (0 < false_negative_cost < np.inf and 0 < false_positive_cost < np.inf):
        raise ValueError(
            f"A miss and a false alarm each cost something above 0; given are false_negative_cost={false_negative_cost!r} and false_positive_cost={false_positive_cost!r}."
        )
