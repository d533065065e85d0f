"""Contracts: look before a step and after it, and prove what moved and what did not."""

import hashlib

import numpy as np

from medlearn._keras import keras
from medlearn.transfer._stages import check_model

Snapshot = tuple[tuple[str, str], ...]


def snapshot(model) -> Snapshot:
    """Path and SHA-256 of each weight, BatchNorm statistics included: cheap to keep, enough to tell a change."""
    check_model(model)
    return tuple(
        (weight.path, hashlib.sha256(weight.numpy().tobytes()).hexdigest())
        for weight in model.weights
    )


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
    check_model(model)
    if not model.trainable_weights:
        raise AssertionError(
            "No weight of this model is trainable; set trainable = True on the layers that should learn."
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
            f"{len(drifting)} frozen weights moved, first {drifting[0]!r}; BatchNorm statistics drift so."
        )


def assert_bn_still(model, before: Snapshot) -> None:
    """Raise AssertionError, naming the first, if a weight or statistic of any BatchNorm layer differs from the snapshot."""
    check_model(model)
    norms = {id(weight): layer.name for layer in _batchnorms(model) for weight in layer.weights}
    if not norms:
        raise AssertionError(
            f"{model.name} has no BatchNormalization layer, so there is nothing to hold still."
        )
    drifted = [weight.path for weight in _moved_weights(model, before) if id(weight) in norms]
    if drifted:
        raise AssertionError(
            f"{len(drifted)} of {len(norms)} BatchNorm weights moved, first {drifted[0]!r}; set trainable = False on these "
            "layers (transfer.unfreeze does), since training=False in the call is overridden by fit."
        )


def check_preprocessing(images, model=None) -> None:
    """Raise ValueError unless the images (N, H, W, 3) look like 0-255, which is what every encoder here expects.

    The classic mistake is to rescale twice: images in 0-1 look almost black to an encoder that scales them again. With
    `model`, images of another size than it takes, and a scaling layer in front of an encoder that has its own, are
    found as well.
    """
    images = _one_array(images)
    if images.ndim != 4 or images.shape[-1] != 3 or not images.size:
        raise ValueError(f"Expected images of shape (N, height, width, 3), got {images.shape}.")
    if images.dtype.kind not in "buif":
        raise ValueError(
            f"Images of type {images.dtype} hold no grey values; pass numbers from 0 to 255, such as uint8."
        )
    low, high = float(images.min()), float(images.max())
    if np.isnan(low):
        undefined = int(np.isnan(images).any((1, 2, 3)).sum())
        raise ValueError(
            f"{undefined} of {len(images)} images hold NaN; mend or leave them out, one alone spoils a network."
        )
    if low < 0 or high > 255:
        raise ValueError(
            f"Values run from {low:.3g} to {high:.3g}; pass 0-255 images, preprocessing is inside the encoder."
        )
    if high <= 1:
        raise ValueError(
            f"The brightest value is {high:.3g}: these images were already divided by 255; pass 0-255 images."
        )
    if model is not None:
        check_model(model)
        _check_size(images, model)
        _check_scaled_once(model)


def check_labels(labels, model) -> None:
    """Raise ValueError unless the labels (N,) are whole numbers and name every output of the classifier at least once.

    Keras itself says little: a label beyond the outputs stops it deep inside, and an output without an image is
    trained to be never right.
    """
    check_model(model)
    labels, outputs = _one_array(labels), model.output_shape[-1]
    if labels.ndim != 1 or not len(labels):
        raise ValueError(
            f"labels are one class an image, (N,), but their shape is {labels.shape}; one-hot rows become "
            "classes by labels.argmax(1)."
        )
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(
            f"labels hold NaN for {np.isnan(labels).sum()} of {len(labels)} images; leave out what nobody labelled."
        )
    broken = labels[labels != np.floor(labels)] if labels.dtype.kind in "biuf" else labels
    if len(broken):
        raise ValueError(
            f"labels such as {broken.tolist()[0]!r} are no whole numbers; np.unique(labels, return_inverse=True)[1] "
            "numbers them."
        )
    if labels.min() < 0 or labels.max() >= outputs:
        raise ValueError(
            f"labels run from {labels.min():g} to {labels.max():g}, but {model.name} has {outputs} outputs, for "
            f"0 to {outputs - 1}."
        )
    skipped = sorted(set(range(outputs)) - set(labels.astype(int).tolist()))
    if skipped:
        raise ValueError(
            f"No image is of class {', '.join(map(str, skipped))}, but {model.name} has {outputs} outputs; bring "
            "images of it, or number the classes there are: np.unique(labels, return_inverse=True)[1]."
        )


def _one_array(values) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(
            "These differ in shape and make no one array; bring all images to one size first."
        ) from None


def _check_size(images: np.ndarray, model) -> None:
    wanted = tuple(model.input_shape[1:3])
    if any(side not in (None, given) for side, given in zip(wanted, images.shape[1:3])):
        raise ValueError(
            f"The images are {images.shape[1]} x {images.shape[2]} pixels, but {model.name} takes "
            f"{wanted[0]} x {wanted[1]}; load the encoder with size={images.shape[1]}, or the images in its size."
        )


def _check_scaled_once(model) -> None:
    levels = [model, *(part for part in model.layers if isinstance(part, keras.Model))]
    scaling = [layers[0].name for layers in map(_scalings, levels) if layers]
    if len(scaling) > 1:
        raise ValueError(
            f"{model.name} scales its images more than once: in {' and '.join(map(repr, scaling))}; the encoder "
            "does it itself, so take the other out."
        )


def _scalings(model) -> list:
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)
    ]


def _batchnorms(model) -> list:
    """All BatchNormalization layers, those inside nested models too."""
    nested = [
        norm for part in model.layers if isinstance(part, keras.Model) for norm in _batchnorms(part)
    ]
    return nested + [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]


def _moved_weights(model, before: Snapshot) -> list:
    now = snapshot(model)
    if not isinstance(before, tuple) or not all(
        isinstance(each, tuple) and len(each) == 2 for each in before
    ):
        raise ValueError(
            f"before is {type(before).__name__}, not a snapshot; take before = transfer.snapshot(model) ahead of "
            "the step to be proven."
        )
    if [path for path, _ in now] != [path for path, _ in before]:
        raise ValueError(
            "The snapshot was taken of another model; take it of this one, before the step to be proven."
        )
    return [weight for weight, was, is_ in zip(model.weights, before, now) if was != is_]
