"""A user's own files, made for tests: written into a folder, and what a reader says of them."""

from pathlib import Path

import numpy as np
from PIL import Image

from common import mutations


def put(folder: Path, **files: bytes) -> Path:
    """Write files by name, with `__` for the slash and the last `_` for the dot."""
    for name, data in files.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def encoded(array: np.ndarray, format_name: str = "PNG", **options) -> bytes:
    return mutations.encoded(Image.fromarray(array), format_name, **options)


def png(seed: int = 0, **options) -> bytes:
    """A picture of 48 x 48 pixels, different for every seed."""
    return encoded(mutations.picture(seed), **options)


def what(result) -> str:
    """All problems of a result in one line."""
    return " | ".join(result.problems["what"])
