"""What did challenge.py show, over sealed laboratories and with intervals?

    python benchmarks/challenge_summary.py

A CPU-second; results/challenge.csv becomes results/challenge_summary.csv.

A row is a choice: source only, the course's committed choice, the best of its candidates (picked
with the labels open: a ceiling, no method) and the oracle. Intervals of scores and gains resample
laboratories, as `challenge.report` does; that of the share of harm is Clopper and Pearson's. Harm
is a score more than two points below source only.
"""

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd

from common import arena_choices
from medlearn import metrics
from medlearn.teaching import challenge

CHOICES = ("source_only", "course", "best_candidate", "oracle")


def summarise(rows: pd.DataFrame) -> list[dict]:
    """Return a line for each choice.

    Parameters
    ----------
    rows : pandas.DataFrame
        Those of results/challenge.csv.
    """
    return [_line(rows, choice) for choice in CHOICES]


def _line(rows: pd.DataFrame, choice: str) -> dict:
    names, count = np.arange(len(rows)), len(rows)
    score = metrics.mean_score(rows[choice], names)
    gain = metrics.mean_difference(rows[choice], rows.source_only, names)
    if choice == "source_only":
        gain = metrics.Interval(0.0, 0.0, 0.0)  # minus itself
    harm = int((rows[choice] < rows.source_only - challenge.HARM).sum())
    low, high = arena_choices.clopper_pearson(harm, count)
    return {
        "choice": choice.replace("_", " "),
        "laboratories": count,
        **dict(zip(("score", "score_low", "score_high"), score)),
        **dict(zip(("gain", "gain_low", "gain_high"), gain)),
        "regret": (rows.best_candidate - rows[choice]).mean(),
        "harm": harm,
        "harm_share": harm / count,
        "harm_low": low,
        "harm_high": high,
    }


if __name__ == "__main__":
    table.write("challenge_summary", summarise(table.read("challenge")))
