"""How do the committed choices of adaptation.py compare with those of SKADA, POT and ADAPT?

    python benchmarks/adaptation_peers_summary.py

Half a CPU-minute; results/adaptation.csv and adaptation_peers.csv become
results/adaptation_peers_summary.csv.

Choices are made as in adaptation_summary.py, for each pair, seed and half. A peer's committed
choice is the best of its methods by one of its own label-free scores; POT has none, so its
first method, the exact plan, stands for it. "ours, vectors only" is restricted to what the peers
may do: match and learn from the same vectors of unchanged images. `ahead` is ours, chosen by
consensus, minus the row; `ahead_vectors` is ours, vectors only, minus the row; both with bootstrap
intervals over patients. `failed` counts halves for which at least 98 % of the predictions are one
class: then a row has failed and is not compared. The two fair comparisons are those of "by
consensus" with `ahead_vectors`; the pairs were in view while ours was made, and arena_peers.py has
more of them. Seeds that both tables hold are compared. "best of the peers" was picked with the
labels open: no method, only their ceiling.
"""

from functools import partial

from common import table  # first: it sets the threads
from common import bootstrap, candidates, choices, laboratories, peers
import numpy as np
import pandas as pd

ONE_CLASS = 0.98  # share of the predictions of a half
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


def _choices(measured: set[str]) -> dict[str, choices.Choice]:
    """The choices among the methods that were measured."""
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
    for library, methods in peers.METHODS.items():
        if measured.issuperset(methods):
            name = f"{library.upper()} by consensus"
            made[name] = partial(choices.within, methods=methods, choose=consensus)
    for method in filter(measured.__contains__, peers.ALL_METHODS):
        made[method] = partial(choices.named, method=method)
    made["best of the peers"] = partial(
        choices.within, methods=peers.ALL_METHODS, choose=choices.best
    )
    made["oracle"] = partial(choices.named, method="oracle")
    return made


def _lines(pair: str, rows: pd.DataFrame) -> list[dict]:
    own = rows[rows.method.isin(candidates.METHODS)]
    needed = set(peers.ALL_METHODS) - set(peers.LATER)
    counts = rows[rows.method.isin(needed)].groupby("seed").size()
    complete = counts.index[counts == len(needed)]
    seeds = bootstrap.common_seeds(candidates.complete_seeds(pair, own), complete)
    if not seeds:
        return []
    rows = rows[rows.seed.isin(seeds)]
    made = _choices(_measured(rows, seeds))
    scores = choices.score(pair, rows, seeds, made)
    lines = []
    for name in scores:
        failed = _failed_halves(pair, rows, seeds, made[name])
        compared = _ahead(name, scores)
        if failed:
            compared = dict.fromkeys(compared, np.nan)
        lines.append(choices.line(pair, name, scores) | {"failed": failed} | compared)
    return lines


def _measured(rows: pd.DataFrame, seeds: list[int]) -> set[str]:
    """The methods that have a row for each of these seeds."""
    counts = rows.groupby("method").seed.nunique()
    return set(counts.index[counts == len(seeds)])


def _failed_halves(pair: str, rows: pd.DataFrame, seeds: list[int], choose) -> int:
    """How many halves, of all seeds, are predicted to be of one class."""
    data, _, domain, _ = laboratories.PAIRS[pair]
    failed = 0
    for seed in seeds:
        target = laboratories.load(data, domain, seed)
        predictions = choices.compose(rows[rows.seed == seed], target, seed, choose)
        for _, predicted in laboratories.halves(target, seed):
            failed += np.bincount(predictions[predicted]).max() >= ONE_CLASS * len(predicted)
    return int(failed)


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
