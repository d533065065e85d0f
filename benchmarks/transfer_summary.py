"""How do the recipes of transfer.py compare, over seeds and with intervals over patients?

    python benchmarks/transfer_summary.py

A few CPU-seconds; results/transfer.csv becomes results/transfer_summary.csv.

Scores are means over seeds. `ours_minus_this` is macro-F1 of staged fine-tuning minus that of the
row, on the same draws of patients, and of the seeds that both have.
"""

from common import table  # first: it sets the threads
from common import bootstrap, cells
from common.choices import digits
import pandas as pd

from medlearn import metrics

OURS = "staged fine-tuning"


def _lines(data: str, labels_per_class: str, rows: pd.DataFrame) -> list[dict]:
    """A line for each method."""
    dataset = cells.load(data)
    seeds = rows.seed.unique()
    labels = dict.fromkeys(seeds, dataset.labels)
    patients = bootstrap.Patients(dict.fromkeys(seeds, dataset.patients))
    predictions = {
        method: dict(zip(runs.seed, map(digits, runs.predictions)))
        for method, runs in rows.groupby("method", sort=False)
    }
    lines = []
    for method, runs in rows.groupby("method", sort=False):
        own = predictions[method]
        accuracy = patients.score(metrics.accuracy, labels, own)
        macro_f1 = patients.score(metrics.macro_f1, labels, own)
        staged = predictions.get(OURS, {})
        ahead = _ours_minus_this(patients, labels, staged, own)
        lines.append(
            {
                "data": data,
                "labels": labels_per_class,
                "method": method,
                "seeds": len(runs),
                **accuracy.columns("accuracy"),
                **macro_f1.columns("macro_f1"),
                **ahead,
                "trainable": runs.trainable.iloc[0],
                "cpu_seconds": runs.cpu_seconds.mean().round(1),
            }
        )
    return lines


def _ours_minus_this(patients: bootstrap.Patients, labels: dict, staged: dict, own: dict) -> dict:
    seeds = bootstrap.common_seeds(staged, own)
    if not seeds:
        return {}
    first, second = (
        patients.score(metrics.macro_f1, labels, {seed: predictions[seed] for seed in seeds})
        for predictions in (staged, own)
    )
    return bootstrap.difference(first, second).columns("ours_minus_this")


if __name__ == "__main__":
    measured = table.read("transfer", ("labels", "predictions"))
    lines = []
    for (data, labels_per_class), rows in measured.groupby(["data", "labels"], sort=False):
        lines += _lines(data, labels_per_class, rows)
    table.write("transfer_summary", lines)
