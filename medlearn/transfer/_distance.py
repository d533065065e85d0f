"""How far each block of an encoder has moved from the weights with which it started."""

from collections.abc import Sequence

import numpy as np

from medlearn import _keras
from medlearn._keras import keras
from medlearn.transfer._layerwise import block_of
from medlearn.transfer._stages import check_model, encoders


def distance_by_block(model: keras.Model, start: Sequence[np.ndarray]) -> dict[str, float]:
    """Return, for each block that may learn, the relative distance of its weights from the start.

    It is ``|W - W0| / |W0|`` over the trainable weights of the encoder: 0.1 is a tenth of their
    length.

    Parameters
    ----------
    model : keras.Model
        A model with an encoder inside, or an encoder.
    start : sequence of numpy.ndarray
        ``model.get_weights()`` of the moment from which the distance is measured.

    Returns
    -------
    dict of float
        By block, from the head towards the image.

    Raises
    ------
    ValueError
        If `start` are not the weights of such a model.
    """
    check_model(model)
    shapes = [tuple(weight.shape) for weight in model.weights]
    if [np.shape(values) for values in start] != shapes:
        raise ValueError(
            f"start holds {len(start)} arrays that are not the weights of {model.name}; take start "
            "= model.get_weights() of this model before you fit."
        )
    started = {id(weight): values for weight, values in zip(model.weights, start)}
    layers = [leaf for encoder in encoders(model) or [model] for leaf in _keras.leaves(encoder)]
    squares: dict[str, np.ndarray] = {}
    for layer in reversed(layers):
        for weight in layer.trainable_weights:
            before = started[id(weight)]
            pair = np.array([((weight.numpy() - before) ** 2).sum(), (before**2).sum()])
            squares[block_of(layer)] = squares.get(block_of(layer), 0) + pair
    return {block: float(np.sqrt(moved / own)) for block, (moved, own) in squares.items()}
