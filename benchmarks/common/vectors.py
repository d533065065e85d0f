"""Vectors of a pair's images by a frozen encoder, computed once for all candidates of the pair.

Everything works on block_14 of EfficientNet-Lite0, averaged over four views of each image.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from medlearn import backbones, features
from medlearn._keras import keras
from medlearn.adaptation import colour, scale, statistics


def _unchanged(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return images


def _scale_and_reinhard(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return colour.reinhard(scale.match_scale(images, reference), reference)


IMAGES = {
    "as they are": _unchanged,
    "reinhard": colour.reinhard,
    "scale": scale.match_scale,
    "scale+reinhard": _scale_and_reinhard,
    "histograms": colour.match_histograms,
    "fourier": colour.fourier,
    "macenko": colour.macenko,
}


class Space(NamedTuple):
    """Vectors of all source and of all target images, (N, D) and (M, D)."""

    source: np.ndarray
    target: np.ndarray


def space(
    images: str, batchnorm: str, source_images: np.ndarray, target_images: np.ndarray
) -> Space:
    """Return the vectors of two laboratories.

    Parameters
    ----------
    images : str
        Name in `IMAGES`: what is done to the target's images.
    batchnorm : {"kept", "adabn"}
        Whether the target is seen with BatchNorm statistics of its own.
    source_images, target_images : uint8 array of shape (N, H, W, 3)
        All images; the arrays themselves are the key of a cache.
    """
    source, target = _Same(source_images), _Same(target_images)
    vectors = _target_vectors(target, source, images, batchnorm)
    return Space(_source_vectors(source), vectors)


class _Same:
    """Images as a key of a cache: equal as long as they are the same array."""

    def __init__(self, images: np.ndarray):
        self.images = images

    def __hash__(self):
        return id(self.images)

    def __eq__(self, other):
        return self.images is other.images


@lru_cache
def lite0() -> keras.Model:
    """Return EfficientNet-Lite0 up to block 14."""
    whole = backbones.load("efficientnet_lite0", size=128)
    return keras.Model(whole.input, whole.get_layer("block_14").output, name="lite0")


def averaged(encoder: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return pooled vectors, mean over an image, its two mirror images and its transpose.

    Parameters
    ----------
    encoder : keras.Model
        The encoder.
    images : uint8 array of shape (N, H, W, 3)
        The images.
    """
    views = images, images[:, ::-1], images[:, :, ::-1], images.transpose(0, 2, 1, 3)
    vectors = [features.extract(encoder, np.ascontiguousarray(view), cache=False) for view in views]
    return np.mean(vectors, axis=0)


@lru_cache(maxsize=4)
def _source_vectors(source: _Same) -> np.ndarray:
    return averaged(lite0(), source.images)


@lru_cache(maxsize=12)
def _target_vectors(target: _Same, source: _Same, images: str, batchnorm: str) -> np.ndarray:
    changed = IMAGES[images](target.images, source.images[::6])
    if batchnorm == "kept":
        return averaged(lite0(), changed)
    return averaged(statistics.reestimate_batchnorm(lite0(), changed), changed)
