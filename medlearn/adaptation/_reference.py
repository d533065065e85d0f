"""Images of home to which images of another domain are matched: the same number of each class."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def balanced_rows(labels: ArrayLike, per_class: int | None = None, *, seed: int = 0) -> np.ndarray:
    """Return rows drawn at random, the same number of each class.

    Recipes that match scale or colour compare two sets of images. If one set holds mostly large
    cells, they enlarge all images of the other. The first images of a data set are no fair
    reference: files are often sorted by class.

    Parameters
    ----------
    labels : array_like, shape (N,)
        The class of each image of home.
    per_class : int, optional
        Rows of each class, at most; the smallest class sets the limit, and the default.
    seed : int
        Random seed.

    Returns
    -------
    numpy.ndarray of int
        Sorted indices.

    Raises
    ------
    ValueError
        Without labels, or for a `per_class` below 1.

    Examples
    --------
    >>> rows = balanced_rows([0, 0, 0, 0, 1, 1])
    >>> len(rows), int((rows < 4).sum())
    (4, 2)
    """
    labels = _checks.column("labels", labels)
    counts = np.unique(labels, return_counts=True)[1]
    number = int(counts.min())
    if per_class is not None:
        number = min(number, _checks.whole_number("per_class", per_class, 1))
    random = np.random.default_rng(seed)
    rows_per_class = [
        random.choice(np.flatnonzero(labels == label), number, replace=False)
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(rows_per_class))
