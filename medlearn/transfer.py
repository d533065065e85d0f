"""Transfer learning with contracts: freeze, look again, and prove what moved and what did not."""

import hashlib

import numpy as np

Snapshot = dict[str, str]


def freeze(model):
    """Hold every weight of a Keras model still, nested layers and BatchNorm statistics included; returns the model."""
    model.trainable = False
    return model


def snapshot(model) -> Snapshot:
    """The SHA-256 of each weight by its path, BatchNorm statistics included: cheap to keep, enough to tell a change."""
    return {weight.path: hashlib.sha256(np.asarray(weight).tobytes()).hexdigest() for weight in model.weights}


def moved(model, before: Snapshot) -> list[str]:
    """The paths of the weights whose values differ from the snapshot.

    Raises ValueError if the snapshot was taken of a model with other weights.
    """
    now = snapshot(model)
    strange = sorted(now.keys() ^ before.keys())
    if strange:
        raise ValueError(f"The snapshot was taken of another model: weight {strange[0]!r} is in only one of the two.")
    return [path for path in now if now[path] != before[path]]


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
    paths = set(moved(model, before))
    trainable = {weight.path for weight in model.trainable_weights}
    if not trainable:
        raise AssertionError("No weight of this model is trainable; set trainable = True on the layers that should learn.")
    still, drifting = sorted(trainable - paths), sorted(paths - trainable)
    if still:
        raise AssertionError(f"{len(still)} trainable weights did not move, first {still[0]!r}; were they in the fit?")
    if drifting:
        raise AssertionError(f"{len(drifting)} frozen weights moved, first {drifting[0]!r}; BatchNorm statistics drift so.")


def check_preprocessing(images) -> None:
    """Raise ValueError unless the images (N, H, W, 3) look like 0-255, which is what every encoder here expects.

    The classic mistake is to rescale twice: images in 0-1 look almost black to an encoder that scales them again.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"Expected images of shape (N, height, width, 3), got {images.shape}.")
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 255:
        raise ValueError(f"Values run from {low:.3g} to {high:.3g}; pass 0-255 images, preprocessing is inside the encoder.")
    if high <= 1:
        raise ValueError(f"The brightest value is {high:.3g}: these images were already divided by 255; pass 0-255 images.")
