"""Pictures that are there twice: found by frozen features, proved on pixels, grouped so that a split keeps them together.

groups = duplicates.find(images, vectors)                        # int (N,): near-identical images share a number
train, test = splits.by_patient(duplicates.joined(patients, groups), test=0.3)
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

_SIDE, _COARSE = (
    64,
    3.0,
)  # pixels a side at which two pictures are compared; what is coarser is left out
_CHUNK = 512  # pairs compared at a time


def find(
    images: ArrayLike,
    vectors: ArrayLike,
    alike: float = 0.85,
    nearest: int = 20,
    shift: float = 0.1,
) -> np.ndarray:
    """The group (N,) of each image: images share a number if they show the same picture, perhaps through others.

    images: uint8 (N, H, W, 3) or (N, H, W). vectors: float (N, D), their features. Candidates are the pairs that
    `candidates` finds among `nearest` neighbours; a pair is one picture if `likeness` (with `shift`) is at least
    `alike`, above 0 and at most 1. Groups are numbered from 0 in the order of their first image.
    Raises ValueError for arrays of another shape and settings out of range.
    """
    images = np.asarray(images)
    if not 0 < alike <= 1:
        raise ValueError(
            f"alike is a correlation above 0 and at most 1, not {alike!r}; try alike=0.85."
        )
    if len(images) != len(np.asarray(vectors)):
        raise ValueError(
            f"Each image needs its vector: {len(images)} images, {len(np.asarray(vectors))} vectors."
        )
    pairs = candidates(vectors, nearest)
    same = pairs[likeness(images, pairs, shift) >= alike]
    return _components(same, len(images))


def joined(*groupings: ArrayLike) -> np.ndarray:
    """The coarsest grouping (N,) that all of them ask for: images share a number if any of the groupings ties them.

    groupings: (N,) ids each, such as patients and near-duplicates; ties reach on through third images. Numbered from 0 in
    the order of their first image. Raises ValueError for none, or for groupings of different lengths.
    """
    columns = [np.asarray(grouping) for grouping in groupings]
    if not columns or any(column.ndim != 1 or len(column) != len(columns[0]) for column in columns):
        raise ValueError(
            f"Groupings are lists of one id per image, equally long; their shapes are {[c.shape for c in columns]}."
        )
    pairs = []
    for column in columns:
        _, first, group = np.unique(column, return_index=True, return_inverse=True)
        pairs.append(np.stack([first[group], np.arange(len(column))], axis=1))
    return _components(np.concatenate(pairs), len(columns[0]))


def candidates(vectors: ArrayLike, nearest: int = 20) -> np.ndarray:
    """The pairs (P, 2), i < j, of which one is among the other's `nearest` neighbours by cosine distance.

    vectors: float (N, D), finite, at least two. Copies (shifted, turned, compressed anew) stay near in feature space,
    though not always nearest, so a fixed number of neighbours asks for no threshold. Raises ValueError for other input.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) < 2 or not np.isfinite(vectors).all():
        raise ValueError(
            f"vectors are finite features (N, D) of at least two images; their shape is {vectors.shape}."
        )
    if nearest < 1:
        raise ValueError(f"nearest is a number of neighbours, at least 1, not {nearest!r}.")
    search = NearestNeighbors(n_neighbors=min(nearest, len(vectors) - 1), metric="cosine").fit(
        vectors
    )
    found = search.kneighbors(return_distance=False)  # an image is not its own neighbour
    pairs = np.stack([np.repeat(np.arange(len(vectors)), found.shape[1]), found.ravel()], axis=1)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def likeness(images: ArrayLike, pairs: ArrayLike, shift: float = 0.1) -> np.ndarray:
    """How alike each pair is (P,): the highest correlation of fine detail over quarter turns and small shifts, up to 1.

    images: (N, H, W[, 3]), square, of at least 64 px. pairs: int (P, 2). shift: up to this share of the side, in each
    direction, 0 to 0.5. Pictures are made grey and small and lose what is coarse, for two dark round nuclei on a pale
    ground are alike from afar; a brighter or flatter copy still matches. The correlation is circular (by Fourier
    transform; Kuglin & Hines 1975 align pictures so), hence a shift costs a little. A picture of one grey is like no other (0).
    Raises ValueError for other input.
    """
    detail, pairs = _detail(np.asarray(images)), np.asarray(pairs).reshape(-1, 2)
    if not 0 <= shift <= 0.5:
        raise ValueError(f"shift is a share of the side, 0 to 0.5, not {shift!r}.")
    steps = np.arange(-round(shift * _SIDE), round(shift * _SIDE) + 1)
    waves = [np.fft.rfft2(np.rot90(detail, turns, axes=(1, 2))) for turns in range(4)]
    best = np.full(len(pairs), -1.0)
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        one, other = pairs[part].T
        for turned in waves:
            match = np.fft.irfft2(waves[0][one] * np.conj(turned[other]), (_SIDE, _SIDE))
            best[part] = np.maximum(best[part], match[:, steps[:, None], steps].max(axis=(1, 2)))
    return best


def _components(pairs: np.ndarray, count: int) -> np.ndarray:
    """The group (count,) of each image when pairs (P, 2) are tied, numbered in the order of first images."""
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(count, count))
    _, found = connected_components(links, directed=False)
    _, first, group = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]


def _detail(images: np.ndarray) -> np.ndarray:
    """Grey pictures (N, 64, 64) of mean 0 and length 1 without what is coarse; blocks of pixels are averaged."""
    if images.ndim not in (3, 4) or images.shape[1] != images.shape[2] or images.shape[1] < _SIDE:
        raise ValueError(
            f"images are square (N, H, W[, 3]), at least {_SIDE} px a side; their shape is {images.shape}."
        )
    block = images.shape[1] // _SIDE
    margin = (images.shape[1] - block * _SIDE) // 2
    middle = images[:, margin : margin + block * _SIDE, margin : margin + block * _SIDE]
    grey = middle.mean(axis=3) if images.ndim == 4 else middle
    small = grey.reshape(len(images), _SIDE, block, _SIDE, block).mean(axis=(2, 4))
    fine = small - ndimage.gaussian_filter(small, (0, _COARSE, _COARSE))
    fine -= fine.mean(axis=(1, 2), keepdims=True)
    size = np.sqrt((fine**2).sum(axis=(1, 2), keepdims=True))
    return np.divide(fine, size, out=np.zeros_like(fine), where=size > 1e-6)
