"""Archives and arrays broken in a thousand ways, by seed: a reader may refuse them in words, or read them alike.

`MUTATIONS` maps what is broken to a function of a seed that breaks one file, reads it and returns "refused" or
"alike"; anything else that happens is a fault and is raised. Files of a user's own are in mutations.py.
"""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from common import archives
from common.mutations import mutated
from medlearn.datasets._store import archive, npz

ALIKE, REFUSED = "alike", "refused"


def attempt(
    good: bytes,
    read: Callable[[Path], object],
    expected: object,
    seed: int,
    documented=ValueError,
    name: str = "broken",
    inside: bool = False,
) -> str:
    """Break `good` by the seed, give it to `read` as a file, and say how that ended.

    inside: break the largest members of a zip archive and pack it properly again, so that the zip's own checks hold.
    Raises AssertionError if something else than `expected` was read, and whatever undocumented `read` raised.
    """
    broken = _broken_inside(good, seed) if inside else mutated(good, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(broken)
        try:
            found = read(path)
        except documented as error:
            sentence = str(error)
            assert sentence and "\n" not in sentence, f"seed {seed}: not one sentence: {sentence!r}"
            return REFUSED
        assert found == expected, f"seed {seed}: read something else without a word"
        outside = {each.name for each in Path(folder).iterdir()} - {name, "out", "out.lock"}
        assert not outside, f"seed {seed}: wrote {outside}"
    return ALIKE


def _broken_inside(good: bytes, seed: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(good)) as source:
        files = {member.filename: source.read(member) for member in source.infolist()}
    name = sorted(files)[seed % len(files)]
    head = mutated(files[name][:128], seed)  # an array's header lies here
    return archives.zipped(files | {name: head + files[name][128:]})


# ---- the formats ---------------------------------------------------------------------------------

ARRAYS = {
    "images": np.random.default_rng(0).integers(0, 256, (6, 12, 12), dtype=np.uint8),
    "labels": np.arange(6, dtype=np.uint8)[:, None],
}
SHAPES = {"images": ((6, 12, 12),), "labels": ((6, 1), (6,))}
FILES = {"a/one.bin": np.random.default_rng(1).bytes(900), "two words é.csv": b"1,2\n" * 60}
SUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}


@cache
def _good(what: str) -> bytes:
    if what == "npz":
        return archives.saved(ARRAYS)
    return archives.zipped({f"set-1/{path}": data for path, data in FILES.items()})


def _arrays(path: Path) -> list[bytes]:
    return [npz.read(path, name, shapes).tobytes() for name, shapes in SHAPES.items()]


def _files(path: Path) -> dict[str, bytes]:
    folder = path.with_name("out")
    archive.unpack(path, folder, "set-1", SUMS, 100_000)
    return {name: (folder / name).read_bytes() for name in SUMS}


def npz_file(seed: int) -> str:
    """A broken .npz, read array by array."""
    return attempt(_good("npz"), _arrays, [array.tobytes() for array in ARRAYS.values()], seed)


def npz_headers(seed: int) -> str:
    """A sound zip with broken arrays in it: only header and sizes can tell, and the digest of a published file."""
    digests = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in ARRAYS.items()}

    def read(path: Path) -> list[bytes]:
        npz.accept(path, "", SHAPES, digests)
        return _arrays(path)

    return attempt(
        _good("npz"), read, [array.tobytes() for array in ARRAYS.values()], seed, inside=True
    )


def zip_file(seed: int) -> str:
    """A broken zip archive whose files have published checksums."""
    return attempt(_good("zip"), _files, FILES, seed)


MUTATIONS: dict[str, Callable[[int], str]] = {
    "mutated NPZ": npz_file,
    "mutated arrays in a sound NPZ": npz_headers,
    "mutated ZIP": zip_file,
}
