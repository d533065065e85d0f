"""From scores to decisions: the cost of a threshold, and which one to take.

A score at the threshold means yes. A false negative is a missed case, a false positive a false
alarm.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def bayes_threshold(false_negative_cost: float, false_positive_cost: float) -> float:
    """Return the threshold of least expected cost if the scores are calibrated probabilities.

    It is false_positive_cost / (false_negative_cost + false_positive_cost).

    Parameters
    ----------
    false_negative_cost, false_positive_cost : float
        What a missed case and a false alarm cost, in the same unit; above 0.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        For a cost that is not above 0.

    References
    ----------
    Elkan, The foundations of cost-sensitive learning, IJCAI 2001, equation 2.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.bayes_threshold(false_negative_cost=4, false_positive_cost=1)
    0.2
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
    """Return the mean cost per image if scores of at least `threshold` mean yes.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1.
    scores : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.
    threshold : float
        A score.
    false_negative_cost, false_positive_cost : float
        What a missed case and a false alarm cost, in the same unit; above 0.

    Returns
    -------
    float
        The mean cost, in that unit.

    Raises
    ------
    ValueError
        For other labels, NaN, lengths that differ, and costs that are not above 0.
    """
    _check_costs(false_negative_cost, false_positive_cost)
    labels, scores = _checks.binary_labels(labels, both=False), _checks.column("scores", scores)
    _checks.same_length(labels=labels, scores=scores)
    called = scores >= threshold
    costs = false_negative_cost * (labels & ~called) + false_positive_cost * (~labels & called)
    return float(costs.mean())


def cost_curve(
    labels: ArrayLike, scores: ArrayLike, *, false_negative_cost: float, false_positive_cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return every threshold that makes a difference, and its mean cost per image.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1; both occur.
    scores : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.
    false_negative_cost, false_positive_cost : float
        What a missed case and a false alarm cost, in the same unit; above 0.

    Returns
    -------
    thresholds : numpy.ndarray, shape (T,)
        Rising; the last is infinite and calls nobody.
    costs : numpy.ndarray, shape (T,)
        The mean cost at each threshold.

    Raises
    ------
    ValueError
        As `mean_cost`, and if one label does not occur.
    """
    _check_costs(false_negative_cost, false_positive_cost)
    labels, scores = _checks.binary_labels_and_scores(labels, scores)
    thresholds = np.append(np.unique(scores), np.inf)
    false_negatives = np.searchsorted(np.sort(scores[labels]), thresholds)
    true_negatives = np.searchsorted(np.sort(scores[~labels]), thresholds)
    false_positives = (~labels).sum() - true_negatives
    costs = false_negative_cost * false_negatives + false_positive_cost * false_positives
    return thresholds, costs / len(labels)


def cheapest_threshold(
    labels: ArrayLike, scores: ArrayLike, *, false_negative_cost: float, false_positive_cost: float
) -> float:
    """Return the threshold of least mean cost on these images.

    Give it validation patients: it flatters the images on which it was chosen. It lies halfway
    between the lowest score called yes and the next one below; where several are equally cheap,
    it is the lowest, which misses fewest.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1; both occur.
    scores : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.
    false_negative_cost, false_positive_cost : float
        What a missed case and a false alarm cost, in the same unit; above 0.

    Returns
    -------
    float
        The threshold.

    Raises
    ------
    ValueError
        As `cost_curve`.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.cheapest_threshold(
    ...     [0, 0, 1], [0.1, 0.3, 0.8], false_negative_cost=2, false_positive_cost=1
    ... )
    0.55
    """
    thresholds, costs = cost_curve(
        labels,
        scores,
        false_negative_cost=false_negative_cost,
        false_positive_cost=false_positive_cost,
    )
    return _between(thresholds, int(np.argmin(costs)))


def threshold_at_specificity(
    labels: ArrayLike, scores: ArrayLike, specificity: float = 0.9
) -> float:
    """Return the lowest threshold that reaches this specificity on these (validation) images.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1; both occur.
    scores : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.
    specificity : float
        The share of the images with label 0 that are to stay below the threshold, from 0 to 1.

    Returns
    -------
    float
        The threshold.

    Raises
    ------
    ValueError
        For other labels, NaN, lengths that differ, and a share outside 0 to 1.
    """
    labels, scores = _checks.binary_labels_and_scores(labels, scores)
    _checks.share("specificity", specificity)
    thresholds = np.append(np.unique(scores), np.inf)
    true_negatives = np.searchsorted(np.sort(scores[~labels]), thresholds)
    reached = true_negatives / (~labels).sum() >= specificity - 1e-12
    return _between(thresholds, int(np.argmax(reached)))


def _between(thresholds: np.ndarray, index: int) -> float:
    """Halfway to the next lower score: the decision does not depend on one image's last digit."""
    if index == 0:
        return float(thresholds[0])
    lower, upper = thresholds[index - 1], thresholds[index]
    if np.isinf(upper):
        return float(np.nextafter(lower, np.inf))
    middle = lower / 2 + upper / 2
    return float(middle if middle > lower else upper)


def _check_costs(false_negative_cost: float, false_positive_cost: float) -> None:
    if not (0 < false_negative_cost < np.inf and 0 < false_positive_cost < np.inf):
        raise ValueError(
            "A false negative and a false positive each cost something above 0; given are "
            f"false_negative_cost={false_negative_cost!r} and "
            f"false_positive_cost={false_positive_cost!r}."
        )
