"""How often does a 95 % interval hold the truth, with few patients and scores near 1?

    python benchmarks/interval_coverage.py [--only TEXT] [--minutes 9]   # adds the missing rows

About six CPU-minutes; fills results/interval_coverage.csv.

A row is 400 simulated studies of one score with one number of patients and one true value. A study
has 4 to 10 images of each patient, which resemble each other (a shared normal deviate makes up 30 %
of the variance). `coverage` is the share of studies whose interval of `metrics.interval` or
`metrics.paired_difference` holds the truth, `width` its mean width; `percentile_coverage` and
`percentile_width` are those of the percentile bootstrap, which the package used before, on as many
resamples. Of 400 studies a coverage of .95 has a standard error of .011. Aim: .93 to .97 from 20
patients on.

"by patient" means that all images of a patient are of one class. The paired difference is that of
two accuracies, the true value and .05 less (.02 less above .95). Dice of an image follows a beta
distribution around that of its patient. The mean absolute error, of exponential errors, stands for
scores without an upper end. "mean of five seeds" is the interval of `common.bootstrap` over five
models whose true accuracies differ; before, patients alone were resampled.
"""

import time
import warnings

from common import table  # first: it sets the threads
from common import bootstrap
import numpy as np
from scipy.stats import norm

from medlearn import metrics
from medlearn.metrics import _resamples

KEY = ("score", "patients", "truth")
COLUMNS = (
    "percentile_coverage",
    "coverage",
    "percentile_width",
    "width",
    "studies",
    "undefined",
    "cpu_seconds",
)
PATIENTS = (20, 26, 40, 15, 60)
TRUTHS = (0.5, 0.9, 0.98)
STUDIES, REPEATS = 400, 400
SHARED = 0.3  # share of the variance that images of a patient have in common
SEED_SPREAD = 0.2  # standard deviation of models, in units of that of images
CLASS_SHARES = np.array([0.5, 0.3, 0.2])
SCORES = (
    "accuracy",
    "sensitivity",
    "sensitivity by patient",
    "macro-F1",
    "AUROC",
    "AUROC by patient",
    "mean Dice",
    "paired difference",
    "mean of five seeds",
)
ROWS = [(score, count, truth) for count in PATIENTS for score in SCORES for truth in TRUTHS]
ROWS += [("mean absolute error", count, 1.0) for count in PATIENTS]


def measure(score: str, patients: int, truth: float) -> dict:
    """Simulate the studies of one row and count the intervals that hold the truth."""
    start = time.process_time()
    random = np.random.default_rng([patients, round(1000 * truth), len(score)])
    values = []
    for seed in range(STUDIES):
        values.append(_study(score, patients, truth, random, seed))
    defined = np.array([study for study in values if study is not None])
    goal, before, after = defined[:, 0], defined[:, 1:3].T, defined[:, 3:5].T
    return {
        "percentile_coverage": _holds(before, goal).mean().round(4),
        "coverage": _holds(after, goal).mean().round(4),
        "percentile_width": (before[1] - before[0]).mean().round(4),
        "width": (after[1] - after[0]).mean().round(4),
        "studies": len(defined),
        "undefined": STUDIES - len(defined),
        "cpu_seconds": round(time.process_time() - start, 1),
    }


def _holds(ends: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return (ends[0] <= truth + 1e-9) & (truth - 1e-9 <= ends[1])


def _study(score, patients, truth, random, seed) -> tuple | None:
    """The true value, and the ends of both intervals; None if the score is undefined."""
    patient = np.repeat(np.arange(patients), random.integers(4, 11, patients))
    if score == "mean of five seeds":
        return _of_seeds(patient, truth, random)
    if score == "paired difference":
        return _of_difference(patient, truth, random, seed)
    metric, labels, predictions, goal = _simulated(score, patient, truth, random)
    try:
        ends = metrics.interval(metric, labels, predictions, patient, repeats=REPEATS, seed=seed)
    except ValueError:
        return None
    draws = _resamples.resampled_scores(
        metric, labels, predictions, patient, _counts(patients, seed)
    )
    return goal, *_percentiles(draws), ends.low, ends.high


def _counts(patients: int, seed: int) -> np.ndarray:
    """The resamples that `metrics.interval` draws."""
    chances = np.full(patients, 1 / patients)
    return np.random.default_rng(seed).multinomial(patients, chances, size=REPEATS)


def _percentiles(draws: np.ndarray) -> np.ndarray:
    return np.nanquantile(draws, [0.025, 0.975])


# ---- the studies ---------------------------------------------------------------------------------


def _deviates(patient: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Standard normal deviates of the images, correlated within patients."""
    shared = random.normal(size=patient.max() + 1)[patient]
    return np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * random.normal(size=len(patient))


def _binary_labels(score: str, patient: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return patient % 2 if score.endswith("by patient") else random.integers(2, size=len(patient))


def _simulated(score, patient, truth, random) -> tuple:
    """Metric, labels, predictions and the true value."""
    if score == "mean Dice":
        return *_dice(patient, truth, random), truth
    if score == "mean absolute error":
        rate = random.gamma(2, truth / 2, patient.max() + 1)[patient]
        errors = rate * random.exponential(size=len(patient))
        return metrics.mean_absolute_error, np.zeros(len(patient)), errors, truth
    if score.startswith("AUROC"):
        labels = _binary_labels(score, patient, random)
        distance = norm.ppf(truth) * np.sqrt(2)
        return metrics.auroc, labels, distance * labels + _deviates(patient, random), truth
    is_right = _deviates(patient, random) < norm.ppf(truth)
    if score == "macro-F1":
        labels = random.choice(3, len(patient), p=CLASS_SHARES)
        wrong = (labels + random.integers(1, 3, len(patient))) % 3
        return metrics.macro_f1, labels, np.where(is_right, labels, wrong), _true_macro_f1(truth)
    if score == "accuracy":
        return metrics.accuracy, np.ones(len(patient), int), is_right.astype(int), truth
    labels = _binary_labels(score, patient, random)
    return metrics.sensitivity, labels, np.where(is_right, labels, 1 - labels), truth


def _dice(patient, truth, random) -> tuple:
    """The metric, and Dice of each image twice: in place of labels, and as predictions."""
    of_patient = random.beta(12 * truth, 12 * (1 - truth), patient.max() + 1)[patient]
    shapes = np.maximum([12 * of_patient, 12 * (1 - of_patient)], 1e-3)
    dice = random.beta(*shapes)
    return _resamples.mean_of_scores, dice, dice


def _true_macro_f1(accuracy: float) -> float:
    """Macro-F1 of infinitely many images, each class right equally often."""
    confusion = np.outer(CLASS_SHARES, np.full(3, (1 - accuracy) / 2))
    np.fill_diagonal(confusion, CLASS_SHARES * accuracy)
    return float(np.mean(2 * np.diag(confusion) / (confusion.sum(0) + confusion.sum(1))))


def _of_difference(patient, truth, random, seed) -> tuple:
    """Two models that find the same patients and the same images hard."""
    second = truth - (0.05 if truth < 0.95 else 0.02)
    of_patient = random.normal(size=patient.max() + 1)[patient]
    of_image = random.normal(size=len(patient))
    labels = np.ones(len(patient), int)
    predictions = []
    for accuracy in (truth, second):
        own = random.normal(size=len(patient))
        deviates = np.sqrt([0.3, 0.4, 0.3]) @ [of_patient, of_image, own]
        predictions.append((deviates < norm.ppf(accuracy)).astype(int))
    ends = metrics.paired_difference(
        metrics.accuracy, labels, *predictions, patient, repeats=REPEATS, seed=seed
    )
    counts = _counts(patient.max() + 1, seed)
    first_draws, second_draws = (
        _resamples.resampled_scores(metrics.accuracy, labels, part, patient, counts)
        for part in predictions
    )
    return truth - second, *_percentiles(first_draws - second_draws), ends.low, ends.high


def _of_seeds(patient, truth, random) -> tuple:
    """Five models on the same images; the truth is the mean accuracy of all such models."""
    labels = np.ones(len(patient), int)
    shared = _deviates(patient, random)
    predictions = {}
    for seed in range(5):
        own = np.sqrt(0.5) * shared + np.sqrt(0.5) * random.normal(size=len(patient))
        limit = norm.ppf(truth) + SEED_SPREAD * random.normal()
        predictions[seed] = (own < limit).astype(int)
    draws = bootstrap.Patients(dict.fromkeys(predictions, patient), REPEATS)
    after = draws.score(metrics.accuracy, dict.fromkeys(predictions, labels), predictions)
    of_patients = draws.mean({0: np.mean(list(predictions.values()), axis=0)})
    goal = norm.cdf(norm.ppf(truth) / np.sqrt(1 + SEED_SPREAD**2))
    return goal, *_percentiles(of_patients.draws), *list(after.columns("score").values())[1:]


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="This score rests on|Only one patient")
    table.grow("interval_coverage", __doc__, KEY, COLUMNS, ROWS, measure)
