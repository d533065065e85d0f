"""Archives in memory."""

import io
import zipfile
from collections.abc import Callable, Mapping

import numpy as np


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive.

    Parameters
    ----------
    files : mapping
        Content of each member by its path.
    compression : int
        One of the constants of :mod:`zipfile`.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def saved(arrays: Mapping[str, np.ndarray], save: Callable = np.savez_compressed) -> bytes:
    """Return an ``.npz`` file.

    Parameters
    ----------
    arrays : mapping
        Arrays by their names.
    save : callable
        ``numpy.savez_compressed`` or ``numpy.savez``.
    """
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()
