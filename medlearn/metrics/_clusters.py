"""How far images of one patient resemble each other, and what this costs when models compare."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from medlearn import _checks

_STUDIES_AT_ONCE = 1_000_000  # patients of a block of simulated studies


def intraclass_correlation(values: ArrayLike, patients: ArrayLike) -> float:
    """Return the correlation between two images of one patient, in some value of each image.

    It is 0 where images of one patient differ as much as images of different patients, and 1 where
    all images of a patient have the same value. N images, m of each patient, are worth
    N / (1 + (m - 1) correlation) independent ones; the divisor is called the design effect.

    Parameters
    ----------
    values : array_like, shape (N,)
        A number of each image, such as 1 where the model is right and 0 where it is wrong.
    patients : array_like, shape (N,)
        Patient ids; at least one patient has several images.

    Returns
    -------
    float
        From -1 to 1. With few patients the estimate scatters widely, and can be below 0 by chance.

    Raises
    ------
    ValueError
        For lengths that differ, NaN, fewer than two patients, and one image of each patient.

    References
    ----------
    Shrout & Fleiss, Intraclass correlations: uses in assessing rater reliability, Psychol. Bull.
    86:420, 1979, form (1,1); patients with unequal numbers of images: Donner & Koval, Biometrics
    36:19, 1980.

    Examples
    --------
    >>> from medlearn import metrics
    >>> right, patients = [1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"]
    >>> round(metrics.intraclass_correlation(right, patients), 2)
    0.5
    """
    values = np.asarray(values, dtype=float)
    names, patient = np.unique(_checks.column("patients", patients), return_inverse=True)
    _checks.same_length(values=values, patients=patient)
    if np.isnan(values).any():
        raise ValueError("values hold NaN: leave these images out.")
    images = np.bincount(patient)
    number, total = len(names), len(values)
    if number < 2 or number == total:
        raise ValueError(
            f"{total} images of {number} patients: a correlation within patients needs at least "
            "two patients, and one of them with several images."
        )
    means = np.bincount(patient, values) / images
    between = (images * (means - values.mean()) ** 2).sum() / (number - 1)
    within = ((values - means[patient]) ** 2).sum() / (total - number)
    typical = (total - (images**2).sum() / total) / (number - 1)
    spread = between + (typical - 1) * within
    return float((between - within) / spread) if spread > 0 else 0.0


def power_of_difference(
    patients: int,
    *,
    gain: float,
    disagreement: float,
    images_per_patient: int = 1,
    correlation: float = 0.0,
    level: float = 0.95,
    studies: int = 2000,
    seed: int = 0,
) -> float:
    """Return how often a study of this size shows that one model is better than another.

    Studies are simulated in which model a really is better. The power is the share of them whose
    paired difference of accuracies has an interval above zero, as `paired_difference` makes it. A
    study is usually planned for a power of 0.8.

    Parameters
    ----------
    patients : int
        The number of patients of a study, at least 2.
    gain : float
        Accuracy of a minus accuracy of b, above 0 and at most `disagreement`.
    disagreement : float
        The share of images on which exactly one of the two is right, at most 1.
    images_per_patient : int
        The number of images of each patient.
    correlation : float
        Between two images of one patient: 0 where they are independent, below 1; see
        `intraclass_correlation` of the differences.
    level : float
        The confidence of the interval, above 0 and below 1.
    studies : int
        The number of simulated studies; with 2,000 the power is known to about 0.02.
    seed : int
        Random seed.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        For numbers outside these ranges.

    References
    ----------
    The power of a comparison of paired proportions: Miettinen, Biometrics 24:339, 1968; Connor,
    Biometrics 43:207, 1987. Several images of a patient: outcomes follow a Dirichlet-multinomial
    distribution, Mosimann, Biometrika 49:65, 1962.

    Examples
    --------
    >>> from medlearn import metrics
    >>> few, many = (
    ...     metrics.power_of_difference(patients, gain=0.1, disagreement=0.2)
    ...     for patients in (20, 200)
    ... )
    >>> few < 0.4 < 0.8 < many
    True
    """
    patients = _checks.whole_number("patients", patients, 2)
    images = _checks.whole_number("images_per_patient", images_per_patient, 1)
    studies = _checks.whole_number("studies", studies, 1)
    _checks.level(level)
    _check_plan(gain, disagreement, correlation)
    outcomes = np.array([(disagreement + gain) / 2, (disagreement - gain) / 2, 1 - disagreement])
    generator = np.random.default_rng(seed)
    at_once = max(1, _STUDIES_AT_ONCE // patients)
    significant = 0
    for start in range(0, studies, at_once):
        size = min(at_once, studies - start), patients
        differences = _differences(generator, outcomes, correlation, images, size)
        significant += int(_is_above_zero(differences, level).sum())
    return significant / studies


def _check_plan(gain: float, disagreement: float, correlation: float) -> None:
    if not 0 < gain <= disagreement <= 1:
        raise ValueError(
            f"gain {gain!r} and disagreement {disagreement!r}: models whose accuracies differ by "
            "a gain disagree on at least that share of the images, so 0 < gain <= disagreement <= 1"
        )
    if not 0 <= correlation < 1:
        raise ValueError(
            f"correlation is at least 0 and below 1, not {correlation!r}; one that was estimated "
            "below 0 is taken for 0."
        )


def _differences(
    generator: np.random.Generator,
    outcomes: np.ndarray,
    correlation: float,
    images: int,
    size: tuple[int, int],
) -> np.ndarray:
    """Each patient's mean difference (studies, patients), from outcomes (only a, only b, same)."""
    probabilities = np.broadcast_to(outcomes, (*size, 3))
    if correlation > 0 and images > 1:
        gammas = generator.standard_gamma(outcomes * (1 - correlation) / correlation, (*size, 3))
        gammas = np.maximum(gammas, np.finfo(float).tiny)
        probabilities = gammas / gammas.sum(axis=-1, keepdims=True)
    counts = generator.multinomial(images, probabilities)
    return (counts[..., 0] - counts[..., 1]) / images


def _is_above_zero(differences: np.ndarray, level: float) -> np.ndarray:
    """For each study, whether the interval of `_limits.of_difference` lies above zero."""
    patients = differences.shape[1]
    t = special.stdtrit(patients - 1, (1 + level) / 2)
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(patients)
    unseen = t**2 / (patients + t**2) * (means + 1)  # where all patients agree
    return means > np.where(errors > 0, t * errors, unseen)
