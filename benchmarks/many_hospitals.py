"""What helps at hospitals that nobody has seen: more hospitals, harmonisation, SHOT?

    python benchmarks/many_hospitals.py [--only TEXT]   # adds the missing rows
    python benchmarks/many_hospitals_summary.py         # then: means and intervals over hospitals

About six CPU-minutes for all rows; fills results/many_hospitals.csv. The rule is in PROTOCOL.md.

A row is one method with one number of training hospitals and one seed. `scores` holds the balanced
accuracy at each of the unseen hospitals, which are the same for all methods and differ by seed.
Features are those of the frozen encoder; SHOT adapts a small network on them.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression

from medlearn import backbones, features, metrics
from medlearn._keras import keras
from medlearn.adaptation import harmonisation, matching, source_free
from medlearn.instruments import smear

KEY = ("method", "hospitals", "seed")
COLUMNS = ("balanced_accuracy", "worst", "cpu_seconds", "scores")
SEEDS, COUNTS, HOSPITALS, UNSEEN = 3, (1, 2, 4, 8), 8, 20
IMAGES, TESTED, SIZE = 160, 80, 96  # images of training in all, images of each unseen hospital


@lru_cache(maxsize=1)
def _encoder() -> keras.Model:
    return backbones.load("efficientnet_lite0")


@lru_cache(maxsize=HOSPITALS + UNSEEN)
def _hospital(seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Feature vectors and labels of a hospital; its laboratory and patients are drawn at random."""
    laboratory = smear.random_laboratory((2200, seed, number))
    count = IMAGES if number < HOSPITALS else TESTED
    cells = smear.single_cells(laboratory, count, size=SIZE, seed=10_000 * (seed + 1) + number)
    vectors = features.extract(_encoder(), cells.images, layer="block_14")
    return vectors.astype(float), cells.labels


def _standardised(vectors: np.ndarray, by: np.ndarray | None = None) -> np.ndarray:
    by = vectors if by is None else by
    return (vectors - by.mean(0)) / (by.std(0) + 1e-9)


def _probe(vectors: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=0.01, max_iter=1000).fit(vectors, labels)


# A method gets features, labels and hospitals of the training, and returns a function that predicts
# all images of a new hospital from their features.


def _pooled(vectors, labels, hospitals):
    probe = _probe(_standardised(vectors), labels)
    return lambda new: probe.predict(_standardised(new, vectors))


def _each_standardised(vectors, labels, hospitals):
    at_home = np.empty_like(vectors)
    for name in np.unique(hospitals):
        at_home[hospitals == name] = _standardised(vectors[hospitals == name])
    probe = _probe(at_home, labels)
    return lambda new: probe.predict(_standardised(new))


def _combat(vectors, labels, hospitals):
    harmoniser = harmonisation.ComBat().fit(vectors, hospitals)
    at_home = harmoniser.transform(vectors, hospitals)
    probe = _probe(_standardised(at_home), labels)

    def predict(new):
        abroad = harmoniser.with_domain("new", new).transform(new, ["new"] * len(new))
        return probe.predict(_standardised(abroad, at_home))

    return predict


def _coral(vectors, labels, hospitals):
    def predict(new):
        moved, new = matching.coral(vectors, new)
        return _probe(_standardised(moved), labels).predict(_standardised(new, moved))

    return predict


def _network(vectors, labels):
    """A bottleneck and a head on standardised features, trained on all images."""
    inputs = keras.Input((vectors.shape[1],))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(64)(inputs))
    outputs = keras.layers.Dense(int(labels.max()) + 1, activation="softmax")
    network = keras.Model(inputs, outputs(keras.layers.ReLU()(hidden)))
    network.compile(keras.optimizers.AdamW(3e-3), "sparse_categorical_crossentropy")
    network.fit(_standardised(vectors), labels, epochs=60, batch_size=64, verbose=0)
    return network


def _small_network(vectors, labels, hospitals):
    network = _network(vectors, labels)
    return lambda new: network.predict(_standardised(new, vectors), verbose=0).argmax(1)


def _shot(vectors, labels, hospitals):
    network = _network(vectors, labels)

    def predict(new):
        new = _standardised(new, vectors).astype("float32")
        adapted = source_free.shot(network, new, epochs=10)
        return adapted.predict(new, verbose=0).argmax(1)

    return predict


METHODS = {
    "pooled": _pooled,
    "each standardised": _each_standardised,
    "ComBat": _combat,
    "CORAL": _coral,
    "small network": _small_network,
    "SHOT": _shot,
}


def measure(method: str, hospitals: int, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    method : str
        Name in `METHODS`.
    hospitals : int
        Number of training hospitals.
    seed : int
        Draws the hospitals.
    """
    images_each = IMAGES // hospitals
    parts = [_hospital(seed, number) for number in range(hospitals)]
    vectors, labels = (np.concatenate([part[k][:images_each] for part in parts]) for k in (0, 1))
    unseen = [_hospital(seed, HOSPITALS + number) for number in range(UNSEEN)]
    start = time.process_time()
    keras.utils.set_random_seed(seed)
    predict = METHODS[method](vectors, labels, np.repeat(np.arange(hospitals), images_each))
    scores = [metrics.balanced_accuracy(truth, predict(new)) for new, truth in unseen]
    return {
        "balanced_accuracy": round(float(np.mean(scores)), 4),
        "worst": round(min(scores), 4),
        "cpu_seconds": round(time.process_time() - start, 1),
        "scores": " ".join(f"{score:.4f}" for score in scores),
    }


NOT_MEASURED = {("ComBat", 1)}  # a single hospital has nothing to be taken out
NOT_MEASURED |= {(method, count) for method in ("small network", "SHOT") for count in (1, 2, 4)}
ROWS = [
    (method, count, seed)
    for seed in range(SEEDS)
    for method in METHODS
    for count in COUNTS
    if (method, count) not in NOT_MEASURED
]

if __name__ == "__main__":
    table.grow("many_hospitals", __doc__, KEY, COLUMNS, ROWS, measure)
