"""Feature vectors in the cache folder, found again by the content of images and weights."""

import hashlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medlearn import _files

_CHUNK = 256  # images that are digested together, so that a memory map is streamed
_DIGEST_LENGTH = 32  # bytes of a SHA-256


def paths(images: np.ndarray, fingerprints: Mapping[str | None, str]) -> dict[str | None, Path]:
    """Return the path for the vectors of each layer; none, with a warning, without a folder.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, H, W, 3)
        The images whose content is part of the path.
    fingerprints : mapping of layer name to str
        For each layer, the digest of the layers up to it and their weights.
    """
    digest = hashlib.sha256(f"1 {images.dtype.str} {images.shape}".encode())
    for start in range(0, len(images), _CHUNK):
        digest.update(np.ascontiguousarray(images[start : start + _CHUNK]).data)
    content = digest.hexdigest()[:40]
    try:
        folder = _files.cache() / "features"
        folder.mkdir(exist_ok=True)
    except OSError as error:
        warnings.warn(f"Features are computed but not kept: {error}", stacklevel=3)
        return {}
    return {tap: folder / f"{content}-{text}.npy" for tap, text in fingerprints.items()}


def read(path: Path, count: int) -> np.ndarray | None:
    """Return the vectors of an earlier call; None if there are none or the file is damaged.

    Parameters
    ----------
    path : Path
        Of a file that `write` made.
    count : int
        Number of vectors.
    """
    try:
        content = path.read_bytes()
        data, digest = content[:-_DIGEST_LENGTH], content[-_DIGEST_LENGTH:]
        if hashlib.sha256(data).digest() != digest:
            return None
        vectors = np.load(io.BytesIO(data), allow_pickle=False)
    except (OSError, ValueError):
        return None
    return vectors if vectors.dtype == np.float32 and len(vectors) == count else None


def write(path: Path, vectors: np.ndarray) -> None:
    """Write vectors, and then their digest, atomically; a full disk is a warning.

    Parameters
    ----------
    path : Path
        The file to write.
    vectors : numpy.ndarray, float32, shape (N, D)
        What `read` will return.
    """
    buffer = io.BytesIO()
    np.save(buffer, vectors, allow_pickle=False)
    data = buffer.getvalue()
    try:
        _files.write_bytes(path, data + hashlib.sha256(data).digest())
    except OSError as error:
        warnings.warn(
            f"Features are computed but not kept in {path.parent}: {error.strerror}.", stacklevel=3
        )
