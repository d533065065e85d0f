"""Find images that show the same picture, and keep them together in a split.

For example:

    groups = duplicates.find(images, features, patients)  # int (N,): copies share a number
    together = duplicates.merge_groups(patients, groups)
    train, test = splits.by_patient(together, test=0.3)

Neighbouring slices of one person are as similar as copies are, and pixels cannot tell the two
apart. They need not: the patient ties such slices already. So `patients` leaves their pairs out,
and only pairs of different patients are judged.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _similarity

_MIN_SIDE = 64  # pixels; smaller images of different cells look too much alike
_MIN_PAIRS = 100  # fewer pairs show no spread
_SPREADS = 6  # a limit is that many spreads above the median
_LOWEST_LIMIT, _HIGHEST_LIMIT = 0.75, 0.95


def find(
    images: ArrayLike,
    features: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    *,
    min_similarity: float = _similarity.MIN_SIMILARITY,
    neighbours: int = 20,
    max_shift: float = 0.1,
) -> np.ndarray:
    """Group images that show the same picture, directly or through other copies.

    Features find the pairs that may be copies (`candidate_pairs`), and the pixels decide
    (`similarity`).

    Parameters
    ----------
    images : array_like, shape (N, H, H, 3) or (N, H, H)
        Square images of at least 64 pixels a side.
    features : array_like, shape (N, D), optional
        Feature vectors of the images. Without them small grey versions of the images are compared,
        which find copies that were saved anew or changed in brightness, but not those that were
        shifted or turned.
    patients : array_like, shape (N,), optional
        Ids. Pairs of one patient are left out: a split by patient keeps them together anyway, and
        neighbouring slices are not copies. Without ids such slices are tied like copies.
    min_similarity : float
        Pairs count as one picture from this similarity on, above 0 and at most 1.
        `suggest_min_similarity` finds one for a kind of image.
    neighbours : int
        Number of nearest neighbours of each image that are compared with it, 1 or more.
    max_shift : float
        Largest shift in each direction, as a share of the side, 0 to 0.5.

    Returns
    -------
    numpy.ndarray of int, shape (N,)
        Group of each image, numbered from 0 in the order of their first image.

    Raises
    ------
    ValueError
        For arrays of another shape, features that are not finite, and settings out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn.curation import duplicates
    >>> images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    >>> duplicates.find(images[[0, 1, 0, 2]]).tolist()
    [0, 1, 0, 2]
    """
    images = _square(images)
    if not 0 < min_similarity <= 1:
        raise ValueError(
            f"min_similarity is a correlation above 0 and at most 1, not {min_similarity!r}; "
            "try 0.85."
        )
    if features is None:
        lowest = _similarity.MIN_THUMBNAIL_CORRELATION
        thumbnails, units = _similarity.thumbnails(images), _units(patients, images)
        pairs = _similarity.nearest_pairs(thumbnails, neighbours, lowest, units)
    else:
        _checks.same_length(images=images, features=np.asarray(features))
        pairs = candidate_pairs(features, neighbours, patients)
    copies = pairs[similarity(images, pairs, max_shift) >= min_similarity]
    return group_pairs(copies, len(images))


def group_pairs(pairs: ArrayLike, count: int) -> np.ndarray:
    """Return the group of each image when the images of each pair belong together.

    Parameters
    ----------
    pairs : array_like of int, shape (P, 2)
        Indices of images.
    count : int
        Number of images.

    Returns
    -------
    numpy.ndarray of int, shape (count,)
        Numbered from 0 in the order of their first image.

    Examples
    --------
    >>> from medlearn.curation import duplicates
    >>> duplicates.group_pairs([(0, 2), (2, 3)], count=5).tolist()
    [0, 1, 0, 0, 2]
    """
    return _similarity.groups_of(np.asarray(pairs, int).reshape(-1, 2), count)


def suggest_min_similarity(similarities: ArrayLike) -> float:
    """Return a limit for copies that suits this kind of image.

    How similar two different pictures are depends on their kind: slices of two heads are more alike
    than noisy pictures of two cells. The limit lies six spreads above the median similarity of
    candidates, on the scale of Fisher's z. The spread is the distance from the median to the 84th
    percentile, so a few copies among the candidates do not move it. The limit is at least 0.75 and
    at most 0.95. It is a rule of thumb, tried on cells and on slices of heads: look at some pairs
    on both sides of it. A pair of strangers that is tied costs a little data, not honesty.

    Parameters
    ----------
    similarities : array_like, shape (P,)
        Of pairs of different patients, as from `candidate_pairs` with `patients` and `similarity`;
        at least 100. Where patients are unknown, take all candidates.

    Returns
    -------
    float
        To be used as `min_similarity` in `find`.

    Raises
    ------
    ValueError
        For fewer than 100 similarities, or numbers that are no correlations.

    References
    ----------
    Fisher, Metron 1:3, 1921 (the z transform of a correlation).

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn.curation import duplicates
    >>> round(duplicates.suggest_min_similarity(np.linspace(0.2, 0.5, 200)), 2)
    0.8
    """
    similarities = np.asarray(similarities, float).ravel()
    if len(similarities) < _MIN_PAIRS:
        raise ValueError(
            f"A limit needs the similarities of at least {_MIN_PAIRS} pairs, not "
            f"{len(similarities)}; with so few images keep the default of `find`."
        )
    if not (np.abs(similarities) <= 1 + 1e-6).all():
        raise ValueError("similarities are correlations, -1 to 1, as `similarity` returns them.")
    z = np.arctanh(np.clip(similarities, -0.9999, 0.9999))
    median, high = np.quantile(z, [0.5, 0.84])
    limit = np.tanh(median + _SPREADS * (high - median))
    return float(np.clip(limit, _LOWEST_LIMIT, _HIGHEST_LIMIT))


def merge_groups(*groupings: ArrayLike) -> np.ndarray:
    """Return the groups that keep together whatever any of the groupings ties.

    Images are also tied through others: if image 1 and 2 share a patient, and 2 and 3 are copies,
    then 1, 2 and 3 are one group.

    Parameters
    ----------
    *groupings : array_like, shape (N,)
        One id per image each, such as patients and groups of near-duplicates.

    Returns
    -------
    numpy.ndarray of int, shape (N,)
        Group of each image, numbered from 0 in the order of their first image.

    Raises
    ------
    ValueError
        For no grouping, or groupings of different lengths.

    Examples
    --------
    >>> from medlearn.curation import duplicates
    >>> duplicates.merge_groups(["p", "p", "q", "r"], [0, 1, 1, 2]).tolist()
    [0, 0, 0, 1]
    """
    columns = [np.asarray(grouping) for grouping in groupings]
    if not columns or any(column.shape != columns[0].shape[:1] for column in columns):
        shapes = [column.shape for column in columns]
        raise ValueError(
            f"Groupings are lists of one id per image, equally long; their shapes are {shapes}."
        )
    indices = np.arange(len(columns[0]))
    pairs = []
    for column in columns:
        _, first, group = np.unique(column, return_index=True, return_inverse=True)
        pairs.append(np.stack([first[group], indices], axis=1))
    return _similarity.groups_of(np.concatenate(pairs), len(indices))


def candidate_pairs(
    features: ArrayLike, neighbours: int = 20, patients: ArrayLike | None = None
) -> np.ndarray:
    """Return the pairs of images of which one is among the other's nearest neighbours.

    Copies (shifted, turned, compressed anew) stay near in feature space, but are not always the
    nearest; so a number of neighbours is compared, and no threshold is needed.

    Parameters
    ----------
    features : array_like, shape (N, D)
        Finite; nearness is the cosine between them.
    neighbours : int
        Number of neighbours of each image, 1 or more.
    patients : array_like, shape (N,), optional
        Ids. With them, only images of other patients are neighbours.

    Returns
    -------
    numpy.ndarray of int, shape (P, 2)
        Indices of images; the smaller one comes first in each pair.

    Raises
    ------
    ValueError
        For features of another shape or with NaN, and for fewer than one neighbour.
    """
    neighbours = _checks.whole_number("neighbours", neighbours, 1)
    features = _checks.vectors(features)
    return _similarity.nearest_pairs(features, neighbours, units=_units(patients, features))


def similarity(images: ArrayLike, pairs: ArrayLike, max_shift: float = 0.1) -> np.ndarray:
    """Return how similar the images of each pair are, over quarter turns and small shifts.

    The measure is the highest correlation of fine detail. Images are made grey and small, and
    coarse structure is removed, because two dark round nuclei on a pale ground are alike from afar;
    a brighter or flatter copy still matches. The correlation is circular, hence a shift costs a
    little.

    Parameters
    ----------
    images : array_like, shape (N, H, H, 3) or (N, H, H)
        Square images of at least 64 pixels a side.
    pairs : array_like of int, shape (P, 2)
        Indices of the images to compare.
    max_shift : float
        Largest shift in each direction, as a share of the side, 0 to 0.5.

    Returns
    -------
    numpy.ndarray, shape (P,)
        Up to 1. An image of one grey is like no other (0).

    Raises
    ------
    ValueError
        For images that are not square or too small, and for a shift out of range.

    References
    ----------
    Alignment by Fourier transform: Kuglin & Hines, Proc. IEEE Int. Conf. Cybernetics and Society,
    1975.
    """
    images = _square(images)
    if not 0 <= max_shift <= 0.5:
        raise ValueError(f"max_shift is a share of the side, 0 to 0.5, not {max_shift!r}.")
    return _similarity.similarity(images, np.asarray(pairs, int).reshape(-1, 2), max_shift)


def _units(patients: ArrayLike | None, images: np.ndarray) -> np.ndarray | None:
    """A number for each patient's images, or None without patients."""
    if patients is None:
        return None
    patients = np.asarray(patients)
    _checks.same_length(patients=patients, images=images)
    return np.unique(patients, return_inverse=True)[1]


def _square(images: ArrayLike) -> np.ndarray:
    images = np.asarray(images)
    square = images.ndim in (3, 4) and images.shape[1] == images.shape[2]
    if not square or images.shape[1] < _MIN_SIDE:
        raise ValueError(
            f"images are square, (N, H, H, 3) or (N, H, H), of at least {_MIN_SIDE} pixels a side; "
            f"their shape is {images.shape}."
        )
    return images
