"""Simulated sets in the cache folder: what was simulated once is read the next time.

The name of a file is a digest of what made the set: the card, domain, count, size and seed, the
code of the instruments, and the versions of the libraries that they compute with. So a kept set is
never stale. The file ends with a digest of its content, and a damaged one is simulated anew.
"""

import contextlib
import hashlib
import importlib.metadata
import io
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from medlearn import _files
from medlearn._dataset import Dataset

FEWEST = 50  # images: fewer are simulated about as fast as they are read
MOST_BYTES = 2_000_000_000  # of all kept sets; those that were not read for longest go first
_LARGEST_SHARE = 0.1  # of the free disk that one set may take
_COMPUTES_WITH = ("numpy", "scipy", "pillow", "nilearn")
_ENDING = ".simulated"
_OURS = "[0-9a-f]" * 40 + _ENDING  # a digest; any other file is a user's
_DIGEST_LENGTH = 32  # bytes of a SHA-256
_PACKAGE = Path(__file__).resolve().parent.parent


def kept(made_from: tuple[Any, ...], simulate: Callable[[], Dataset]) -> Dataset:
    """Return the kept set, or simulate it and keep it; without a folder, simulate it.

    Parameters
    ----------
    made_from : tuple
        All that the images depend on besides the code, with a repr that says all.
    simulate : callable
        Returns the set.
    """
    key = repr((*made_from, _version())).encode()
    name = hashlib.sha256(key).hexdigest()[:40]
    try:
        path = _files.cache() / "simulated" / f"{name}{_ENDING}"
    except OSError:
        return simulate()
    dataset = _read(path)
    if dataset is None:
        dataset = simulate()
        _keep(path, dataset)
    return dataset


@lru_cache(maxsize=1)
def _version() -> str:
    """Return a digest of the code that simulates, and of the versions that it computes with."""
    digest = hashlib.sha256()
    for pattern in ("*.py", "datasets/*.py", "instruments/**/*.py"):
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.read_bytes())
    versions = [importlib.metadata.version(name) for name in _COMPUTES_WITH]
    return " ".join([*versions, digest.hexdigest()])


def _keep(path: Path, dataset: Dataset) -> None:
    content = _content(dataset)
    try:
        path.parent.mkdir(exist_ok=True)
        if len(content) > _LARGEST_SHARE * shutil.disk_usage(path.parent).free:
            return
        _make_room(path.parent, MOST_BYTES - len(content))
        _files.write_bytes(path, content + hashlib.sha256(content).digest())
        _note_use(path)
    except OSError as error:
        warnings.warn(
            f"Simulated images are not kept in {path.parent}: {error.strerror or error}.",
            stacklevel=5,
        )


def _note_use(path: Path) -> None:
    nanoseconds = time.time_ns()  # finer than the clock of the file system
    os.utime(path, ns=(nanoseconds, nanoseconds))


def _make_room(folder: Path, most: int) -> None:
    """Remove the sets that were not read for longest, until the others take so many bytes."""
    held = 0
    for _, size, path in sorted(_sizes(folder), reverse=True):
        held += size
        if held > most:
            path.unlink(missing_ok=True)


def _sizes(folder: Path) -> list[tuple[int, int, Path]]:
    """When each kept set was read last, and its bytes."""
    sizes = []
    for path in folder.glob(_OURS):
        with contextlib.suppress(OSError):  # another process may have removed it
            status = path.stat()
            sizes.append((status.st_mtime_ns, status.st_size, path))
    return sizes


def _read(path: Path) -> Dataset | None:
    """Return the kept set; None if there is none or the file is damaged."""
    try:
        content = path.read_bytes()
        data, digest = content[:-_DIGEST_LENGTH], content[-_DIGEST_LENGTH:]
        if hashlib.sha256(data).digest() != digest:
            return None
        _note_use(path)
    except OSError:
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return _dataset({name: arrays[name] for name in arrays.files})


# ---- a data set as arrays ------------------------------------------------------------------------


def _content(dataset: Dataset) -> bytes:
    columns = {column.name: getattr(dataset, column.name) for column in fields(Dataset)}
    facts = columns.pop("facts")
    boxes = columns.pop("boxes")
    arrays = {name: value for name, value in columns.items() if isinstance(value, np.ndarray)}
    plain = {name: value for name, value in columns.items() if name not in arrays}
    arrays |= {f"facts.{name}": column for name, column in facts.items()}
    if boxes is not None:
        arrays["boxes.counts"] = np.array([len(table) for table in boxes])
        arrays["boxes.rows"] = np.concatenate([np.empty((0, 5)), *boxes])
    arrays["plain"] = np.array(json.dumps(plain))
    buffer = io.BytesIO()
    keywords: dict[str, Any] = arrays  # NumPy below 2.1 takes `allow_pickle` for an array
    np.savez(buffer, **keywords)
    return buffer.getvalue()


def _dataset(arrays: dict[str, np.ndarray]) -> Dataset:
    columns = json.loads(str(arrays.pop("plain")))
    for name in ("classes", "mask_classes"):
        columns[name] = tuple(columns[name])
    if "boxes.counts" in arrays:
        ends = np.cumsum(arrays.pop("boxes.counts"))
        columns["boxes"] = np.split(arrays.pop("boxes.rows"), ends[:-1])
    start = "facts."
    facts = {name.removeprefix(start): arrays.pop(name) for name in list(arrays) if start in name}
    return replace(Dataset(**(columns | arrays)), facts=facts)
