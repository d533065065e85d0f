"""How sure and how quick are duels, by the size of the true difference?

    python benchmarks/duels_summary.py

A few CPU-seconds; results/duels.csv becomes results/duels_summary.csv.

A line is a half of the pairs and a range of true differences in accuracy, either way. Shares are
means over the adapted models of a pair, then over pairs; the interval of `within_40` (95 %) draws
pairs. `median_labels` is over all duels, and empty if half of them or more stayed undecided.
"bound" is what no test with the same error can exceed. `gain` is the mean if every adapted model
were taken without a label, `chosen` if those were taken that a duel called better.
"""

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd

RANGES = {
    "all": (0, 1),
    "below 2 points": (0, 0.02),
    "2 to 5 points": (0.02, 0.05),
    "5 to 10 points": (0.05, 0.1),
    "10 to 15 points": (0.1, 0.15),
    "10 points or more": (0.1, 1),
}
DESIGNS = {"duel": "duel", "patient": "duel by patient", "random": "labels at random"}
GAINS = ("gain", "chosen", "trained_15", "trained_40")
MOST, UNDECIDED_LABELS = 40, 99
DRAWS = 2000


def lines(rows: pd.DataFrame) -> list[dict]:
    """Return the lines of one half and one range.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of results/duels.csv.
    """
    first = {"pairs": rows.pair.nunique(), "models": len(rows)}
    gains = {name: _over_pairs(rows, name).mean() for name in GAINS}
    results = []
    for design, name in DESIGNS.items():
        within = _over_pairs(rows, f"{design}_40")
        low, high = _interval(within)
        line = first | {
            "design": name,
            "wrong": _over_pairs(rows, f"{design}_wrong").mean(),
            "median_labels": _median(rows.duel_labels) if design == "duel" else None,
            "within_15": _over_pairs(rows, f"{design}_15").mean(),
            "within_40": within.mean(),
            "within_40_low": low,
            "within_40_high": high,
        }
        results.append(line | (gains if design == "duel" else {}))
    bound = {
        "design": "bound",
        "median_labels": _decided(rows.bound_median),
        "within_15": _over_pairs(rows, "bound_15").mean(),
        "within_40": _over_pairs(rows, "bound_40").mean(),
    }
    return [*results, first | bound]


def _over_pairs(rows: pd.DataFrame, column: str) -> np.ndarray:
    """The mean over the models of each pair."""
    return rows.groupby("pair")[column].mean().to_numpy()


def _interval(values: np.ndarray) -> tuple[float, float]:
    """A bootstrap over pairs."""
    draws = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return float(low), float(high)


def _median(texts: pd.Series) -> float | None:
    return _decided(np.concatenate([np.array(text.split(), int) for text in texts]))


def _decided(labels: np.ndarray | pd.Series) -> float | None:
    median = float(np.median(labels))
    return median if median <= MOST else None


if __name__ == "__main__":
    table_of_duels = table.read("duels")
    summary = []
    for half in ("development", "test"):
        for name, (low, high) in RANGES.items():
            size = table_of_duels.gain.abs().round(6)
            rows = table_of_duels[(table_of_duels.half == half) & (size >= low) & (size < high)]
            if len(rows):
                summary += [{"half": half, "difference": name, **line} for line in lines(rows)]
    table.write("duels_summary", summary)
