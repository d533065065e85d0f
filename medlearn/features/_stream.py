"""Features of more images than fit into memory."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from medlearn import _checks
from medlearn._keras import keras
from medlearn.backbones import _frozen
from medlearn.backbones._pooling import Pooled, pooled
from medlearn.backbones._tokens import check_images
from medlearn.features._extract import check_layers, dtype_for


def stream(
    encoder: keras.Model,
    items: Sequence,
    read: Callable[[object], np.ndarray],
    layer: str | None = None,
    *,
    tokens: str = "patches",
    batch_size: int = 32,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Iterate over feature vectors, a batch at a time, in the memory of one batch.

    Nothing is cached.

    Parameters
    ----------
    encoder : keras.Model
        With its preprocessing inside, such as `backbones.load` gives.
    items : sequence
        Paths of files, for example.
    read : callable
        Called with an item, it returns an image (H, W, 3) as `extract` takes them; all have one
        size and one type.
    layer : str, optional
        Name of a layer; by default the encoder's output.
    tokens : {"patches", "class", "both"}
        As for `extract`.
    batch_size : int
        Images that are read and computed together.
    shard : (int, int)
        ``(k, n)`` takes every n-th item from the k-th, counted from 0: so n workers with
        k = 0 ... n - 1 share the items.

    Yields
    ------
    indices : numpy.ndarray, int, shape (n,)
        Where in `items` these images are.
    vectors : numpy.ndarray, float32, shape (n, D)
        Their feature vectors, as `extract` returns them.

    Raises
    ------
    ValueError
        For an unknown layer, another `shard`, and, when it comes to them, for images that
        `extract` refuses or that differ from the first in size or type.
    """
    check_layers(encoder, [layer])
    batch_size = _checks.whole_number("batch_size", batch_size, 1)
    worker, workers = shard
    if not 0 <= worker < workers:
        raise ValueError(
            f"shard={shard} is not (k, n) with k from 0 to n - 1: the share of worker k of n."
        )
    (tap,) = pooled(encoder, [layer], tokens)
    return _batches(encoder, items, read, tap, batch_size, range(worker, len(items), workers))


def _batches(
    encoder, items, read, tap: Pooled, batch_size: int, indices: range
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    first = function = None
    for start in range(0, len(indices), batch_size):
        batch = indices[start : start + batch_size]
        read_images = [np.asarray(read(items[index])) for index in batch]
        first = read_images[0] if first is None else first
        _check_alike(first, read_images, batch)
        images = np.stack(read_images)
        if function is None or images.dtype != np.uint8:  # uint8 cannot leave the range later
            _checks.images(images, model=encoder)
        function = function or _compiled(encoder, tap, images)
        yield np.array(batch), function(np.ascontiguousarray(images, dtype_for(images)))[0]


def _compiled(encoder, tap: Pooled, images: np.ndarray):
    check_images(encoder, images)
    shape, dtype = images.shape[1:], dtype_for(images)
    fingerprints = _frozen.fingerprints(encoder, [tap])
    return _frozen.compiled(encoder, [tap], shape, dtype, fingerprints)


def _check_alike(first: np.ndarray, images: list[np.ndarray], indices: range) -> None:
    for index, image in zip(indices, images):
        if image.shape != first.shape or image.dtype != first.dtype:
            raise ValueError(
                f"Item {index} is {image.dtype} {image.shape}, but the first was {first.dtype} "
                f"{first.shape}: let `read` bring all images to one size and type."
            )
