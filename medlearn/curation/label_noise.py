"""Wrong labels: make some on purpose, and rank labels by how probable it is that they are wrong."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def flip(labels: ArrayLike, share: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Replace a share of the labels by wrong ones.

    A wrong label is any of the other classes that occur, with equal probability. Real annotators
    confuse classes that look alike, and their mistakes are harder to find.

    Parameters
    ----------
    labels : array_like of int, shape (N,)
        At least two classes.
    share : float
        Share of the labels to replace, from 0 to below 1, rounded to whole images.
    seed : int
        Random seed.

    Returns
    -------
    labels : numpy.ndarray of int, shape (N,)
        The labels, some of them wrong.
    wrong : numpy.ndarray of bool, shape (N,)
        Which labels are wrong.

    Raises
    ------
    ValueError
        For a share out of range, a single class, or labels that are not whole numbers.

    Examples
    --------
    >>> from medlearn.curation import label_noise
    >>> labels, wrong = label_noise.flip([0, 0, 1, 1], share=0.25)
    >>> int(wrong.sum())
    1
    """
    labels = _checks.column("labels", labels)
    classes = np.unique(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are whole numbers, one per image, not {labels.dtype}.")
    if not 0 <= share < 1:
        raise ValueError(
            f"share={share!r} is the share of labels to replace, from 0 to below 1; try 0.1."
        )
    if len(classes) < 2:
        raise ValueError(
            f"All labels are {classes[0]}: there is no other class that could replace them."
        )
    generator = np.random.default_rng(seed)
    wrong = generator.permutation(len(labels)) < round(share * len(labels))
    steps = generator.integers(1, len(classes), len(labels))  # 1 to K - 1 classes further
    replacements = classes[(np.searchsorted(classes, labels) + steps) % len(classes)]
    return np.where(wrong, replacements, labels), wrong


def mislabel_score(labels: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
    """Score how strongly a model contradicts each label.

    The score is the largest probability of another class minus the probability of the label.

    Parameters
    ----------
    labels : array_like of int, shape (N,)
        From 0 to K - 1.
    probabilities : array_like, shape (N, K)
        Class probabilities, **out of fold**: from a model that saw neither this image nor another
        one of its patient. A model that saw them has learned the mistake by heart.

    Returns
    -------
    numpy.ndarray, shape (N,)
        From -1 (the model is sure of the label) to 1 (sure of another class).

    Raises
    ------
    ValueError
        For NaN, rows that do not sum to one, and labels without a column.

    References
    ----------
    The negative of the margin by which Northcutt, Jiang & Chuang, J. Artif. Intell. Res. 70:1373,
    2021, rank labels.

    Examples
    --------
    >>> from medlearn.curation import label_noise
    >>> label_noise.mislabel_score([0, 0], [[0.75, 0.25], [0.25, 0.75]]).tolist()
    [-0.5, 0.5]
    """
    labels, probabilities = _checks.labels_and_probabilities(labels, probabilities)
    is_label = np.arange(probabilities.shape[1]) == labels[:, None]
    best_other = np.where(is_label, -np.inf, probabilities).max(axis=1)
    return best_other - probabilities[is_label]
