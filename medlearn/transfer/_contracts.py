"""Contracts: compare a model before and after a step, and prove what moved and what did not."""

import hashlib

from medlearn import _keras
from medlearn._keras import keras
from medlearn.transfer._stages import check_model

Snapshot = tuple[tuple[str, str], ...]


def snapshot(model: keras.Model) -> Snapshot:
    """Return the path and SHA-256 of each weight: cheap to keep, enough to see a change.

    Parameters
    ----------
    model : keras.Model
        A model, or a layer of one.

    Returns
    -------
    tuple of (str, str)
        One pair for each weight, BatchNorm statistics included.
    """
    check_model(model)
    return tuple((weight.path, _digest(weight)) for weight in model.weights)


def moved(model: keras.Model, before: Snapshot) -> list[str]:
    """Return the paths of the weights whose values differ from a snapshot.

    Parameters
    ----------
    model : keras.Model
        The model that the snapshot was taken of.
    before : tuple
        The snapshot.

    Raises
    ------
    ValueError
        If the snapshot was taken of a model with other weights.
    """
    return [weight.path for weight in _moved_weights(model, before)]


def assert_frozen(model: keras.Model, before: Snapshot) -> None:
    """Raise AssertionError, naming the first weight that moved, unless no weight did.

    Parameters
    ----------
    model : keras.Model
        The model that the snapshot was taken of.
    before : tuple
        The snapshot, taken before the step.
    """
    paths = moved(model, before)
    if paths:
        raise AssertionError(
            f"{len(paths)} of {len(before)} weights moved, first {paths[0]!r}; "
            "freeze the encoder (transfer.freeze) before you compile and fit."
        )


def assert_moved(model: keras.Model, before: Snapshot) -> None:
    """Raise AssertionError unless every trainable weight moved and no other one did.

    Parameters
    ----------
    model : keras.Model
        The model that the snapshot was taken of.
    before : tuple
        The snapshot, taken before the step.
    """
    check_model(model)
    if not model.trainable_weights:
        raise AssertionError(
            "No weight of this model is trainable; set trainable = True on the layers that should "
            "learn."
        )
    changed = {id(weight) for weight in _moved_weights(model, before)}
    trainable = {id(weight) for weight in model.trainable_weights}
    still = [weight.path for weight in model.weights if id(weight) in trainable - changed]
    drifting = [weight.path for weight in model.weights if id(weight) in changed - trainable]
    if still:
        raise AssertionError(
            f"{len(still)} trainable weights did not move, first {still[0]!r}; "
            "compile after every change of trainable, then fit."
        )
    if drifting:
        raise AssertionError(
            f"{len(drifting)} frozen weights moved, first {drifting[0]!r}: BatchNorm statistics do "
            "that in a layer that is not frozen; call transfer.unfreeze or transfer.freeze."
        )


def assert_bn_still(model: keras.Model, before: Snapshot) -> None:
    """Raise AssertionError, naming the first, if a weight or statistic of a BatchNorm layer moved.

    Layers inside models are found at any depth.

    Parameters
    ----------
    model : keras.Model
        The model that the snapshot was taken of.
    before : tuple
        The snapshot, taken before the step.
    """
    check_model(model)
    norms = {id(weight) for layer in _keras.batchnorms(model) for weight in layer.weights}
    if not norms:
        raise AssertionError(
            f"{model.name} has no BatchNormalization layer, so there is nothing to hold still."
        )
    drifted = [weight.path for weight in _moved_weights(model, before) if id(weight) in norms]
    if drifted:
        raise AssertionError(
            f"{len(drifted)} of {len(norms)} BatchNorm weights moved, first {drifted[0]!r}; set "
            "trainable = False on these layers (transfer.unfreeze does), since training=False in "
            "the call is overridden by fit."
        )


def _digest(weight) -> str:
    return hashlib.sha256(weight.numpy().tobytes()).hexdigest()


def _moved_weights(model: keras.Model, before: Snapshot) -> list:
    after = snapshot(model)
    if not _is_snapshot(before):
        raise ValueError(
            f"before is {type(before).__name__}, not a snapshot; take before = "
            "transfer.snapshot(model) ahead of the step to be proven."
        )
    if [path for path, _ in after] != [path for path, _ in before]:
        raise ValueError(
            "The snapshot was taken of another model; take it of this one, before the step to be "
            "proven."
        )
    return [model.weights[i] for i in range(len(after)) if after[i] != before[i]]


def _is_snapshot(value: object) -> bool:
    if not isinstance(value, tuple):
        return False
    return all(isinstance(entry, tuple) and len(entry) == 2 for entry in value)
