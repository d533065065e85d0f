"""Pairs of simulated laboratories, and what ten models predict on the target; kept in the cache.

All models work on frozen features (block_14 of EfficientNet-Lite0 on frames of 96 pixels). Model 0
is the probe trained on the source alone; the other nine are matched, self-trained, or both.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import _files, backbones, features
from medlearn.adaptation import matching, self_training
from medlearn.instruments import smear

SHIFTS = ("laboratory", "laboratory", "laboratory", "shares", "missing", "none", "inverted")
MATCHERS = ("none", "standardise", "coral", "subspace", "transport")
LEARNERS = ("probe", "self-training")
CLASSES = 5
_SOURCE_IMAGES, _TARGET_IMAGES = 250, 500
_POOL = {"shares": 900, "missing": 900}  # from which the images of the target are taken
_SIZE_PX = 96
_SOURCE_CELLS, _TARGET_CELLS = 10_000, 20_000  # seeds; pair n adds n


class Pair(NamedTuple):
    """One pair: features and labels of both laboratories, and the candidates' predictions."""

    number: int
    shift: str
    source: np.ndarray  # (250, 192)
    source_labels: np.ndarray
    target: np.ndarray  # (N, 192), N up to 500
    labels: np.ndarray  # of the target: for the expert and the score only
    patients: np.ndarray  # of the target
    names: tuple[str, ...]  # of the models; the first is source only
    probabilities: np.ndarray  # (10, N, 5)


def load(number: int) -> Pair:
    """Return a pair; the first call simulates it, which takes about half a CPU-minute.

    Parameters
    ----------
    number : int
        Seed of the two laboratories, their patients and their shift.
    """
    path = _files.cache() / "duel-pairs" / f"{number}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, _simulate(number))
    with np.load(path) as arrays:
        fields = {name: arrays[name] for name in Pair._fields}
    fields["number"], fields["shift"] = number, str(fields["shift"])
    fields["names"] = tuple(map(str, fields["names"]))
    return Pair(**fields)


def probe() -> Pipeline:
    """Return an unfitted probe: a regularised logistic regression on standardised features."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=600))


def _write(path: Path, pair: Pair) -> None:
    _files.write_atomically(path.with_suffix(".npz"), _saver(pair))


def _saver(pair: Pair) -> Callable[[Path], None]:
    def save(temporary: Path) -> None:
        with open(temporary, "wb") as stream:  # np.savez adds an ending to a name
            np.savez_compressed(stream, **pair._asdict())

    return save


def _simulate(number: int) -> Pair:
    shift = SHIFTS[number % len(SHIFTS)]
    source_laboratory = smear.random_laboratory(seed=2 * number)
    target_laboratory = smear.random_laboratory(seed=2 * number + 1)
    if shift == "none":
        target_laboratory = source_laboratory
    source = smear.single_cells(
        source_laboratory, _SOURCE_IMAGES, _SIZE_PX, seed=_SOURCE_CELLS + number
    )
    pool = _POOL.get(shift, _TARGET_IMAGES)
    target = smear.single_cells(target_laboratory, pool, _SIZE_PX, seed=_TARGET_CELLS + number)
    rows = _kept(target.labels, shift, np.random.default_rng(number))
    images = np.asarray(target.images)[rows]
    if shift == "inverted":
        images = 255 - images
    source_features, target_features = _features(np.asarray(source.images)), _features(images)
    names, probabilities = _predict(source_features, np.asarray(source.labels), target_features)
    return Pair(
        number,
        shift,
        source_features,
        np.asarray(source.labels),
        target_features,
        np.asarray(target.labels)[rows],
        np.asarray(target.patients)[rows],
        names,
        probabilities,
    )


def _kept(labels: np.ndarray, shift: str, generator: np.random.Generator) -> np.ndarray:
    """Rows of the pool that the target consists of."""
    if shift == "missing":
        missing = generator.choice(CLASSES, 2, replace=False)
        return np.flatnonzero(~np.isin(labels, missing))[:_TARGET_IMAGES]
    if shift != "shares":
        return np.arange(len(labels))
    shares = generator.dirichlet(np.full(CLASSES, 0.7))
    kept = []
    for label, share in enumerate(shares):
        rows = np.flatnonzero(labels == label)
        count = min(round(_TARGET_IMAGES * share) + 2, len(rows))
        kept.append(generator.choice(rows, count, replace=False))
    return np.sort(np.concatenate(kept))


def _features(images: np.ndarray) -> np.ndarray:
    encoder = backbones.load("efficientnet_lite0")
    return np.asarray(features.extract(encoder, images, layer="block_14", cache=False))


def _predict(
    source: np.ndarray, labels: np.ndarray, target: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    names, probabilities = [], []
    for matcher in MATCHERS:
        source_matched, target_matched = _matched(matcher, source, target)
        for learner in LEARNERS:
            model = _fitted(learner, source_matched, labels, target_matched)
            names.append(f"{matcher}, {learner}")
            probabilities.append(model.predict_proba(target_matched))
    return tuple(names), np.array(probabilities)


def _matched(name: str, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (source, target) if name == "none" else getattr(matching, name)(source, target)


def _fitted(learner: str, source: np.ndarray, labels: np.ndarray, target: np.ndarray) -> Pipeline:
    if learner == "probe":
        return probe().fit(source, labels)
    return self_training.self_train(probe(), source, labels, target)
