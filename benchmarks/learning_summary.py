"""Means over the draws of results/learning.csv, with intervals over patients, and fine-tuning against its rivals.

python benchmarks/learning_summary.py      # writes results/learning_summary.csv
"""

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd
from learning import SETS, sides
from transfer import cells
from transfer_summary import columns, over_seeds

from medlearn import metrics

BEST = "fine-tuned"


def summarise() -> pd.DataFrame:
    """Macro-F1, mean of the draws, with its lowest and highest draw; intervals resample the test patients."""
    rows = []
    for (data, labels), block in table.read("learning", ("predictions",)).groupby(
        ["data", "labels"], sort=False
    ):
        here = cells(SETS[data]).take(sides(data)[1])
        told = {
            method: np.array(
                [list(map(int, text)) for text in draws.sort_values("draw").predictions]
            ).T
            for method, draws in block.groupby("method", sort=False)
        }
        for method, predictions in told.items():
            scores = block[block.method == method].macro_f1
            given = over_seeds(metrics.macro_f1), here.labels
            rows.append(
                {
                    "data": data,
                    "labels": labels,
                    "method": method,
                    "draws": len(scores),
                    "lowest": scores.min(),
                    "highest": scores.max(),
                    **columns("macro_f1", metrics.interval(*given, predictions, here.patients)),
                    **columns(
                        "fine_tuned_minus_this",
                        metrics.paired_difference(*given, told[BEST], predictions, here.patients),
                    ),
                    "cpu_seconds": block[block.method == method].cpu_seconds.mean().round(1),
                }
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    summary = summarise()
    summary.to_csv(table.path("learning_summary"), index=False)
    print(summary.to_string(index=False))
