"""Means over the seeds of results/transfer.csv, with intervals over patients, and ours against every other method.

python benchmarks/transfer_summary.py      # writes results/transfer_summary.csv
"""

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd
from transfer import cells

from medlearn import metrics

OURS = "staged fine-tuning"


def summarise() -> pd.DataFrame:
    """Means over seeds, with intervals over patients of that mean and of ours minus it on the same resamples."""
    rows = []
    for (data, labels), block in table.read("transfer", ("labels", "predictions")).groupby(
        ["data", "labels"], sort=False
    ):
        told = {
            method: np.array([list(map(int, text)) for text in seeds.predictions]).T
            for method, seeds in block.groupby("method", sort=False)
        }
        for method, predictions in told.items():
            here = block[block.method == method]
            scores = {}
            for name, metric in (("accuracy", metrics.accuracy), ("macro_f1", metrics.macro_f1)):
                scores |= columns(
                    name,
                    metrics.interval(
                        over_seeds(metric), cells(data).labels, predictions, cells(data).patients
                    ),
                )
            if len(told.get(OURS, ())) and told[OURS].shape == predictions.shape:
                scores |= columns(
                    "ours_minus_this",
                    metrics.paired_difference(
                        over_seeds(metrics.macro_f1),
                        cells(data).labels,
                        told[OURS],
                        predictions,
                        cells(data).patients,
                    ),
                )
            rows.append(
                {
                    "data": data,
                    "labels": labels,
                    "method": method,
                    "seeds": len(here),
                    **scores,
                    "trainable": here.trainable.iloc[0],
                    "cpu_seconds": here.cpu_seconds.mean().round(1),
                }
            )
    return pd.DataFrame(rows)


def over_seeds(metric):
    """A metric of predictions (N, seeds): the mean of its values."""
    return lambda labels, predictions: float(
        np.mean([metric(labels, each) for each in predictions.T])
    )


def columns(name: str, interval) -> dict[str, float]:
    return {
        name: round(interval.value, 4),
        f"{name}_low": round(interval.low, 4),
        f"{name}_high": round(interval.high, 4),
    }


if __name__ == "__main__":
    summary = summarise()
    summary.to_csv(table.path("transfer_summary"), index=False)
    print(summary.to_string(index=False))
