"""Pairs of laboratories, the two halves of a target, and the log of opened target labels."""

import csv
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from common import table
from medlearn import datasets, splits


class Pair(NamedTuple):
    """A data set, two of its domains, and which labels are predicted."""

    data: str
    source: str
    target: str
    task: str  # "classes", or "granules": granulocytes and other cells


PAIRS = {
    "smear": Pair("smear", "lab-a", "lab-b", "classes"),
    "smear stain": Pair("smear", "lab-a", "lab-a-restained", "classes"),
    "brain-mri flair": Pair("brain-mri", "3T-FLAIR", "1.5T-FLAIR", "classes"),
    "wbc a>b": Pair("wbc", "lab-a", "lab-b", "classes"),
    "wbc b>a": Pair("wbc", "lab-b", "lab-a", "classes"),
    "wbc granules a>b": Pair("wbc", "lab-a", "lab-b", "granules"),
    "wbc granules b>a": Pair("wbc", "lab-b", "lab-a", "granules"),
}
GRANULOCYTES = ("neutrophil", "eosinophil", "basophil")
_SIMULATED_SOURCES = ("lab-a", "3T-FLAIR")


@lru_cache(maxsize=4)
def load(data: str, domain: str, seed: int) -> datasets.Dataset:
    """Return one laboratory.

    Parameters
    ----------
    data : {"smear", "brain-mri", "wbc"}
        Name of the data set.
    domain : str
        Name of the laboratory or scanner.
    seed : int
        Seed of a row; simulated patients differ from seed to seed, and between source and target.
    """
    if data == "wbc":
        return _real(data, domain)
    is_target = domain not in _SIMULATED_SOURCES
    return datasets.load(data, domain=domain, count=600, seed=2 * seed + is_target)


@lru_cache(maxsize=2)
def _real(data: str, domain: str) -> datasets.Dataset:
    """A real laboratory: the same object for all seeds, so that its vectors are computed once."""
    return datasets.load(data, domain=domain)


def labels_of(dataset: datasets.Dataset, task: str) -> np.ndarray:
    """Return the labels of a task, int (N,).

    Parameters
    ----------
    dataset : Dataset
        Images with labels.
    task : {"classes", "granules"}
        The labels as they are, or 1 for granulocytes and 0 for other cells.
    """
    return dataset.labels if task == "classes" else has_granules(dataset)[dataset.labels]


def has_granules(dataset: datasets.Dataset) -> np.ndarray:
    """Return for each class of a data set 1 if its cells are granulocytes, else 0."""
    return np.isin(dataset.classes, GRANULOCYTES).astype(np.int64)


def halves(dataset: datasets.Dataset, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return twice (rows to adapt on, rows to predict): each half of the patients once.

    Parameters
    ----------
    dataset : Dataset
        The target; its labels are not looked at.
    seed : int
        Seed of the division.
    """
    first, second = splits.by_patient(dataset.patients, test=0.5, seed=seed)
    return [(first, second), (second, first)]


def opened_labels(
    pair: str, method: str, seed: int, reason: str, target: datasets.Dataset
) -> np.ndarray:
    """Return the target's labels; where they are real, the opening is logged.

    Parameters
    ----------
    pair : str
        Name of the pair in `PAIRS`.
    method : str
        The method that is trained or scored with them.
    seed : int
        Seed of the row.
    reason : str
        What the labels are opened for.
    target : Dataset
        The target.
    """
    if target.name == "wbc":
        log_opening("adaptation", pair, seed, method, reason)
    return labels_of(target, PAIRS[pair].task)


def log_opening(benchmark: str, pair: str, seed: int, method: str, reason: str) -> None:
    """Add a line to labels_opened.csv: real labels of a target are about to be read.

    Parameters
    ----------
    benchmark, pair, method, reason : str
        Who opens them, for which pair and method, and for what.
    seed : int
        Seed of the row.
    """
    log = table.path("labels_opened")
    is_new = not log.exists()
    with open(log, "a", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        if is_new:
            rows.writerow(("date", "benchmark", "pair", "seed", "method", "why"))
        rows.writerow((date.today(), benchmark, pair, seed, method, reason))
