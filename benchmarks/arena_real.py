"""What does the frozen chooser do on real pairs, the cells of two laboratories?

    python benchmarks/arena_real.py [--only TEXT] [--minutes 9]   # adds the missing rows

A quarter of a CPU-minute for a row; fills results/arena_real.csv. A row is a pair of `wbc` and a
seed of the halves, as PROTOCOL.md says: candidates are fitted to one half of the target and scored
by balanced accuracy on the other. `proposed` is the candidate with the highest predicted gain, also
where the choice abstained. The columns of validators hold the gain of the candidate with the
highest value. The pairs are exploratory: these images were looked at throughout development.
Patients are unknown, so halves are by image. Each opening of labels adds a line to
results/labels_opened.csv.
"""

from functools import lru_cache
import warnings

from common import table  # first: it sets the threads
from common import arena_choices, arena_pairs, arena_rows, laboratories
import numpy as np
import pandas as pd

from medlearn import adaptation, datasets, selection, splits
from medlearn.selection import _evidence

KEY = ("pair", "seed")
COLUMNS = (
    "chosen",
    "abstained",
    "proposed",
    "predicted_gain",
    "lower_bound",
    "source_only",
    "gain",
    "proposed_gain",
    "best",
    "best_gain",
    "oracle_gain",
    *(name.replace(" ", "_") for name in arena_choices.VALIDATORS.values()),
    *_evidence.OF_PAIR,
    "reason",
)
PAIRS = ("wbc a>b", "wbc b>a", "wbc granules a>b", "wbc granules b>a")
SEEDS = range(5)
_VECTORS: dict[str, np.ndarray] = {}  # of a laboratory, computed once


def measure(pair: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    pair : str
        Name in `PAIRS`.
    seed : int
        Seed of the halves.
    """
    data, source_domain, target_domain, task = laboratories.PAIRS[pair]
    source, target = _load(data, source_domain), _load(data, target_domain)
    labels = laboratories.labels_of(source, task)
    learn, held_out = splits.by_patient(source.patients, labels, test=0.2, seed=seed)
    adapted_on, scored = splits.by_patient(target.patients, test=0.5, seed=seed)
    laboratories.log_opening("arena_real", pair, seed, "all", "score")
    target_labels = laboratories.labels_of(target, task)
    source_vectors, target_vectors = _vectors(source), _vectors(target)
    rows = learn, held_out, adapted_on, scored
    task = arena_rows.Task(source_vectors, labels, target_vectors, target_labels, *rows)
    models = adaptation.candidates(*task.unlabelled)
    choice = selection.choose(models, *task.unlabelled)
    return _columns(choice, arena_rows.measured(task, models))


@lru_cache
def _load(data: str, domain: str) -> datasets.Dataset:
    """Return the cells of a laboratory without the basophils, of which there are next to none."""
    cells = datasets.load(data, domain=domain, size=arena_pairs.SIDE)
    return cells.take(np.flatnonzero(cells.labels != cells.classes.index("basophil")))


def _vectors(data: datasets.Dataset) -> np.ndarray:
    laboratory = str(data.domains[0])
    if laboratory not in _VECTORS:
        _VECTORS[laboratory] = arena_rows.vectors(data.images)
    return _VECTORS[laboratory]


def _columns(choice: selection.Choice, results: dict[str, dict[str, float]]) -> dict[str, object]:
    """The columns of a row from the choice and the columns of all candidates."""
    table = pd.DataFrame.from_dict(results, orient="index")
    oracle = table.score["oracle"]
    table = table.drop(index="oracle")
    source_only = table.score["source only"]
    gains = (table.score - source_only).round(4)
    columns = {
        "chosen": choice.name,
        "abstained": choice.abstained,
        "proposed": choice.best,
        "predicted_gain": round(choice.gain.value, 4),
        "lower_bound": round(choice.gain.low, 4),
        "source_only": source_only,
        "gain": gains[choice.name],
        "proposed_gain": gains[choice.best],
        "best": gains.idxmax(),
        "best_gain": gains.max(),
        "oracle_gain": round(oracle - source_only, 4),
        "reason": choice.reason,
    }
    for column, name in arena_choices.VALIDATORS.items():
        columns[name.replace(" ", "_")] = gains[table[column].idxmax()]
    return columns | {name: table[name].iloc[0] for name in _evidence.OF_PAIR}


ROWS = [(pair, seed) for pair in PAIRS for seed in SEEDS]

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    table.grow("arena_real", __doc__, KEY, COLUMNS, ROWS, measure)
