"""Segmenters of nucleus and cytoplasm: a U-Net on EfficientNet-Lite0, which is trained and used."""

from functools import lru_cache
import hashlib
from pathlib import Path
import time

import numpy as np

from medlearn import _files, backbones, networks, transfer
from medlearn._keras import keras
from medlearn.adaptation import randomisation
from medlearn.networks import losses, views

SIDE, BATCH, RATE = 96, 16, 3e-3
LOSS = losses.Combined(losses.cross_entropy, losses.dice)


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
def predictor() -> keras.Model:
    """Return the network that weights are put into to be used."""
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
    predictor().set_weights(weights)
    padding = np.repeat(images[:1], -len(images) % 32, axis=0)
    padded = np.concatenate([images, padding])
    return networks.segment(predictor(), padded, batch_size=32)[: len(images)]


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
