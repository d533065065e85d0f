"""How do the recipes of transfer.py compare, over seeds and with intervals over patients?

    python benchmarks/transfer_summary.py

A few CPU-seconds; results/transfer.csv becomes results/transfer_summary.csv.

Scores are means over the seeds of the method; a line of fewer seeds than its neighbours says so.
`minus_probe` is macro-F1 of the row minus that of the tuned probe on the same labelled images.
"""

from common import table  # first: it sets the threads
from common import bootstrap, cells
from common.choices import digits
import pandas as pd

from medlearn import metrics

REFERENCE = "tuned probe"


def _lines(data: str, labels_per_class: str, rows: pd.DataFrame) -> list[dict]:
    """A line for each method that has all seeds of the tuned probe."""
    dataset = cells.load(data)
    by_method = {
        method: dict(zip(runs.seed, map(digits, runs.predictions)))
        for method, runs in rows.groupby("method", sort=False)
    }
    lines = []
    for method, predictions in by_method.items():
        seeds = bootstrap.common_seeds(predictions, by_method[REFERENCE])
        tests = {seed: cells.halves(data, seed)[1] for seed in seeds}
        patients = bootstrap.Patients({s: dataset.patients[test] for s, test in tests.items()})
        labels = {seed: dataset.labels[test] for seed, test in tests.items()}
        own, probe = (
            {seed: values[seed] for seed in seeds} for values in (predictions, by_method[REFERENCE])
        )
        macro_f1 = patients.score(metrics.macro_f1, labels, own)
        behind = patients.score(metrics.macro_f1, labels, probe)
        runs = rows[(rows.method == method) & rows.seed.isin(seeds)]
        lines.append(
            {
                "data": data,
                "labels": labels_per_class,
                "method": method,
                "seeds": len(seeds),
                **patients.score(metrics.accuracy, labels, own).columns("accuracy"),
                **macro_f1.columns("macro_f1"),
                **bootstrap.difference(macro_f1, behind).columns("minus_probe"),
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
