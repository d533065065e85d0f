"""Contracts: look before a step and after it, and prove what moved and what did not."""

import hashlib

import numpy as np

from medlearn.engine import keras

Snapshot = tuple[tuple[str, str], ...]


def snapshot(model) -> Snapshot:
    """Path and SHA-256 of each weight, BatchNorm statistics included: cheap to keep, enough to tell a change."""
    return tuple((weight.path, hashlib.sha256(weight.numpy().tobytes()).hexdigest()) for weight in model.weights)


def moved(model, before: Snapshot) -> list[str]:
    """The paths of the weights whose values differ from the snapshot.

    Raises ValueError if the snapshot was taken of a model with other weights.
    """
    return [weight.path for weight in _moved_weights(model, before)]


def assert_frozen(model, before: Snapshot) -> None:
    """Raise AssertionError, naming the first weight that moved, unless all weights equal the snapshot."""
    paths = moved(model, before)
    if paths:
        raise AssertionError(
            f"{len(paths)} of {len(before)} weights moved, first {paths[0]!r}; "
            "freeze the encoder (transfer.freeze) before you compile and fit."
        )


def assert_moved(model, before: Snapshot) -> None:
    """Raise AssertionError unless every trainable weight differs from the snapshot and every other one equals it."""
    if not model.trainable_weights:
        raise AssertionError("No weight of this model is trainable; set trainable = True on the layers that should learn.")
    changed = {id(weight) for weight in _moved_weights(model, before)}
    trainable = {id(weight) for weight in model.trainable_weights}
    still = [weight.path for weight in model.weights if id(weight) in trainable - changed]
    drifting = [weight.path for weight in model.weights if id(weight) in changed - trainable]
    if still:
        raise AssertionError(f"{len(still)} trainable weights did not move, first {still[0]!r}; "
                             "compile after every change of trainable, then fit.")
    if drifting:
        raise AssertionError(f"{len(drifting)} frozen weights moved, first {drifting[0]!r}; BatchNorm statistics drift so.")


def assert_bn_still(model, before: Snapshot) -> None:
    """Raise AssertionError, naming the first, if a weight or statistic of any BatchNorm layer differs from the snapshot."""
    norms = {id(weight): layer.name for layer in _batchnorms(model) for weight in layer.weights}
    if not norms:
        raise AssertionError(f"{model.name} has no BatchNormalization layer, so there is nothing to hold still.")
    drifted = [weight.path for weight in _moved_weights(model, before) if id(weight) in norms]
    if drifted:
        raise AssertionError(
            f"{len(drifted)} of {len(norms)} BatchNorm weights moved, first {drifted[0]!r}; set trainable = False on these "
            "layers (transfer.unfreeze does), since training=False in the call is overridden by fit."
        )


def check_preprocessing(images, model=None) -> None:
    """Raise ValueError unless the images (N, H, W, 3) look like 0-255, which is what every encoder here expects.

    The classic mistake is to rescale twice: images in 0-1 look almost black to an encoder that scales them again. With
    `model`, a scaling layer in front of an encoder that has its own is found as well.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"Expected images of shape (N, height, width, 3), got {images.shape}.")
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 255:
        raise ValueError(f"Values run from {low:.3g} to {high:.3g}; pass 0-255 images, preprocessing is inside the encoder.")
    if high <= 1:
        raise ValueError(f"The brightest value is {high:.3g}: these images were already divided by 255; pass 0-255 images.")
    if model is not None:
        _check_scaled_once(model)


def _check_scaled_once(model) -> None:
    levels = [model, *(part for part in model.layers if isinstance(part, keras.Model))]
    scaling = [layers[0].name for layers in map(_scalings, levels) if layers]
    if len(scaling) > 1:
        raise ValueError(f"{model.name} scales its images more than once: in {' and '.join(map(repr, scaling))}; the encoder "
                         "does it itself, so take the other out.")


def _scalings(model) -> list:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)]


def _batchnorms(model) -> list:
    """All BatchNormalization layers, those inside nested models too."""
    nested = [norm for part in model.layers if isinstance(part, keras.Model) for norm in _batchnorms(part)]
    return nested + [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def _moved_weights(model, before: Snapshot) -> list:
    now = snapshot(model)
    if [path for path, _ in now] != [path for path, _ in before]:
        raise ValueError("The snapshot was taken of another model; take it of this one, before the step to be proven.")
    return [weight for weight, was, is_ in zip(model.weights, before, now) if was != is_]
