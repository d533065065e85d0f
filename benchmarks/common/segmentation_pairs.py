"""Pairs of laboratories of sim_to_real.py, and the model of each source."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from common import segmenters
from common.segmenter_candidates import METHODS, Source
from medlearn import datasets, splits

VALIDATORS = ("source_dice", "certainty", "information")
SEEDS = range(3)
STEPS = 150
SIMULATED, SIMULATED_STEPS, SIMULATED_HELD_OUT = 2000, 600, 100  # images, steps, of which held out
_SIMULATED_DOMAINS = ("lab-a", "lab-b", "random")


class Domain(NamedTuple):
    """A laboratory of a data set."""

    data: str
    name: str


class Pair(NamedTuple):
    """Where a segmenter learns, and where it is used."""

    source: Domain
    target: Domain


_RANDOM = Domain("smear", "random")  # of which each image is another laboratory
_SMEAR_A, _SMEAR_B = Domain("smear", "lab-a"), Domain("smear", "lab-b")
_WBC_A, _WBC_B = Domain("wbc", "lab-a"), Domain("wbc", "lab-b")
PAIRS = {
    "smear a>b": Pair(_SMEAR_A, _SMEAR_B),
    "smear b>a": Pair(_SMEAR_B, _SMEAR_A),
    "virtual>wbc a": Pair(_RANDOM, _WBC_A),
    "virtual>wbc b": Pair(_RANDOM, _WBC_B),
    "wbc b>a": Pair(_WBC_B, _WBC_A),
    "wbc a>b": Pair(_WBC_A, _WBC_B),
    "virtual, as many>wbc a": Pair(_RANDOM, _WBC_A),
    "virtual, as many>wbc b": Pair(_RANDOM, _WBC_B),
}
SIMULATED_ONLY = "virtual>wbc a"  # its source model saw nothing but simulated images
_WITHOUT_COLOURS = ("source only", "adabn", "tent", "mean teacher")  # no laboratory to take them of


def methods(pair: str) -> tuple[str, ...]:
    """Return the candidates of a pair."""
    if "as many" in pair:
        return ("source only",)
    return _WITHOUT_COLOURS if pair.startswith("virtual") else tuple(METHODS)


def reference_pair(pair: str) -> str:
    """Return the pair of two laboratories with the same target, whose bounds count for `pair`."""
    target = PAIRS[pair].target
    names = (name for name, candidate in PAIRS.items() if candidate.target == target)
    return next(name for name in names if not name.startswith("virtual"))


@lru_cache(maxsize=6)
def load(domain: Domain, seed: int) -> datasets.Dataset:
    """Return one laboratory.

    Parameters
    ----------
    domain : Domain
        Data set and name.
    seed : int
        Seed of a row; simulated patients differ from seed to seed and between laboratories.
    """
    data, name = domain
    if data == "wbc":
        return datasets.load(data, domain=name, size=segmenters.SIDE)
    count = SIMULATED if name == "random" else 300
    own_seed = 100 + 3 * seed + _SIMULATED_DOMAINS.index(name)
    return datasets.load(data, domain=name, count=count, size=segmenters.SIDE, seed=own_seed)


class Lesson(NamedTuple):
    """What a source model learns from, what is held out, and for how many steps it learns."""

    learn: datasets.Dataset
    held_out: datasets.Dataset
    steps: int


def lesson(pair: str, seed: int) -> Lesson:
    """Return what the source model of a pair learns from.

    Parameters
    ----------
    pair : str
        Name in `PAIRS`.
    seed : int
        Seed of the simulated patients and of the division.
    """
    source = load(PAIRS[pair].source, seed)
    if PAIRS[pair].source.name != "random":
        learn, held_out = splits.by_patient(source.patients, test=0.2, seed=seed)
        return Lesson(source.take(learn), source.take(held_out), STEPS)
    count, steps = SIMULATED - SIMULATED_HELD_OUT, SIMULATED_STEPS
    held_out = source.take(np.arange(count, SIMULATED))
    if "as many" in pair:
        count, steps = len(lesson(reference_pair(pair), seed).learn), STEPS
    return Lesson(source.take(np.arange(count)), held_out, steps)


@lru_cache(maxsize=2)
def source_model(pair: str, seed: int, teacher: str = "source") -> tuple[Source, float]:
    """Return the source model of a pair, and the CPU-seconds that it took.

    Parameters
    ----------
    pair : str
        Name in `PAIRS`.
    seed : int
        Seed of patients and weights.
    teacher : {"source", "random looks", "simulated too"}
        What it learns from: the source's images as they are, in random appearance, or together
        with simulated ones.
    """
    data, _, steps = lesson(pair, seed)
    images, masks = data.images, data.masks
    if teacher == "simulated too":
        simulated, _, steps = lesson(SIMULATED_ONLY, seed)
        images = np.concatenate([images, simulated.images])
        masks = np.concatenate([masks, simulated.masks])
    random_looks = teacher == "random looks"
    if random_looks:
        steps = 2 * steps
    weights, seconds = segmenters.train_once(images, masks, steps, seed, random_looks)
    return Source(weights, data.images, data.masks), seconds
