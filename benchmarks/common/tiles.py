"""Tiles of one larger field, found by their borders: the right border of one continues in another.

Nothing is known about the patients of the nuclei. Many images were cut from one field, side by
side; these must not be on both sides of a split. Two images of the same size are neighbours if the
last column of one and the first column of the other (or last and first row) agree almost in every
pixel, and no other image agrees better with either. Borders of nearly one grey say nothing and are
left alone. Groups are neighbours of neighbours: parts of fields, **not patients**. Images of one
slide that do not touch stay in different groups.
"""

from collections.abc import Sequence

import numpy as np

from medlearn import _similarity

AGREEMENT = 0.93  # between the borders of neighbours
_LEAST_CONTRAST = 2.0  # standard deviation of the greys of a border


def groups(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return the group of each image, int (N,), numbered in the order of their first image.

    Parameters
    ----------
    images : sequence of uint8 array of shape (H, W, 3)
        Whole images as they were published, neither cropped nor resized; sizes may differ.
    """
    return _similarity.groups_of(neighbours(images), len(images))


def neighbours(images: Sequence[np.ndarray], mirrored: bool = False) -> np.ndarray:
    """Return the pairs of neighbours, int (P, 2): the left or upper image comes first.

    Parameters
    ----------
    images : sequence of uint8 array of shape (H, W, 3)
        Whole images.
    mirrored : bool
        Whether the second border is read backwards. Then no border continues in another, so the
        number of pairs is that of mistakes.
    """
    shapes = np.array([image.shape[:2] for image in images])
    pairs = [np.zeros((0, 2), int)]
    for shape in np.unique(shapes, axis=0):
        rows = np.flatnonzero((shapes == shape).all(1))
        greys = np.stack([images[row].mean(-1) for row in rows])
        for last, first in ((greys[:, :, -1], greys[:, :, 0]), (greys[:, -1], greys[:, 0])):
            second = first[:, ::-1] if mirrored else first
            pairs.append(rows[_best_pairs(agreement(last, second))])
    return np.concatenate(pairs)


def agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the concordance correlation of every two borders, (N, M); 1 if they are equal.

    Unlike Pearson's correlation it is lower where brightness or contrast differ.

    Parameters
    ----------
    first, second : arrays of shape (N, L) and (M, L)
        Greys along borders.

    References
    ----------
    Lin 1989, Biometrics 45, 255-268, eq. 1.
    """
    first_means, second_means = first.mean(1), second.mean(1)
    covariance = (first - first_means[:, None]) @ (second - second_means[:, None]).T
    covariance /= first.shape[1]
    shifts = (first_means[:, None] - second_means) ** 2
    scale = first.var(1)[:, None] + second.var(1) + shifts
    values = 2 * covariance / np.maximum(scale, 1e-9)
    values[first.std(1) < _LEAST_CONTRAST] = 0
    values[:, second.std(1) < _LEAST_CONTRAST] = 0
    return values


def _best_pairs(values: np.ndarray) -> np.ndarray:
    """Pairs of different images that agree best with each other, and well."""
    np.fill_diagonal(values, 0)
    best = values.argmax(1)
    indices = np.arange(len(values))
    mutual = values.argmax(0)[best] == indices
    is_pair = mutual & (values.max(1) > AGREEMENT)
    return np.stack([indices, best], axis=1)[is_pair]
