"""Archives and arrays broken in many ways, by seed: a reader refuses them, or reads them alike.

`MUTATIONS` maps what is broken to a function of a seed that breaks one file, reads it, and returns
"refused" or "alike"; anything else that happens is a fault and is raised. Files of a user's own are
in mutations.py.
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
Errors = type[Exception] | tuple[type[Exception], ...]


def attempt(
    good: bytes,
    read: Callable[[Path], object],
    expected: object,
    seed: int,
    documented: Errors = ValueError,
    name: str = "broken",
    inside: bool = False,
) -> str:
    """Break a file by a seed, read it, and say how that ended.

    Parameters
    ----------
    good : bytes
        The sound file.
    read : callable
        Reads a path.
    expected : object
        What it reads from the sound file.
    seed : int
        Seed of the mutation.
    documented : exception or tuple of exceptions
        What it may raise, with one sentence.
    name : str
        Name of the broken file.
    inside : bool
        Break one member of a zip archive and pack it properly again, so that the archive's own
        checks hold.

    Returns
    -------
    {"alike", "refused"}

    Raises
    ------
    AssertionError
        If something else than `expected` was read, or something was written elsewhere.
        Undocumented exceptions of `read` go on up.
    """
    broken = _broken_inside(good, seed) if inside else mutated(good, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(broken)
        try:
            result = read(path)
        except documented as error:
            sentence = str(error)
            assert sentence and "\n" not in sentence, f"seed {seed}: not one sentence: {sentence!r}"
            return REFUSED
        assert result == expected, f"seed {seed}: read something else without a word"
        outside = {path.name for path in Path(folder).iterdir()} - {name, "out", "out.lock"}
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
CONTENTS = [array.tobytes() for array in ARRAYS.values()]
DIGESTS = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in ARRAYS.items()}
SHAPES = {"images": ((6, 12, 12),), "labels": ((6, 1), (6,))}
FILES = {"a/one.bin": np.random.default_rng(1).bytes(900), "two words é.csv": b"1,2\n" * 60}
SUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}


@cache
def _sound_npz() -> bytes:
    return archives.saved(ARRAYS)


@cache
def _sound_zip() -> bytes:
    return archives.zipped({f"set-1/{path}": data for path, data in FILES.items()})


def _read_arrays(path: Path) -> list[bytes]:
    return [npz.read(path, name, shapes).tobytes() for name, shapes in SHAPES.items()]


def _read_accepted_arrays(path: Path) -> list[bytes]:
    npz.accept(path, "", SHAPES, DIGESTS)
    return _read_arrays(path)


def _read_files(path: Path) -> dict[str, bytes]:
    folder = path.with_name("out")
    archive.unpack(path, folder, "set-1", SUMS, 100_000)
    return {name: (folder / name).read_bytes() for name in SUMS}


def npz_file(seed: int) -> str:
    """A broken .npz, read array by array."""
    return attempt(_sound_npz(), _read_arrays, CONTENTS, seed)


def npz_headers(seed: int) -> str:
    """A sound zip with broken arrays in it: only header, sizes and the published digest tell."""
    return attempt(_sound_npz(), _read_accepted_arrays, CONTENTS, seed, inside=True)


def zip_file(seed: int) -> str:
    """A broken zip archive whose files have published checksums."""
    return attempt(_sound_zip(), _read_files, FILES, seed)


MUTATIONS: dict[str, Callable[[int], str]] = {
    "mutated NPZ": npz_file,
    "mutated arrays in a sound NPZ": npz_headers,
    "mutated ZIP": zip_file,
}
