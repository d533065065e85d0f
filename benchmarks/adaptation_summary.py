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
under two standard errors. "best of all" was picked with the labels open: no method, only a ceiling.
"""

from functools import partial

from common import table  # first: it sets the threads
from common import candidates, choices, laboratories
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
    scores = choices.score(pair, rows, seeds, CHOICES) if seeds else {}
    return [choices.line(pair, name, scores) for name in scores]


if __name__ == "__main__":
    measured = table.read("adaptation", text=(*choices.VALIDATORS, "predictions"))
    lines = []
    for pair in laboratories.PAIRS:
        lines += _lines(pair, measured[measured.pair == pair])
    table.write("adaptation_summary", lines)
