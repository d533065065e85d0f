"""What did adversarial.py show, over seeds and with intervals over patients?

    python benchmarks/adversarial_summary.py

A CPU-second; results/adversarial.csv becomes results/adversarial_summary.csv.

`minus_source_only` and `minus_fine_tuned` are differences of the accuracy on the same patients with
the same seed. Intervals resample patients within seeds, and seeds. `verdict` says what the interval
of `minus_fine_tuned` shows: "worse" or "better" where it does not contain zero, else "not shown".
"""

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd

REPEATS = 2000
BASES = {"source_only": "source only", "fine_tuned": "fine-tuned on the source"}


def _counts(rows: pd.DataFrame) -> dict[int, np.ndarray]:
    """Right and all predictions of each patient (patients, 2), by seed."""
    return {
        row.seed: np.array([pair.split("/") for pair in row.by_patient.split()], int)
        for row in rows.itertuples()
    }


def _resampled(by_seed: dict[int, np.ndarray], draws: dict) -> np.ndarray:
    """The mean accuracy over the seeds of each draw (REPEATS,)."""
    means = []
    for seeds, patients in draws:
        counts = [by_seed[seed][patients[index]] for index, seed in enumerate(seeds)]
        means.append(np.mean([part[:, 0].sum() / part[:, 1].sum() for part in counts]))
    return np.array(means)


def _draws(by_seed: dict[int, np.ndarray]) -> list:
    """Seeds, and patients of each; the same for all methods, so that differences are paired."""
    random = np.random.default_rng(0)
    draws = []
    for _ in range(REPEATS):
        seeds = random.choice(sorted(by_seed), len(by_seed))
        draws.append(
            (seeds, [random.integers(len(by_seed[s]), size=len(by_seed[s])) for s in seeds])
        )
    return draws


def _text(value: float, resamples: np.ndarray) -> str:
    low, high = np.percentile(resamples, [2.5, 97.5])
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _verdict(difference: np.ndarray) -> str:
    low, high = np.percentile(difference, [2.5, 97.5])
    return "worse" if high < 0 else "better" if low > 0 else "not shown"


def summarise(rows: pd.DataFrame) -> list[dict]:
    """Return a line for each pair, treatment of the images, and method.

    Parameters
    ----------
    rows : pandas.DataFrame
        Those of results/adversarial.csv.
    """
    lines = []
    for (pair, images), part in rows.groupby(["pair", "images"], sort=False):
        counts = {name: _counts(own) for name, own in part.groupby("method", sort=False)}
        shared = set.intersection(*(set(by_seed) for by_seed in counts.values()))
        counts = {
            name: {seed: by_seed[seed] for seed in shared} for name, by_seed in counts.items()
        }
        lines += _of_pair(pair, images, part[part.seed.isin(shared)], counts)
    return lines


def _of_pair(pair: str, images: str, rows: pd.DataFrame, counts: dict) -> list[dict]:
    draws = _draws(next(iter(counts.values())))
    resamples = {name: _resampled(by_seed, draws) for name, by_seed in counts.items()}
    means = rows.groupby("method")[
        ["accuracy", "home_accuracy", "domain_auroc", "cpu_seconds"]
    ].mean()
    lines = []
    for name, by_seed in counts.items():
        line = {"pair": pair, "images": images, "method": name, "seeds": len(by_seed)}
        line["accuracy"] = _text(means.accuracy[name], resamples[name])
        for column, base in BASES.items():
            value = means.accuracy[name] - means.accuracy[base]
            difference = _text(value, resamples[name] - resamples[base])
            line[f"minus_{column}"] = "" if name == base else difference
        base = BASES["fine_tuned"]
        verdict = _verdict(resamples[name] - resamples[base])
        line["verdict"] = "" if name == base else verdict
        line["home_accuracy"] = round(means.home_accuracy[name], 2)
        line["domain_auroc"] = round(means.domain_auroc[name], 2)
        line["cpu_seconds"] = round(means.cpu_seconds[name])
        lines.append(line)
    return lines


if __name__ == "__main__":
    table.write("adversarial_summary", summarise(table.read("adversarial")))
