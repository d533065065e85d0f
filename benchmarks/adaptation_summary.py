"""What do the committed choices of adaptation.py achieve, and how much of the gap do they close?

    python benchmarks/adaptation_summary.py

Two CPU-minutes, most of them for simulating patients; results/adaptation.csv becomes
results/adaptation_summary.csv.

A choice is made anew for each pair, seed and half of the target: the candidate of the highest
validator on the half that was adapted on answers for the other half. Consensus looks at predictions
instead of scores: the candidate nearest to the vote of all; it was thought of after seed 0 of
`smear` had been seen, which therefore is no evidence for it. The score is accuracy where classes
are balanced (simulated sets), and macro-F1 for `wbc`. `share` is the share of the gap between
source only and oracle that is closed, (choice - source only) / (oracle - source only), of the mean
over seeds; its interval is a bootstrap over patients; it is left empty where the gap itself is
under two standard errors. "oracle" works on plain images. `own_oracle` is the oracle on the same
images and BatchNorm statistics as the choice of each half, and `own_share` the share of the gap
between source only and that oracle; both are left empty where its rows are missing. "best of all"
was picked with the labels open: no method, only a ceiling.
"""

from functools import partial

from common import table  # first: it sets the threads
from common import bootstrap, candidates, choices, laboratories
import pandas as pd

CHOICES = {
    "source only": partial(choices.named, method="source only"),
    **{
        f"chosen by {name}": partial(choices.highest, validator=column)
        for column, name in choices.VALIDATORS.items()
    },
    "chosen by consensus": choices.consensus,
    "best of all": choices.best,
    "oracle": partial(choices.named, method="oracle"),
}


def _lines(pair: str, rows: pd.DataFrame) -> list[dict]:
    seeds = candidates.complete_seeds(pair, rows)
    if not seeds:
        return []
    oracles = _own_oracles(pair, rows[rows.seed.isin(seeds)])
    scores = choices.score(pair, rows, seeds, CHOICES | oracles)
    return [choices.line(pair, name, scores) | _to_own_oracle(name, scores) for name in CHOICES]


def _own_oracles(pair: str, rows: pd.DataFrame) -> dict[str, choices.Choice]:
    """The oracle on the representation of each choice, if every seed has all of them."""
    needed = {(name, seed) for name in candidates.oracles(pair) for seed in rows.seed.unique()}
    if not needed <= set(zip(rows.method, rows.seed)):
        return {}
    return {_own(name): partial(choices.own_oracle, choose=made) for name, made in CHOICES.items()}


def _own(choice: str) -> str:
    return f"own oracle of {choice}"


def _to_own_oracle(name: str, scores: dict[str, bootstrap.Scores]) -> dict[str, float | None]:
    """Score of the choice's own oracle, and the share of the gap to it."""
    columns = ("own_oracle", "own_share")
    own = scores.get(_own(name))
    if own is None:
        return {key: None for name in columns for key in (name, f"{name}_low", f"{name}_high")}
    share = bootstrap.share_of_gap(scores[name], scores["source only"], own)
    return own.columns(columns[0]) | (share.columns(columns[1]) if share else {})


if __name__ == "__main__":
    measured = table.read("adaptation", text=(*choices.VALIDATORS, "predictions"))
    lines = []
    for pair in laboratories.PAIRS:
        lines += _lines(pair, measured[measured.pair == pair])
    table.write("adaptation_summary", lines)
