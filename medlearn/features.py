"""Frozen features: what a layer of an encoder says of each image, computed once.

vectors = features.extract(encoder, images, layer="block_14")       # float32 (N, D)
"""

import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from medlearn import _files, _progress
from medlearn._keras import keras, tf
from medlearn.backbones import _frozen

_CHUNK = 256  # images looked at together when they are checked and digested


def extract(
    encoder: keras.Model,
    images: np.ndarray,
    layer: str | Sequence[str] | None = None,
    *,
    batch_size: int = 32,
    cache: bool = True,
) -> np.ndarray | dict[str, np.ndarray]:
    """The vectors float32 (N, D) of `images` at a named layer of `encoder`; spatial maps are mean-pooled.

    `images`: uint8 or float (N, H, W, 3), 0 to 255 (a memory map works too: batches are streamed). `layer`: a
    name, None for the encoder's output, or several names for a dict of arrays out of one pass. With `cache`,
    results are kept in the cache folder under the content of images and weights, so the next call reads them.
    Dropout is off and BatchNorm uses its stored statistics, as in `predict`. Raises ValueError for images of
    another shape, type or range, and for an unknown layer.
    """
    images = _checked(_one_array(images), encoder)
    taps = [layer] if layer is None or isinstance(layer, str) else list(layer)
    _check_taps(taps, encoder)
    _check_batch_size(batch_size)
    prints = dict(zip(taps, _frozen.fingerprints(encoder, taps)))
    paths = _paths(images, prints) if cache else {}
    vectors = {tap: _stored(paths[tap], len(images)) for tap in paths}
    missing = [tap for tap in prints if vectors.get(tap) is None]
    if missing:
        vectors |= zip(
            missing,
            _computed(encoder, images, missing, [prints[tap] for tap in missing], batch_size),
        )
    for tap in missing if paths else ():
        _store(paths[tap], vectors[tap])
    return (
        vectors[layer]
        if layer is None or isinstance(layer, str)
        else {tap: vectors[tap] for tap in taps}
    )


def stream(
    encoder: keras.Model,
    items: Sequence,
    read: Callable[[object], np.ndarray],
    layer: str | None = None,
    *,
    batch_size: int = 32,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions int (n,) and vectors float32 (n, D) of a batch of `items` at a time, in the memory of one batch.

    `read(item)` gives an image as `extract` takes them, of one size and type for all, such as uint8 out of a file;
    nothing is cached. `shard=(k, n)` takes every n-th item from the k-th, counted from 0: n workers with k = 0 ... n - 1
    share the items. Raises ValueError for another shard and, when it comes to them, for images that `extract` refuses.
    """
    _check_taps([layer], encoder)
    _check_batch_size(batch_size)
    part, parts = shard
    if not 0 <= part < parts:
        raise ValueError(
            f"shard={shard} is not (k, n) with k from 0 to n - 1: the share of worker k of n."
        )
    return _streamed(encoder, items, read, layer, batch_size, range(part, len(items), parts))


def _streamed(
    encoder, items, read, layer, batch_size, mine: range
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    first, function = None, None
    for start in range(0, len(mine), batch_size):
        places = mine[start : start + batch_size]
        batch = [np.asarray(read(items[place])) for place in places]
        first = batch[0] if first is None else first
        for place, image in zip(places, batch):
            if image.shape != first.shape or image.dtype != first.dtype:
                raise ValueError(
                    f"Item {place} is {image.dtype} {image.shape}, but the first was {first.dtype} {first.shape}: "
                    "let `read` bring all images to one size and type."
                )
        images = _checked(np.stack(batch), encoder)
        dtype = "uint8" if images.dtype == np.uint8 else "float32"
        if function is None:
            function = _frozen.function(
                encoder, [layer], images.shape[1:], dtype, _frozen.fingerprints(encoder, [layer])
            )
        yield np.array(places), function(np.ascontiguousarray(images, dtype))[0]


def _computed(encoder, images, taps, prints, batch_size) -> list[np.ndarray]:
    dtype = "uint8" if images.dtype == np.uint8 else "float32"
    function = _frozen.function(encoder, taps, images.shape[1:], dtype, prints)
    starts, results = range(0, len(images), batch_size), None
    pool = ThreadPoolExecutor(_batches_at_once())
    try:
        with _progress.bar(text="features", total=len(images), unit=" images") as bar:
            batches = pool.map(
                lambda start: function(
                    np.ascontiguousarray(images[start : start + batch_size], dtype)
                ),
                starts,
            )
            for start, parts in zip(starts, batches):
                if results is None:
                    results = [np.empty((len(images), part.shape[1]), np.float32) for part in parts]
                for result, part in zip(results, parts):
                    result[start : start + len(part)] = part
                bar.update(len(parts[0]))
    finally:
        pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C no further batch is begun
    return results


def _batches_at_once() -> int:
    """Two, so that one fills the processor where the other waits for a single thread; one where TensorFlow is held to one thread."""
    return 1 if tf.config.threading.get_intra_op_parallelism_threads() == 1 else 2


def _one_array(images) -> np.ndarray:
    try:
        return np.asarray(images)
    except ValueError:
        raise ValueError(
            "The images have several sizes, so they make no one array: crop or resize them to one first."
        ) from None


def _checked(images: np.ndarray, encoder: keras.Model) -> np.ndarray:
    expected = tuple(encoder.input_shape[1:])
    wanted = f"(N, {', '.join(str(side or 'any') for side in expected)})"
    if images.ndim != 4 or images.shape[-1] != expected[-1]:
        hint = (
            "; a single image goes in as images[None]"
            if images.ndim == 3 and images.shape[-1] == 3
            else (
                "; grey images go in as np.repeat(images[..., None], 3, axis=-1)"
                if images.ndim == 3
                else ""
            )
        )
        raise ValueError(
            f"The images have the shape {images.shape}, but {encoder.name} takes {wanted}{hint}."
        )
    if any(side not in (None, given) for side, given in zip(expected, images.shape[1:])):
        raise ValueError(
            f"The images have the shape {images.shape}, but {encoder.name} was built for {wanted}: "
            "load the images, or the backbone, with that size."
        )
    if len(images) == 0:
        raise ValueError("There is no image to extract features from: the array is empty.")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ValueError(
            f"The images are {images.dtype}, but uint8 or float from 0 to 255 is expected: "
            "window them to that range first."
        )
    if images.dtype != np.uint8:
        _check_range(images)
    return images


def _check_range(images: np.ndarray) -> None:
    chunks = [images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK)]
    lowest, highest = min(chunk.min() for chunk in chunks), max(chunk.max() for chunk in chunks)
    if not all(np.isfinite(chunk).all() for chunk in chunks):
        raise ValueError(
            "The images hold values that are not finite (NaN or infinite): mend or drop those."
        )
    if lowest < 0 or highest > 255 or 0 < highest <= 1:
        raise ValueError(
            f"The images run from {lowest:g} to {highest:g}, but 0 to 255 is expected: give them as "
            "they are, without rescaling or preprocessing, which the encoder does itself."
        )


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} is not a number of images of at least 1.")


def _check_taps(taps: list, encoder: keras.Model) -> None:
    names = [layer.name for layer in encoder.layers]
    for tap in taps:
        if tap is not None and tap not in names:
            near = get_close_matches(str(tap), names, n=3, cutoff=0.4) or names[-3:]
            raise ValueError(
                f"{encoder.name} has no layer {tap!r}; do you mean {' or '.join(near)}?"
            )
    if not taps or (None in taps and len(encoder.outputs) != 1):
        raise ValueError(f"Name at least one layer of {encoder.name}, such as {names[-1]!r}.")


def _paths(images: np.ndarray, prints: dict) -> dict[str | None, Path]:
    """Where the vectors of each tap are kept; empty, with a warning, if there is no place to keep them."""
    digest = hashlib.sha256(f"1 {images.dtype.str} {images.shape}".encode())
    for start in range(0, len(images), _CHUNK):
        digest.update(np.ascontiguousarray(images[start : start + _CHUNK]))
    try:
        folder = _files.cache() / "features"
        folder.mkdir(exist_ok=True)
    except OSError as error:
        warnings.warn(f"Features are computed but not kept: {error}", stacklevel=3)
        return {}
    return {tap: folder / f"{digest.hexdigest()[:40]}-{prints[tap]}.npy" for tap in prints}


def _stored(path: Path, count: int) -> np.ndarray | None:
    """The vectors of an earlier call, or None if there are none or the file is damaged in any way."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[:-32]).digest() != content[-32:]:
            return None
        vectors = np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError):
        return None
    return vectors if vectors.dtype == np.float32 and len(vectors) == count else None


def _store(path: Path, vectors: np.ndarray) -> None:
    """Write the vectors and then their digest, under the final name only when complete."""
    buffer = io.BytesIO()
    np.save(buffer, vectors, allow_pickle=False)
    name = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            name = file.name
            file.write(buffer.getvalue() + hashlib.sha256(buffer.getvalue()).digest())
        os.replace(name, path)
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        warnings.warn(
            f"Features are computed but not kept in {path.parent}: {error.strerror}.", stacklevel=3
        )
