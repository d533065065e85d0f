"""A metric of each subgroup of the patients, and which of them are too few to say anything."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import _resamples
from medlearn.metrics._intervals import _FEW_PATIENTS, Interval, Metric, _rests_on, interval


class SubgroupScore(NamedTuple):
    """The score of one subgroup; as text ".84 [.70, .92], 26 patients" or "too few to say ...".

    Attributes
    ----------
    interval : Interval or None
        The score with its interval; None if too few patients count.
    patients : int
        The number of patients that count: for sensitivity, those with an image of the class.
    images : int
        The number of images of the subgroup.
    rests_on : str
        As in `Interval`, such as "26 patients"; "9 images" where each image has an id of its own.
    """

    interval: Interval | None
    patients: int
    images: int
    rests_on: str

    def __str__(self) -> str:
        if self.interval is None:
            return f"too few to say ({self.rests_on})"
        return f"{self.interval}, {self.rests_on}"


def per_subgroup(
    metric: Metric,
    labels: ArrayLike,
    predictions: ArrayLike,
    patients: ArrayLike,
    subgroups: ArrayLike,
    *,
    fewest: int = _FEW_PATIENTS,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> dict[str, SubgroupScore]:
    """Return a metric of each subgroup with its interval, or that it has too few patients.

    Parameters
    ----------
    metric : callable
        A function of (labels, predictions), as for `interval`.
    labels, predictions, patients : array_like, shape (N,)
        As for `interval`.
    subgroups : array_like, shape (N,)
        The subgroup of each image, such as an age group or a scanner.
    fewest : int
        The number of patients from which a subgroup gets an interval, at least 2.
    level, repeats, seed
        As for `interval`.

    Returns
    -------
    dict of str to SubgroupScore
        By subgroup, in alphabetical order. Nothing is tested: among many subgroups, one looks bad
        by chance.

    Raises
    ------
    ValueError
        As `interval`, and for subgroups that are missing or of another length.

    References
    ----------
    Mitchell et al., Model cards for model reporting, FAT* 2019, section 4.3; Collins et al.,
    TRIPOD+AI statement, BMJ 385:e078378, 2024, items on fairness.

    Examples
    --------
    >>> from medlearn import metrics
    >>> ages = ["adult"] * 20 + ["child"] * 2
    >>> scores = metrics.per_subgroup(metrics.accuracy, [0, 1] * 11, [0, 1] * 11, range(22), ages)
    >>> print(scores["child"])
    too few to say (2 images)
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    patients = _checks.column("patients", patients)
    subgroups = _checks.column("subgroups", subgroups)
    _checks.same_length(
        labels=labels, predictions=predictions, patients=patients, subgroups=subgroups
    )
    fewest = _checks.whole_number("fewest", fewest, 2)
    options = {"level": level, "repeats": repeats, "seed": seed}
    scores = {}
    for name in np.unique(subgroups):
        rows = subgroups == name
        part = labels[rows], predictions[rows], patients[rows]
        scores[str(name)] = _score(metric, part, fewest, options)
    return scores


def _score(metric: Metric, part: tuple, fewest: int, options: dict) -> SubgroupScore:
    labels, predictions, patients = part
    patient = np.unique(patients, return_inverse=True)[1]
    number = _resamples.patients_that_count(metric, labels, predictions, patient)
    images, rests_on = len(labels), _rests_on(patient, number)
    if number < fewest:
        return SubgroupScore(None, number, images, rests_on)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `fewest` is the caller's choice
        return SubgroupScore(interval(metric, *part, **options), number, images, rests_on)
