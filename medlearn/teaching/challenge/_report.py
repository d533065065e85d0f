"""A mean over many sealed laboratories, for those who report what a method of theirs does."""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from medlearn import _checks, metrics
from medlearn.teaching import envelope
from medlearn.teaching.challenge._hospitals import Hospital, Truth, draw
from medlearn.teaching.challenge._lines import ORACLE, SOURCE_ONLY, course_lines
from medlearn.teaching.challenge._marking import HARM, SCORES, value
from medlearn.teaching.challenge._seal import new_seed

Method = Callable[[Hospital], np.ndarray]
_FEW = 10  # laboratories


class Laboratory(NamedTuple):
    """A hospital and its labels in an envelope."""

    hospital: Hospital
    sealed: envelope.Envelope


@dataclass(frozen=True, eq=False)
class Report:
    """What a method scored over sealed laboratories.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each laboratory: score of the method, of source only, of the course's choice, of
        its best candidate and of the oracle; gain, regret, and whether there was harm.
    score : Interval
        Mean score; the interval resamples laboratories.
    gain : Interval
        Mean of the score minus that of source only.
    regret : float
        Mean distance to the best candidate, which is known only afterwards.
    harm : int
        In how many laboratories the method scored more than .02 below source only.
    task : str
        The task.
    seed : str
        Of which the laboratories were drawn: publish it, so that others can repeat the report.
    is_fresh : bool
        Whether it was drawn for this report. Only then nobody can have tuned to it.
    """

    table: pd.DataFrame
    score: metrics.Interval
    gain: metrics.Interval
    regret: float
    harm: int
    task: str
    seed: str
    is_fresh: bool

    def __str__(self) -> str:
        count = len(self.table)
        freshness = "fresh" if self.is_fresh else "known"
        return (
            f"{count} {freshness} laboratories, {SCORES[self.task]}: {self.score}\n"
            f"minus source only: {self.gain}; regret {self.regret:.2f}; harm in {self.harm} of "
            f"{count}\nseed {self.seed}"
        )


def laboratories(
    count: int = 20, task: str = "kinds", seed: str | None = None
) -> Iterator[Laboratory]:
    """Yield hospitals that nobody has seen, each with its labels in an `Envelope`.

    Parameters
    ----------
    count : int
        How many.
    task : {"kinds", "outlines"}
        What is to be predicted.
    seed : str, optional
        To repeat a report. Without it, the laboratories are drawn anew.

    Yields
    ------
    Laboratory
        With `hospital` and `sealed`.
    """
    for hospital, truth in _drawn(count, task, seed or new_seed()):
        yield Laboratory(hospital, envelope.Envelope(truth.labels))


def report(
    method: Method, count: int = 20, *, task: str = "kinds", seed: str | None = None
) -> Report:
    """Return what a method scores, on average, at laboratories that are drawn after it was fixed.

    Nobody can have tuned to laboratories that did not exist. The method gets a `Hospital`, which
    holds no label of the new hospital. This guards against mistakes and temptation; in one process
    nothing guards against fraud. Each report is one look: say how many you took.

    Parameters
    ----------
    method : callable
        A function of a `Hospital` that returns class indices (M,), or masks (M, H, W).
    count : int
        How many laboratories, at least 2; about ten seconds for each. Fewer than ten raise a
        warning, because the intervals are then a rough guess.
    task : {"kinds", "outlines"}
        What is to be predicted.
    seed : str, optional
        That of an earlier report, to repeat it.

    Returns
    -------
    Report
        Means with intervals, and a row for each laboratory.

    Raises
    ------
    ValueError
        If the method returns something of another shape, or classes that do not exist.
    """
    count = _checks.whole_number("count", count, 2)
    secret = seed or new_seed()
    rows = [_row(method, hospital, truth) for hospital, truth in _drawn(count, task, secret)]
    table = pd.DataFrame(rows)
    if count < _FEW:
        warnings.warn(
            f"This report rests on {count} laboratories: with fewer than {_FEW}, its intervals are "
            "a rough guess.",
            stacklevel=2,
        )
    return Report(
        table=table,
        score=_over_laboratories(metrics.mean_score, table.score),
        gain=_over_laboratories(metrics.mean_difference, table.score, table.source_only),
        regret=float(table.regret.mean()),
        harm=int(table.harm.sum()),
        task=task,
        seed=secret,
        is_fresh=seed is None,
    )


def _over_laboratories(
    mean: Callable[..., metrics.Interval], *scores: pd.Series
) -> metrics.Interval:
    """Return a mean of scores whose interval resamples laboratories, where others do patients."""
    number = len(scores[0])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This score rests on")  # says patients
        value = mean(*scores, np.arange(number))
    return metrics.Interval(*value, rests_on=f"{number} laboratories")


def seed_of(seed: str, number: int) -> str:
    """Return the seed of one laboratory of a report, for `draw`.

    Parameters
    ----------
    seed : str
        That of the report.
    number : int
        Of the laboratory, from 0.

    Examples
    --------
    >>> len(seed_of("a report", 0))
    64
    """
    return hashlib.sha256(f"{seed} laboratory {number}".encode()).hexdigest()


def _drawn(count: int, task: str, seed: str) -> Iterator[tuple[Hospital, Truth]]:
    for number in range(count):
        yield draw(task, seed_of(seed, number))


def _row(method: Method, hospital: Hospital, truth: Truth) -> dict[str, float | str | bool]:
    predictions = _checked(method(hospital), hospital, truth)
    lines = course_lines(hospital, truth)
    line_scores = {name: value(hospital.task, truth, lines.of(name)) for name in lines.names}
    source_only = line_scores[SOURCE_ONLY]
    score = value(hospital.task, truth, predictions)
    best = max(line_scores[name] for name in lines.candidates)
    return {
        "score": score,
        "source_only": source_only,
        "course": line_scores[lines.course],
        "best_candidate": best,
        "oracle": line_scores[ORACLE],
        "gain": score - source_only,
        "regret": best - score,
        "harm": score < source_only - HARM,
        "course_choice": lines.course,
    }


def _checked(predictions: object, hospital: Hospital, truth: Truth) -> np.ndarray:
    """Predictions of the right shape, with classes that exist."""
    array = np.asarray(predictions)
    shape, classes = truth.labels.shape, len(hospital.classes)
    if array.shape != shape or array.dtype.kind not in "iu":
        raise ValueError(
            f"The method should return whole numbers of shape {shape}, one for each image (or "
            f"pixel) of the new hospital; it returned {array.dtype} of shape {array.shape}."
        )
    if array.min() < 0 or array.max() >= classes:
        raise ValueError(
            f"The method should return class indices from 0 to {classes - 1}; it returned "
            f"{array.min()} to {array.max()}."
        )
    return array
