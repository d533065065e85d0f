"""Does pretraining on unlabelled images pay, at home and next door, in as many seconds?

    python benchmarks/pretraining.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/pretraining_summary.py                       # then: means and intervals

About fifteen CPU-minutes for all rows; fills results/pretraining.csv. The rule stands in
PROTOCOL.md.

A row is one seed: so many labels per class of the home laboratory (fewer where a class has fewer),
a logistic regression on block 14 of an encoder, scored on other patients at home and on those of
the other laboratory that no method has seen. `standardised` means: features of each laboratory by
the means and deviations of its own unlabelled images. The strength of the regression is chosen by
cross-validation among the labelled images. The 500 steps of `long` take ten times as long.
"""

from common import table  # first: it sets the threads
from common import laboratories, unlabelled
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from medlearn import features, metrics

KEY = ("data", "labels", "method", "seed")
SCORED = ("home", "other", "other_standardised")
COLUMNS = (
    *(f"{name}_macro_f1" for name in SCORED),
    "steps",
    "cpu_seconds",
    *(f"{name}_predictions" for name in SCORED),
)
LABELS = (5, 20, 100)
SEEDS = [(data, seed) for seed in range(5) for data in ("smear", "wbc")]
PRETRAINED = {  # method -> laboratories, whether views are zoomed, steps
    "pretrained at home": (("home",), False, unlabelled.STEPS),
    "pretrained at both": (("home", "other"), False, unlabelled.STEPS),
    "pretrained at home, zoomed": (("home",), True, unlabelled.STEPS),
    "pretrained at both, long": (("home", "other"), False, 10 * unlabelled.STEPS),
}
METHODS = ("frozen", "pretrained at home", "pretrained at both", "random looks")


def measure(data: str, labels_per_class: int, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    labels_per_class : int
        How many labels of each class are seen.
    method : str
        One of `METHODS`, or a key of `PRETRAINED`.
    seed : int
        Seed of the cells, the draw of the labels and the training.
    """
    cells = unlabelled.load(data, seed)
    labelled = _draw(cells, labels_per_class, seed)
    trained = _encoder(data, method, seed, labelled)
    predictions = _predictions(trained.encoder, cells, labelled, seed)
    if data == "wbc":
        laboratories.log_opening("pretraining", "wbc a>b", seed, method, "scoring")
    truths = {"home": cells.home.labels[cells.test]}
    truths["other"] = truths["other_standardised"] = cells.other.labels[cells.other_test]
    result: dict = {"steps": trained.steps, "cpu_seconds": round(trained.seconds, 1)}
    for name in SCORED:
        score = metrics.macro_f1(truths[name], predictions[name])
        result[f"{name}_macro_f1"] = round(score, 4)
        result[f"{name}_predictions"] = "".join(map(str, predictions[name]))
    return {name: result[name] for name in COLUMNS}


def _draw(cells: unlabelled.Cells, labels_per_class: int, seed: int) -> np.ndarray:
    """Rows whose labels are seen."""
    random = np.random.default_rng([seed, labels_per_class])
    labels = cells.home.labels[cells.train]
    shuffled = [random.permutation(cells.train[labels == value]) for value in np.unique(labels)]
    return np.concatenate([rows[:labels_per_class] for rows in shuffled])


def _encoder(data: str, method: str, seed: int, labelled: np.ndarray) -> unlabelled.Trained:
    if method == "frozen":
        return unlabelled.Trained(unlabelled.start(), 0.0, 0)
    if method == "random looks":
        return unlabelled.trained_on_looks(data, seed, labelled)
    return unlabelled.pretrained(data, seed, *PRETRAINED[method])


def _predictions(encoder, cells: unlabelled.Cells, labelled: np.ndarray, seed: int) -> dict:
    """Predicted classes of the scored images."""
    home_features = features.extract(encoder, cells.home.images)
    other_features = features.extract(encoder, cells.other.images)
    at_home, next_door = StandardScaler().fit(home_features[cells.train]), StandardScaler()
    next_door.fit(other_features[cells.adapt])
    probe = _probe(at_home.transform(home_features[labelled]), cells.home.labels[labelled], seed)
    return {
        "home": probe.predict(at_home.transform(home_features[cells.test])),
        "other": probe.predict(at_home.transform(other_features[cells.other_test])),
        "other_standardised": probe.predict(next_door.transform(other_features[cells.other_test])),
    }


def _probe(vectors: np.ndarray, labels: np.ndarray, seed: int) -> GridSearchCV:
    """A logistic regression whose strength the labelled images alone have chosen."""
    smallest = np.unique(labels, return_counts=True)[1].min()
    folds = StratifiedKFold(max(2, min(smallest, 4)), shuffle=True, random_state=seed)
    grid = {"C": [0.001, 0.01, 0.1, 1.0]}
    search = GridSearchCV(LogisticRegression(max_iter=1000), grid, scoring="f1_macro", cv=folds)
    return search.fit(vectors, labels)


ROWS = [
    (data, labels, method, seed) for data, seed in SEEDS for method in METHODS for labels in LABELS
]
ROWS += [
    ("smear", labels, method, seed)
    for method, seeds in (("pretrained at home, zoomed", 3), ("pretrained at both, long", 1))
    for seed in range(seeds)
    for labels in LABELS
]

if __name__ == "__main__":
    table.grow("pretraining", __doc__, KEY, COLUMNS, ROWS, measure)
