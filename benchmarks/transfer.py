"""Few labels: does fine-tuning pay, against a probe and a network from scratch, on equal terms?

    python benchmarks/transfer.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/transfer_summary.py                       # then: means and intervals

About half an hour of CPU for all rows; fills results/transfer.csv. Methods, settings and budget are
fixed in PROTOCOL.md.

A row is one seed: one half of the patients (equal cells grouped) lends its labels, the other half
is tested. `labels` is the number of labelled images per class that are drawn from the first half
(fewer where a class has fewer), or "all". All methods of a seed have the same draws, learn from the
same eight flips and quarter turns, average over the same eight views of each test image, and choose
one of three settings on the labelled images alone (common/tuned_recipes.py); `setting` holds the
choice. A row that is in the table is not run again: stop and start at will. `--only` keeps rows
whose "data labels method seed" contains the text.
"""

import time

from common import table  # first: it sets the threads
from common import cells, tuned_recipes
import numpy as np

from medlearn import metrics

KEY = ("data", "labels", "method", "seed")
COLUMNS = ("accuracy", "macro_f1", "setting", "trainable", "cpu_seconds", "predictions")


def measure(data: str, labels_per_class: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    labels_per_class : {"2", "5", "20", "all"}
        How many labels a method may see.
    method : str
        Name in `tuned_recipes.RECIPES`.
    seed : int
        Seed of the halves, the draws and the networks.
    """
    recipe = tuned_recipes.RECIPES[method]
    for compute in (recipe.inputs, cells.vectors):
        compute(data)  # outside the timing of the first row
    train, test = cells.halves(data, seed)
    labelled = cells.draw_labelled(data, train, labels_per_class, np.random.default_rng(seed))
    start = time.process_time()
    learner = tuned_recipes.Learner(data, labels_per_class, labelled, seed)
    probabilities, setting, size = tuned_recipes.tuned(recipe, learner, test)
    seconds = time.process_time() - start
    labels, predictions = cells.load(data).labels[test], probabilities.argmax(1)
    return {
        "accuracy": round(metrics.accuracy(labels, predictions), 4),
        "macro_f1": round(metrics.macro_f1(labels, predictions), 4),
        "setting": setting,
        "trainable": size,
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


def _rows(data: str, labels: tuple[str, ...], seeds: int, methods: list[str]) -> list[tuple]:
    return [
        (data, labels_per_class, method, seed)
        for seed in range(seeds)
        for labels_per_class in labels
        for method in methods
    ]


FEW, SEEDS = ("2", "5", "20"), {"wbc": 5, "smear": 2}
*FIRST, TRANSFORMER, PLAIN = tuned_recipes.RECIPES
ROWS = [
    *_rows("wbc", FEW, SEEDS["wbc"], FIRST),
    *_rows("wbc", FEW, SEEDS["wbc"], [TRANSFORMER]),
    *_rows("smear", FEW, SEEDS["smear"], [*FIRST, TRANSFORMER]),
    *_rows("wbc", FEW, SEEDS["wbc"], [PLAIN]),
    *_rows("wbc", ("all",), SEEDS["wbc"], list(tuned_recipes.RECIPES)),
    *_rows("smear", FEW, SEEDS["smear"], [PLAIN]),
    *_rows("smear", ("all",), SEEDS["smear"], list(tuned_recipes.RECIPES)),
]

if __name__ == "__main__":
    table.grow("transfer", __doc__, KEY, COLUMNS, ROWS, measure)
