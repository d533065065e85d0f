"""How do the ways of foundation.py compare, over seeds and with intervals over patients?

    python benchmarks/foundation_summary.py

A few CPU-seconds; results/foundation.csv becomes results/foundation_summary.csv.

Scores are means over seeds; intervals resample seeds and the test patients. `minus_probe` is the
macro-F1 of the row minus that of the probe on the same network, and `minus_lite0` minus that of the
probe on Lite0, each on the same draws and the seeds that both have.
"""

from common import table  # first: it sets the threads
from common import bootstrap, tuned
from common.choices import digits
import numpy as np
import pandas as pd

from medlearn import metrics

PROBE_OF = {network: name for name, network in tuned.PROBES.items()}


def _own_probe(method: str) -> str:
    if method in tuned.PROBES:
        return method
    return PROBE_OF[tuned.METHODS[method].network]


def _cells(data: str, seeds: list[int], where: str) -> tuple[dict, dict]:
    """Labels and patients of the scored cells, by seed."""
    cells = tuned.load(data, where)
    rows = {seed: np.arange(len(cells)) for seed in seeds}
    if where == "lab-a":
        rows = {seed: tuned.home_patients(data, seed)[1] for seed in seeds}
    labels = {seed: cells.labels[chosen] for seed, chosen in rows.items()}
    return labels, {seed: cells.patients[chosen] for seed, chosen in rows.items()}


def _scored(data: str, rows: pd.DataFrame, where: str, column: str) -> dict:
    """A function of (method, seeds) -> scores, and the seeds of each method, at one laboratory."""
    seeds = sorted(rows.seed.unique().tolist())
    labels, ids = _cells(data, seeds, where)
    patients = bootstrap.Patients(ids)
    predictions = {
        method: dict(zip(runs.seed, map(digits, runs[column])))
        for method, runs in rows.groupby("method", sort=False)
    }

    def score(method: str, chosen: list[int]) -> bootstrap.Scores:
        own = {seed: predictions[method][seed] for seed in chosen}
        return patients.score(metrics.macro_f1, labels, own)

    return {"score": score, "seeds": {name: list(own) for name, own in predictions.items()}}


def _columns(scored: dict, method: str, end: str) -> dict:
    """The score of a method, and its differences from two probes, as columns."""
    score, seeds = scored["score"], scored["seeds"]
    columns = score(method, seeds[method]).columns(f"macro_f1{end}")
    for name, rival in (("minus_probe", _own_probe(method)), ("minus_lite0", "probe Lite0")):
        both = bootstrap.common_seeds(seeds[method], seeds.get(rival, []))
        if both and rival != method:
            difference = bootstrap.difference(score(method, both), score(rival, both))
            columns |= difference.columns(f"{name}{end}")
    return columns


def _lines(data: str, labels_per_class: str, rows: pd.DataFrame) -> list[dict]:
    """A line for each method."""
    home = _scored(data, rows, "lab-a", "predictions")
    away = _scored(data, rows, "lab-b", "predictions_away")
    return [
        {
            "data": data,
            "labels": labels_per_class,
            "method": method,
            "seeds": len(runs),
            **_columns(home, method, ""),
            **_columns(away, method, "_away"),
            "trainable": runs.trainable.iloc[0],
            "steps": int(runs.steps.max()),
            "cpu_seconds": runs.cpu_seconds.mean().round(1),
        }
        for method, runs in rows.groupby("method", sort=False)
    ]


if __name__ == "__main__":
    text = ("labels", "predictions", "predictions_away")
    measured = table.read("foundation", text)
    measured["trainable"] = measured.trainable.astype(int)
    lines = []
    for (data, labels_per_class), rows in measured.groupby(["data", "labels"], sort=False):
        lines += _lines(data, labels_per_class, rows)
    table.write("foundation_summary", lines)
