"""Checks of images, labels and masks before the first fit."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _keras
from medlearn._keras import keras
from medlearn.transfer._stages import check_model


def check_preprocessing(images: ArrayLike, model: keras.Model | None = None) -> None:
    """Raise ValueError unless images are 0 to 255, as every encoder of this package expects them.

    The classic mistake is to rescale twice: images in 0 to 1 look almost black to an encoder that
    scales them again.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8 or float.
    model : keras.Model, optional
        A model whose input size the images must have. It is refused if it scales its images in
        front of an encoder that does so itself.
    """
    if model is not None:
        check_model(model)
    _checks.images(images, model)
    if model is not None:
        _check_scaled_once(model)


def check_labels(labels: ArrayLike, model: keras.Model) -> None:
    """Raise ValueError unless the labels are whole numbers and name every class of a classifier.

    Keras itself says little: a label beyond the outputs stops it deep inside, and an output without
    an image is trained to be never right.

    Parameters
    ----------
    labels : array_like, shape (N,)
        Class of each image.
    model : keras.Model
        A classifier. One with a single output, a sigmoid, has the classes 0 and 1.
    """
    check_model(model)
    labels = _checks.column("labels", labels)
    is_number = labels.dtype.kind in "biuf"
    broken = labels[labels != np.floor(labels)] if is_number else labels
    if len(broken):
        raise ValueError(
            f"labels such as {broken.tolist()[0]!r} are no whole numbers; "
            "np.unique(labels, return_inverse=True)[1] numbers them."
        )
    classes = max(model.output_shape[-1], 2)
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels run from {labels.min():g} to {labels.max():g}, but {model.name} has the "
            f"classes 0 to {classes - 1}."
        )
    absent = sorted(set(range(classes)) - set(labels.astype(int).tolist()))
    if absent:
        raise ValueError(
            f"No image is of class {', '.join(map(str, absent))}, but {model.name} has {classes} "
            "classes; bring images of it, or number the classes that occur: "
            "np.unique(labels, return_inverse=True)[1]."
        )


def check_masks(masks: ArrayLike, classes: int, images: ArrayLike | None = None) -> None:
    """Raise ValueError unless masks hold the class of each pixel.

    Inside a loss, an unknown value would silently belong to no class.

    Parameters
    ----------
    masks : array_like, shape (N, H, W)
        Whole numbers from 0 to ``classes - 1``.
    classes : int
        Number of classes, the background included.
    images : array_like, shape (N, H, W, 3), optional
        Then they are checked too, and each must have a mask of its own size.
    """
    if images is not None:
        images = _checks.images(images)
    _checks.masks(masks, classes=classes, images=images)


def _check_scaled_once(model: keras.Model) -> None:
    """Raise ValueError if a layer scales what goes into a model inside that scales it again."""
    for part in _keras.parts(model):
        if not _keras.parts(part):
            continue
        _check_scaled_once(part)
        before = _keras.scalings(_upstream(model, part))
        inside = _keras.scalings(_keras.leaves(part))
        if before and inside:
            raise ValueError(
                f"{model.name} scales its images more than once: in {before[0].name!r} and "
                f"{inside[0].name!r}; the encoder does it itself, so take the other out."
            )


def _upstream(model: keras.Model, part) -> list:
    """Return the leaves of a model through which the input of one of its parts goes."""
    layers = _keras.parts(model)
    before = []
    if isinstance(model, keras.Sequential):
        before = layers[: layers.index(part)]
    elif getattr(model, "inputs", None):  # a Functional model
        names = _names_upstream(model.get_config(), part.name)
        before = [layer for layer in layers if layer.name in names]
    leaves = []
    for layer in before:
        leaves += _keras.leaves(layer) or [layer]
    return leaves


def _names_upstream(config: dict, name: str) -> set[str]:
    """Return the names of the layers from which a layer of a Functional model gets its input."""
    sources = {layer["name"]: _sources(layer["inbound_nodes"]) for layer in config["layers"]}
    names: set[str] = set()
    open_names = set(sources[name])
    while open_names:
        names |= open_names
        further = [sources[source] for source in open_names]
        open_names = set().union(*further) - names
    return names


def _sources(node) -> set[str]:
    """Return the names of the layers whose outputs are arguments of a configured call."""
    if isinstance(node, dict) and "keras_history" in node:
        return {node["keras_history"][0]}
    if isinstance(node, dict):
        node = list(node.values())
    if not isinstance(node, list | tuple):
        return set()
    return set().union(*(_sources(part) for part in node))
