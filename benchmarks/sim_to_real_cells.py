"""Naming real cells: how well by simulated ones, the other real laboratory, both, or one's own?

    python benchmarks/sim_to_real_cells.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/sim_to_real_summary.py                             # then: choices, intervals

About half a CPU-hour for a seed; fills results/sim_to_real_cells.csv.

A row is one candidate: which pictures are shown ("frame"; "scale+reinhard" as in common/vectors.py;
"crop": the cell in the middle, at the scale at which the median cell of its laboratory fills half
the frame; "cut out": the same on white), whose vectors ("lite0", block 14 as on ImageNet, "tuned":
a copy that learned the cells of random laboratories, or "looks": one that learned the other real
laboratory's cells in random looks, medlearn.adaptation.randomisation), and how vectors are matched
and learned from (common/candidates.py). Cells are found by the segmenter of sim_to_real.py that saw
only simulated images, in all laboratories alike. The source "virtual" is 1000 simulated cells, each
of another random laboratory; "both" are these and the other real laboratory, each matched to the
target for itself. Patients of the target are halved, and what is matched on one half predicts the
other. Four classes: `wbc` has next to no basophils.

"rehearsal N" is a target as well: 120 simulated cells of one random laboratory that is not in the
source. The choice for a real laboratory is, as in adaptation_summary.py, the candidate that agrees
most often with the vote of all; this was settled when no row of `wbc` had been measured; "both" was
thought of after seed 0 of "virtual" had been seen, with the same candidates and choice. Layer and
rates are those of other benchmarks; nothing was tried on real cells. "oracle" learns from the other
half's labels, "majority" answers the commonest class of the target, which only its labels tell.
Each time that real labels of the target are opened, a line is added to results/labels_opened.csv.
"""

import time

from common import table  # first: it sets the threads
from common import candidates, laboratories
from common.classification_pairs import CLASSES, OTHER, REAL, SEEDS, VALIDATORS, load, rows
from common.pictures import picture_vectors
from common.vectors import Space
import numpy as np

from medlearn import metrics, splits
from medlearn.selection import validators

KEY = ("target", "source", "method", "seed")
COLUMNS = ("accuracy", "macro_f1", *VALIDATORS, "cpu_seconds", "predictions")


def _teachers(target: str, source: str) -> tuple[str, ...]:
    """Names of the laboratories that teach."""
    return ("virtual", OTHER[target]) if source == "both" else (source,)


def _divided(names: tuple[str, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of laboratories one after the other: rows to learn from and rows held out, by patient."""
    all_learn, all_held_out, before = [], [], 0
    for name in names:
        data = load(name, seed)
        learn, held_out = splits.by_patient(data.patients, test=0.2, seed=seed)
        all_learn.append(before + learn)
        all_held_out.append(before + held_out)
        before += len(data)
    return np.concatenate(all_learn), np.concatenate(all_held_out)


def _candidate(target: str, source: str, method: str, seed: int) -> tuple[np.ndarray, dict]:
    """Predicted classes of the target's cells, and each validator's value of either half."""
    shown_as, encoder, matcher, learner = method.split(", ")
    names = _teachers(target, source)
    pictures = f"{shown_as}, {encoder}"
    source_vectors = [picture_vectors(name, pictures, source, seed) for name in names]
    target_vectors = picture_vectors(target, pictures, source, seed)
    labels = np.concatenate([load(name, seed).labels for name in names])
    learn, held_out = _divided(names, seed)
    name = "source only" if learner == "probe" else f"as they are, kept, none, {learner}"
    probabilities = np.zeros((len(target_vectors), CLASSES))
    values = {validator: [] for validator in VALIDATORS}
    for adapted_on, predicted in laboratories.halves(load(target, seed), seed):
        space = _matched(matcher, source_vectors, target_vectors, adapted_on)
        model = candidates.adapt(name, space, learn, held_out, labels[learn], adapted_on, seed)
        probabilities[predicted] = model(predicted)
        on_target = model(adapted_on)
        values["certainty"].append(validators.certainty(on_target))
        values["information"].append(validators.mutual_information(on_target))
    return probabilities.argmax(1), values


def _matched(
    matcher: str, sources: list[np.ndarray], target: np.ndarray, adapted_on: np.ndarray
) -> Space:
    """Each source matched to the target for itself; the target as the first source sees it."""
    fitted = [candidates.MATCHERS[matcher]().fit(source, target[adapted_on]) for source in sources]
    matched = [match.transform_source(source) for match, source in zip(fitted, sources)]
    return Space(np.concatenate(matched), fitted[0].transform_target(target))


def _oracle(target: str, pictures: str, seed: int) -> np.ndarray:
    """Classes by a probe that learned from the labels of the other half."""
    data, own_vectors = load(target, seed), picture_vectors(target, pictures, target, seed)
    predictions = np.zeros(len(data), int)
    for learn, predicted in laboratories.halves(data, seed):
        fitted = candidates.probe().fit(own_vectors[learn], data.labels[learn])
        predictions[predicted] = fitted.predict(own_vectors[predicted])
    return predictions


def measure(target: str, source: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    target, source, method : str
        As in `classification_pairs.rows`.
    seed : int
        Seed of the simulated patients, the halves and the networks.
    """
    labels, values = load(target, seed).labels, {}
    start = time.process_time()
    if source == "majority":
        predictions = np.full(len(labels), np.bincount(labels).argmax())
    elif source == "oracle":
        predictions = _oracle(target, method, seed)
    else:
        predictions, values = _candidate(target, source, method, seed)
    seconds = time.process_time() - start
    if target in REAL:
        reason = "train the oracle and score" if source == "oracle" else "score"
        pair = f"{source}>{target}"
        laboratories.log_opening("sim_to_real_cells", pair, seed, method, reason)
    return {
        "accuracy": round(metrics.accuracy(labels, predictions), 4),
        "macro_f1": round(metrics.macro_f1(labels, predictions), 4),
        **{name: _joined(values.get(name, ())) for name in VALIDATORS},
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


def _joined(values) -> str:
    return " ".join(f"{value:.4f}" for value in values)


ROWS = [row for seed in SEEDS for row in rows(seed)]

if __name__ == "__main__":
    table.grow("sim_to_real_cells", __doc__, KEY, COLUMNS, ROWS, measure)
