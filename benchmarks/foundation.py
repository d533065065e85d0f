"""Is tuning a vision transformer worth its seconds: probes, LoRA, the last block, all of it?

    python benchmarks/foundation.py [--only TEXT] [--minutes 30]   # adds the missing rows
    python benchmarks/foundation_summary.py                        # then: means and intervals

About a quarter of a CPU-hour for `wbc`, and more for `smear`; fills results/foundation.csv.

The rule stands in PROTOCOL.md ("Tuning a vision transformer"): each row is a seed, which divides
the patients of lab-a and draws the labelled cells. All methods see the same four views of the same
cells, and a training takes about ten CPU-seconds, given as a number of steps. Scores are those of
the other patients at home, and of lab-b, which chose nothing.
"""

from functools import partial
import time

from common import table  # first: it sets the threads
from common import tuned
import numpy as np

from medlearn import metrics
from medlearn._keras import keras

KEY = ("data", "labels", "method", "seed")
COLUMNS = (
    "macro_f1",
    "macro_f1_away",
    "trainable",
    "steps",
    "cpu_seconds",
    "predictions",
    "predictions_away",
)
LABELS = {"wbc": ("20", "5", "100", "2"), "smear": ("20", "uneven", "5", "100", "2")}
ROWS = [
    (data, labels, method, seed)
    for data in LABELS
    for labels in LABELS[data]
    for method in (*tuned.PROBES, *tuned.METHODS)
    for seed in range(5)
]


def measure(data: str, labels_per_class: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    labels_per_class : str
        As in `tuned.draw_labelled`.
    method : str
        Name in `tuned.PROBES` or `tuned.METHODS`.
    seed : int
        Seed of the patients, the labels and the order of the batches.
    """
    train, test = tuned.home_patients(data, seed)
    labelled = tuned.draw_labelled(data, train, labels_per_class, seed)
    keras.utils.set_random_seed(seed)
    run = partial(_probed, method) if method in tuned.PROBES else partial(_tuned, method)
    predict, (home, away), facts = run(data, labelled, seed)
    labels = tuned.load(data, "lab-a").labels[test]
    labels_away = tuned.load(data, "lab-b").labels
    predictions, predictions_away = predict(home[test, 0]), predict(away)
    return {
        "macro_f1": round(metrics.macro_f1(labels, predictions), 4),
        "macro_f1_away": round(metrics.macro_f1(labels_away, predictions_away), 4),
        **facts,
        "predictions": "".join(map(str, predictions)),
        "predictions_away": "".join(map(str, predictions_away)),
    }


def _probed(method: str, data: str, labelled: np.ndarray, seed: int) -> tuple:
    values = tuned.vectors(data, tuned.PROBES[method])
    start = time.process_time()
    probe = tuned.fitted_probe(data, tuned.PROBES[method], labelled)
    seconds = round(time.process_time() - start, 1)
    trainable = tuned.classes_of(data) * (values[0].shape[-1] + 1)
    return probe.predict, values, {"trainable": trainable, "steps": 0, "cpu_seconds": seconds}


def _tuned(name: str, data: str, labelled: np.ndarray, seed: int) -> tuple:
    method = tuned.METHODS[name]
    values = tuned.inputs(data, method.network, method.cut)
    probe = tuned.fitted_probe(data, method.network, labelled)
    model = tuned.ready(data, method, probe)
    labels = tuned.load(data, "lab-a").labels[labelled]
    start = time.process_time()
    steps = tuned.train(model, method, values[0][labelled], labels, seed)
    seconds = round(time.process_time() - start, 1)
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    facts = {"trainable": trainable, "steps": steps, "cpu_seconds": seconds}
    return lambda images: model.predict(images, verbose=0).argmax(1), values, facts


if __name__ == "__main__":
    table.grow("foundation", __doc__, KEY, COLUMNS, ROWS, measure)
