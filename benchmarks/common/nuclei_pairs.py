"""The two domains of the nuclei, the candidates, and the model of each source."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from common import segmenters, tiles
from common.segmenter_candidates import PIXELS, Recipe, Source, validate
from medlearn import _files, datasets, metrics, splits
from medlearn.datasets import _real
from medlearn.datasets._real_sets import _decode

STEPS, SEEDS = 100, range(5)
IMAGES = 120  # at most so many of a domain
NUCLEUS = 1  # value in masks; the third class of the segmenter does not occur


class Pair(NamedTuple):
    """Domain where a segmenter learns, and where it is used."""

    source: str
    target: str


PAIRS = {
    "fluorescence>stained": Pair("fluorescence", "stained"),
    "stained>fluorescence": Pair("stained", "fluorescence"),
}
METHODS = {
    "source only": Recipe("as they are", "kept", "source"),
    "negative": Recipe("negative", "kept", "source"),
    "histograms": Recipe("histograms", "kept", "source"),
    "reinhard": Recipe("reinhard", "kept", "source"),
    "fourier": Recipe("fourier", "kept", "source"),
    "negative+reinhard": Recipe("negative+reinhard", "kept", "source"),
    "adabn": Recipe("as they are", "adabn", "source"),
    "negative, adabn": Recipe("negative", "adabn", "source"),
    "tent": Recipe("as they are", "tent", "source"),
    "mean teacher": Recipe("as they are", "mean teacher", "source"),
}
VALIDATORS = ("source_dice", "certainty", "information", "amounts")


class Nuclei(NamedTuple):
    """Images of a domain, their masks, and the group of tiles that each belongs to."""

    images: np.ndarray
    masks: np.ndarray
    groups: np.ndarray

    def take(self, rows: np.ndarray) -> "Nuclei":
        """Return some of the images."""
        return Nuclei(*(column[rows] for column in self))


def load(domain: str) -> Nuclei:
    """Return the images of a domain, the same ones for all seeds.

    Parameters
    ----------
    domain : {"fluorescence", "stained"}
        Name in the card.
    """
    domains, everything = _whole_set()
    rows = np.flatnonzero(domains == domain)
    chosen = np.random.default_rng(0).permutation(rows)[:IMAGES]
    return everything.take(np.sort(chosen))


@lru_cache
def _whole_set() -> tuple[np.ndarray, Nuclei]:
    """Domain of every image, and the images; the cache folder keeps them, reading takes minutes."""
    path = _files.cache() / f"nuclei-{segmenters.SIDE}-{tiles.AGREEMENT}.npz"
    if not path.exists():
        data = datasets.load("nuclei", size=segmenters.SIDE)
        groups = tiles.groups(_published_images(data.facts["file"]))
        np.savez(path, data.domains, data.images, data.masks, groups)
    with np.load(path) as arrays:
        domains, *columns = (arrays[name] for name in arrays.files)
    return domains, Nuclei(*columns)


def _published_images(names: np.ndarray) -> list[np.ndarray]:
    """The images as they are in the archive, of different sizes."""
    card = datasets.card("nuclei")
    files = _real.fetch(card, card.domains, None)
    return [_decode.image(files, name) for name in names]


def divided(nuclei: Nuclei, seed: int) -> tuple[Nuclei, Nuclei]:
    """Return four fifths of a source to learn from and the rest, by group of tiles."""
    learn, held_out = splits.by_patient(nuclei.groups, test=0.2, seed=seed)
    return nuclei.take(learn), nuclei.take(held_out)


def halves(nuclei: Nuclei, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return twice (rows to adapt on, rows to predict): each half of the groups once.

    Parameters
    ----------
    nuclei : Nuclei
        The target; its masks are not looked at.
    seed : int
        Seed of the division.
    """
    first, second = splits.by_patient(nuclei.groups, test=0.5, seed=seed)
    return [(first, second), (second, first)]


@lru_cache(maxsize=2)
def source_model(pair: str, seed: int) -> tuple[Source, float]:
    """Return the source model of a pair, and the CPU-seconds that it took.

    Parameters
    ----------
    pair : str
        Name in `PAIRS`.
    seed : int
        Seed of the division and the weights.
    """
    learn, _ = divided(load(PAIRS[pair].source), seed)
    weights, seconds = segmenters.train_once(learn.images, learn.masks, STEPS, seed)
    return Source(weights, learn.images, learn.masks), seconds


# ---- scores --------------------------------------------------------------------------------------


def dice(masks: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return Dice of the nuclei of each image, (N,); NaN where the truth holds none."""
    present = (masks == NUCLEUS).any((1, 2))
    return np.where(present, metrics.dice(masks, predictions, NUCLEUS), np.nan)


def validator_values(probabilities: np.ndarray, source_masks: np.ndarray) -> dict[str, float]:
    """Return validators of some pixels of the images that were adapted on.

    Parameters
    ----------
    probabilities : array of shape (N, H, W, C)
        Of the target.
    source_masks : uint8 array of shape (M, H, W)
        Masks of the source. `amounts` is minus half the sum of the absolute differences between
        their shares of the classes and those that are predicted.
    """
    classes = probabilities.shape[-1]
    predicted = probabilities[:, ::PIXELS, ::PIXELS].argmax(-1)
    differences = _shares(predicted, classes) - _shares(source_masks, classes)
    return validate(probabilities) | {"amounts": -float(np.abs(differences).sum()) / 2}


def _shares(masks: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(masks.ravel(), minlength=classes) / masks.size
