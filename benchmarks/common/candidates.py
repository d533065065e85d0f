"""The candidates of adaptation.py: four decisions, each candidate costs seconds.

How images are brought nearer, whose BatchNorm statistics count, how vectors are matched, and what
learns: a name such as "scale+reinhard, kept, coral, self-training" says all four. Everything works
on frozen vectors of block_14, averaged over four views of each image.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from common.vectors import IMAGES, Space, space
from medlearn._keras import keras
from medlearn.adaptation import distances, layers, matching, self_training


MATCHERS = {
    "none": matching.Identity,
    "standardise": matching.Standardise,
    "coral": matching.Coral,
    "subspace": matching.SubspaceAlignment,
    "transport": matching.OptimalTransport,
}


class Trained(NamedTuple):
    """A term for the target in the loss of a network."""

    distance: Callable  # a function, or the class of a discriminator
    weight: float
    on: str  # what is compared


TRAINED = {
    "deep coral": Trained(distances.coral_distance, 10.0, "features"),
    "mmd": Trained(distances.mmd, 1.0, "features"),
    "dann": Trained(layers.DomainDiscriminator, 1.0, "features"),
    "cdan": Trained(layers.DomainDiscriminator, 1.0, "products"),
    "class confusion": Trained(distances.class_confusion, 1.0, "predictions"),
}
EPOCHS, STEPS, BATCH = 20, 15, 64


# ---- their names ---------------------------------------------------------------------------------


class Recipe(NamedTuple):
    """The four decisions; `batchnorm` is "kept" or "adabn"."""

    images: str
    batchnorm: str
    matcher: str
    learner: str


SOURCE_ONLY = Recipe("as they are", "kept", "none", "probe")
_ALL_MATCHERS = ("as they are", "reinhard", "scale", "scale+reinhard")  # images with all of them
_ADABN = ("as they are", "scale+reinhard")  # images with AdaBN as well


def _recipes() -> Iterator[Recipe]:
    for images in IMAGES:
        matchers = tuple(MATCHERS) if images in _ALL_MATCHERS else ("none", "coral")
        for batchnorm in ("kept", "adabn") if images in _ADABN else ("kept",):
            for matcher in matchers:
                yield Recipe(images, batchnorm, matcher, "probe")
                yield Recipe(images, batchnorm, matcher, "self-training")
    for learner in TRAINED:
        yield Recipe("scale+reinhard", "kept", "standardise", learner)


METHODS = {"source only": SOURCE_ONLY, "oracle": SOURCE_ONLY}
METHODS |= {", ".join(recipe): recipe for recipe in _recipes() if recipe != SOURCE_ONLY}


def oracle_of(method: str) -> str:
    """Return the name of the oracle that works on the same images and statistics as a candidate."""
    images, batchnorm, _, _ = (METHODS | ORACLES)[method]
    if (images, batchnorm) == SOURCE_ONLY[:2]:
        return "oracle"
    return f"oracle, {images}, {batchnorm}"


def _oracles() -> Iterator[Recipe]:
    for recipe in METHODS.values():
        if recipe[:2] != SOURCE_ONLY[:2]:
            yield recipe._replace(matcher="none", learner="probe")


ORACLES = {", ".join(("oracle", *recipe[:2])): recipe for recipe in _oracles()}
_UNSTAINED = ("brain-mri flair",)  # pairs where there are no stains to separate


def methods(pair: str) -> list[str]:
    """Return the names of the candidates of a pair, source only and the oracle among them."""
    needless = "macenko" if pair in _UNSTAINED else None
    return [name for name, recipe in METHODS.items() if recipe.images != needless]


def complete_seeds(pair: str, rows: pd.DataFrame) -> list[int]:
    """Return the seeds of which every candidate is in the table.

    Parameters
    ----------
    pair : str
        Name of the pair.
    rows : DataFrame
        The rows of this pair.
    """
    names = methods(pair)
    counts = rows[rows.method.isin(names)].groupby("seed").size()
    return [int(seed) for seed in counts.index[counts == len(names)]]


def oracles(pair: str) -> list[str]:
    """Return the names of the oracles on other representations than plain images."""
    recipes = {name: METHODS[name] for name in methods(pair)}
    return [
        name
        for name, recipe in ORACLES.items()
        if recipe[:2] in {used[:2] for used in recipes.values()}
    ]


# ---- what they do --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """A candidate after adaptation: a function from rows of the target to probabilities."""

    predict: Callable  # of matched vectors
    transform: Callable  # matches vectors of the target
    target: np.ndarray
    held_out: np.ndarray | None = None  # probabilities of the held-out source images

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return self.predict(self.transform(self.target[rows]))


def prepare(method: str, source_images: np.ndarray, target_images: np.ndarray) -> Space:
    """Return the vectors that a candidate works on.

    Parameters
    ----------
    method : str
        Name in `METHODS` or `ORACLES`.
    source_images, target_images : uint8 array of shape (N, H, W, 3)
        All images of the two laboratories; the arrays themselves are the key of a cache.
    """
    recipe = (METHODS | ORACLES)[method]
    return space(recipe.images, recipe.batchnorm, source_images, target_images)


def probe() -> Pipeline:
    """Return the classifier of the candidates that train no network."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))


def oracle(space: Space, rows: np.ndarray, labels: np.ndarray) -> Model:
    """Return a model that learned from labels of the target.

    Parameters
    ----------
    space : Space
        Vectors of both laboratories.
    rows : int array of shape (n,)
        Rows of the target.
    labels : int array of shape (n,)
        Their labels.
    """
    fitted = probe().fit(space.target[rows], labels)
    return Model(fitted.predict_proba, np.asarray, space.target)


def adapt(
    method: str,
    space: Space,
    learn: np.ndarray,
    held_out: np.ndarray,
    source_labels: np.ndarray,
    adapted_on: np.ndarray,
    seed: int,
) -> Model:
    """Adapt one candidate.

    Parameters
    ----------
    method : str
        Name of the candidate in `METHODS`.
    space : Space
        Vectors of both laboratories.
    learn, held_out : int arrays
        Rows of the source.
    source_labels : int array
        Labels of `learn`.
    adapted_on : int array
        Rows of the target, whose labels are not needed.
    seed : int
        Seed of a network's weights and batches.
    """
    _, _, matcher, learner = METHODS[method]
    source = space.source[np.concatenate([learn, held_out])]
    fitted = MATCHERS[matcher]().fit(source, space.target[adapted_on])
    source = fitted.transform_source(source)
    target = fitted.transform_target(space.target[adapted_on])
    predict = _learn(learner, source[: len(learn)], source_labels, target, seed)
    held_out_probabilities = predict(source[len(learn) :])
    return Model(predict, fitted.transform_target, space.target, held_out_probabilities)


def _learn(learner: str, source, labels, target, seed: int) -> Callable:
    """A function from matched vectors to probabilities."""
    if learner in TRAINED:
        return _Network(learner, source, labels, target, seed)
    if learner == "probe":
        return probe().fit(source, labels).predict_proba
    fitted = self_training.self_train(
        probe(), source, labels, target, rounds=8, share=0.9, source_weight=0.2
    )
    return fitted.predict_proba


class _Network:
    """A layer of 64 units and a head, trained with a term for the target in the loss."""

    def __init__(self, learner: str, source, labels, target, seed: int):
        keras.utils.set_random_seed(seed)
        term = TRAINED[learner]
        distance = term.distance() if isinstance(term.distance, type) else term.distance
        vector = keras.Input((source.shape[1],))
        encoder = keras.Model(vector, keras.layers.Dense(64, "relu")(vector))
        head = keras.layers.Dense(len(np.unique(labels)), "softmax")
        model = layers.alignment_model(encoder, head, distance, term.weight, on=term.on)
        adam = keras.optimizers.AdamW(1e-3, weight_decay=1e-2)
        model.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
        source, target = source.astype("float32"), target.astype("float32")
        stream = layers.paired_batches(source, labels, target, batch_size=BATCH, seed=seed)
        schedule = []
        if isinstance(distance, layers.DomainDiscriminator):
            schedule = [layers.reversal_schedule(distance, EPOCHS)]
        model.fit(
            stream,
            steps_per_epoch=STEPS,
            epochs=EPOCHS,
            callbacks=schedule,
            verbose=0,
            shuffle=False,
        )
        self.classifier = keras.Model(encoder.input, head(encoder.output))

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        vectors = np.asarray(vectors, "float32")
        return self.classifier.predict(vectors, verbose=0).astype(float)
