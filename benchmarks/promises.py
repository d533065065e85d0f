"""How far do promises made at home hold in laboratories that nobody has seen?

    python benchmarks/promises.py [--only TEXT]   # adds the missing rows

About two CPU-minutes; fills results/promises.csv.

One model is trained at `lab-a`: a logistic regression on frozen features of 100 simulated cells,
those of lesson 23. On 200 cells of other patients its prediction sets (90 %) are calibrated and its
accuracy estimates prepared. Each row asks what they are worth on 100 cells of a random laboratory:
its true accuracy, the coverage and the mean size of the sets, and three estimates of the accuracy
without labels. Features are taken as they are, or `standardised`: by mean and standard deviation of
the laboratory's own cells. Patients differ from laboratory to laboratory.
"""

from functools import cache

from common import table  # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics
from medlearn.instruments import smear
from medlearn.monitoring import conformal, estimates

KEY = ("features", "laboratory")
ESTIMATES = {
    "thresholded": estimates.thresholded_confidence,
    "difference": estimates.difference_of_confidences,
    "matrix": estimates.from_confusion_matrix,
}
COLUMNS = ("accuracy", "coverage", "size", *ESTIMATES)
HOME, LABORATORIES, CELLS, SIZE = "lab-a", 40, 100, 128
LEARNED, CALIBRATED = 100, 200
ROWS = [
    (treatment, laboratory)
    for laboratory in range(LABORATORIES)
    for treatment in ("as they are", "standardised")
]


@cache
def _encoder():
    return backbones.load("efficientnet_lite0", size=SIZE)


def _vectors(cells: datasets.Dataset) -> np.ndarray:
    return features.extract(_encoder(), cells.images, layer="block_14", cache=False)


@cache
def _at_home():
    """The scaler and the classifier, and labels and probabilities of the calibration cells."""
    cells = smear.single_cells(HOME, LEARNED + CALIBRATED, SIZE, seed=0)
    assert not set(cells.patients[:LEARNED]) & set(cells.patients[LEARNED:])
    vectors = _vectors(cells)
    scaler = StandardScaler().fit(vectors[:LEARNED])
    model = LogisticRegression(C=0.03, max_iter=2000)
    model.fit(scaler.transform(vectors[:LEARNED]), cells.labels[:LEARNED])
    probabilities = model.predict_proba(scaler.transform(vectors[LEARNED:]))
    return scaler, model, cells.labels[LEARNED:], probabilities


@cache
def _laboratory(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and labels of a random laboratory."""
    laboratory = smear.random_laboratory((23, number))
    cells = smear.single_cells(laboratory, CELLS, SIZE, seed=1000 + number)
    return _vectors(cells), cells.labels


def measure(treatment: str, laboratory: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    treatment : {"as they are", "standardised"}
        What is done to the features.
    laboratory : int
        Number of the random laboratory.
    """
    scaler, model, labels, at_home = _at_home()
    vectors, truth = _laboratory(laboratory)
    if treatment == "standardised":
        scaler = StandardScaler().fit(vectors)
    there = model.predict_proba(scaler.transform(vectors))
    sets = conformal.prediction_sets(there, conformal.thresholds(labels, at_home))
    values = {
        "accuracy": metrics.accuracy(truth, there.argmax(1)),
        "coverage": metrics.coverage(truth, sets),
        "size": sets.sum(1).mean(),
    }
    values |= {name: estimate(labels, at_home, there) for name, estimate in ESTIMATES.items()}
    return {name: f"{value:.3f}" for name, value in values.items()}


if __name__ == "__main__":
    table.grow("promises", __doc__, KEY, COLUMNS, ROWS, measure)
