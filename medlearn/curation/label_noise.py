"""Wrong labels: make some on purpose, and rank those that a model which never saw them finds hard to believe."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def flip(labels: ArrayLike, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share is wrong, and which: int (N,) and bool (N,).

    labels: (N,) whole numbers of at least two classes. share: of the images, 0 to below 1, rounded to whole images. A wrong
    label is any of the other classes that occur, equally likely; real annotators confuse classes that look alike, and
    are harder to catch. Raises ValueError for a share outside, one class, or labels that are no whole numbers.
    """
    labels = _checks.column("labels", labels)
    classes = np.unique(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are whole numbers, one an image, not {labels.dtype}.")
    if not 0 <= share < 1:
        raise ValueError(
            f"share={share!r} is the share of labels to make wrong, 0 to below 1; try 0.1."
        )
    if len(classes) < 2:
        raise ValueError(
            f"All labels are {classes[0]}: there is no other class that a label could be flipped to."
        )
    generator = np.random.default_rng(seed)
    wrong = generator.permutation(len(labels)) < round(share * len(labels))
    onward = generator.integers(
        1, len(classes), len(labels)
    )  # 1 to K - 1 classes further, round the circle
    moved = classes[(np.searchsorted(classes, labels) + onward) % len(classes)]
    return np.where(wrong, moved, labels), wrong


def suspicion(labels: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
    """How hard each label is to believe, float (N,), -1 (surely right) to 1 (surely another class).

    labels: (N,) 0 to K - 1. probabilities: (N, K), **out of fold**, from a model that never saw this image nor another of its
    patient: one that did has learned the mistake by heart. It is the largest probability of another class minus that of
    the label, the negative of the margin in Northcutt et al., J. Artif. Intell. Res. 70:1373, 2021, which ranks labels by it.
    Raises ValueError for NaN, rows that do not sum to one, and labels without a column.
    """
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    own = np.arange(probabilities.shape[1]) == labels[:, None]
    return np.where(own, -np.inf, probabilities).max(axis=1) - probabilities[own]
