"""What the committed choices of adaptation.py achieve: results/adaptation.csv -> results/adaptation_summary.csv.

    python benchmarks/adaptation_summary.py

A choice is made anew for each pair, seed and half of the target: the candidate of the highest validator on the half that
was adapted on answers for the other half. Consensus looks at answers instead of scores: the candidate nearest to the vote of
all; it was thought of after seed 0 of `smear` had been seen, which therefore is no evidence for it. `share` is the share of the gap between source only and oracle that is closed,
(choice - source only) / (oracle - source only), of the mean over seeds; its interval is a bootstrap over patients; it is
left empty where the gap itself is under two standard errors. The score is accuracy where classes are balanced (simulated
sets), and macro-F1 for `wbc`. "best of all" was picked with the labels open: no method, only a ceiling.
"""

from common import table  # first: it sets the threads
import adaptation
import numpy as np
import pandas as pd

from medlearn import datasets, metrics
from medlearn.metrics import _resamples
from medlearn.selection import validators

REPEATS = 300


def answers(rows: pd.DataFrame, there: datasets.Dataset, seed: int, choose) -> np.ndarray:
    """The target's predictions where `choose(rows, half)` names the row that answers for the other half."""
    composed = np.zeros(len(there), int)
    for number, other in enumerate(adaptation.halves(there, seed)[::-1]):
        composed[other] = np.array(list(choose(rows, number)), int)[other]
    return composed


def named(method: str):
    return lambda rows, half: rows.loc[rows.method == method, "predictions"].item()


def highest(validator: str):
    def choose(rows, half):
        candidates = rows[rows.method != "oracle"]
        values = candidates[validator].str.split().str[half].astype(float)
        return candidates.predictions[values.idxmax()]

    return choose


def consensus(rows, half):
    """The candidate whose answers agree most often with the vote of all candidates."""
    candidates = rows[rows.method != "oracle"]
    told = np.array([list(text) for text in candidates.predictions], int)
    return candidates.predictions.iloc[int(validators.consensus(told).argmax())]


def best(rows, half):
    candidates = rows[rows.method != "oracle"]
    return candidates.predictions[candidates.macro_f1.astype(float).idxmax()]


SAID = {"source_accuracy": "source validation"}
CHOICES = {
    "source only": named("source only"),
    **{f"chosen by {SAID.get(name, name)}": highest(name) for name in adaptation.VALIDATORS},
    "chosen by consensus": consensus,
    "best of all": best,
    "oracle": named("oracle"),
}


def summary(pair: str, rows: pd.DataFrame) -> list[dict]:
    seeds = complete(rows)
    values = scores(pair, rows, seeds, CHOICES) if seeds else {}
    return [row_of(pair, name, len(seeds), values) for name in values]


def complete(rows: pd.DataFrame) -> list[int]:
    """The seeds of which every candidate is in the table."""
    return [
        seed
        for seed, group in rows.groupby("seed")
        if len(group) == len(adaptation.methods(group.pair.iloc[0]))
    ]


def scores(
    pair: str, rows: pd.DataFrame, seeds: list[int], choices: dict
) -> dict[str, tuple[float, np.ndarray]]:
    """Of each choice the mean score over seeds, and the same of each bootstrap draw of patients; draws are shared."""
    data, _, domain, task = adaptation.PAIRS[pair]
    there = {seed: adaptation.hospital(data, domain, seed) for seed in seeds}
    truth = {
        seed: adaptation.opened(pair, "all", seed, "summarise", there[seed], task) for seed in seeds
    }
    told = {
        name: {seed: answers(rows[rows.seed == seed], there[seed], seed, choose) for seed in seeds}
        for name, choose in choices.items()
    }
    people = np.unique(np.concatenate([each.patients for each in there.values()]))
    places = {seed: np.searchsorted(people, each.patients) for seed, each in there.items()}

    draws = np.random.default_rng(0).multinomial(
        len(people), np.full(len(people), 1 / len(people)), size=REPEATS
    )
    counts = np.vstack([np.ones(len(people), int), draws])  # the first is everybody, once
    metric = metrics.macro_f1 if data == "wbc" else metrics.accuracy
    found = {
        name: np.mean(
            [
                _resamples.resampled_scores(
                    metric, truth[seed], told[name][seed], places[seed], counts
                )
                for seed in seeds
            ],
            axis=0,
        )
        for name in choices
    }
    return {name: (each[0], each[1:]) for name, each in found.items()}


def row_of(pair: str, name: str, seeds: int, values: dict) -> dict:
    """One line of the table: score and share of the gap, with intervals."""
    (value, drawn), (low, low_drawn), (high, high_drawn) = (
        values[name],
        values["source only"],
        values["oracle"],
    )
    row = {
        "pair": pair,
        "choice": name,
        "seeds": seeds,
        "score": value,
        **interval_of("score", drawn),
    }
    if high - low > 2 * (high_drawn - low_drawn).std():
        row |= {
            "share": (value - low) / (high - low),
            **interval_of("share", (drawn - low_drawn) / (high_drawn - low_drawn)),
        }
    return row


def interval_of(name: str, drawn: np.ndarray) -> dict:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {f"{name}_low": low, f"{name}_high": high}


if __name__ == "__main__":
    found = table.read("adaptation", text=adaptation.VALIDATORS + ("predictions",))
    rows = [row for pair in adaptation.PAIRS for row in summary(pair, found[found.pair == pair])]
    pd.DataFrame(rows).round(4).to_csv(
        table.path("adaptation_summary"), index=False, lineterminator="\n"
    )
    print(pd.DataFrame(rows).round(3).to_string(index=False))
