"""Decoded sets of the cache broken by seed: they are read as they were, or decoded again.

`MUTATIONS` maps what is broken to a function of a seed, as in mutated_archives.py.
"""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from common.mutated_archives import ALIKE, REFUSED
from common.mutations import mutated, picture
from medlearn import datasets
from medlearn.datasets.readers import _problems, _sealed

SOURCE, SECRET = bytes(32), bytes(range(32))  # digest of the files, and secret of the study


@cache
def _sound() -> tuple[bytes, datasets.ReadResult]:
    """Return the content of a decoded set, and the result that it holds."""
    images = np.stack([picture(seed, 16) for seed in range(6)])
    dataset = datasets.from_arrays(images, ["ill", "well"] * 3, patients=list("aabbcc"))
    problems = pd.DataFrame([("a.png", "", "a problem", "mend it")], columns=_problems.COLUMNS)
    result = datasets.ReadResult(dataset, problems, {"a.png": Path("a.png")})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "set")
        _sealed.write(path, SOURCE, SECRET, result)
        return path.read_bytes(), result


def decoded_set(seed: int) -> str:
    """A broken decoded set: refused, or equal in every column."""
    sound, expected = _sound()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "set")
        path.write_bytes(mutated(sound, seed))
        result = _sealed.read(path, SOURCE, SECRET)
    if result is None:
        return REFUSED
    for name in ("images", "labels", "patients", "domains"):
        pair = getattr(result.dataset, name), getattr(expected.dataset, name)
        assert np.array_equal(*pair), f"seed {seed}: other {name}"
    assert result.problems.equals(expected.problems) and result.paths == expected.paths
    return ALIKE


MUTATIONS: dict[str, Callable[[int], str]] = {"mutated decoded set": decoded_set}
