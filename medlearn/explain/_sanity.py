"""The control of every heat map: the same network with its knowledge shuffled away."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from medlearn._keras import keras
from medlearn.explain._cam import leaves


def randomised(model: keras.Model, *, layers: int | None = None, seed: int = 0) -> keras.Model:
    """A copy of a model that has forgotten what it learned: the values inside each weight array are shuffled.

    Shuffling keeps every array's distribution, and so the network's habits, but no knowledge. layers: shuffle only so
    many layers with weights, counted from the head downwards; None takes them all. A heat map that hardly changes does
    not show what the model learned. The model itself stays as it is. Raises ValueError for a number of layers below 1
    or above what there is.
    Source: Adebayo et al. 2018 (arXiv:1810.03292), cascading randomisation, who draw new weights instead.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    weighted = [layer for layer in leaves(copy) if layer.weights]
    if layers is not None and not 1 <= layers <= len(weighted):
        raise ValueError(
            f"layers={layers!r} is not a number from 1 to {len(weighted)}, the layers with weights here."
        )
    rng = np.random.default_rng(seed)
    for layer in weighted[-(layers or len(weighted)) :]:
        layer.set_weights(
            [
                rng.permutation(weight.ravel()).reshape(weight.shape)
                for weight in layer.get_weights()
            ]
        )
    return copy


def similarity(heatmaps: ArrayLike, others: ArrayLike) -> np.ndarray:
    """Spearman's rank correlation of each heat map with its counterpart: float (N,), 1 the same order, 0 unrelated.

    heatmaps, others: (N, H, W). A map without any variation is unrelated to all. Raises ValueError for other shapes.
    Source: Adebayo et al. 2018 (arXiv:1810.03292), section 3.1, who compare so.
    """
    first, second = np.asarray(heatmaps, float), np.asarray(others, float)
    if first.ndim != 3 or first.shape != second.shape or not first.size:
        raise ValueError(
            f"Both are heat maps (N, H, W) of the same images; the shapes are {first.shape} and {second.shape}."
        )
    ranks = [stats.rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(scale > 0, scale, 1)
