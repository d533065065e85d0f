"""Which choice without masks would have harmed on the nuclei, and how far is the oracle?

    python benchmarks/nuclei_summary.py

A few seconds; results/nuclei.csv becomes results/nuclei_summary.csv. Exploratory, see nuclei.py.

A validator chooses anew for each pair, seed and half of the target; its choice on the half that was
adapted on answers for the other half. The committed choice is by certainty (PROTOCOL.md); the
others stand beside it. Of equal values the first in the table counts, so `source_dice`, which the
image recipes leave as it is, keeps source only. "best candidate" is the one of the highest mean
Dice in a seed, picked with the masks open: no method, only a ceiling. `methods` counts what was
chosen over seeds and halves.

`candidates` is how many candidates the table holds for every seed that counts: where it is below
ten, more rows may still change a choice. Where a seed has all ten and the oracle, only such seeds
count.

`score` is inductive Dice, mean over images and seeds, `transductive` that of the halves that were
adapted on. `gain` is the score minus that of source only, and `harm` is "yes" where it is below
-.02. `share` is the share of the gap between source only and oracle that is closed, left empty
where the gap is under two standard errors or the oracle is missing. Intervals resample seeds and
image groups, which are tiles of one field and not patients; those of a single seed hold the groups
only. All methods are scored on the same draws.
"""

from collections import Counter
from typing import NamedTuple

from common import table  # first: it sets the threads
from common import bootstrap, laboratories, nuclei_pairs
from common.nuclei_pairs import METHODS, PAIRS, VALIDATORS
import numpy as np
import pandas as pd

COMMITTED, HARM = "certainty", 0.02


class Run(NamedTuple):
    """A choice in one seed: Dice of every image (2, N), inductive and transductive, and names."""

    dice: np.ndarray
    methods: tuple[str, ...]


def _lines(pair: str, rows: pd.DataFrame) -> list[dict]:
    """A line for each method and choice of a pair."""
    target = nuclei_pairs.load(PAIRS[pair].target)
    rows = rows[rows.method.isin([*METHODS, "oracle"])]
    counts = rows.groupby("seed").size()
    if rows.empty or "source only" not in set(rows.method):
        return []
    runs: dict[str, dict[int, Run]] = {}
    for seed in counts.index[counts == counts.max()]:
        halves = nuclei_pairs.halves(target, int(seed))
        for name, run in runs_of_seed(rows[rows.seed == seed], halves).items():
            runs.setdefault(name, {})[int(seed)] = run
    scores = _scores(target.groups, runs)
    candidates = len(set(METHODS) & set(runs))
    return [_line(pair, name, candidates, runs[name], scores) for name in runs]


def runs_of_seed(rows: pd.DataFrame, halves: list) -> dict[str, Run]:
    """Return what every method and every choice achieves in one seed.

    Parameters
    ----------
    rows : DataFrame
        The rows of one pair and seed.
    halves : list of (rows to adapt on, rows to predict)
        The halves of the target.
    """
    runs = {
        row.method: Run(_parsed(row.dice_per_image), (row.method,)) for row in rows.itertuples()
    }
    oracle = {"oracle": runs.pop("oracle")} if "oracle" in runs else {}
    candidates = rows[rows.method != "oracle"]
    chosen = {}
    for validator in VALIDATORS:
        begin = "committed" if validator == COMMITTED else "chosen"
        methods = [
            candidates.method[candidates[validator].str.split().str[half].astype(float).idxmax()]
            for half in range(2)
        ]
        chosen[f"{begin} by {validator}"] = _composed(runs, methods, halves)
    best = max(runs, key=lambda method: np.nanmean(runs[method].dice[0]))
    return runs | chosen | {"best candidate": runs[best]} | oracle


def _parsed(text: str) -> np.ndarray:
    """Dice (2, N) of the column `dice_per_image`, which holds thousandths."""
    return np.array([part.split() for part in text.split("; ")], float) / 1000


def _composed(runs: dict[str, Run], methods: list[str], halves: list) -> Run:
    """Each half by the method that was chosen on the other half."""
    dice = np.empty_like(runs[methods[0]].dice)
    for method, (adapted_on, predicted) in zip(methods, halves):
        dice[0, predicted] = runs[method].dice[0, predicted]
        dice[1, adapted_on] = runs[method].dice[1, adapted_on]
    return Run(dice, tuple(methods))


def _scores(groups: np.ndarray, runs: dict[str, dict[int, Run]]) -> dict[str, bootstrap.Scores]:
    """Mean inductive Dice of every choice, on the same draws of seeds and of image groups."""
    draws = bootstrap.Patients(dict.fromkeys(runs["source only"], groups))
    scores = {}
    for name, by_seed in runs.items():
        scores[name] = draws.mean({seed: run.dice[0] for seed, run in by_seed.items()})
    return scores


def _line(
    pair: str, name: str, candidates: int, runs: dict[int, Run], scores: dict[str, bootstrap.Scores]
) -> dict[str, object]:
    """Score, gain, share of the gap and what was chosen."""
    score, source_only = scores[name], scores["source only"]
    gain = bootstrap.difference(score, source_only)
    share = None
    if "oracle" in scores:
        share = bootstrap.share_of_gap(score, source_only, scores["oracle"])
    counts = Counter(method for run in runs.values() for method in run.methods)
    transductive = np.mean([np.nanmean(run.dice[1]) for run in runs.values()])
    return {
        "pair": pair,
        "choice": name,
        "methods": "; ".join(f"{method} {count}" for method, count in counts.most_common()),
        "candidates": candidates,
        "seeds": len(runs),
        **score.columns("score"),
        **gain.columns("gain"),
        "harm": "yes" if gain.value < -HARM else "no",
        **(share.columns("share") if share else {}),
        "transductive": transductive,
    }


if __name__ == "__main__":
    measured = table.read("nuclei", text=(*VALIDATORS, "dice_per_image"))
    laboratories.log_opening("nuclei_summary", "all", 0, "all", "summarise")
    lines = []
    for pair in PAIRS:
        lines += _lines(pair, measured[measured.pair == pair])
    table.write("nuclei_summary", lines)
