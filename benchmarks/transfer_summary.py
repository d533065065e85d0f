"""How do the recipes of transfer.py compare, over seeds and with intervals over patients?

    python benchmarks/transfer_summary.py

A few CPU-seconds; results/transfer.csv becomes results/transfer_summary.csv.

Scores are means over the seeds that all methods with this number of labels have. `minus_probe` is
macro-F1 of the row minus that of the tuned probe on the same labelled and the same test images.
"""

from common import table  # first: it sets the threads
from common import bootstrap, cells
from common.choices import digits
import pandas as pd

from medlearn import metrics

REFERENCE = "tuned probe"


def _lines(data: str, labels_per_class: str, rows: pd.DataFrame) -> list[dict]:
    """A line for each method."""
    dataset = cells.load(data)
    predictions = {
        method: dict(zip(runs.seed, map(digits, runs.predictions)))
        for method, runs in rows.groupby("method", sort=False)
    }
    seeds = bootstrap.common_seeds(*predictions.values())
    if not seeds or REFERENCE not in predictions:
        return []
    tests = {seed: cells.halves(data, seed)[1] for seed in seeds}
    labels = {seed: dataset.labels[test] for seed, test in tests.items()}
    patients = bootstrap.Patients({s: dataset.patients[test] for s, test in tests.items()})

    def score(metric, method):
        own = {seed: predictions[method][seed] for seed in seeds}
        return patients.score(metric, labels, own)

    probe = score(metrics.macro_f1, REFERENCE)
    lines = []
    for method, runs in rows[rows.seed.isin(seeds)].groupby("method", sort=False):
        macro_f1 = score(metrics.macro_f1, method)
        lines.append(
            {
                "data": data,
                "labels": labels_per_class,
                "method": method,
                "seeds": len(seeds),
                **score(metrics.accuracy, method).columns("accuracy"),
                **macro_f1.columns("macro_f1"),
                **bootstrap.difference(macro_f1, probe).columns("minus_probe"),
                "trainable": runs.trainable.iloc[0],
                "cpu_seconds": runs.cpu_seconds.mean().round(1),
            }
        )
    return lines


if __name__ == "__main__":
    measured = table.read("transfer", ("labels", "predictions"))
    lines = []
    for (data, labels_per_class), rows in measured.groupby(["data", "labels"], sort=False):
        lines += _lines(data, labels_per_class, rows)
    table.write("transfer_summary", lines)
