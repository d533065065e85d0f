"""Which adaptation closes how much of the gap, and does a choice without target labels find it?

    python benchmarks/adaptation.py [--only TEXT] [--minutes 9]   # adds the missing rows to results/adaptation.csv
    python benchmarks/adaptation_summary.py                       # then: committed choices, shares of the gap, intervals

A row is one candidate on one pair of laboratories and one seed. The patients of the target are halved without a look at
labels: what is adapted on one half predicts the other, and the other way round (`accuracy`, `macro_f1`, `predictions`);
`transductive_f1` scores the half that was adapted on. Candidates are trained on four fifths of the source's patients;
the last fifth gives `source_accuracy` and `weighted`. Columns of validators hold two numbers, one a half, and never see a
label of the target. "oracle" learns from the labels of the other half; "source only" never sees the target.

Settings (layer, number of views, strengths) were chosen on simulated cells of seeds that are not in the table. Each time
that labels of real target images are opened, a line is added to results/labels_opened.csv.
About three CPU-minutes a pair and seed of `smear`, one of `wbc`.
"""

import csv
from datetime import date
from functools import lru_cache
import time

from common import table  # first: it sets the threads
from common import candidates
import numpy as np

from medlearn import datasets, metrics, splits
from medlearn.selection import validators

KEY = ("pair", "method", "seed")
VALIDATORS = ("source_accuracy", "certainty", "information", "neighbourhood", "weighted")
COLUMNS = ("accuracy", "macro_f1", "transductive_f1", *VALIDATORS, "cpu_seconds", "predictions")
SEEDS = range(5)
PAIRS = {  # name: data, source, target, which labels
    "smear": ("smear", "lab-a", "lab-b", "kinds"),
    "smear stain": ("smear", "lab-a", "lab-a-restained", "kinds"),
    "brain-mri flair": ("brain-mri", "3T-FLAIR", "1.5T-FLAIR", "kinds"),
    "wbc a>b": ("wbc", "lab-a", "lab-b", "kinds"),
    "wbc b>a": ("wbc", "lab-b", "lab-a", "kinds"),
    "wbc granules a>b": ("wbc", "lab-a", "lab-b", "granules"),
    "wbc granules b>a": ("wbc", "lab-b", "lab-a", "granules"),
}
SOURCES = ("lab-a", "3T-FLAIR")  # of the simulated pairs
UNSTAINED = {"brain-mri flair"}
GRANULES = ("neutrophil", "eosinophil", "basophil")


@lru_cache(maxsize=4)
def hospital(data: str, domain: str, seed: int) -> datasets.Dataset:
    """One laboratory; simulated patients differ from seed to seed and between source and target."""
    if data == "wbc":
        return datasets.load(data, domain=domain)
    return datasets.load(data, domain=domain, count=600, seed=2 * seed + (domain not in SOURCES))


def labels_of(here: datasets.Dataset, task: str) -> np.ndarray:
    if task == "kinds":
        return here.labels
    return np.array([name in GRANULES for name in here.classes])[here.labels].astype(np.int64)


def opened(
    pair: str, method: str, seed: int, why: str, there: datasets.Dataset, task: str
) -> np.ndarray:
    """The target's labels; where they are real, that they were opened is written down."""
    if there.name == "wbc":
        log_opening("adaptation", pair, seed, method, why)
    return labels_of(there, task)


def log_opening(benchmark: str, pair: str, seed: int, method: str, why: str) -> None:
    """A line in labels_opened.csv: real labels of the target are about to be read."""
    log = table.path("labels_opened")
    new = not log.exists()
    with open(log, "a", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        if new:
            rows.writerow(("date", "benchmark", "pair", "seed", "method", "why"))
        rows.writerow((date.today(), benchmark, pair, seed, method, why))


def halves(there: datasets.Dataset, seed: int) -> list[np.ndarray]:
    """Two halves of the target's patients, drawn without labels."""
    return list(splits.by_patient(there.patients, test=0.5, seed=seed))


def measure(pair: str, method: str, seed: int) -> dict:
    data, source, target, task = PAIRS[pair]
    here, there = hospital(data, source, seed), hospital(data, target, seed)
    source_labels = labels_of(here, task)
    learn, held = splits.by_patient(here.patients, test=0.2, seed=seed, labels=source_labels)
    start = time.process_time()
    space = candidates.prepare(method, here.images, there.images)
    truth = (
        opened(pair, method, seed, "train the oracle", there, task) if method == "oracle" else None
    )
    told, inside, found = {}, {}, []
    for adapted_on, predicted in zip(halves(there, seed), halves(there, seed)[::-1]):
        if method == "oracle":
            model = candidates.probe().fit(space.target[adapted_on], truth[adapted_on])
            answer = lambda rows: model.predict_proba(space.target[rows])
            on_source = None
        else:
            answer, on_source = candidates.adapt(
                method, space, learn, held, source_labels[learn], adapted_on, seed
            )
        told |= dict(zip(predicted, answer(predicted)))
        inside |= dict(zip(adapted_on, answer(adapted_on)))
        found.append(
            judged(answer(adapted_on), on_source, source_labels[held], space, held, adapted_on)
        )
    seconds = time.process_time() - start
    probabilities, before = (
        np.array([each[row] for row in range(len(there))]) for each in (told, inside)
    )
    truth = opened(pair, method, seed, "score", there, task)
    predictions = probabilities.argmax(1)
    return {
        "accuracy": round(metrics.accuracy(truth, predictions), 4),
        "macro_f1": round(metrics.macro_f1(truth, predictions), 4),
        "transductive_f1": round(metrics.macro_f1(truth, before.argmax(1)), 4),
        **{name: " ".join(f"{each[name]:.4f}" for each in found) for name in VALIDATORS},
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


def judged(target_probabilities, on_source, source_labels, space, held, adapted_on) -> dict:
    """Every validator on the half that was adapted on."""
    correct = None if on_source is None else on_source.argmax(1) == source_labels
    return {
        "source_accuracy": np.nan if correct is None else correct.mean(),
        "certainty": validators.certainty(target_probabilities),
        "information": validators.mutual_information(target_probabilities),
        "neighbourhood": validators.soft_neighbourhood_density(target_probabilities),
        "weighted": np.nan
        if correct is None
        else validators.weighted_accuracy(correct, space.source[held], space.target[adapted_on]),
    }


def methods(pair: str) -> list[str]:
    """The candidates of a pair: without separating stains where there are none."""
    return [
        name
        for name, (images, *_) in candidates.METHODS.items()
        if images != "macenko" or pair not in UNSTAINED
    ]


ROWS = [(pair, method, seed) for seed in SEEDS for pair in PAIRS for method in methods(pair)]

if __name__ == "__main__":
    table.grow("adaptation", __doc__, KEY, COLUMNS, ROWS, measure)
