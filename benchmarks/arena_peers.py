"""On equal features, which gains more: our candidates, SKADA, POT or ADAPT?

    python benchmarks/arena_peers.py [--only smear] [--minutes 9]  # adds the missing rows
    python benchmarks/arena_peers_summary.py                        # then: gain, harm, failures

About 20 CPU-seconds for a pair; fills results/arena_peers.csv. The first run makes a virtual
environment of peers/requirements.txt in the cache folder (a minute, 2 GB, from the package index
that pip is set to).

A row is one candidate on one pair of the development half of the arena, as the amendment on rivals
in PROTOCOL.md says. `score` (balanced accuracy) and `accuracy` are those of the half of the target
that no candidate saw, `transductive` is the score of the other half. All other columns are measured
without target labels: why a candidate has failed, our validators, and the library's own scorers.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
import subprocess
import time
from typing import NamedTuple
import warnings

from common import table  # first: it sets the threads
from common import arena_pairs, rivals
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import adaptation, backbones, features, metrics
from medlearn.adaptation import colour, scale
from medlearn.selection import validators

KEY = ("half", "pair", "instrument", "kind", "library", "method")
SCORES = ("score", "accuracy", "transductive")
VALIDATORS = ("source_accuracy", "certainty", "consensus", "own")
COLUMNS = (*SCORES, "failed", *VALIDATORS, "cpu_seconds", "commit", "date")
HALF = "development"
FIRST_BLOCKS = 2  # blocks of smear pairs that come before the MRI pairs
WORKER = rivals.Worker()


class Data(NamedTuple):
    """Features of a pair by their use, and the class indices of each."""

    source: np.ndarray
    held_out: np.ndarray
    target: np.ndarray  # adapted to
    other: np.ndarray  # scored
    source_labels: np.ndarray
    held_out_labels: np.ndarray
    target_labels: np.ndarray  # for the scores and the oracle only
    other_labels: np.ndarray


class Result(NamedTuple):
    """What one candidate gives: probabilities, CPU-seconds, and the library's own scores."""

    held_out: np.ndarray
    target: np.ndarray
    other: np.ndarray
    seconds: float
    scores: str = ""
    error: str = ""


def measure(half: str, number: int, instrument: str, kind: str, library: str, method: str) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    half, instrument, kind : str
        What `arena_pairs` says of this pair.
    number : int
        Number of the pair.
    library, method : str
        Names in `rivals.METHODS`.
    """
    stamp = {"commit": _commit(), "date": date.today()}
    return _rows(number, library)[method] | stamp


@lru_cache(maxsize=1)
def _rows(number: int, library: str) -> dict[str, dict]:
    """The columns of each candidate of a library on one pair."""
    data = _data(number, rivals.AS_THEY_ARE)
    if library == rivals.ORACLE:
        results = {rivals.ORACLE: _oracle(data)}
    elif library == rivals.OURS:
        results = _ours(data)
    elif library == rivals.OURS_WITH_IMAGES:
        results = _named(rivals.AS_THEY_ARE, _ours(data))
        results |= _named(rivals.MATCHED, _ours(_data(number, rivals.MATCHED)))
    else:
        results = _theirs(library, data)
    return _columns(results, data)


# ---- features ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _pair(number: int) -> arena_pairs.Pair:
    return arena_pairs.load(number)


@lru_cache(maxsize=2)
def _data(number: int, images: str) -> Data:
    """The features of a pair, with the target's images as they are or matched to the source's."""
    pair = _pair(number)
    source = _source_features(number)
    target = pair.target.images if images == rivals.AS_THEY_ARE else _matched(pair)
    target = _pooled(target)
    classes = np.unique(pair.source.labels[pair.learn])
    labels = np.searchsorted(classes, pair.source.labels)
    target_labels = np.searchsorted(classes, pair.target.labels)
    return Data(
        source[pair.learn],
        source[pair.held_out],
        target[pair.adapted_on],
        target[pair.scored],
        labels[pair.learn],
        labels[pair.held_out],
        target_labels[pair.adapted_on],
        target_labels[pair.scored],
    )


@lru_cache(maxsize=1)
def _source_features(number: int) -> np.ndarray:
    return _pooled(_pair(number).source.images)


def _matched(pair: arena_pairs.Pair) -> np.ndarray:
    """Images of the target at the source's scale and in its colours; one factor, of one half."""
    reference = pair.source.images[pair.learn]
    try:
        factor = scale.factor(pair.target.images[pair.adapted_on], reference)
    except ValueError:  # nothing can be measured
        factor = 1.0
    return colour.reinhard(scale.zoom(pair.target.images, factor), reference)


def _pooled(images: np.ndarray) -> np.ndarray:
    return features.extract(_encoder(), images, layer="block_14", cache=False).astype(float)


@lru_cache
def _encoder():
    return backbones.load("efficientnet_lite0")


# ---- candidates ----------------------------------------------------------------------------------


def _ours(data: Data) -> dict[str, Result]:
    """Results of our candidates; their CPU-seconds are the mean of all."""
    start = time.process_time()
    models = adaptation.candidates(data.source, data.source_labels, data.target)
    seconds = (time.process_time() - start) / len(models)
    return {
        name: Result(
            model.predict_proba_source(data.held_out),
            model.predict_proba(data.target),
            model.predict_proba(data.other),
            seconds,
        )
        for name, model in models.items()
    }


def _named(images: str, results: dict[str, Result]) -> dict[str, Result]:
    return {f"{images}: {name}": result for name, result in results.items()}


def _theirs(library: str, data: Data) -> dict[str, Result]:
    """Results of a library on features that are scaled by the source; no target label goes in."""
    scaler = StandardScaler().fit(data.source)
    parts = ("source", "held_out", "target", "other")
    arrays = {part: scaler.transform(getattr(data, part)) for part in parts}
    answers = WORKER.fit(library, arrays | {"source_labels": data.source_labels})
    columns = ("held_out", "target", "other", "seconds", "scores", "errors")
    return {
        str(name): Result(
            *(answers[column][index] for column in columns[:3]),
            float(answers["seconds"][index]),
            str(answers["scores"][index]),
            str(answers["errors"][index]),
        )
        for index, name in enumerate(answers["names"])
    }


def _oracle(data: Data) -> Result:
    """Our classifier, trained on the labels of the half of the target that others adapt to."""
    start = time.process_time()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))
    model.fit(data.target, data.target_labels)
    tables = []
    for part in (data.held_out, data.target, data.other):
        whole = np.zeros((len(part), data.source_labels.max() + 1))
        whole[:, model.classes_] = model.predict_proba(part)
        tables.append(whole)
    return Result(*tables, time.process_time() - start)


# ---- their columns -------------------------------------------------------------------------------


def _columns(results: dict[str, Result], data: Data) -> dict[str, dict]:
    """The columns of each candidate of one library."""
    failed = [
        rivals.failure(result.target, result.held_out, data.held_out_labels, result.error)
        for result in results.values()
    ]
    target_probabilities = np.stack([result.target for result in results.values()])
    votes = rivals.consensus(list(results), target_probabilities, failed)
    rows = {}
    for index, (name, result) in enumerate(results.items()):
        rows[name] = dict.fromkeys(COLUMNS, "") | {"failed": failed[index]}
        rows[name] |= {"own": result.scores, "cpu_seconds": round(result.seconds, 2)}
        if np.isfinite(np.concatenate([result.target, result.other])).all():
            rows[name] |= _rounded(zip(SCORES, _scores(result, data)))
        if not failed[index]:
            rows[name] |= _rounded(zip(VALIDATORS, _label_free(result, data, votes[index])))
    return rows


def _scores(result: Result, data: Data) -> tuple[float, ...]:
    """The columns that need target labels; nothing else reads them."""
    predicted = result.other.argmax(1)
    return (
        metrics.balanced_accuracy(data.other_labels, predicted),
        metrics.accuracy(data.other_labels, predicted),
        metrics.balanced_accuracy(data.target_labels, result.target.argmax(1)),
    )


def _label_free(result: Result, data: Data, vote: float) -> tuple[float, ...]:
    return (
        metrics.balanced_accuracy(data.held_out_labels, result.held_out.argmax(1)),
        validators.certainty(result.target),
        vote,
    )


def _rounded(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in pairs}


@lru_cache
def _commit() -> str:
    """The commit that is checked out, in short."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _numbers() -> list[int]:
    """Numbers of the pairs in the order of the protocol."""
    numbers = arena_pairs.numbers(HALF)
    smear = [number for number in numbers if arena_pairs.instrument_of(number) == "smear"]
    mri = [number for number in numbers if arena_pairs.instrument_of(number) == "mri"]
    first = FIRST_BLOCKS * len(arena_pairs.KINDS)
    return smear[:first] + mri + smear[first:]


ROWS = [
    (HALF, number, arena_pairs.instrument_of(number), arena_pairs.kind_of(number), library, method)
    for number in _numbers()
    for library, methods in rivals.METHODS.items()
    for method in methods
]

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # small halves lack a class now and then
    table.grow("arena_peers", __doc__, KEY, COLUMNS, ROWS, measure)
