"""Ours beside the peers: results/adaptation.csv and adaptation_peers.csv -> results/adaptation_peers_summary.csv.

    python benchmarks/adaptation_peers_summary.py

Choices are made as in adaptation_summary.py, for each pair, seed and half. A peer's committed choice is the best of its
methods by one of its own label-free scores; POT has none, so its first method, the exact plan, stands for it. "ours, vectors
only" is restricted to what the peers may do: match and learn from the same vectors of unchanged images. `ahead` is ours,
chosen by consensus, minus the row; `ahead_vectors` is ours, vectors only; both with bootstrap intervals over patients. Seeds
that both tables hold are compared. "best of the peers" was picked with the labels open: no method, only their ceiling.
"""

from common import table  # first: it sets the threads
import adaptation
import adaptation_peers
import adaptation_summary as ours
import numpy as np
import pandas as pd

SCORERS = {"skada": ("entropy", "neighbourhood", "embedded", "circular"), "adapt": ("covariance",)}


def scored(library: str, scorer: str):
    """Choose the method of a library with the highest of its own scores on the half that was adapted on."""

    def choose(rows, half):
        rows = rows[rows.method.isin(adaptation_peers.METHODS[library])]
        values = [
            dict(each.split("=") for each in text.split("; ")[half].split()).get(scorer, "nan")
            for text in rows.scores
        ]
        values = np.nan_to_num(np.array(values, float), nan=-np.inf)
        return rows.predictions.iloc[int(values.argmax())]

    return choose


def within(methods, choose):
    return lambda rows, half: choose(rows[rows.method.isin(methods)], half)


OURS = set(adaptation.candidates.METHODS)
VECTORS = {
    name
    for name, (images, norm, *_) in adaptation.candidates.METHODS.items()
    if (images, norm) == ("as they are", "kept")
}
PEERS = [method for methods in adaptation_peers.METHODS.values() for method in methods]
CHOICES = {
    "source only": ours.named("source only"),
    "ours": within(OURS, ours.consensus),
    "ours, vectors only": within(VECTORS, ours.consensus),
    **{
        f"{library.upper()} by {scorer}": scored(library, scorer)
        for library, each in SCORERS.items()
        for scorer in each
    },
    **{method: ours.named(method) for method in PEERS},
    "best of the peers": within(PEERS, ours.best),
    "oracle": ours.named("oracle"),
}


def summary(pair: str, rows: pd.DataFrame) -> list[dict]:
    own, theirs = rows[rows.method.isin(OURS)], rows[rows.method.isin(PEERS)]
    seeds = [seed for seed in ours.complete(own) if (theirs.seed == seed).sum() == len(PEERS)]
    values = ours.scores(pair, rows, seeds, CHOICES) if seeds else {}
    return [
        ours.row_of(pair, name, len(seeds), values)
        | ahead("ahead", "ours", name, values)
        | ahead("ahead_vectors", "ours, vectors only", name, values)
        for name in values
    ]


def ahead(column: str, winner: str, name: str, values: dict) -> dict:
    """By how much `winner` scores higher, with the interval of the paired difference."""
    (value, drawn), (other, other_drawn) = values[winner], values[name]
    return {column: value - other, **ours.interval_of(column, drawn - other_drawn)}


if __name__ == "__main__":
    rows = pd.concat(
        [
            table.read("adaptation", text=adaptation.VALIDATORS + ("predictions",)),
            table.read("adaptation_peers", text=("scores", "predictions")),
        ]
    )
    found = [
        row
        for pair in adaptation.PAIRS
        for row in summary(pair, rows[rows.pair == pair].reset_index(drop=True))
    ]
    pd.DataFrame(found).round(4).to_csv(
        table.path("adaptation_peers_summary"), index=False, lineterminator="\n"
    )
    print(pd.DataFrame(found).round(3).to_string(index=False))
