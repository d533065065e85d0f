"""The frozen part of a classifier, whose maps are computed once, and the part that learns."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _folding, _keras
from medlearn._keras import keras
from medlearn.transfer import _stages

_MOST_BYTES = 500_000_000  # of the maps of all images
_BATCH = 32


def divided(model: keras.Model, from_: str) -> tuple[keras.Model, keras.Model] | None:
    """Return the part of a classifier before a block, and the part from it on; weights are shared.

    None where the model cannot be divided there: it does not begin with its encoder, several
    tensors cross the boundary, or layers before it act at random while training.

    Parameters
    ----------
    model : keras.Model
        A chain of an input, an encoder and a head, as `networks.classifier` builds it.
    from_ : str
        The first block that learns, as in `unfreeze`.
    """
    encoder, first = _stages.find(model, from_)
    layers = _keras.leaves(encoder)
    is_chain = model.layers[1:2] == [encoder] and layers == list(encoder.layers)
    if not is_chain or first < 2 or any(map(_is_random, layers[:first])):
        return None
    boundary = layers[first].input
    if isinstance(boundary, list):
        return None
    try:
        lower = keras.Model(encoder.inputs[0], boundary)
        tail = keras.Model(boundary, encoder.outputs[0], name=encoder.name)
    except ValueError:  # another tensor crosses it
        return None
    maps = keras.Input(boundary.shape[1:])
    outputs = tail(maps)
    for layer in model.layers[2:]:
        outputs = layer(outputs)
    upper = keras.Model(maps, outputs, name=model.name)
    return (lower, upper) if _agrees(model, lower, upper) else None


def maps_of(lower: keras.Model, images: ArrayLike) -> np.ndarray:
    """Return the maps of images at the boundary.

    Parameters
    ----------
    lower : keras.Model
        The first part that `divided` returned.
    images : array_like, shape (N, H, W, 3)
        Images of 0 to 255.
    """
    images, compute = np.asarray(images), _folding.compiled_maps(lower)
    batches = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    return np.concatenate([compute(batch) for batch in batches])


def fits(lower: keras.Model, count: int) -> bool:
    """Return whether the maps of so many images are small enough to be kept.

    Parameters
    ----------
    lower : keras.Model
        The first part that `divided` returned.
    count : int
        Number of images.
    """
    sides = lower.output_shape[1:]
    return None not in sides and 4 * count * int(np.prod(sides)) <= _MOST_BYTES


def _is_random(layer: keras.layers.Layer) -> bool:
    return getattr(layer, "seed_generator", None) is not None


def _agrees(model: keras.Model, lower: keras.Model, upper: keras.Model) -> bool:
    """Whether both parts together give what the model gives: a head need not be a chain."""
    sides = [side or 64 for side in model.input_shape[1:]]
    images = np.random.default_rng(0).uniform(0, 255, (2, *sides)).astype("float32")
    return np.allclose(upper(lower(images)), model(images), atol=1e-4)
