"""How do the methods of pretraining.py compare, over seeds and with intervals over patients?

    python benchmarks/pretraining_summary.py

Half a CPU-minute; results/pretraining.csv becomes results/pretraining_summary.csv.

A line is a data set, a number of labels per class, a place and a method: macro-F1 as mean over
seeds, and its difference to the frozen encoder and to training on random looks, on the same draws
of seeds and patients, of the seeds that both have.
"""

from common import table  # first: it sets the threads
from common import bootstrap, unlabelled
from common.choices import digits
import numpy as np
import pandas as pd

from medlearn import metrics

PLACES = ("home", "other", "other_standardised")
RIVALS = {"frozen": "minus_frozen", "random looks": "minus_random_looks"}
Truth = tuple[np.ndarray, np.ndarray]  # labels and patients of the scored images


def _truths(data: str, seed: int) -> dict[str, Truth]:
    """Labels and patients of each place."""
    cells = unlabelled.load(data, seed)
    home, other = cells.home.take(cells.test), cells.other.take(cells.other_test)
    next_door = other.labels, other.patients
    return {"home": (home.labels, home.patients), "other": next_door, PLACES[2]: next_door}


class _Place:
    """All methods at one place, with one number of labels, scored on the same draws."""

    def __init__(self, place: str, rows: pd.DataFrame, truths: dict[int, Truth]):
        self.labels = {seed: labels for seed, (labels, _) in truths.items()}
        self.draws = bootstrap.Patients({seed: ids for seed, (_, ids) in truths.items()})
        self.predictions: dict[str, dict] = {}
        for method, runs in rows.groupby("method", sort=False):
            own = map(digits, runs[f"{place}_predictions"])
            self.predictions[method] = dict(zip(runs.seed, own))

    def score(self, method: str, seeds: list[int]) -> bootstrap.Scores:
        own = {seed: self.predictions[method][seed] for seed in seeds}
        return self.draws.score(metrics.macro_f1, self.labels, own)

    def columns(self, method: str) -> dict[str, float]:
        own = self.predictions[method]
        columns = self.score(method, list(own)).columns("macro_f1")
        for rival, name in RIVALS.items():
            seeds = bootstrap.common_seeds(own, self.predictions.get(rival, {}))
            if seeds and method != rival:
                gap = bootstrap.difference(self.score(method, seeds), self.score(rival, seeds))
                columns |= gap.columns(name)
        return columns


def _lines(data: str, labels_per_class: int, rows: pd.DataFrame, truths: dict) -> list[dict]:
    """A line for each place and method."""
    lines = []
    for place in PLACES:
        scores = _Place(place, rows, {seed: truths[seed][place] for seed in rows.seed.unique()})
        for method, runs in rows.groupby("method", sort=False):
            key = {"data": data, "labels": labels_per_class, "place": place, "method": method}
            cost = {"steps": runs.steps.mean().round(), "cpu_seconds": runs.cpu_seconds.mean()}
            lines.append(key | {"seeds": len(runs)} | scores.columns(method) | cost)
    return lines


if __name__ == "__main__":
    measured = table.read("pretraining", [f"{place}_predictions" for place in PLACES])
    lines = []
    for data, of_data in measured.groupby("data", sort=False):
        truths = {seed: _truths(data, seed) for seed in of_data.seed.unique()}
        for labels_per_class, rows in of_data.groupby("labels", sort=False):
            lines += _lines(data, labels_per_class, rows, truths)
    table.write("pretraining_summary", lines)
