"""The control of every heat map: the same network with shuffled weights."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from medlearn import _checks, _keras
from medlearn._keras import keras


def randomise_weights(
    model: keras.Model, *, layers: int | None = None, seed: int = 0
) -> keras.Model:
    """Return a copy of a model in which the values inside each weight array are shuffled.

    Shuffling keeps every array's distribution, but nothing that was learned. A heat map that hardly
    changes does not show what the model learned.

    Parameters
    ----------
    model : keras.Model
        A trained model; it stays as it is.
    layers : int, optional
        Shuffle only so many layers with weights, counted from the head towards the image; None for
        all.
    seed : int
        Draws the order.

    Returns
    -------
    keras.Model
        The copy, not compiled.

    Raises
    ------
    ValueError
        For a number of layers below 1 or above the number of layers with weights.

    References
    ----------
    Adebayo et al. 2018 (arXiv:1810.03292), cascading randomisation, who draw new weights instead.
    """
    copy = _keras.copied(model)
    weighted = [layer for layer in _keras.leaves(copy) if layer.weights]
    if layers is not None:
        _checks.whole_number("layers", layers, 1, len(weighted))
    rng = np.random.default_rng(seed)
    for layer in weighted[-(layers or len(weighted)) :]:
        layer.set_weights([_shuffled(weight, rng) for weight in layer.get_weights()])
    return copy


def similarity(heatmaps: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """Return Spearman's rank correlation of each heat map with its counterpart.

    Parameters
    ----------
    heatmaps : array_like, shape (N, H, W)
        Heat maps.
    reference : array_like, shape (N, H, W)
        Heat maps of the same images, such as those of another model.

    Returns
    -------
    numpy.ndarray, shape (N,)
        -1 to 1: 1 for the same order of pixels, 0 for no relation or a map without any variation.

    Raises
    ------
    ValueError
        For other shapes.

    References
    ----------
    Adebayo et al. 2018 (arXiv:1810.03292), section 3.1.

    Examples
    --------
    >>> similarity([[[1, 2], [3, 4]]], [[[1, 2], [3, 9]]]).round(6).tolist()
    [1.0]
    """
    first, second = np.asarray(heatmaps, float), np.asarray(reference, float)
    if first.ndim != 3 or first.shape != second.shape or not first.size:
        raise ValueError(
            "Both are heat maps (N, H, W) of the same images; the shapes are "
            f"{first.shape} and {second.shape}."
        )
    a, b = _centred_ranks(first), _centred_ranks(second)
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(scale > 0, scale, 1)


def _shuffled(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(weight.ravel()).reshape(weight.shape)


def _centred_ranks(maps: np.ndarray) -> np.ndarray:
    ranks = stats.rankdata(maps.reshape(len(maps), -1), axis=1)
    return ranks - ranks.mean(axis=1, keepdims=True)
