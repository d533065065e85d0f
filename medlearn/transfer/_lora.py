"""LoRA: each chosen dense layer keeps its kernel and learns a small correction of low rank."""

from collections.abc import Sequence

import numpy as np

from medlearn import _checks, _keras
from medlearn._keras import keras
from medlearn.transfer._stages import check_model, encoders, freeze


def add_lora(
    model: keras.Model, rank: int = 4, *, layers: Sequence[str] = ("query", "value"), seed: int = 0
) -> int:
    """Freeze the encoder of a model and give its attention adapters of low rank, which may learn.

    A dense layer with the kernel W computes ``x (W + A B)`` afterwards. A is (D, rank) and starts
    at random, B is (rank, D) and starts at zero, so the model predicts what it did before. What is
    not in the encoder, such as a head, stays as it is. Compile afterwards. Do not set `trainable`
    on these layers later, nor call `unfreeze`: the kernels would learn as well.

    Parameters
    ----------
    model : keras.Model
        A model with an encoder inside, or an encoder; it is changed.
    rank : int
        Columns of A, at least 1.
    layers : sequence of str
        The dense layers whose names end in ``_`` and one of these words get adapters.
    seed : int
        Draws A.

    Returns
    -------
    int
        The number of values in all adapters.

    Raises
    ------
    ValueError
        If no layer has such a name, or some have adapters already, or rank is below 1.

    References
    ----------
    Hu et al. 2022 (arXiv:2106.09685), section 4.1 and 4.2: adapters on queries and values.
    """
    check_model(model)
    _checks.whole_number("rank", rank, 1)
    inside = encoders(model) or [model]
    leaves = [leaf for encoder in inside for leaf in _keras.leaves(encoder)]
    adapted = [leaf for leaf in leaves if _is_one(leaf, layers)]
    if not adapted:
        raise ValueError(
            f"{model.name} has no dense layer whose name ends in {' or '.join(layers)}: "
            'backbones.load("dinov2_small") gives a transformer that has some.'
        )
    if any(leaf.lora_enabled for leaf in adapted):
        raise ValueError(f"{model.name} has adapters already; build the model anew to begin again.")
    for encoder in inside:
        encoder.trainable = True  # as a whole: a frozen model would hide its adapters
    for leaf in leaves:
        freeze(leaf)
    return sum(_adapt(leaf, rank, seed + number) for number, leaf in enumerate(adapted))


def _is_one(layer: keras.layers.Layer, words: Sequence[str]) -> bool:
    is_named = any(layer.name.endswith(f"_{word}") for word in words)
    return is_named and isinstance(layer, keras.layers.Dense)


def _adapt(layer: keras.layers.Dense, rank: int, seed: int) -> int:
    """Add A and B to a layer; its kernel and bias stay frozen. Return the number of values."""
    layer.trainable = True  # first: set later, it would let the kernel learn
    layer.enable_lora(rank, a_initializer=keras.initializers.HeUniform(seed))
    if layer.use_bias:
        layer.bias.trainable = False
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)
