"""How many labels does it take: from scratch, on frozen features, and fine-tuned?

    python benchmarks/learning.py [--only TEXT] [--minutes 5]   # adds the missing rows
    python benchmarks/learning_summary.py                       # then: means, bands, intervals

About half a CPU-hour for all rows; fills results/learning.csv.

A row is one draw: so many labelled images of each class, from 2 to 200, out of the training
patients of lab-a (fewer where a class has fewer); the test patients are the same in all rows. All
three methods see the eight flips and quarter turns of each image and average their predictions over
them; the recipes, and the network from scratch, are those of transfer.py (networks.small_cnn was
tried as well, on training patients of `smear`: it came out lower). The folds and patients of `wbc`
chose nothing.
"""

import time

from common import table  # first: it sets the threads
from common import cells, recipes
from common.recipe_networks import predictor, size_of
import numpy as np

from medlearn import metrics
from medlearn._keras import keras

KEY = ("data", "labels", "method", "draw")
COLUMNS = ("accuracy", "macro_f1", "trainable", "cpu_seconds", "predictions")
LABELS = {"smear": (2, 5, 10, 20, 50, 100, 200), "wbc": (2, 5, 10)}
DRAWS, FEWER, MANY = 5, 2, 100  # the long fits, from MANY labels on, are drawn less often


def scratch(task: recipes.Task) -> recipes.Result:
    """The network that starts from random weights; like its rivals, it averages over the views."""
    model = recipes.fitted_scratch(task)
    predict = predictor(model)
    predictions = recipes.averaged(predict, cells.shrunk(task.data), task.test)
    return predictions, size_of(model)


def fine_tuned(task: recipes.Task) -> recipes.Result:
    """Starts from its rival: two labels per class leave nothing to choose a probe's strength on."""
    return recipes.staged(task, start=recipes.fitted_on_views(task))


METHODS = {"frozen": recipes.probe_on_views, "fine-tuned": fine_tuned, "scratch": scratch}
INPUTS = {"frozen": cells.vectors, "fine-tuned": cells.maps, "scratch": cells.shrunk}


def measure(data: str, labels_per_class: int, method: str, draw: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    labels_per_class : int
        How many labels a method may see.
    method : {"frozen", "fine-tuned", "scratch"}
        How it learns.
    draw : int
        Seed of the draw and of the network.
    """
    name = cells.LEARNING_SETS[data]
    train, test = cells.train_and_test(name)
    INPUTS[method](name)  # outside the timing of the first row
    generator = np.random.default_rng([draw, labels_per_class])
    labelled = cells.draw_labelled(name, train, str(labels_per_class), generator)
    keras.utils.set_random_seed(draw)
    start = time.process_time()
    task = recipes.Task(name, str(labels_per_class), labelled, test, draw)
    predictions, size = METHODS[method](task)
    seconds = time.process_time() - start
    labels = cells.load(name).labels[test]
    return {
        "accuracy": round(metrics.accuracy(labels, predictions), 4),
        "macro_f1": round(metrics.macro_f1(labels, predictions), 4),
        "trainable": size,
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


def _first_draws_first(row: tuple) -> int:
    """Sort key: the first draws in any order, then size by size."""
    _, labels_per_class, _, draw = row
    return labels_per_class if draw else 0


ROWS = [
    (data, labels, method, draw)
    for draw in range(DRAWS)
    for data in LABELS
    for method in METHODS
    for labels in LABELS[data]
    if labels < MANY or draw < FEWER
]
ROWS.sort(key=_first_draws_first)

if __name__ == "__main__":
    table.grow("learning", __doc__, KEY, COLUMNS, ROWS, measure)
