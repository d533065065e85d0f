"""How do the committed choices of adaptation.py compare with those of SKADA, POT and ADAPT?

    python benchmarks/adaptation_peers_summary.py

Half a CPU-minute; results/adaptation.csv and adaptation_peers.csv become
results/adaptation_peers_summary.csv.

Choices are made as in adaptation_summary.py, for each pair, seed and half. A peer's committed
choice is the best of its methods by one of its own label-free scores; POT has none, so its
first method, the exact plan, stands for it. "ours, vectors only" is restricted to what the peers
may do: match and learn from the same vectors of unchanged images. `ahead` is ours, chosen by
consensus, minus the row; `ahead_vectors` is ours, vectors only, minus the row; both with bootstrap
intervals over patients. Seeds that both tables hold are compared. "best of the peers" was picked
with the labels open: no method, only their ceiling.
"""

from functools import partial

from common import table  # first: it sets the threads
from common import bootstrap, candidates, choices, laboratories, peers
import numpy as np
import pandas as pd

VECTORS_ONLY = [
    name
    for name, recipe in candidates.METHODS.items()
    if (recipe.images, recipe.batchnorm) == ("as they are", "kept")
]


def _by_own_score(rows: pd.DataFrame, half: int, library: str, scorer: str) -> str:
    """The method of a library with the highest of its own scores on the half that it adapted on."""
    rows = rows[rows.method.isin(peers.METHODS[library])]
    values = [_score_of(text.split("; ")[half], scorer) for text in rows.scores]
    return rows.predictions.iloc[int(np.argmax(values))]


def _score_of(text: str, scorer: str) -> float:
    """One score of a text such as "entropy=-0.21 circular=0.88"; the lowest where there is none."""
    scores = dict(part.split("=") for part in text.split())
    return float(np.nan_to_num(float(scores.get(scorer, "nan")), nan=-np.inf))


def _choices() -> dict[str, choices.Choice]:
    consensus = choices.consensus
    made = {
        "source only": partial(choices.named, method="source only"),
        "ours": partial(choices.within, methods=list(candidates.METHODS), choose=consensus),
        "ours, vectors only": partial(choices.within, methods=VECTORS_ONLY, choose=consensus),
    }
    for library, scorers in peers.SCORERS.items():
        for scorer in scorers:
            name = f"{library.upper()} by {scorer}"
            made[name] = partial(_by_own_score, library=library, scorer=scorer)
    for method in peers.ALL_METHODS:
        made[method] = partial(choices.named, method=method)
    made["best of the peers"] = partial(
        choices.within, methods=peers.ALL_METHODS, choose=choices.best
    )
    made["oracle"] = partial(choices.named, method="oracle")
    return made


def _lines(pair: str, rows: pd.DataFrame) -> list[dict]:
    own = rows[rows.method.isin(candidates.METHODS)]
    counts = rows[rows.method.isin(peers.ALL_METHODS)].groupby("seed").size()
    complete = counts.index[counts == len(peers.ALL_METHODS)]
    seeds = bootstrap.common_seeds(candidates.complete_seeds(pair, own), complete)
    scores = choices.score(pair, rows, seeds, _choices()) if seeds else {}
    return [choices.line(pair, name, scores) | _ahead(name, scores) for name in scores]


def _ahead(name: str, scores: dict[str, bootstrap.Scores]) -> dict[str, float]:
    """By how much ours score higher, with intervals of the paired differences."""
    consensus = bootstrap.difference(scores["ours"], scores[name])
    vectors_only = bootstrap.difference(scores["ours, vectors only"], scores[name])
    return consensus.columns("ahead") | vectors_only.columns("ahead_vectors")


if __name__ == "__main__":
    names = ("adaptation", "adaptation_peers")
    measured = pd.concat([table.read(name, text=("scores", "predictions")) for name in names])
    lines = []
    for pair in laboratories.PAIRS:
        lines += _lines(pair, measured[measured.pair == pair].reset_index(drop=True))
    table.write("adaptation_peers_summary", lines)
