"""Features of images that are in memory, or in a memory map."""

from collections.abc import Sequence

import numpy as np

from medlearn import _checks, _files, _progress
from medlearn._keras import keras
from medlearn.backbones import _frozen
from medlearn.backbones._pooling import Pooled, pooled
from medlearn.backbones._tokens import check_images
from medlearn.features import _cache


def extract(
    encoder: keras.Model,
    images: np.ndarray,
    layer: str | Sequence[str] | None = None,
    *,
    tokens: str = "patches",
    batch_size: int = 32,
    cache: bool = True,
) -> np.ndarray | dict[str | None, np.ndarray]:
    """Return one feature vector per image, at a layer of an encoder.

    The encoder works as in `predict`: dropout is off and BatchNorm uses its stored statistics. It
    is compiled once and kept as long as the encoder lives; changed weights are noticed.

    Parameters
    ----------
    encoder : keras.Model
        With its preprocessing inside, such as `backbones.load` gives.
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255. A memory map is read batch by batch.
    layer : str or sequence of str, optional
        Name of a layer; several names are computed in one pass. By default the encoder's output.
    tokens : {"patches", "class", "both"}
        The vector of a vision transformer: the mean of its patches, its class token, or the class
        token and then the mean. Other encoders have no class token.
    batch_size : int
        Images that are computed together.
    cache : bool
        Whether to keep the vectors in the cache folder. The next call with the same images and
        the same weights reads them.

    Returns
    -------
    numpy.ndarray, float32, shape (N, D), or dict of them
        The mean over the map of the layer, for each of its D channels, or what `tokens` says; of
        ``"both"``, D is twice the channels. For a sequence of names a dict, name -> array.

    Raises
    ------
    ValueError
        For images of another shape, type or range, for an unknown layer, and for a class token of
        an encoder that has none.

    Examples
    --------
    >>> encoder = backbones.load("efficientnet_lite0")      # doctest: +SKIP
    >>> extract(encoder, images, "block_14").shape          # doctest: +SKIP
    (60, 192)
    """
    images = _checks.images(images, model=encoder)
    check_images(encoder, images)
    batch_size = _checks.whole_number("batch_size", batch_size, 1)
    taps = _as_list(layer)
    check_layers(encoder, taps)
    poolings = dict(zip(taps, pooled(encoder, taps, tokens)))
    texts = _frozen.fingerprints(encoder, list(poolings.values()))
    fingerprints = dict(zip(taps, texts))
    paths = _cache.paths(images, fingerprints) if cache else {}
    stored = {tap: _cache.read(path, len(images)) for tap, path in paths.items()}
    vectors = {tap: array for tap, array in stored.items() if array is not None}
    missing = {tap: text for tap, text in fingerprints.items() if tap not in vectors}
    if missing:
        vectors |= _compute(encoder, images, poolings, missing, batch_size)
    for tap in missing:
        if tap in paths:
            _cache.write(paths[tap], vectors[tap])
    if layer is None or isinstance(layer, str):
        return vectors[layer]
    return {tap: vectors[tap] for tap in taps}


def _as_list(layer: str | Sequence[str] | None) -> list[str | None]:
    return [layer] if layer is None or isinstance(layer, str) else list(layer)


def check_layers(encoder: keras.Model, taps: list[str | None]) -> None:
    """Raise ValueError unless the encoder has these layers, at least one; None is its output.

    Parameters
    ----------
    encoder : keras.Model
        The model whose layers are named.
    taps : list of str or None
        Names of layers.
    """
    names = [layer.name for layer in encoder.layers]
    for tap in taps:
        if tap is not None and tap not in names:
            raise ValueError(_files.unknown("layer", tap, names, encoder.name))
    if not taps or (None in taps and len(encoder.outputs) != 1):
        raise ValueError(f"Name at least one layer of {encoder.name}, such as {names[-1]!r}.")


def dtype_for(images: np.ndarray) -> str:
    """Return the type in which images go into the compiled encoder."""
    return "uint8" if images.dtype == np.uint8 else "float32"


def _compute(
    encoder,
    images: np.ndarray,
    poolings: dict[str | None, Pooled],
    fingerprints: dict[str | None, str],
    batch_size: int,
) -> dict[str | None, np.ndarray]:
    """The vectors of all images at each tap that has a fingerprint.

    One batch at a time: TensorFlow 2.19 and 2.20 crashed in one process of four when two threads
    ran the same frozen graph (its oneDNN convolutions keep kernels that the threads share).
    """
    dtype = dtype_for(images)
    taps = [poolings[tap] for tap in fingerprints]
    function = _frozen.compiled(encoder, taps, images.shape[1:], dtype, list(fingerprints.values()))
    results: dict[str | None, np.ndarray] = {}
    with _progress.bar(text="features", total=len(images), unit=" images") as bar:
        for start in range(0, len(images), batch_size):
            batch = np.ascontiguousarray(images[start : start + batch_size], dtype)
            for tap, vectors in zip(fingerprints, function(batch)):
                if tap not in results:
                    results[tap] = np.empty((len(images), vectors.shape[1]), np.float32)
                results[tap][start : start + len(vectors)] = vectors
            bar.update(len(batch))
    return results
