"""The ends of an interval, from a score on all patients and on resamples of them.

The percentile bootstrap is too narrow for few patients, and has no width where every resample
scores the same. So the resamples give the standard error, and the shape comes from the scale:

- a share from 0 to 1: Wilson's interval for as many independent images as have that error;
- a difference of two scores: Student's t;
- any other score: percentiles, corrected for bias and skewness (BCa) and for few patients.

How often they hold the truth is in ``benchmarks/results/interval_coverage.csv``.
"""

import numpy as np
from scipy import special

_LARGEST_SHIFT = 3.0  # normal quantile, where all resamples lie on one side of the value


def of_share(value: float, scores: np.ndarray, patients: int, level: float) -> tuple[float, float]:
    """Return Wilson's interval with an effective number of images.

    Parameters
    ----------
    value : float
        The score on all patients, from 0 to 1.
    scores : numpy.ndarray, shape (R,)
        The score on each resample.
    patients : int
        The number of patients that the score depends on.
    level : float
        Confidence, above 0 and below 1.

    Returns
    -------
    tuple of float
        The ends, within 0 and 1.

    References
    ----------
    Wilson, J. Am. Stat. Assoc. 22:209, 1927. The effective number and Student's t: Korn & Graubard,
    Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data, Surv. Methodol. 24:193, 1998; compared by Saha, Miller & Wang, A comparison
    of some approximate confidence intervals for a single proportion for clustered binary outcome
    data, Int. J. Biostat. 12(2), 2016.
    """
    t, error = _t(patients, level), _standard_error(scores, patients)
    spread = value * (1 - value)
    if _is_zero(error) or spread <= 0:
        return _unseen(value, 0.0, 1.0, patients, level)
    images = spread / error**2
    centre = (value + t**2 / (2 * images)) / (1 + t**2 / images)
    reach = t / (1 + t**2 / images) * np.sqrt(spread / images + (t / (2 * images)) ** 2)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def of_difference(
    value: float, scores: np.ndarray, patients: int, level: float, *, largest: float | None = None
) -> tuple[float, float]:
    """Return the value plus and minus the standard error times Student's t.

    Parameters
    ----------
    value : float
        The difference on all patients.
    scores : numpy.ndarray, shape (R,)
        The difference on each resample.
    patients : int
        The number of patients that the scores depend on.
    level : float
        Confidence, above 0 and below 1.
    largest : float, optional
        The largest possible difference. Where no resample differs from the value, it says how far
        patients who were not sampled could move it; without it, the interval has no width then.

    Returns
    -------
    tuple of float
        The ends.
    """
    error = _standard_error(scores, patients)
    if _is_zero(error) and largest is not None:
        return _unseen(value, -largest, largest, patients, level)
    reach = _t(patients, level) * error
    if largest is None:
        return value - reach, value + reach
    return max(value - reach, -largest), min(value + reach, largest)


def of_any(value: float, scores: np.ndarray, patients: int, level: float) -> tuple[float, float]:
    """Return percentiles, corrected for bias, for skewness and for few patients.

    Parameters
    ----------
    value : float
        The score on all patients.
    scores : numpy.ndarray, shape (R,)
        The score on each resample.
    patients : int
        The number of patients that the score depends on.
    level : float
        Confidence, above 0 and below 1.

    Returns
    -------
    tuple of float
        The ends. Where every resample scores 0, or 1, the score is taken for a share.

    References
    ----------
    Efron, Better bootstrap confidence intervals, J. Am. Stat. Assoc. 82:171, 1987, with the
    acceleration from the skewness of the resamples. Wider levels for few patients: Hesterberg, What
    teachers should know about the bootstrap, Am. Stat. 69:371, 2015, section 5.3.
    """
    error = _standard_error(scores, patients)
    if _is_zero(error):
        return _unseen(value, 0.0, 1.0, patients, level) if value in (0, 1) else (value, value)
    below = np.mean(scores < value) + np.mean(scores == value) / 2
    shift = np.clip(special.ndtri(below), -_LARGEST_SHIFT, _LARGEST_SHIFT)
    acceleration = np.mean(((scores - scores.mean()) / scores.std()) ** 3) / 6
    reach = _t(patients, level) * np.sqrt(patients / (patients - 1))
    quantiles = shift + np.array([-reach, reach])
    stretch = np.maximum(1 - acceleration * quantiles, 0.1)
    levels = special.ndtr(shift + quantiles / stretch)
    low, high = np.quantile(scores, levels)
    return float(low), float(high)


def _standard_error(scores: np.ndarray, patients: int) -> float:
    """Of the resamples, which scatter too little by the factor (P - 1) / P of their variance."""
    return float(scores.std() * np.sqrt(patients / (patients - 1)))


def _t(patients: int, level: float) -> float:
    return float(special.stdtrit(patients - 1, (1 + level) / 2))


def _is_zero(error: float) -> bool:
    return error < 1e-9


def _unseen(
    value: float, least: float, largest: float, patients: int, level: float
) -> tuple[float, float]:
    """Where all patients agree: of others, a share of at most t^2 / (P + t^2) may do anything.

    At 0 and 1 this is Wilson's interval for P patients.
    """
    t = _t(patients, level)
    share = t**2 / (patients + t**2)
    return value - share * (value - least), value + share * (largest - value)
