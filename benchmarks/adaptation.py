"""Which adaptation closes how much of the gap, and does a choice without target labels find it?

    python benchmarks/adaptation.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/adaptation_summary.py                       # then: choices and intervals

Three CPU-minutes for a pair and seed of `smear`, one for `wbc`: an hour for all rows; fills
results/adaptation.csv.

A row is one candidate (common/candidates.py) on one pair of laboratories and one seed. The patients
of the target are halved without a look at labels: what is adapted on one half predicts the other,
and the other way round (`accuracy`, `macro_f1`, `predictions`); `transductive_f1` scores the half
that was adapted on. Candidates are trained on four fifths of the source's patients; the last fifth
gives `source_accuracy` and `weighted`. Columns of validators hold two numbers, one for each half,
and never see a label of the target. "source only" never sees the target. "oracle" learns from the
labels of the other half, on plain images. "oracle, scale+reinhard, kept" and the like do so on the
images and BatchNorm statistics of the candidates of that name, with the same four views, the same
classifier, the same halves and seeds; they are measured on real cells.

Settings (layer, number of views, strengths) were chosen on simulated cells of seeds that are not in
the table. Each time that labels of real target images are opened, a line is added to
results/labels_opened.csv.
"""

import time

from common import table  # first: it sets the threads
from common import candidates, choices, laboratories
from common.vectors import Space
import numpy as np

from medlearn import metrics, splits
from medlearn.selection import validators

KEY = ("pair", "method", "seed")
SCORES = ("accuracy", "macro_f1", "transductive_f1")
COLUMNS = (*SCORES, *choices.VALIDATORS, "cpu_seconds", "predictions")
SEEDS = range(5)
PAIRS_OF_ORACLES = (("wbc a>b", "wbc granules a>b"), ("wbc b>a", "wbc granules b>a"))


def measure(pair: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    pair, method : str
        Names in `laboratories.PAIRS`, and in `candidates.METHODS` or `candidates.ORACLES`.
    seed : int
        Seed of the simulated patients, the halves and the networks.
    """
    data, source_domain, target_domain, task = laboratories.PAIRS[pair]
    source = laboratories.load(data, source_domain, seed)
    target = laboratories.load(data, target_domain, seed)
    source_labels = laboratories.labels_of(source, task)
    learn, held_out = splits.by_patient(source.patients, test=0.2, seed=seed, labels=source_labels)
    start = time.process_time()
    space = candidates.prepare(method, source.images, target.images)
    predictions = np.zeros(len(target), int)
    transductive = np.zeros(len(target), int)
    values = []
    for adapted_on, predicted in laboratories.halves(target, seed):
        if method.startswith("oracle"):
            labels = laboratories.opened_labels(pair, method, seed, "train the oracle", target)
            model = candidates.oracle(space, adapted_on, labels[adapted_on])
        else:
            model = candidates.adapt(
                method, space, learn, held_out, source_labels[learn], adapted_on, seed
            )
        probabilities = model(adapted_on)
        predictions[predicted] = model(predicted).argmax(1)
        transductive[adapted_on] = probabilities.argmax(1)
        values.append(_without_labels(probabilities))
        values[-1] |= _with_source(model, space, held_out, source_labels[held_out], adapted_on)
    seconds = time.process_time() - start
    labels = laboratories.opened_labels(pair, method, seed, "score", target)
    return {
        "accuracy": round(metrics.accuracy(labels, predictions), 4),
        "macro_f1": round(metrics.macro_f1(labels, predictions), 4),
        "transductive_f1": round(metrics.macro_f1(labels, transductive), 4),
        **{name: " ".join(f"{half[name]:.4f}" for half in values) for name in choices.VALIDATORS},
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


def _without_labels(probabilities: np.ndarray) -> dict[str, float]:
    """Validators of the probabilities of the half that was adapted on."""
    return {
        "certainty": validators.certainty(probabilities),
        "information": validators.mutual_information(probabilities),
        "neighbourhood": validators.soft_neighbourhood_density(probabilities),
    }


def _with_source(
    model: candidates.Model,
    space: Space,
    held_out: np.ndarray,
    labels: np.ndarray,
    adapted_on: np.ndarray,
) -> dict[str, float]:
    """Validators that score the held-out source images; NaN for the oracle, which has no source."""
    if model.held_out is None:
        return {"source_accuracy": np.nan, "weighted": np.nan}
    correct = model.held_out.argmax(1) == labels
    weighted = validators.weighted_accuracy(
        correct, space.source[held_out], space.target[adapted_on]
    )
    return {"source_accuracy": correct.mean(), "weighted": weighted}


ROWS = [
    (pair, method, seed)
    for seed in SEEDS
    for pair in laboratories.PAIRS
    for method in candidates.methods(pair)
]
# By representation and not by seed: vectors of real images are the same for all seeds.
ROWS += [
    (pair, method, seed)
    for pairs in PAIRS_OF_ORACLES
    for method in candidates.oracles(pairs[0])
    for pair in pairs
    for seed in SEEDS
]

if __name__ == "__main__":
    table.grow("adaptation", __doc__, KEY, COLUMNS, ROWS, measure)
