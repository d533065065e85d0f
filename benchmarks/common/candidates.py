"""The candidates of adaptation.py: how images are brought nearer, whose BatchNorm statistics, how vectors are matched, what learns.

A name such as "scale+reinhard, kept, coral, self-training" says all four. Everything works on frozen vectors of block_14,
averaged over four views of each image, so that a candidate costs seconds.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, features
from medlearn.adaptation import (
    colour,
    distances,
    layers,
    matching,
    scale,
    self_training,
    statistics,
)
from medlearn._keras import keras

IMAGES = {
    "as they are": lambda images, reference: images,
    "reinhard": colour.reinhard,
    "scale": scale.match_scale,
    "scale+reinhard": lambda images, reference: colour.reinhard(
        scale.match_scale(images, reference), reference
    ),
    "histograms": colour.match_histograms,
    "fourier": colour.fourier,
    "macenko": colour.macenko,
}
MATCHERS = {
    "none": matching.Identity,
    "standardise": matching.Standardise,
    "coral": matching.Coral,
    "subspace": matching.SubspaceAlignment,
    "transport": matching.OptimalTransport,
}
TRAINED = {  # distance or critic, weight, what is compared
    "deep coral": (lambda: distances.coral_distance, 10.0, "features"),
    "mmd": (lambda: distances.mmd, 1.0, "features"),
    "dann": (lambda: layers.DomainDiscriminator(), 1.0, "features"),
    "cdan": (lambda: layers.DomainDiscriminator(), 1.0, "products"),
    "class confusion": (lambda: distances.class_confusion, 1.0, "predictions"),
}
EPOCHS, STEPS, BATCH = 20, 15, 64


def _name(images, batchnorm, matcher, learner) -> str:
    return f"{images}, {batchnorm}, {matcher}, {learner}"


METHODS = {
    "source only": ("as they are", "kept", "none", "probe"),
    "oracle": ("as they are", "kept", "none", "probe"),
}
for _images in IMAGES:
    _all = _images in ("as they are", "reinhard", "scale", "scale+reinhard")
    for _norm in ("kept", "adabn") if _images in ("as they are", "scale+reinhard") else ("kept",):
        for _matcher in MATCHERS if _all else ("none", "coral"):
            for _learner in ("probe", "self-training"):
                METHODS[_name(_images, _norm, _matcher, _learner)] = (
                    _images,
                    _norm,
                    _matcher,
                    _learner,
                )
del METHODS[_name("as they are", "kept", "none", "probe")]  # that is "source only"
for _learner in TRAINED:
    METHODS[_name("scale+reinhard", "kept", "standardise", _learner)] = (
        "scale+reinhard",
        "kept",
        "standardise",
        _learner,
    )


class Space(NamedTuple):
    """Vectors of all source and of all target images, (N, D) and (M, D)."""

    source: np.ndarray
    target: np.ndarray


def prepare(method: str, source_images: np.ndarray, target_images: np.ndarray) -> Space:
    images, norm, _, _ = METHODS[method]
    return Space(
        _vectors(_Given(source_images)),
        _target_vectors(_Given(target_images), _Given(source_images), images, norm),
    )


def probe():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))


def adapt(
    method: str,
    space: Space,
    learn: np.ndarray,
    held: np.ndarray,
    source_labels: np.ndarray,
    half: np.ndarray,
    seed: int,
) -> tuple[Callable, np.ndarray]:
    """A function from rows of the target to probabilities, and the probabilities of the held-out source images.

    learn, held: rows of the source; source_labels: of `learn`; half: the rows of the target that may be adapted on.
    """
    _, _, matcher, learner = METHODS[method]
    source, target = space.source[np.concatenate([learn, held])], space.target[half]
    matched = MATCHERS[matcher]().fit(source, target)
    bring, source = matched.transform_target, matched.transform_source(source)
    known, kept_back = source[: len(learn)], source[len(learn) :]
    if learner in TRAINED:
        tell = _trained(learner, known, source_labels, bring(space.target[half]), seed)
    elif learner == "self-training":
        tell = self_training.self_train(
            probe(),
            known,
            source_labels,
            bring(space.target[half]),
            rounds=8,
            share=0.9,
            source_weight=0.2,
        ).predict_proba
    else:
        tell = probe().fit(known, source_labels).predict_proba
    return lambda rows: tell(bring(space.target[rows])), tell(kept_back)


def _trained(learner: str, source, source_labels, target, seed: int) -> Callable:
    """A layer of 64 units and a head, trained with a term for the target in the loss."""
    keras.utils.set_random_seed(seed)
    make, weight, on = TRAINED[learner]
    distance, classes = make(), len(np.unique(source_labels))
    vector = keras.Input((source.shape[1],))
    encoder = keras.Model(vector, keras.layers.Dense(64, "relu")(vector))
    head = keras.layers.Dense(classes, "softmax")
    model = layers.alignment_model(encoder, head, distance, weight, on=on)
    model.compile(
        keras.optimizers.AdamW(1e-3, weight_decay=1e-2),
        "sparse_categorical_crossentropy",
        jit_compile=False,
    )
    stream = layers.paired_batches(
        source.astype("float32"),
        source_labels,
        target.astype("float32"),
        batch_size=BATCH,
        seed=seed,
    )
    ramp = [layers.reversal_schedule(distance, EPOCHS)] if isinstance(distance, layers.DomainDiscriminator) else []
    model.fit(
        stream, steps_per_epoch=STEPS, epochs=EPOCHS, callbacks=ramp, verbose=0, shuffle=False
    )
    classifier = keras.Model(encoder.input, head(encoder.output))
    return lambda vectors: classifier.predict(np.asarray(vectors, "float32"), verbose=0).astype(
        float
    )


# ---- vectors, computed once for all candidates of a pair --------------------------------------------------------


class _Given:
    """Images that are the same key as long as they are the same array."""

    def __init__(self, images: np.ndarray):
        self.images = images

    def __hash__(self):
        return id(self.images)

    def __eq__(self, other):
        return self.images is other.images


@lru_cache
def lite0() -> keras.Model:
    whole = backbones.load("efficientnet_lite0", size=128)
    return keras.Model(whole.input, whole.get_layer("block_14").output, name="lite0")


def averaged(encoder: keras.Model, images: np.ndarray) -> np.ndarray:
    turned = images, images[:, ::-1], images[:, :, ::-1], images.transpose(0, 2, 1, 3)
    return np.mean(
        [features.extract(encoder, np.ascontiguousarray(each), cache=False) for each in turned],
        axis=0,
    )


@lru_cache(maxsize=4)
def _vectors(source: _Given) -> np.ndarray:
    return averaged(lite0(), source.images)


@lru_cache(maxsize=12)
def _target_vectors(target: _Given, source: _Given, images: str, norm: str) -> np.ndarray:
    brought = IMAGES[images](target.images, source.images[::6])
    encoder = statistics.reestimate_batchnorm(lite0(), brought) if norm == "adabn" else lite0()
    return averaged(encoder, brought)
