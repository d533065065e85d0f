"""Many random pairs of simulated domains: which adaptation helps, which harms, and who foresees it?

    python benchmarks/arena.py [--only development] [--minutes 9]  # adds the missing rows

5 to 60 CPU-seconds for a pair: about an hour for all rows; fills results/arena.csv.

A row is one candidate of `adaptation.candidates` on one pair (common/arena_pairs.py), as
PROTOCOL.md says. What is fitted to the target sees the first half of its patients. `score`
(balanced accuracy), `accuracy` and `auroc` are those of the second half, `transductive` is the
score of the first. All other columns are measured without target labels: validators, and the
evidence of `selection.choose`. "oracle" learns from the labels of the first half.
"""

from datetime import date
from functools import lru_cache
import subprocess
import warnings

from common import table  # first: it sets the threads
from common import arena_pairs
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import adaptation, backbones, features, metrics
from medlearn.selection import _evidence, validators

KEY = ("half", "pair", "instrument", "kind", "method")
SCORES = ("score", "accuracy", "auroc", "transductive")
OF_SOURCE = ("source_accuracy", "weighted")
EVIDENCE = (*_evidence.OF_PAIR, *_evidence.OF_CANDIDATE)
COLUMNS = (*SCORES, *OF_SOURCE, *EVIDENCE, "commit", "date")
METHODS = (
    "source only",
    "self-training",
    "standardise",
    "standardise, self-training",
    "coral",
    "coral, self-training",
    "subspace",
    "subspace, self-training",
    "transport",
    "transport, self-training",
    "prior",
    "standardise, prior",
    "oracle",
)


def measure(half: str, number: int, instrument: str, kind: str, method: str) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    half, instrument, kind : str
        What `arena_pairs` says of this pair.
    number : int
        Number of the pair.
    method : str
        Name in `METHODS`.
    """
    columns = _pair(number)[method]
    stamp = {"commit": _commit(), "date": date.today()}
    return {name: columns.get(name, "") for name in COLUMNS} | stamp


@lru_cache(maxsize=1)
def _pair(number: int) -> dict[str, dict[str, float]]:
    """The columns of every method on one pair."""
    pair = arena_pairs.load(number)
    source, target = _vectors(pair.source.images), _vectors(pair.target.images)
    labels, seen = pair.source.labels[pair.learn], target[pair.adapted_on]
    models = adaptation.candidates(source[pair.learn], labels, seen)
    probabilities = {name: model.predict_proba(seen) for name, model in models.items()}
    of_pair = _evidence.of_pair(source[pair.learn], labels, seen, 0)
    of_candidates = _evidence.of_candidates(probabilities, source[pair.learn], labels, seen, 0)
    rows = {}
    for name, model in models.items():
        correct = _correct(model, source[pair.held_out], pair.source.labels[pair.held_out])
        of_source = (correct.mean(), _weighted(correct, source[pair.held_out], seen))
        values = dict(zip(OF_SOURCE, of_source)) | of_pair | of_candidates[name]
        rows[name] = _scores(model, pair, target) | {key: round(v, 4) for key, v in values.items()}
    oracle = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))
    oracle.fit(seen, pair.target.labels[pair.adapted_on])
    rows["oracle"] = _scores(oracle, pair, target)
    return rows


def _vectors(images: np.ndarray) -> np.ndarray:
    return features.extract(_encoder(), images, layer="block_14", cache=False).astype(float)


@lru_cache
def _encoder():
    return backbones.load("efficientnet_lite0")


def _correct(model: adaptation.Candidate, source: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1 where a held-out source image is classified correctly, else 0."""
    predicted = model.classes[model.predict_proba_source(source).argmax(1)]
    return (predicted == labels).astype(float)


def _weighted(correct: np.ndarray, source: np.ndarray, target: np.ndarray) -> float:
    return validators.weighted_accuracy(correct, source, target)


def _scores(model, pair: arena_pairs.Pair, target: np.ndarray) -> dict[str, float]:
    """The columns that need target labels; nothing else reads them."""
    labels = pair.target.labels
    scored, seen = labels[pair.scored], labels[pair.adapted_on]
    predicted = model.predict(target[pair.scored])
    probabilities = model.predict_proba(target[pair.scored])
    values = (
        metrics.balanced_accuracy(scored, predicted),
        metrics.accuracy(scored, predicted),
        _auroc(scored, probabilities, getattr(model, "classes", None)),
        metrics.balanced_accuracy(seen, model.predict(target[pair.adapted_on])),
    )
    return {name: round(value, 4) for name, value in zip(SCORES, values)}


def _auroc(labels: np.ndarray, probabilities: np.ndarray, classes: np.ndarray | None) -> float:
    """Mean over the classes that occur of one class against the others; NaN for an oracle."""
    if classes is None:
        return np.nan
    areas = []
    for column, label in enumerate(classes):
        if 0 < (labels == label).mean() < 1:
            areas.append(roc_auc_score(labels == label, probabilities[:, column]))
    return float(np.mean(areas))


@lru_cache
def _commit() -> str:
    """The commit that is checked out, in short."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


ROWS = [
    (half, number, arena_pairs.instrument_of(number), arena_pairs.kind_of(number), method)
    for half in ("development", "test")
    for number in arena_pairs.numbers(half)
    for method in METHODS
]

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # small halves lack a class now and then
    table.grow("arena", __doc__, KEY, COLUMNS, ROWS, measure)
