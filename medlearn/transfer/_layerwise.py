"""Layer-wise learning rates: the nearer a block lies to the image, the smaller its steps."""

import re

from medlearn import _keras
from medlearn._keras import keras
from medlearn.transfer._stages import check_model

# Up to the first number, with a letter: block_12_expand_conv -> block_12, block5a_bn -> block5a.
_BLOCK = re.compile(r".*?\d+[a-z]?(?=_|$)")


def layerwise_rates(model: keras.Model, decay: float = 0.5) -> dict[str, float]:
    """Return the factor of the learning rate for each block that learns.

    Layers are grouped to blocks by their names.

    Parameters
    ----------
    model : keras.Model
        A model with weights that are trainable; models inside are followed to any depth.
    decay : float
        Factor from one block to the next one towards the image, above 0 and at most 1.

    Returns
    -------
    dict of float
        Factor by block, from the head (1) towards the image (`decay`, `decay` squared, ...).

    Raises
    ------
    ValueError
        For another decay, and if nothing in the model learns.

    References
    ----------
    Howard & Ruder 2018 (arXiv:1801.06146), discriminative fine-tuning, who divide by 2.6 from
    layer to layer.
    """
    check_model(model)
    if not isinstance(decay, int | float) or not 0 < decay <= 1:
        raise ValueError(
            f"decay={decay!r} is not above 0 and at most 1; with 0.5 each block learns half as "
            "fast as the next one towards the head."
        )
    learning = [layer for layer in reversed(_keras.leaves(model)) if layer.trainable_weights]
    if not learning:
        raise ValueError(f"No weight of {model.name} is trainable; call transfer.unfreeze first.")
    blocks = dict.fromkeys(block_of(layer) for layer in learning)
    return {block: decay**steps for steps, block in enumerate(blocks)}


def layerwise_optimizer(
    optimizer: keras.optimizers.Optimizer, model: keras.Model, decay: float = 0.5
) -> keras.optimizers.Optimizer:
    """Return a copy of an optimizer whose learning rate falls from block to block to the image.

    For ``model.compile``, after `unfreeze`; schedules, momentum and checkpoints work as before. The
    rate falls and not the gradient, which Adam would scale back up. The optimizer's `weight_decay`
    stays the same for all blocks. A model that is saved and loaded has the plain optimizer again.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Such as ``keras.optimizers.Adam(1e-3)``; it stays as it is.
    model : keras.Model
        The model that will be compiled with the result.
    decay : float
        As for `layerwise_rates`.

    Returns
    -------
    keras.optimizers.Optimizer
        A fresh optimizer for this model.

    Raises
    ------
    ValueError
        As `layerwise_rates`, and for an optimizer that is only named.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer is {optimizer!r}, but an Optimizer object is needed, such as "
            "keras.optimizers.Adam(1e-3)."
        )
    layerwise = _layerwise_class(type(optimizer), _factors(model, decay))
    return layerwise.from_config(optimizer.get_config())


def _factors(model: keras.Model, decay: float) -> dict[str, float]:
    """Return the factor of each trainable weight by its path."""
    rates = layerwise_rates(model, decay)
    factors = {}
    for layer in _keras.leaves(model):
        for weight in layer.trainable_weights:
            factors[weight.path] = rates[block_of(layer)]
    return factors


def _layerwise_class(
    plain: type[keras.optimizers.Optimizer], factors: dict[str, float]
) -> type[keras.optimizers.Optimizer]:
    """Return a subclass of an optimizer that multiplies each step's rate by the weight's factor."""

    class Layerwise(plain):
        def update_step(self, gradient, variable, learning_rate):
            """Make the plain step with the weight's share of the learning rate.

            Parameters
            ----------
            gradient : tensor
                Gradient of the loss.
            variable : keras.Variable
                The weight that is changed.
            learning_rate : tensor
                The rate of the head.
            """
            path = self._trainable_variables[self._get_variable_index(variable)].path
            super().update_step(gradient, variable, learning_rate * factors[path])

    # The names of the class that it stands in for, so that Keras can save it and load it.
    Layerwise.__name__, Layerwise.__module__ = plain.__name__, plain.__module__
    return Layerwise


def block_of(layer: keras.layers.Layer) -> str:
    """Return the block to which a layer belongs by its name, such as block_12."""
    matched = _BLOCK.match(layer.name)
    return matched.group() if matched else layer.name
