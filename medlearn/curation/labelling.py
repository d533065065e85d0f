"""Which images to label next: query strategies of active learning.

An expert's labels cost more than images. Both rules look at unlabelled images only: the first at
what a model says of them, the second at their features.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def most_uncertain(probabilities: ArrayLike, count: int) -> np.ndarray:
    """Return the images whose two most probable classes are closest (margin sampling).

    Parameters
    ----------
    probabilities : array_like, shape (N, K)
        Of a model, for the unlabelled images; at least two classes.
    count : int
        How many images to label next, 1 to N.

    Returns
    -------
    numpy.ndarray, shape (count,)
        Indices of rows, the smallest margin first; of equal margins the earlier row.

    Raises
    ------
    ValueError
        If these are no probabilities, or `count` is not possible.

    References
    ----------
    Scheffer, Decomain & Wrobel 2001, doi:10.1007/3-540-44816-0_31.

    Examples
    --------
    >>> most_uncertain([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.5, 0.2, 0.3]], 2)
    array([1, 2])
    """
    values = _checks.probabilities(probabilities)
    count = _checks.whole_number("count", count, 1, len(values))
    two_largest = np.sort(values, axis=1)[:, -2:]
    margins = two_largest[:, 1] - two_largest[:, 0]
    return np.argsort(margins, kind="stable")[:count]


def most_diverse(features: ArrayLike, labelled: ArrayLike, count: int) -> np.ndarray:
    """Return the images that are far from the labelled ones and from each other (core-set).

    Each step takes the image whose nearest labelled or taken image is farthest (greedy k-centre).

    Parameters
    ----------
    features : array_like, shape (N, D)
        Of the unlabelled images, in units that are comparable, such as standardised features.
    labelled : array_like, shape (M, D)
        Features of the labelled images; an empty list begins with the image that is farthest from
        the mean.
    count : int
        How many images to label next, 1 to N.

    Returns
    -------
    numpy.ndarray, shape (count,)
        Indices of rows of `features`, in the order in which they were taken.

    Raises
    ------
    ValueError
        If the features do not fit, or `count` is not possible.

    References
    ----------
    Sener & Savarese 2018 (arXiv:1708.00489), algorithm 1.

    Examples
    --------
    >>> most_diverse([[0.0], [1.0], [5.0], [6.0]], [[0.0]], 2)
    array([3, 1])
    """
    features = _checks.vectors(features)
    count = _checks.whole_number("count", count, 1, len(features))
    if len(np.asarray(labelled)) == 0:
        labelled = features.mean(axis=0, keepdims=True)
    centres = _checks.vectors(labelled, "labelled features")
    if centres.shape[1] != features.shape[1]:
        raise ValueError(
            f"Unlabelled images have {features.shape[1]} features, labelled ones "
            f"{centres.shape[1]}; take both from the same layer."
        )
    distances = np.full(len(features), np.inf)
    for centre in centres:
        distances = np.minimum(distances, _squared_distances(features, centre))
    selected: list[int] = []
    for _ in range(count):
        farthest = int(np.argmax(distances))
        selected.append(farthest)
        distances = np.minimum(distances, _squared_distances(features, features[farthest]))
        distances[selected] = -1
    return np.array(selected)


def _squared_distances(features: np.ndarray, centre: np.ndarray) -> np.ndarray:
    return np.square(features - centre).sum(axis=1)
