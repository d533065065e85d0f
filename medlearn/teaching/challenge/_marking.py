"""Scores of the hand-ins beside the course's own lines: interval, gain, regret and harm."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medlearn import metrics
from medlearn.teaching.challenge import _handins
from medlearn.teaching.challenge._hospitals import Truth
from medlearn.teaching.challenge._lines import ORACLE, SOURCE_ONLY
from medlearn.teaching.challenge._seal import Seal

HARM = 0.02  # so far below source only is harm, as in the arena of lesson 18
SCORES = {"kinds": "balanced accuracy", "outlines": "mean Dice of cytoplasm and nucleus"}
_PARTS = (1, 2)  # mask classes that are scored


@dataclass(frozen=True)
class Row:
    """A row of the board.

    Attributes
    ----------
    name : str
        Of a person, or of a line of the course.
    is_line : bool
        Whether it is a line of the course.
    score : Interval
        With its interval over patients of the new hospital.
    gain : Interval
        Score minus that of source only, on the same patients.
    regret : float
        How far the score lies below that of the course's best candidate, which is known only now;
        below zero where it lies above.
    is_harm : bool
        Whether the score lies more than .02 below source only.
    method : str
        One sentence.
    """

    name: str
    is_line: bool
    score: metrics.Interval
    gain: metrics.Interval
    regret: float
    is_harm: bool
    method: str


@dataclass(frozen=True)
class Board:
    """The board of a challenge.

    Attributes
    ----------
    task : str
        The task.
    commitment : str
        Of the envelope.
    rows : tuple of Row
        The highest score first.
    refused : tuple of (str, str)
        Names that were refused, and why.
    """

    task: str
    commitment: str
    rows: tuple[Row, ...]
    refused: tuple[tuple[str, str], ...]


def mark_folder(folder: str | Path, seal: Seal) -> Board:
    """Mark all hand-ins of a folder.

    Parameters
    ----------
    folder : str or Path
        Holds for each person a file of the person's name, or a folder with one hand-in.
    seal : Seal
        What `open_envelope` returned.

    Raises
    ------
    ValueError
        If the folder holds no hand-in.
    """
    handins = _handins.read(Path(folder), seal)
    predictions, methods = {}, {}
    for handin in handins:
        if handin.predictions is not None:
            predictions[handin.name] = handin.predictions
            methods[handin.name] = handin.method
    refused = tuple((handin.name, handin.problem) for handin in handins if handin.problem)
    board = mark(predictions, seal, methods)
    return Board(board.task, board.commitment, board.rows, refused)


def mark(
    predictions: Mapping[str, np.ndarray], seal: Seal, methods: Mapping[str, str] | None = None
) -> Board:
    """Score predictions beside the lines of the course.

    Parameters
    ----------
    predictions : mapping of str to numpy.ndarray
        Class indices (M,) or masks (M, H, W) by name.
    seal : Seal
        The envelope.
    methods : mapping of str to str, optional
        A sentence on each.

    Returns
    -------
    Board
        Rows of the predictions, and of source only, the course's choice, its best candidate and the
        oracle.
    """
    truth, lines = seal.truth, seal.lines
    values = {name: value(seal.task, truth, lines.of(name)) for name in lines.candidates}
    best = max(values, key=lambda name: values[name])
    course_rows = {
        SOURCE_ONLY: (lines.of(SOURCE_ONLY), "the model of home, as it is"),
        f"course: {lines.course}": (lines.of(lines.course), lines.reason),
        f"best candidate: {best}": (lines.of(best), "known only with the labels"),
    }
    if ORACLE in lines.names:
        text = "learned from half of the hospital's labels at a time"
        course_rows[ORACLE] = lines.of(ORACLE), text
    rows = [
        _row(seal, name, line, text, values[best], is_line=True)
        for name, (line, text) in course_rows.items()
    ]
    methods = methods or {}
    for name, answer in predictions.items():
        rows.append(_row(seal, name, answer, methods.get(name, ""), values[best], is_line=False))
    rows.sort(key=lambda row: (-row.score.value, row.name))
    return Board(seal.task, seal.commitment, tuple(rows), ())


def value(task: str, truth: Truth, predictions: np.ndarray) -> float:
    """Return the score of predictions, 0 to 1.

    Parameters
    ----------
    task : {"kinds", "outlines"}
        Balanced accuracy of kinds; of outlines the mean Dice over cells, cytoplasm and nucleus.
    truth : Truth
        The truth.
    predictions : numpy.ndarray, shape (M,) or (M, H, W)
        Class indices or masks.
    """
    if task == "kinds":
        return float(metrics.balanced_accuracy(truth.labels, predictions))
    return float(np.mean(_dice(truth, predictions)))


def _row(
    seal: Seal, name: str, predictions: np.ndarray, method: str, best: float, *, is_line: bool
) -> Row:
    """The row of these predictions; `best` is the score of the course's best candidate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few patients: the interval is there to be seen
        score, gain = _intervals(seal, predictions)
    if name == SOURCE_ONLY and is_line:
        gain = metrics.Interval(0.0, 0.0, 0.0)  # minus itself
    is_harm = gain.value < -HARM
    return Row(name, is_line, score, gain, best - score.value, is_harm, method)


def _intervals(seal: Seal, predictions: np.ndarray) -> Sequence[metrics.Interval]:
    """The score, and the score minus that of source only on the same patients."""
    truth, source = seal.truth, seal.lines.of(SOURCE_ONLY)
    if seal.task == "kinds":
        metric, patients = metrics.balanced_accuracy, truth.patients
        score = metrics.interval(metric, truth.labels, predictions, patients)
        return score, metrics.paired_difference(metric, truth.labels, predictions, source, patients)
    dice, source_dice = _dice(truth, predictions), _dice(truth, source)
    score = metrics.mean_score(dice, truth.patients)
    return score, metrics.mean_difference(dice, source_dice, truth.patients)


def _dice(truth: Truth, masks: np.ndarray) -> np.ndarray:
    """Mean Dice (M,) of the parts that occur; both do in a simulated cell."""
    parts = [metrics.dice(truth.labels, masks, part, empty=1.0) for part in _PARTS]
    return np.mean(parts, axis=0)
