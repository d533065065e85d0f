"""How many labels does it take? From scratch, on frozen features, and fine-tuned, with 2 to 200 labels a class.

    python benchmarks/learning.py [--only TEXT] [--minutes 5]     # adds the missing rows to results/learning.csv
    python benchmarks/learning_summary.py                         # then: means, bands, intervals

A row is one draw: so many labelled images of each class, out of the training patients of lab-a (fewer where a class has
fewer); the test patients are the same in all rows. All three methods see the eight flips and quarter turns of each image
and average their predictions over them; the recipes, and the network from scratch, are those of transfer.py (networks.small
was tried as well, on training patients of `smear`: it came out lower). The folds and patients of `wbc` chose nothing.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np
from transfer import (
    BATCH,
    PASSES,
    VIEWS,
    cells,
    drawn,
    fitted_on_views,
    maps,
    probe_on_views,
    ready,
    scratch_model,
    shrunk,
    size_of,
    stacked,
    staged,
    vectors,
)

from medlearn import metrics, splits
from medlearn._keras import keras

KEY = ("data", "labels", "method", "draw")
COLUMNS = ("accuracy", "macro_f1", "trainable", "cpu_seconds", "predictions")
SETS = {
    "smear": "smear 1800",
    "wbc": "wbc",
}  # 360 cells a class leave enough for 200 labels and a test
LABELS = {"smear": (2, 5, 10, 20, 50, 100, 200), "wbc": (2, 5, 10)}
DRAWS, FEWER, MANY = 5, 2, 100  # the long fits, from MANY labels on, are drawn less often


@lru_cache
def sides(data: str) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the images of the training and of the test patients."""
    here = cells(SETS[data])
    return splits.by_patient(here.patients, test=0.3, seed=0, labels=here.labels)


def scratch(data, labels, train, test, seed):
    """The network of transfer.py that starts from random weights; like its rivals, it averages over the views."""
    model = ready(scratch_model, data, labels, len(train))
    model.fit(
        *stacked(shrunk(data)[train], cells(data).labels[train]),
        BATCH,
        3 * PASSES[labels],
        verbose=0,
    )
    told = np.mean(
        [model.predict(shrunk(data)[test, view], verbose=0) for view in range(VIEWS)], axis=0
    )
    return told.argmax(1), size_of(model)


def fine_tuned(data, labels, train, test, seed):
    """Starts from the probe that is its rival here: two labels a class leave nothing to choose its strength on."""
    return staged(data, labels, train, test, seed, start=fitted_on_views(data, train))


METHODS = {"frozen": probe_on_views, "fine-tuned": fine_tuned, "scratch": scratch}


def measure(data: str, labels: int, method: str, draw: int) -> dict:
    name, (train, test) = SETS[data], sides(data)
    {"frozen": vectors, "fine-tuned": maps, "scratch": shrunk}[method](
        name
    )  # outside the timing of the first row
    some = drawn(name, train, str(labels), np.random.default_rng([draw, labels]))
    keras.utils.set_random_seed(draw)
    start = time.process_time()
    predictions, size = METHODS[method](name, str(labels), some, test, draw)
    seconds, truth = time.process_time() - start, cells(name).labels[test]
    return {
        "accuracy": round(metrics.accuracy(truth, predictions), 4),
        "macro_f1": round(metrics.macro_f1(truth, predictions), 4),
        "trainable": size,
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


ROWS = [
    (data, labels, method, draw)
    for draw in range(DRAWS)
    for data in SETS
    for method in METHODS
    for labels in LABELS[data]
    if labels < MANY or draw < FEWER
]
ROWS.sort(key=lambda row: (row[3] > 0) * row[1])  # first draws first, then size by size

if __name__ == "__main__":
    table.grow("learning", __doc__, KEY, COLUMNS, ROWS, measure)
