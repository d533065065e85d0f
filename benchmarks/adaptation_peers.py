"""The peers of adaptation.py on the same frozen vectors: SKADA, POT and ADAPT, in an environment of their own.

    python benchmarks/adaptation_peers.py [--only TEXT] [--minutes 9]    # adds the missing rows to results/adaptation_peers.csv
    python benchmarks/adaptation_peers_summary.py                        # then: beside ours, which results/adaptation.csv holds

The first run makes a virtual environment of peers/requirements.txt in the cache folder (a minute, 2 GB, from the package
index that pip is set to). Vectors travel as .npz: of the source's learning patients, with labels, and of the target, without;
probabilities come back, and are scored here. Pairs, halves of the target, layer and views are those of adaptation.py,
where images stay as they are. Vectors are scaled by the source's mean and deviation; SKADA and POT get our regression, ADAPT
our layer of 64 units and head, 20 epochs; all else is the libraries' default. `scores` are the libraries' own label-free
scores, of the two halves one after the other; a committed choice by each is in results/adaptation_peers_summary.csv.
"""

from functools import lru_cache
from pathlib import Path
import subprocess
import tempfile

from common import table  # first: it sets the threads
import adaptation
from common import candidates
import numpy as np
from common import peers

from medlearn import metrics, splits

KEY = ("pair", "method", "seed")
COLUMNS = ("accuracy", "macro_f1", "cpu_seconds", "scores", "predictions")
METHODS = {
    "skada": ("SKADA CORAL", "SKADA subspace", "SKADA OT"),
    "pot": ("POT exact", "POT Sinkhorn", "POT Sinkhorn, group"),
    "adapt": ("ADAPT DANN", "ADAPT DeepCORAL", "ADAPT CDAN", "ADAPT MCD"),
}


@lru_cache(maxsize=4)
def answered(library: str, pair: str, seed: int) -> dict:
    """Probabilities of the whole target, CPU-seconds and scores of each method of a library; no target label is read."""
    data, source, target, task = adaptation.PAIRS[pair]
    here, there = (adaptation.hospital(data, domain, seed) for domain in (source, target))
    labels = adaptation.labels_of(here, task)
    learn, _ = splits.by_patient(here.patients, test=0.2, seed=seed, labels=labels)
    known, new = scaled(candidates.prepare("source only", here.images, there.images), learn)
    found = {method: {"told": {}, "seconds": 0.0, "scores": []} for method in METHODS[library]}
    parts = adaptation.halves(there, seed)
    for adapted_on, predicted in zip(parts, parts[::-1]):
        told = fit(
            library,
            seed,
            source=known,
            source_labels=labels[learn],
            target=new[adapted_on],
            other=new[predicted],
        )
        for name, probabilities, seconds, scores in zip(
            *(told[key] for key in ("names", "probabilities", "seconds", "scores"))
        ):
            each = found[str(name)]
            each["told"] |= dict(zip(predicted, probabilities))
            each["seconds"] += float(seconds)
            each["scores"].append(str(scores))
    return found


def scaled(space: candidates.Space, learn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Learning vectors of the source and all of the target, by the source's mean and deviation."""
    mean, deviation = space.source[learn].mean(0), space.source[learn].std(0) + 1e-9
    return (space.source[learn] - mean) / deviation, (space.target - mean) / deviation


def fit(library: str, seed: int, **given: np.ndarray) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        passed, told = Path(folder, "given.npz"), Path(folder, "told.npz")
        np.savez(passed, **given)
        python = peers.python("peers", "requirements.txt")
        subprocess.run(
            [python, peers.HERE / "fit.py", library, str(seed), passed, told],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with np.load(told) as found:
            return dict(found)


def measure(pair: str, method: str, seed: int) -> dict:
    library = next(name for name, methods in METHODS.items() if method in methods)
    found = answered(library, pair, seed)[method]
    data, _, target, task = adaptation.PAIRS[pair]
    there = adaptation.hospital(data, target, seed)
    truth = adaptation.opened(pair, method, seed, "score", there, task)
    predictions = np.array([found["told"][row].argmax() for row in range(len(there))])
    return {
        "accuracy": round(metrics.accuracy(truth, predictions), 4),
        "macro_f1": round(metrics.macro_f1(truth, predictions), 4),
        "cpu_seconds": round(found["seconds"], 1),
        "scores": "; ".join(found["scores"]),
        "predictions": "".join(map(str, predictions)),
    }


ROWS = [
    (pair, method, seed)
    for seed in range(2)
    for pair in adaptation.PAIRS
    for methods in METHODS.values()
    for method in methods
]

if __name__ == "__main__":
    table.grow("adaptation_peers", __doc__, KEY, COLUMNS, ROWS, measure)
