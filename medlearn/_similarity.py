"""Which images show the same picture: identical pixels, or nearly the same ones."""

import hashlib

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MIN_SIMILARITY = 0.85  # from here on two images count as one picture
MIN_THUMBNAIL_CORRELATION = 0.99  # copies saved anew or changed in brightness lie above
_SIDE = 64  # pixels a side at which two images are compared
_COARSE_SIGMA = 3.0  # detail that is coarser than this many pixels is left out
_THUMBNAIL = 16  # pixels a side
_CHUNK = 512  # images or pairs that are compared at a time


def similarity(images: np.ndarray, pairs: np.ndarray, max_shift: float = 0.1) -> np.ndarray:
    """Return the correlation of the fine detail of each pair, over quarter turns and small shifts.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, H, H) or (N, H, H, 3)
        Square images; those under 64 pixels a side are compared less surely.
    pairs : numpy.ndarray of int, shape (P, 2)
        Indices of the images to compare.
    max_shift : float
        Largest shift in each direction, as a share of the side.

    Returns
    -------
    numpy.ndarray, shape (P,)
        Up to 1; an image of one grey is like no other (0).
    """
    involved, positions = np.unique(pairs, return_inverse=True)
    pairs = positions.reshape(-1, 2)
    detail = _fine_detail(images, involved)
    side = detail.shape[1]
    reach = round(max_shift * side)
    steps = np.arange(-reach, reach + 1)
    spectra = [np.fft.rfft2(np.rot90(detail, turns, axes=(1, 2))) for turns in range(4)]
    best = np.full(len(pairs), -1.0)
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        first, second = pairs[part].T
        for turned in spectra:
            product = spectra[0][first] * np.conj(turned[second])
            correlation = np.fft.irfft2(product, (side, side))
            highest = correlation[:, steps[:, None], steps].max(axis=(1, 2))
            best[part] = np.maximum(best[part], highest)
    return best


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Return grey averages of 16 x 16 blocks as vectors (N, 256) of mean 0 and length 1.

    Images of (nearly) one grey become zeros, so that they resemble nothing.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, H, W) or (N, H, W, 3)
        At least 16 pixels a side.
    """
    vectors = np.zeros((len(images), _THUMBNAIL**2), np.float32)
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        values = _area_means(_grey(images[part]), _THUMBNAIL).reshape(-1, _THUMBNAIL**2)
        values -= values.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        vectors[part] = np.where(lengths > 1, values / np.maximum(lengths, 1), 0)
    return vectors


def nearest_pairs(
    vectors: np.ndarray,
    neighbours: int,
    min_cosine: float = -np.inf,
    units: np.ndarray | None = None,
) -> np.ndarray:
    """Return the pairs of which one is among the other's nearest neighbours by cosine.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (N, D)
        Finite.
    neighbours : int
        Number of neighbours of each vector.
    min_cosine : float
        Pairs with a lower cosine are left out.
    units : numpy.ndarray, shape (N,), optional
        Vectors with the same entry are no pair.

    Returns
    -------
    numpy.ndarray of int, shape (P, 2)
        Sorted; the smaller index comes first in each pair.
    """
    count = min(neighbours, len(vectors) - 1)
    if count < 1:
        return np.zeros((0, 2), int)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    pairs = []
    for start in range(0, len(unit), _CHUNK):
        cosine = unit[start : start + _CHUNK] @ unit.T
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -np.inf  # an image is not its own neighbour
        if units is not None:
            cosine[units[start : start + _CHUNK, None] == units] = -np.inf
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        highest = np.take_along_axis(cosine, nearest, axis=1)
        near = (highest >= min_cosine) & (highest > -np.inf)
        row, column = np.nonzero(near)
        pairs.append(np.stack([start + row, nearest[row, column]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def digests(images: np.ndarray) -> list[bytes]:
    """Return a fingerprint of the pixels of each image: equal pixels, equal fingerprints."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest() for image in images]


def groups_of(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return the group of each image when pairs are tied, also through other images.

    Parameters
    ----------
    pairs : numpy.ndarray of int, shape (P, 2)
        Indices of images.
    count : int
        Number of images.

    Returns
    -------
    numpy.ndarray of int, shape (count,)
        Numbered from 0 in the order of their first image.
    """
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(count, count))
    _, component = connected_components(links, directed=False)
    _, first, group = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]


def _fine_detail(images: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return some images small, grey, with mean 0, length 1 and no coarse structure."""
    side = min(_SIDE, images.shape[1])
    small = np.zeros((len(indices), side, side))
    for start in range(0, len(indices), _CHUNK):
        part = slice(start, start + _CHUNK)
        small[part] = _block_means(_grey(images[indices[part]]), side)
    fine = small - ndimage.gaussian_filter(small, (0, _COARSE_SIGMA, _COARSE_SIGMA))
    fine -= fine.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt((fine**2).sum(axis=(1, 2), keepdims=True))
    return np.divide(fine, length, out=np.zeros_like(fine), where=length > 1e-6)


def _block_means(grey: np.ndarray, side: int) -> np.ndarray:
    """Return means (N, side, side) over equal square blocks; a margin without a block is cut."""
    block = grey.shape[1] // side
    margin = (grey.shape[1] - block * side) // 2
    middle = grey[:, margin : margin + block * side, margin : margin + block * side]
    return middle.reshape(len(grey), side, block, side, block).mean(axis=(2, 4))


def _area_means(grey: np.ndarray, side: int) -> np.ndarray:
    """Return means (N, side, side) over the whole image; blocks may differ by one pixel."""
    for axis in (1, 2):
        length = grey.shape[axis]
        starts = np.arange(side) * length // side
        counts = np.diff(np.append(starts, length))
        sums = np.add.reduceat(grey.astype(float), starts, axis=axis)
        grey = sums / (counts[:, None] if axis == 1 else counts)
    return grey


def _grey(images: np.ndarray) -> np.ndarray:
    return images.mean(axis=3) if images.ndim == 4 else images
