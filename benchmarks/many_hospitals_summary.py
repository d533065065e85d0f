"""What did many_hospitals.py show, over seeds and with intervals over unseen hospitals?

    python benchmarks/many_hospitals_summary.py

A CPU-second; results/many_hospitals.csv becomes results/many_hospitals_summary.csv.

`minus_pooled` is the difference to pooling at the same unseen hospitals with as many training
hospitals, `minus_one` that to one training hospital. Intervals resample unseen hospitals within
seeds, and seeds.
"""

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd

REPEATS = 2000


def _scores(rows: pd.DataFrame) -> dict[int, np.ndarray]:
    """The scores at the unseen hospitals by seed."""
    return {row.seed: np.array(row.scores.split(), float) for row in rows.itertuples()}


def _interval(by_seed: dict[int, np.ndarray]) -> str:
    """A mean with its 95 % interval over seeds and hospitals."""
    random = np.random.default_rng(0)
    values = list(by_seed.values())
    means = []
    for _ in range(REPEATS):
        resampled = [values[k] for k in random.integers(len(values), size=len(values))]
        means.append(np.mean([random.choice(seed, len(seed)).mean() for seed in resampled]))
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{np.mean(values):.2f} [{low:.2f}, {high:.2f}]"


def _minus(first: dict[int, np.ndarray], second: dict[int, np.ndarray]) -> str:
    seeds = sorted(first.keys() & second.keys())
    return _interval({seed: first[seed] - second[seed] for seed in seeds}) if seeds else ""


def summarise(rows: pd.DataFrame) -> list[dict]:
    """Return a line for each method and number of training hospitals.

    Parameters
    ----------
    rows : pandas.DataFrame
        Those of results/many_hospitals.csv.
    """
    groups = {key: _scores(part) for key, part in rows.groupby(["method", "hospitals"], sort=False)}
    lines = []
    for (method, hospitals), scores in groups.items():
        lines.append(
            {
                "method": method,
                "hospitals": hospitals,
                "seeds": len(scores),
                "balanced_accuracy": _interval(scores),
                "worst": f"{np.mean([seed.min() for seed in scores.values()]):.2f}",
                "minus_pooled": _minus(scores, groups["pooled", hospitals]),
                "minus_one": _minus(scores, groups.get((method, 1), {})),
            }
        )
    return lines


if __name__ == "__main__":
    table.write("many_hospitals_summary", summarise(table.read("many_hospitals")))
