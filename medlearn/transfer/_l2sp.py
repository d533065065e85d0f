"""L2-SP: regularise towards the pretrained weights instead of towards zero."""

import numpy as np

from medlearn import _keras
from medlearn._keras import keras
from medlearn.transfer._stages import check_model, encoders


def l2_sp(model: keras.Model, alpha: float = 0.1, beta: float = 0.01) -> None:
    """Add the L2-SP penalty, which pulls the encoder's weights back to their present values.

    It is ``alpha/2 |W - W0|^2`` over the encoder plus ``beta/2 |W|^2`` over the head. W0 are the
    weights of this moment, so call it before the first unfreezing. Frozen weights and those of
    BatchNorm layers cost nothing. ``fit`` adds the penalty to the loss, and ``model.losses`` shows
    it. Models inside models are followed to any depth. A second call replaces the penalty; alpha=0
    and beta=0 remove it.

    Parameters
    ----------
    model : keras.Model
        A model with an encoder inside; it is changed.
    alpha : float
        Strength of the pull on the encoder's weights, 0 or more.
    beta : float
        Strength of the pull on the other weights, 0 or more.

    Raises
    ------
    ValueError
        For a negative strength, and for a model without an encoder.

    References
    ----------
    Li, Grandvalet & Davoine 2018 (arXiv:1802.01483), eq. 3.
    """
    check_model(model)
    if not all(isinstance(strength, int | float) and strength >= 0 for strength in (alpha, beta)):
        raise ValueError(
            f"alpha={alpha!r} and beta={beta!r} are strengths of a penalty: 0 or more; try 0.1 and "
            "0.01."
        )
    inside = encoders(model)
    if not inside:
        raise ValueError(
            f"{model.name} holds no encoder that could have pretrained weights; build it with "
            "networks.classifier."
        )
    pretrained = {id(weight) for encoder in inside for weight in encoder.weights}
    norms = [norm for encoder in inside for norm in _keras.batchnorms(encoder)]
    exempt = {id(weight) for norm in norms for weight in norm.weights}
    for weight in model.weights:
        if id(weight) not in pretrained:
            weight.regularizer = _Pull(beta, 0.0) if beta else None
        elif id(weight) not in exempt:
            weight.regularizer = _Pull(alpha, weight.numpy()) if alpha else None


class _Pull(keras.regularizers.Regularizer):
    """strength / 2 times the squared distance from a target."""

    def __init__(self, strength: float, target: float | np.ndarray):
        self.strength, self.target = strength, target

    def __call__(self, weight):
        return self.strength / 2 * keras.ops.sum(keras.ops.square(weight - self.target))
