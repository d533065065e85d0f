"""Single cells for transfer.py and learning.py: images, views, and frozen features.

A data set goes by its name, with a space and a number of images behind it where more than usual
are wanted: "wbc", "smear 1800".
"""

from functools import lru_cache

import numpy as np

from medlearn import backbones, datasets, features, splits
from medlearn._keras import keras

VIEWS, BATCH = 8, 32
LEARNING_SETS = {"smear": "smear 1800", "wbc": "wbc"}  # 360 cells per class: 200 labels and a test


@lru_cache
def load(name: str) -> datasets.Dataset:
    """Return the cells of lab-a."""
    data, *count = name.split()
    return datasets.load(data, domain="lab-a", size=128, count=int(count[0]) if count else None)


def class_count(name: str) -> int:
    """Return the number of classes that occur."""
    return len(np.unique(load(name).labels))


@lru_cache
def halves(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test patients of a seed of transfer.py.

    Parameters
    ----------
    name : str
        Name of the cells.
    seed : int
        Divides the patients anew.
    """
    cells = load(name)
    return splits.by_patient(cells.patients, test=0.5, seed=seed, labels=cells.labels)


@lru_cache
def train_and_test(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test patients of learning.py."""
    cells = load(name)
    return splits.by_patient(cells.patients, test=0.3, seed=0, labels=cells.labels)


def draw_labelled(
    name: str, train: np.ndarray, labels_per_class: str, generator: np.random.Generator
) -> np.ndarray:
    """Return the rows whose labels a method may see.

    Parameters
    ----------
    name : str
        Name of the cells.
    train : int array
        Rows to draw from.
    labels_per_class : str
        How many of each class, fewer where a class has fewer; or "all".
    generator : numpy.random.Generator
        Where chance comes from.
    """
    if labels_per_class == "all":
        return train
    labels = load(name).labels[train]
    shuffled = [generator.permutation(train[labels == value]) for value in np.unique(labels)]
    return np.concatenate([rows[: int(labels_per_class)] for rows in shuffled])


# ---- views and frozen features -------------------------------------------------------------------


def views(images: np.ndarray) -> np.ndarray:
    """Return flips and quarter turns, (N, 8, H, W, channels); the first is the image itself."""
    mirrored = images[:, :, ::-1]
    turned = [np.rot90(images, turns, (1, 2)) for turns in range(4)]
    turned += [np.rot90(mirrored, turns, (1, 2)) for turns in range(4)]
    return np.stack(turned, axis=1)


def stacked(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all views as examples of their own, with a label each.

    Parameters
    ----------
    values : array of shape (n, 8, ...)
        Images, maps or vectors of all views.
    labels : int array of shape (n,)
        Labels of the images.
    """
    return values.reshape(-1, *values.shape[2:]), np.repeat(labels, VIEWS)


@lru_cache
def encoder() -> keras.Model:
    """Return EfficientNet-Lite0 with its pretrained weights."""
    return backbones.load("efficientnet_lite0", size=128)


@lru_cache
def lower() -> keras.Model:
    """Return the part of the encoder that never changes, up to block 11."""
    return keras.Model(encoder().input, encoder().get_layer("block_11").output)


@lru_cache
def upper() -> keras.Model:
    """Return the blocks 12 to 14 of the encoder; fine-tuning works on copies."""
    lowest, highest = encoder().get_layer("block_11"), encoder().get_layer("block_14")
    return keras.Model(lowest.output, highest.output, name="upper")


@lru_cache
def maps(name: str) -> np.ndarray:
    """Return the maps of all views at block 11, (N, 8, 4, 4, 192)."""
    images = views(load(name).images).reshape(-1, 128, 128, 3)
    return lower().predict(images, BATCH, verbose=0).reshape(-1, VIEWS, 4, 4, 192)


@lru_cache
def vectors(name: str) -> np.ndarray:
    """Return the pooled vectors of all views at block 14, (N, 8, 192)."""
    outputs = upper().predict(maps(name).reshape(-1, 4, 4, 192), BATCH, verbose=0)
    return outputs.mean((1, 2)).reshape(-1, VIEWS, 192)


@lru_cache
def transformer_vectors(name: str) -> np.ndarray:
    """Return class token and mean patch of DINOv2's small ViT for all views, (N, 8, 768).

    It takes 126 px, nine patches of 14: a pixel is cut off at each border.
    """
    images = views(load(name).images[:, 1:-1, 1:-1]).reshape(-1, 126, 126, 3)
    encoder = backbones.load("dinov2_small", size=126)
    return features.extract(encoder, images, tokens="both").reshape(-1, VIEWS, 768)


@lru_cache
def shrunk(name: str) -> np.ndarray:
    """Return all views at half the side, (N, 8, 64, 64, 3), for the network from scratch."""
    images = load(name).images
    return views(images.reshape(len(images), 64, 2, 64, 2, 3).mean((2, 4), dtype=np.float32))
