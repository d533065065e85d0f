"""What do SKADA, POT and ADAPT reach on the same frozen vectors as the candidates of adaptation.py?

    python benchmarks/adaptation_peers.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/adaptation_peers_summary.py                       # then: beside ours

A few CPU-minutes for all rows; fills results/adaptation_peers.csv. The first run makes a
virtual environment of peers/requirements.txt in the cache folder (a minute, 2 GB, from the package
index that pip is set to).

Vectors travel as .npz: of the source's learning patients, with labels, and of the target, without;
probabilities come back, and are scored here. Pairs, halves of the target, layer and views are those
of adaptation.py, where images stay as they are. Vectors are scaled by the source's mean and
deviation; SKADA and POT get our regression, ADAPT our layer of 64 units and head, 20 epochs; all
else is the libraries' default, but for the entropies of POT, in units of the largest cost (1 where
the name says nothing). Equal grids on many pairs are in arena_peers.py. `scores` are the libraries'
own label-free scores, of the two halves one after the other; a committed choice by each is in
results/adaptation_peers_summary.csv.
"""

from functools import lru_cache
from pathlib import Path
import subprocess
import tempfile

from common import table  # first: it sets the threads
from common import candidates, laboratories, peers
from common.vectors import Space
import numpy as np

from medlearn import metrics, splits

KEY = ("pair", "method", "seed")
COLUMNS = ("accuracy", "macro_f1", "cpu_seconds", "scores", "predictions")
SEEDS = range(2)


class Answers:
    """What one method says: predictions of the whole target, CPU-seconds, a score text a half."""

    def __init__(self, count: int):
        self.predictions = np.zeros(count, int)
        self.seconds = 0.0
        self.scores: list[str] = []


@lru_cache(maxsize=4)
def _answers(library: str, pair: str, seed: int) -> dict[str, Answers]:
    """The answers of each method of a library; no target label is read."""
    data, source_domain, target_domain, task = laboratories.PAIRS[pair]
    source = laboratories.load(data, source_domain, seed)
    target = laboratories.load(data, target_domain, seed)
    labels = laboratories.labels_of(source, task)
    learn, _ = splits.by_patient(source.patients, test=0.2, seed=seed, labels=labels)
    space = candidates.prepare("source only", source.images, target.images)
    source_vectors, target_vectors = _scaled(space, learn)
    answers = {method: Answers(len(target)) for method in peers.METHODS[library]}
    for adapted_on, predicted in laboratories.halves(target, seed):
        results = _fit(
            library,
            seed,
            source=source_vectors,
            source_labels=labels[learn],
            target=target_vectors[adapted_on],
            other=target_vectors[predicted],
        )
        for row, name in enumerate(results["names"]):
            answer = answers[str(name)]
            answer.predictions[predicted] = results["probabilities"][row].argmax(1)
            answer.seconds += float(results["seconds"][row])
            answer.scores.append(str(results["scores"][row]))
    return answers


def _scaled(space: Space, learn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Learning vectors of the source and all of the target, by the source's mean and deviation."""
    mean, deviation = space.source[learn].mean(0), space.source[learn].std(0) + 1e-9
    return (space.source[learn] - mean) / deviation, (space.target - mean) / deviation


def _fit(library: str, seed: int, **arrays: np.ndarray) -> dict[str, np.ndarray]:
    """What peers/fit.py makes of these arrays."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(inputs, **arrays)
        python = peers.python("peers", "requirements.txt")
        command = [python, peers.PROGRAMS / "fit.py", library, str(seed), inputs, outputs]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with np.load(outputs) as results:
            return dict(results)


def measure(pair: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    pair, method : str
        Names in `laboratories.PAIRS` and `peers.METHODS`.
    seed : int
        Seed of the simulated patients, the halves and the networks.
    """
    library = next(name for name, methods in peers.METHODS.items() if method in methods)
    answer = _answers(library, pair, seed)[method]
    data, _, target_domain, _ = laboratories.PAIRS[pair]
    target = laboratories.load(data, target_domain, seed)
    labels = laboratories.opened_labels(pair, method, seed, "score", target)
    return {
        "accuracy": round(metrics.accuracy(labels, answer.predictions), 4),
        "macro_f1": round(metrics.macro_f1(labels, answer.predictions), 4),
        "cpu_seconds": round(answer.seconds, 1),
        "scores": "; ".join(answer.scores),
        "predictions": "".join(map(str, answer.predictions)),
    }


ROWS = [
    (pair, method, seed)
    for seed in SEEDS
    for pair in laboratories.PAIRS
    for method in peers.ALL_METHODS
]

if __name__ == "__main__":
    table.grow("adaptation_peers", __doc__, KEY, COLUMNS, ROWS, measure)
