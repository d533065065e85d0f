"""Scores of prediction sets."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def coverage(labels: ArrayLike, sets: ArrayLike) -> float:
    """Return the share of images whose prediction set holds the true class.

    It says nothing alone: the set of all classes always holds it. Report the mean size of the sets,
    ``sets.sum(axis=1).mean()``, beside it.

    Parameters
    ----------
    labels : array_like, shape (N,)
        Class indices from 0 to K - 1.
    sets : array_like of bool, shape (N, K)
        True where a class belongs to the image's set.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        For sets that are not booleans, and labels without a column.

    References
    ----------
    Angelopoulos & Bates 2021, arXiv:2107.07511, section 4.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.coverage([0, 1], [[True, True], [True, False]])
    0.5
    """
    sets = np.asarray(sets)
    if sets.ndim != 2 or sets.dtype != bool:
        raise ValueError(
            f"sets are booleans (N, classes), not {sets.dtype} {sets.shape}; "
            "monitoring.conformal.prediction_sets makes them of probabilities."
        )
    labels = _checks.column("labels", labels)
    _checks.same_length(labels=labels, sets=sets)
    if labels.dtype.kind not in "biu" or labels.min() < 0 or labels.max() >= sets.shape[1]:
        raise ValueError(
            f"labels must be whole numbers from 0 to {sets.shape[1] - 1}, for the sets have "
            f"{sets.shape[1]} columns."
        )
    return float(sets[np.arange(len(labels)), labels.astype(int)].mean())
