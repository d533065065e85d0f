"""Encoders for pretraining.py: frozen, pretrained without labels, and trained on random looks.

All start from EfficientNet-Lite0 up to block 14; blocks 11 to 14 learn, in as many steps of as many
views. An encoder is remembered with the CPU-seconds that it took.
"""

from functools import lru_cache
import time
from typing import NamedTuple

import numpy as np

from medlearn import backbones, datasets, networks, splits, transfer
from medlearn._keras import keras
from medlearn.adaptation import randomisation
from medlearn.transfer import pretraining

SIZE, FROM, VIEWS, BATCH, STEPS, RATE = 96, "block_11", 4, 48, 50, 5e-4
ZOOM = 1.4  # of the views whose size does not tell the size of the cell
HOME_COUNT, OTHER_COUNT = 760, 320
_MOST_VIEWS, _VIEWS_IN_ALL = 16, 1000  # of labelled images, in training on random looks


class Cells(NamedTuple):
    """Two laboratories, and which of their images are for what (rows)."""

    home: datasets.Dataset
    other: datasets.Dataset
    train: np.ndarray  # home: the pool, of which some images are labelled
    test: np.ndarray  # home: scored
    adapt: np.ndarray  # other laboratory: seen without labels
    other_test: np.ndarray  # other laboratory: scored


class Trained(NamedTuple):
    """An encoder, the CPU-seconds of its views and its training, and how many steps it took."""

    encoder: keras.Model
    seconds: float
    steps: int


@lru_cache(maxsize=1)
def load(data: str, seed: int) -> Cells:
    """Return the images of a seed.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells. Simulated patients differ from seed to seed and between laboratories.
    seed : int
        Seed of the cells, where they are simulated, and of all divisions.
    """
    if data == "wbc":
        home, other = (datasets.load(data, domain=name, size=SIZE) for name in ("lab-a", "lab-b"))
    else:
        home = datasets.load(data, domain="lab-a", count=HOME_COUNT, size=SIZE, seed=2 * seed)
        other = datasets.load(data, domain="lab-b", count=OTHER_COUNT, size=SIZE, seed=2 * seed + 1)
    pool = splits.by_patient(home.patients, test=0.3, seed=seed, labels=home.labels)
    halves = splits.by_patient(other.patients, test=0.5, seed=seed)
    return Cells(home, other, *pool, *halves)


@lru_cache
def start() -> keras.Model:
    """Return the pretrained encoder that all start from."""
    return networks.copy_up_to(backbones.load("efficientnet_lite0", size=SIZE), "block_14")


def look(images: np.ndarray, seed: int, zoom: float = 1.0) -> np.ndarray:
    """Return one random look of each image: stain, light, focus, noise, a flip and quarter turns.

    Parameters
    ----------
    images : array of shape (N, H, W, 3)
        Images, 0 to 255.
    seed : int
        Draws the changes.
    zoom : float
        Lengths are multiplied by 1 / zoom to zoom.
    """
    no_masks = np.zeros(images.shape[:3], np.uint8)
    changed, _ = randomisation.randomise_appearance(images, no_masks, zoom=zoom, seed=seed)
    random = np.random.default_rng(seed)
    turns, swaps = random.integers(4, size=len(images)), random.integers(2, size=len(images))
    return np.concatenate(
        [networks.views.turn(changed[i : i + 1], turns[i], swaps[i]) for i in range(len(images))]
    )


def _zoomed_look(images: np.ndarray, seed: int) -> np.ndarray:
    return look(images, seed, ZOOM)


@lru_cache(maxsize=3)
def _maps(data: str, seed: int, domain: str, zooms: bool) -> tuple[np.ndarray, float]:
    """Maps of the views of the unlabelled images of a laboratory, and the seconds they took."""
    cells = load(data, seed)
    images = cells.home.images[cells.train] if domain == "home" else cells.other.images[cells.adapt]
    before = time.process_time()
    maps = pretraining.view_maps(
        start(), images, _zoomed_look if zooms else look, from_=FROM, views=VIEWS, seed=seed
    )
    return maps, time.process_time() - before


@lru_cache(maxsize=4)
def pretrained(data: str, seed: int, domains: tuple[str, ...], zooms: bool, steps: int) -> Trained:
    """Return an encoder that learned from unlabelled images.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    seed : int
        Seed of the cells and the training.
    domains : tuple of {"home", "other"}
        Laboratories whose images are seen.
    zooms : bool
        Whether views are also zoomed.
    steps : int
        Steps, at least; the last epoch is completed.
    """
    parts = [_maps(data, seed, domain, zooms) for domain in domains]
    maps = np.concatenate([maps for maps, _ in parts], axis=1)
    per_epoch = maps.shape[1] // BATCH
    epochs = -(-steps // per_epoch)
    before = time.process_time()
    encoder, _ = pretraining.pretrain(
        start(), maps, from_=FROM, epochs=epochs, batch_size=BATCH, learning_rate=RATE, seed=seed
    )
    seconds = time.process_time() - before + sum(seconds for _, seconds in parts)
    return Trained(encoder, seconds, epochs * per_epoch)


def trained_on_looks(data: str, seed: int, labelled: np.ndarray) -> Trained:
    """Return an encoder that learned the classes of labelled images in random looks.

    It has as many steps as pretraining, with as many views in a step.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    seed : int
        Seed of the cells and the training.
    labelled : int array
        Rows of the home laboratory.
    """
    home = load(data, seed).home
    labels = home.labels[labelled]
    maps, seconds = _labelled_maps(data, seed, labelled)
    before = time.process_time() - seconds
    keras.utils.set_random_seed(seed)
    encoder = networks.copy_up_to(start(), "block_14")
    transfer.unfreeze(encoder, FROM)
    blocks = keras.Model(encoder.get_layer("block_10").output, encoder.output)
    vectors = keras.layers.GlobalAveragePooling2D()(blocks.output)
    head = keras.layers.Dense(len(home.classes), "softmax")(vectors)
    model = keras.Model(blocks.input, head)
    rates = keras.optimizers.schedules.CosineDecay(
        0.0, STEPS - STEPS // 10, warmup_target=RATE, warmup_steps=STEPS // 10
    )
    optimizer = keras.optimizers.AdamW(rates, weight_decay=1e-4)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    random = np.random.default_rng(seed)
    for _ in range(STEPS):
        columns = random.integers(len(labelled), size=2 * BATCH)
        chosen = maps[random.integers(len(maps), size=2 * BATCH), columns].astype(np.float32)
        model.train_on_batch(chosen, labels[columns])
    return Trained(encoder, time.process_time() - before, STEPS)


def _labelled_maps(data: str, seed: int, labelled: np.ndarray) -> tuple[np.ndarray, float]:
    """Maps of views of labelled images; of many, the views that pretraining sees too."""
    cells = load(data, seed)
    views = min(_MOST_VIEWS, _VIEWS_IN_ALL // len(labelled))
    if views <= VIEWS:
        maps, seconds = _maps(data, seed, "home", False)
        return maps[:, np.searchsorted(cells.train, labelled)], seconds
    before = time.process_time()
    images = cells.home.images[labelled]
    maps = pretraining.view_maps(start(), images, look, from_=FROM, views=views, seed=seed)
    return maps, time.process_time() - before
