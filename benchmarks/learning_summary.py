"""How do the three ways of learning.py compare at each number of labels?

    python benchmarks/learning_summary.py

A quarter of a CPU-minute; results/learning.csv becomes results/learning_summary.csv.

Macro-F1 is the mean of the draws, with its lowest and highest draw; intervals resample the test
patients. `fine_tuned_minus_this` is fine-tuning minus the row, on the same draws of patients.
"""

from common import table  # first: it sets the threads
from common import bootstrap, cells
from common.choices import digits
import pandas as pd

from medlearn import metrics

BEST = "fine-tuned"


def _lines(data: str, labels_per_class: int, rows: pd.DataFrame) -> list[dict]:
    """A line for each method."""
    name = cells.LEARNING_SETS[data]
    dataset = cells.load(name).take(cells.train_and_test(name)[1])
    draws = rows.draw.unique()
    labels = dict.fromkeys(draws, dataset.labels)
    patients = bootstrap.Patients(dict.fromkeys(draws, dataset.patients))
    runs_of = dict(iter(rows.groupby("method", sort=False)))
    scores = {}
    for method, runs in runs_of.items():
        predictions = dict(zip(runs.draw, map(digits, runs.predictions)))
        scores[method] = patients.score(metrics.macro_f1, labels, predictions)
    return [
        {
            "data": data,
            "labels": labels_per_class,
            "method": method,
            "draws": len(runs),
            "lowest": runs.macro_f1.min(),
            "highest": runs.macro_f1.max(),
            **scores[method].columns("macro_f1"),
            **bootstrap.difference(scores[BEST], scores[method]).columns("fine_tuned_minus_this"),
            "cpu_seconds": runs.cpu_seconds.mean().round(1),
        }
        for method, runs in runs_of.items()
    ]


if __name__ == "__main__":
    measured = table.read("learning", ("predictions",))
    lines = []
    for (data, labels_per_class), rows in measured.groupby(["data", "labels"], sort=False):
        lines += _lines(data, labels_per_class, rows)
    table.write("learning_summary", lines)
