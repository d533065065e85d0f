"""Detection of blood cells: what does a borrowed encoder bring, for its CPU-seconds?

    python benchmarks/dense_detection.py [--only TEXT] [--minutes 5]   # adds the missing rows
    python benchmarks/dense_detection_ceiling.py                       # then: holes in the truth

About six CPU-minutes for a row; fills results/dense_detection.csv.

A row is one seed: the official training images of `bccd`, whole fields resized to 288 x 384, of
which flips, zooms and colours are drawn anew in each epoch; then the official test images, once,
with predictions averaged over three flips. `map50_apart` is average precision on the test images of
fields of which no training or validation image shows a part. Settings were chosen on the official
validation images (tried: 240 x 320 and 288 x 384, learning from block_2 and block_4). `fine-tuned`
learns from block_4 on, with BatchNorm still; `random` is the same network with random weights, all
of which learn; its `quick norms` have BatchNorm statistics of momentum .9 instead of .99, which
keep pace with weights that change in a few hundred steps.

Aim, and what the rows of 2026-11-25 reach. mAP@.5 of .88 with flips in ten CPU-minutes:
`fine-tuned` .891 and .888 in about five, and .887 and .882 on the fields apart; without holes in
the truth of the red cells about .93 (the second table). Three seeds of each row were meant;
differences under .03 rank nothing.
"""

import time

from common import table  # first: it sets the threads
from common import detectors
import numpy as np

from medlearn import metrics
from medlearn._keras import keras

KEY = ("task", "data", "method", "seed")
PRECISION = ("map50", "map50_95", "red", "white", "platelet", "map50_no_flips", "map50_apart")
COLUMNS = (*PRECISION, "apart_images", "red_counting_error", "trainable", "epochs", "cpu_seconds")
RED = 0
SCORE_THRESHOLDS = np.arange(0.1, 0.8, 0.05)  # tried for counting


def _at_half(matches: np.ndarray) -> np.ndarray:
    """The matches at an overlap of one half alone, out of those at ten overlaps."""
    first = np.empty(len(matches), object)
    first[:] = [match[:, :3] for match in matches]
    return first


def _apart() -> np.ndarray:
    """Which of the test images show nothing that a training or validation image shows."""
    patients = detectors.fields().patients
    learned_from = patients[detectors.part("train", "val")]
    return ~np.isin(patients[detectors.part("test")], learned_from)


def _red_cells(predictions: list[np.ndarray], score_threshold: float = 0.0) -> np.ndarray:
    return metrics.count_boxes(predictions, detectors.CLASSES, score_threshold)[:, RED]


def _threshold_for_counting(model: keras.Model) -> float:
    """The score from which on red cells are counted best on the validation images."""
    rows = detectors.part("val")
    _, truth = detectors.resized(rows)
    predictions = detectors.predict(model, rows, flips=True)
    errors = [
        metrics.mean_absolute_error(_red_cells(truth), _red_cells(predictions, threshold))
        for threshold in SCORE_THRESHOLDS
    ]
    return float(SCORE_THRESHOLDS[int(np.argmin(errors))])


def measure(task: str, data: str, method: str, seed: int) -> dict:
    """Return the results of one row, and keep its predictions for dense_detection_ceiling.py.

    Parameters
    ----------
    task, data : str
        Always "detection" and "bccd".
    method : str
        A key of `detectors.EPOCHS`.
    seed : int
        Seed of weights, order and views.
    """
    test = detectors.part("test")  # loads the images outside the timing of the first row
    start = time.process_time()
    model = detectors.fit(method, seed)
    seconds = time.process_time() - start
    _, truth = detectors.resized(test)
    predictions = detectors.predict(model, test, flips=True)
    detectors.store(method, seed, predictions)
    classes, apart = detectors.CLASSES, _apart()
    objects, matches = metrics.match_boxes(truth, predictions, classes, metrics.IOU_THRESHOLDS)
    at_half = _at_half(matches)
    red, white, platelet = metrics.average_precision_per_class(objects, at_half)
    one_view = metrics.match_boxes(truth, detectors.predict(model, test, flips=False), classes)
    mean_precision = metrics.mean_average_precision
    counted = _red_cells(predictions, _threshold_for_counting(model))
    return {
        "map50": round(mean_precision(objects, at_half), 4),
        "map50_95": round(mean_precision(objects, matches), 4),
        "red": round(red, 4),
        "white": round(white, 4),
        "platelet": round(platelet, 4),
        "map50_no_flips": round(mean_precision(*one_view), 4),
        "map50_apart": round(mean_precision(objects[apart], at_half[apart]), 4),
        "apart_images": int(apart.sum()),
        "red_counting_error": round(metrics.mean_absolute_error(objects[:, RED], counted), 2),
        "trainable": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "epochs": detectors.EPOCHS[method],
        "cpu_seconds": round(seconds, 1),
    }


ORDER = (  # of use
    ("fine-tuned", 0),
    ("random", 0),
    ("fine-tuned, short", 0),
    ("fine-tuned", 1),
    ("random, quick norms", 0),
    ("fine-tuned", 2),
    ("random, quick norms", 1),
    ("random, quick norms", 2),
    ("fine-tuned, short", 1),
    ("fine-tuned, short", 2),
)
ROWS = [("detection", "bccd", method, seed) for method, seed in ORDER]

if __name__ == "__main__":
    table.grow("dense_detection", __doc__, KEY, COLUMNS, ROWS, measure)
