"""Two simulated hospitals from a secret seed: home with labels, and one that nobody has seen."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from medlearn import _files, backbones, features, splits
from medlearn._dataset import Dataset
from medlearn.instruments import smear

TASKS = ("kinds", "outlines")
SIZE = 96  # pixels
_HOME = {"kinds": 200, "outlines": 60}  # images of home
_POOL = {"kinds": 300, "outlines": 100}  # cells that the new hospital is drawn from
_LEAST, _SPREAD = 8, 110  # images of each class at least, and images that are shared out unevenly
_LAYER = "block_14"


@dataclass(frozen=True, eq=False)
class Hospital:
    """What those who take the challenge may see; there are no labels of the new hospital in it.

    Attributes
    ----------
    task : {"kinds", "outlines"}
        Which kind of cell, or where its nucleus and cytoplasm are.
    classes : tuple of str
        Names of the classes of labels or masks.
    source_images : numpy.ndarray, shape (N, H, W, 3)
        Labelled images of home, 0 to 255.
    source_labels : numpy.ndarray, shape (N,) or (N, H, W)
        Class indices of home; masks where the task is "outlines".
    source_patients : numpy.ndarray, shape (N,)
        Patient ids of home.
    target_images : numpy.ndarray, shape (M, H, W, 3)
        Images of the new hospital.
    """

    task: str
    classes: tuple[str, ...]
    source_images: np.ndarray
    source_labels: np.ndarray
    source_patients: np.ndarray
    target_images: np.ndarray

    @cached_property
    def source_features(self) -> np.ndarray:
        """Features (N, D) of the images of home, by the course's frozen encoder."""
        return _features(self.source_images)

    @cached_property
    def target_features(self) -> np.ndarray:
        """Features (M, D) of the images of the new hospital, by the same encoder."""
        return _features(self.target_images)

    @property
    def ids(self) -> list[str]:
        """Names of the images of the new hospital, in order."""
        return image_ids("cell", len(self.target_images))


@dataclass(frozen=True, eq=False)
class Truth:
    """What stays with the teacher.

    Attributes
    ----------
    labels : numpy.ndarray, shape (M,) or (M, H, W)
        Class indices, or masks, of the images of the new hospital.
    patients : numpy.ndarray, shape (M,)
        Patient ids of these images.
    """

    labels: np.ndarray
    patients: np.ndarray

    @property
    def ids(self) -> list[str]:
        """Names of the images of the new hospital, in order."""
        return image_ids("cell", len(self.labels))

    def halves(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return rows to learn from and rows to predict: each half of the patients, both ways."""
        first, second = splits.by_patient(self.patients, test=0.5, seed=0)
        return [(first, second), (second, first)]


def draw(task: str, seed: str) -> tuple[Hospital, Truth]:
    """Draw two random laboratories, their patients and cells, and the new hospital's class shares.

    Home has as many images of each class. The new hospital has at least eight of each, and the rest
    is shared out at random; for outlines the shares are even. Patients, cells and laboratories of
    home and of the new hospital come from streams that do not tell of each other.

    Parameters
    ----------
    task : {"kinds", "outlines"}
        What is to be predicted.
    seed : str
        Any text; the same one gives the same hospitals. `new_seed` makes one that nobody guesses.

    Returns
    -------
    tuple of Hospital and Truth
        What may be seen, and what may not.

    Raises
    ------
    ValueError
        For an unknown task.

    Examples
    --------
    >>> hospital, truth = draw("outlines", "an example")
    >>> hospital.target_images.shape, truth.labels.shape
    ((100, 96, 96, 3), (100, 96, 96))
    """
    if task not in TASKS:
        raise ValueError(_files.unknown("task", task, TASKS))
    home = _cells(task, seed, "home", range(_HOME[task]))
    pool = smear.cell_labels(_POOL[task], _seed_of_cells(task, seed, "away"))
    rows = _chosen(task, pool, np.random.default_rng(number(seed, "shares")))
    away = _cells(task, seed, "away", rows)
    is_kinds = task == "kinds"
    hospital = Hospital(
        task=task,
        classes=tuple(home.classes if is_kinds else home.mask_classes),
        source_images=home.images,
        source_labels=home.labels if is_kinds else home.masks,
        source_patients=_pseudonyms(home.patients, "home"),
        target_images=away.images,
    )
    labels = away.labels if is_kinds else away.masks
    return hospital, Truth(labels, _pseudonyms(away.patients, "away"))


def of_datasets(source: Dataset, target: Dataset) -> tuple[Hospital, Truth]:
    """Return the two parts of a challenge of kinds from two labelled data sets, such as real ones.

    Parameters
    ----------
    source : Dataset
        Home, with labels.
    target : Dataset
        The new hospital, with labels, which become the truth; same classes and image size.

    Raises
    ------
    ValueError
        Without labels, and for other classes or sizes.
    """
    if source.labels is None or target.labels is None:
        raise ValueError(
            "A challenge needs labels of both data sets; those of the target are kept."
        )
    if source.classes != target.classes or source.images.shape[1:] != target.images.shape[1:]:
        raise ValueError(
            f"Both data sets need the same classes and image size: {source.classes} and "
            f"{target.classes}, {source.images.shape[1:]} and {target.images.shape[1:]}."
        )
    hospital = Hospital(
        task="kinds",
        classes=tuple(source.classes),
        source_images=source.images,
        source_labels=source.labels,
        source_patients=source.patients,
        target_images=target.images,
    )
    return hospital, Truth(target.labels, target.patients)


def image_ids(prefix: str, count: int) -> list[str]:
    """Return the names of so many images, such as ``"cell-001"``.

    Parameters
    ----------
    prefix : str
        ``"cell"`` for the new hospital, ``"home"`` for home.
    count : int
        Number of images.
    """
    return [f"{prefix}-{index:03d}" for index in range(1, count + 1)]


def number(seed: str, purpose: str) -> int:
    """Return a whole number of 128 bits; numbers of other purposes tell nothing of it.

    Parameters
    ----------
    seed : str
        The secret.
    purpose : str
        What the number is for.
    """
    digest = hmac.new(seed.encode(), purpose.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:16], "big")


def _cells(task: str, seed: str, where: str, numbers: Iterable[int]):
    """The cells of these numbers; others of the pool are not simulated."""
    laboratory = smear.random_laboratory(number(seed, f"{task} {where} laboratory"))
    seed_of_cells = _seed_of_cells(task, seed, where)
    cells = [smear.single_cells(laboratory, 1, SIZE, seed_of_cells, int(row)) for row in numbers]
    joined: dict[str, Any] = {}
    for name in ("images", "labels", "masks", "patients", "domains", "spacing"):
        joined[name] = np.concatenate([getattr(cell, name) for cell in cells])
    return replace(cells[0], **joined)


def _seed_of_cells(task: str, seed: str, where: str) -> int:
    return number(seed, f"{task} {where} cells")


def _chosen(task: str, labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rows of the pool, in random order; the kinds of cells in shares that are drawn."""
    if task == "outlines":
        return random.permutation(len(labels))
    classes = np.unique(labels)
    rows = []
    for label, share in zip(classes, random.dirichlet(np.full(len(classes), 2.0)), strict=True):
        members = np.flatnonzero(labels == label)
        count = min(len(members), _LEAST + round(float(share) * _SPREAD))
        rows.append(random.choice(members, count, replace=False))
    return random.permutation(np.concatenate(rows))


def _pseudonyms(patients: np.ndarray, where: str) -> np.ndarray:
    """Short names: those of the simulator hold its seed."""
    _, index = np.unique(patients, return_inverse=True)
    return np.array([f"{where}-p{patient + 1:02d}" for patient in index])


def _features(images: np.ndarray) -> np.ndarray:
    return np.asarray(features.extract(_encoder(images.shape[1]), images, layer=_LAYER), float)


@lru_cache(maxsize=1)
def _encoder(size: int):
    """The frozen encoder; it is loaded and compiled once for all hospitals."""
    return backbones.load("efficientnet_lite0", size=size)
