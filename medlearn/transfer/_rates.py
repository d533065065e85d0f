"""Discriminative learning rates: the deeper a block lies below the head, the smaller its steps."""

import re

from medlearn._keras import keras
from medlearn.transfer._stages import check_model

# Up to the first number, with a letter: block_12_expand_conv -> block_12, block5a_expand_conv -> block5a.
_BLOCK = re.compile(r".*?\d+[a-z]?(?=_|$)")


def rates(model: keras.Model, decay: float = 0.5) -> dict[str, float]:
    """The factor of the learning rate for each block that learns, from the head (1) downwards (decay, decay squared, ...).

    Layers are grouped to blocks by their names. `decay`: above 0, at most 1. Raises ValueError otherwise, or if
    nothing in the model learns.
    Source: Howard & Ruder 2018 (arXiv:1801.06146), which divides by 2.6 from layer to layer.
    """
    check_model(model)
    if not isinstance(decay, int | float) or not 0 < decay <= 1:
        raise ValueError(
            f"decay={decay!r} is not above 0 and at most 1; try 0.5, each block half of the one above."
        )
    blocks = dict.fromkeys(
        _block(layer) for layer in reversed(_leaves(model)) if layer.trainable_weights
    )
    if not blocks:
        raise ValueError(f"No weight of {model.name} is trainable; call transfer.unfreeze first.")
    return {block: decay**depth for depth, block in enumerate(blocks)}


def by_depth(
    optimizer: keras.optimizers.Optimizer, model: keras.Model, decay: float = 0.5
) -> keras.optimizers.Optimizer:
    """A fresh optimizer like the given one whose steps shrink with depth as `rates(model, decay)` says.

    For `model.compile`, after `unfreeze`; schedules, momentum and checkpoints work as before. It is the rate that
    shrinks, not the gradient, which Adam would scale back up. Not shrunk: the `weight_decay` of the optimizer. A model
    that is saved and loaded has the plain optimizer again. Raises ValueError as `rates`, and for an optimizer that is
    only named.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer is {optimizer!r}, but one that is made is needed, such as keras.optimizers.Adam(1e-3)."
        )
    factors = rates(model, decay)
    of_path = {
        weight.path: factors[_block(layer)]
        for layer in _leaves(model)
        for weight in layer.trainable_weights
    }
    plain = type(optimizer)

    class ByDepth(plain):
        def update_step(self, gradient, variable, learning_rate):
            path = self._trainable_variables[self._get_variable_index(variable)].path
            super().update_step(gradient, variable, learning_rate * of_path[path])

    # The names of the class it stands in for, so that Keras can write it into a file and read it back.
    ByDepth.__name__, ByDepth.__module__ = plain.__name__, plain.__module__
    return ByDepth.from_config(optimizer.get_config())


def _block(layer) -> str:
    matched = _BLOCK.match(layer.name)
    return matched.group() if matched else layer.name


def _leaves(model: keras.Model) -> list:
    """The layers that are not models themselves, from input to output."""
    nested = (
        _leaves(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers
    )
    return [leaf for leaves in nested for leaf in leaves]
