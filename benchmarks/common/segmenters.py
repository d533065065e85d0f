"""The candidates of sim_to_real.py: a U-Net on Lite0, and ways to bring it to another laboratory.

It learns nucleus and cytoplasm in one laboratory. A method is what is done to the target's images,
what to the model, and what taught it: "scale+reinhard, mean teacher", or "simulated too". None has
an argument for the target's masks; the oracle is trained in sim_to_real.py.
"""

from dataclasses import dataclass
from functools import lru_cache
import hashlib
from pathlib import Path
import time
from typing import NamedTuple

import numpy as np

from common import candidates
from medlearn import _files, backbones, networks, transfer
from medlearn._keras import keras
from medlearn.adaptation import consistency, entropy, randomisation, scale, statistics
from medlearn.networks import losses, views
from medlearn.selection import validators

SIDE, BATCH, RATE = 96, 16, 3e-3
LOSS = losses.Combined(losses.cross_entropy, losses.dice)
PIXELS = 4  # validators see every fourth row and column
TEACHING = 60  # steps of the mean teacher, of 8 images of either laboratory


class Recipe(NamedTuple):
    """What is done to the target's images, what to the model, and what taught it."""

    images: str
    model: str
    teacher: str


METHODS = {
    "source only": Recipe("as they are", "kept", "source"),
    "reinhard": Recipe("reinhard", "kept", "source"),
    "histograms": Recipe("histograms", "kept", "source"),
    "fourier": Recipe("fourier", "kept", "source"),
    "scale": Recipe("scale", "kept", "source"),
    "scale+reinhard": Recipe("scale+reinhard", "kept", "source"),
    "adabn": Recipe("as they are", "adabn", "source"),
    "scale+reinhard, adabn": Recipe("scale+reinhard", "adabn", "source"),
    "tent": Recipe("as they are", "tent", "source"),
    "mean teacher": Recipe("as they are", "mean teacher", "source"),
    "scale+reinhard, mean teacher": Recipe("scale+reinhard", "mean teacher", "source"),
    "random looks": Recipe("as they are", "kept", "random looks"),
    "random looks, mean teacher": Recipe("as they are", "mean teacher", "random looks"),
    "random looks, scale+reinhard": Recipe("scale+reinhard", "kept", "random looks"),
    "random looks, scale+reinhard, mean teacher": Recipe(
        "scale+reinhard", "mean teacher", "random looks"
    ),
    "simulated too": Recipe("as they are", "kept", "simulated too"),
    "simulated too, mean teacher": Recipe("as they are", "mean teacher", "simulated too"),
}


# ---- training ------------------------------------------------------------------------------------
# One architecture, so a model is its weights, and those are put into the same few networks: tracing
# one costs as much as using it.

Weights = list[np.ndarray]


def train(
    images: np.ndarray, masks: np.ndarray, steps: int, seed: int, random_looks: bool = False
) -> Weights:
    """Return the weights of a U-Net all of which learned, those near the image more slowly.

    Parameters
    ----------
    images, masks : uint8 arrays of shape (N, 96, 96, 3) and (N, 96, 96)
        What to learn from; it is turned and mirrored.
    steps : int
        Number of batches.
    seed : int
        Seed of the decoder's weights, of order and views.
    random_looks : bool
        Whether each image is shown as another laboratory might have taken it.
    """
    model, start = _learner(steps)
    model.set_weights(_network(seed).get_weights())
    for variable, value in zip(model.optimizer.variables, start):
        variable.assign(value)
    images, masks = _drawn_views(images, masks, steps * BATCH, seed)
    if random_looks:
        images, masks = randomisation.randomise_appearance(images, masks, seed=seed)
    model.fit(images, masks, batch_size=BATCH, shuffle=False, verbose=0)
    return model.get_weights()


def train_once(
    images: np.ndarray, masks: np.ndarray, steps: int, seed: int, random_looks: bool = False
) -> tuple[Weights, float]:
    """Return what `train` returns, and its CPU-seconds; both are kept in the cache folder.

    Parameters
    ----------
    images, masks, steps, seed, random_looks
        As for `train`.
    """
    path = _cache_file(images, masks, f"{steps} {seed} {random_looks}")
    if not path.exists():
        start = time.process_time()
        weights = train(images, masks, steps, seed, random_looks)
        np.savez(path, time.process_time() - start, *weights)
    with np.load(path) as arrays:
        seconds, *weights = (arrays[name] for name in arrays.files)
    return weights, float(seconds)


def _cache_file(images: np.ndarray, masks: np.ndarray, settings: str) -> Path:
    digest = hashlib.sha256(np.ascontiguousarray(images).tobytes())
    digest.update(np.ascontiguousarray(masks).tobytes())
    digest.update(settings.encode())
    return _files.cache() / f"segmenter-{digest.hexdigest()[:20]}.npz"


@lru_cache(maxsize=2)
def _learner(steps: int) -> tuple[keras.Model, list[np.ndarray]]:
    """A compiled network, and the first values of its optimiser."""
    model = _network(0)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, steps - 30, warmup_target=RATE, warmup_steps=30
    )
    adam = transfer.layerwise_optimizer(keras.optimizers.Adam(rate), model, decay=0.95)
    model.compile(adam, LOSS, jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model, [variable.numpy() for variable in model.optimizer.variables]


def _network(seed: int) -> keras.Model:
    """The U-Net before it learns: the encoder as on ImageNet, the decoder drawn from `seed`."""
    encoder = backbones.load("efficientnet_lite0", size=SIDE)
    model = networks.segmenter(encoder, 3, size=SIDE, seed=seed)
    transfer.unfreeze(model, from_=encoder.name)
    return model


@lru_cache(maxsize=1)
def _predictor() -> keras.Model:
    """The network that weights are put into to be used."""
    return _network(0)


def segment(weights: Weights, images: np.ndarray) -> np.ndarray:
    """Return probabilities (N, H, W, 3).

    Parameters
    ----------
    weights : list of array
        Weights of a U-Net.
    images : uint8 array of shape (N, 96, 96, 3)
        The images; they are predicted in batches of one size.
    """
    _predictor().set_weights(weights)
    padding = np.repeat(images[:1], -len(images) % 32, axis=0)
    padded = np.concatenate([images, padding])
    return networks.segment(_predictor(), padded, batch_size=32)[: len(images)]


def _drawn_views(
    images: np.ndarray, masks: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images and masks, each original equally often or once more, each in one of eight views."""
    random = np.random.default_rng(seed)
    rows = permuted_rows(random, len(images), count)
    images, masks = images[rows], masks[rows]
    view_index = random.integers(len(views.DIHEDRAL), size=count)
    for number, view in enumerate(views.DIHEDRAL):
        chosen = view_index == number
        images[chosen] = views.apply(images[chosen], (view,))
        masks[chosen] = views.apply(masks[chosen], (view,))
    return images, masks


def permuted_rows(random: np.random.Generator, number: int, count: int) -> np.ndarray:
    """Return `count` of `number` rows in random order, all equally often or once more.

    Parameters
    ----------
    random : numpy.random.Generator
        Where chance comes from.
    number : int
        How many rows there are.
    count : int
        How many are drawn.
    """
    rounds = [random.permutation(number) for _ in range(-(-count // number))]
    return np.concatenate(rounds)[:count]


# ---- adaptation ----------------------------------------------------------------------------------


class Source(NamedTuple):
    """A trained model's weights, and the source's images and masks."""

    weights: Weights
    images: np.ndarray
    masks: np.ndarray


@dataclass(frozen=True)
class Model:
    """A segmenter after adaptation: a function from images of the target to probabilities."""

    weights: Weights
    recipe: str  # a name in candidates.IMAGES: what is done to the colours
    factor: float  # by which the images are zoomed
    reference: np.ndarray  # images of the source

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Return images of the target as the network gets them."""
        if self.factor != 1:
            images = scale.zoom(images, self.factor)
        return candidates.IMAGES[self.recipe](images, self.reference)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        probabilities = segment(self.weights, self.transform(images))
        return probabilities if self.factor == 1 else _zoomed_back(probabilities, self.factor)


def adapt(method: str, source: Source, target_images: np.ndarray, seed: int) -> Model:
    """Adapt a source model.

    Parameters
    ----------
    method : str
        Name in `METHODS`.
    source : Source
        The source model and its data.
    target_images : uint8 array of shape (N, 96, 96, 3)
        Images that may be adapted on, without their masks.
    seed : int
        Seed of what is drawn on the way.
    """
    images, change, _ = METHODS[method]
    reference = source.images[:: max(1, len(source.images) // 40)]
    zooms = images.startswith("scale")
    factor = scale.factor(target_images, reference) if zooms else 1.0
    recipe = images.removeprefix("scale+").replace("scale", "as they are")
    before = Model(source.weights, recipe, factor, reference)
    weights = _changed(change, source, before.transform(target_images), seed)
    return Model(weights, recipe, factor, reference)


def _changed(change: str, source: Source, target_images: np.ndarray, seed: int) -> Weights:
    """The source's weights after a change of the model."""
    model = _predictor()
    model.set_weights(source.weights)
    if change == "adabn":
        model = statistics.reestimate_batchnorm(model, target_images)
    elif change == "tent":
        model = entropy.tent(model, target_images, batch_size=BATCH, seed=seed)
    elif change == "mean teacher":
        model = consistency.mean_teacher(
            model, source.images, source.masks, target_images, loss=LOSS, steps=TEACHING, seed=seed
        )
    return model.get_weights()


def _zoomed_back(probabilities: np.ndarray, factor: float) -> np.ndarray:
    """Probabilities of three classes, zoomed like colours, at the scale before."""
    levels = np.round(255 * probabilities).astype(np.uint8)
    zoomed = scale.zoom(levels, 1 / factor) / np.float32(255)
    return zoomed / np.maximum(zoomed.sum(-1, keepdims=True), 1e-6)


def validate(probabilities: np.ndarray) -> dict[str, float]:
    """Return validators of some pixels of the images that were adapted on."""
    pixels = probabilities[:, ::PIXELS, ::PIXELS].reshape(-1, probabilities.shape[-1])
    return {
        "certainty": validators.certainty(pixels),
        "information": validators.mutual_information(pixels),
    }
