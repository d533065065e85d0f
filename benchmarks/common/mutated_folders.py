"""Folders of a user's own with traps planted by seed: paths, links, devices, sizes, two readers.

Each folder holds four sound pictures, up to six traps, and a table, annotations or folder names
that lead to all of them. Beside it lies a secret picture, pure red. Whatever the traps are, the
sound pictures must be read as they are, nothing red may come in, no record number may be shown,
and each trap must be a row of problems or be passed over. `MUTATIONS` maps a door to a function of
a seed, as in mutated_archives.py.
"""

import contextlib
import json
import os
import signal
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from common import trapped_formats
from medlearn import datasets

READ, REFUSED, PROBLEM = "read", "refused", "problem"  # as in mutations.py
SIDE, SECONDS = 32, 60
RECORDS = ("7654321", "1234567")  # of patients, in the names of folders
ODD_NAMES = (
    "=cmd|'x'.png",
    "a\nb.png",
    "é" * 60 + ".png",
    "é.png",
    "CON.png",
    "a;b,c.png",
    ".png",
    "-rf.png",
    "%s.png",
)
ODD_ROWS = (
    "",
    "/dev/zero",
    "/dev/stdin",
    "../secret.png",
    "sub/../../secret.png",
    "./../secret.png",
    "a" * 5000,
    "\u202egnp.a",
    "file:///etc/passwd",
    "http://host.invalid/a.png",
    "ill/",
    ".",
    "..",
    "C:\\secret.png",
    "~/secret.png",
)
Trap = Callable[[np.random.Generator, Path, str], None]


def _link(where: str, rng: np.random.Generator, folder: Path, name: str) -> None:
    (folder / name).symlink_to(where)


def _pipe(rng: np.random.Generator, folder: Path, name: str) -> None:
    os.mkfifo(folder / name)


def _folder(rng: np.random.Generator, folder: Path, name: str) -> None:
    (folder / name).mkdir()


def _sparse(rng: np.random.Generator, folder: Path, name: str) -> None:
    """A file of more bytes than any machine has memory for, none of them on the disk."""
    with open(folder / name, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(10 ** int(rng.integers(10, 13)))


def _declared(rng: np.random.Generator, folder: Path, name: str) -> None:
    """A picture that declares up to 2^31 pixels a side, and holds a few bytes."""
    width, height = (int(2 ** rng.uniform(10, 31)) for _ in range(2))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def _inflating(rng: np.random.Generator, folder: Path, name: str) -> None:
    """A picture of few bytes on the disk that is 20 MB to 50 MB large when it is unpacked."""
    side = int(rng.integers(2_600, 4_000))
    Image.new("RGB", (side, side)).save(folder / name, "PNG", compress_level=1)


def _cut(rng: np.random.Generator, folder: Path, name: str) -> None:
    Image.effect_noise((64, 64), 50).save(folder / name, "PNG")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(rng.integers(len(content)))])


def _closed(rng: np.random.Generator, folder: Path, name: str) -> None:
    _cut(rng, folder, name)
    (folder / name).chmod(0)


def _bytes_as_name(rng: np.random.Generator, folder: Path, name: str) -> None:
    path = os.fsencode(folder) + b"/\xff" + os.fsencode(name)
    with open(path, "wb") as file:
        file.write(bytes(10))


TRAPS: tuple[Trap, ...] = (
    _pipe,
    _folder,
    _sparse,
    _declared,
    _inflating,
    trapped_formats.many_pages,
    trapped_formats.behind_a_copy,
    trapped_formats.deflated,
    _cut,
    _closed,
    _bytes_as_name,
    *(
        partial(_link, where)
        for where in ("/dev/zero", "/dev/tty", "/", "..", "../../secret.png", "nowhere")
    ),
    lambda rng, folder, name: (folder / name).symlink_to(name),  # in a circle
)


def sound(number: int) -> np.ndarray:
    """Return a grey picture that no trap resembles, uint8 (SIDE, SIDE)."""
    return np.random.default_rng(number).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def plant(seed: int, folder: Path) -> tuple[list[str], list[str]]:
    """Fill a folder; return the names of the sound pictures and of the traps."""
    rng = np.random.default_rng(seed)
    Image.new("RGB", (64, 64), "red").save(folder.parent / "secret.png")
    names, traps = [], []
    for number in range(4):
        directory = folder / ("ill", "well")[number % 2] / RECORDS[number // 2]
        directory.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sound(number)).save(directory / f"{number}.png")
        names.append((directory / f"{number}.png").relative_to(folder).as_posix())
    for number in range(int(rng.integers(1, 7))):
        trap = TRAPS[int(rng.integers(len(TRAPS)))]
        is_odd = rng.random() < 0.3
        name = str(rng.choice(ODD_NAMES)) if is_odd else f"trap {number}.png"
        directory = folder / "ill" / RECORDS[number % 2]
        if os.path.lexists(directory / name):  # a trap of the same odd name
            continue
        trap(rng, directory, name)
        traps.append((directory / name).relative_to(folder).as_posix())
    return names, traps


def _from_folder(rng: np.random.Generator, folder: Path, names: list[str], odd: list[str]):
    return datasets.from_folder(folder, layout="class/patient", size=SIDE)


def _from_table(rng: np.random.Generator, folder: Path, names: list[str], odd: list[str]):
    rows = [*names, *odd]
    rng.shuffle(rows)
    quoted = ['"' + row.replace('"', '""') + '"' for row in rows]
    lines = [f"{row},{number % 2}" for number, row in enumerate(quoted)]
    table = folder / "table.csv"
    table.write_text("file,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return datasets.from_table(table, patient=None, site=None, size=SIDE)


def _from_boxes(rng: np.random.Generator, folder: Path, names: list[str], odd: list[str]):
    rows = [*names, *odd]
    images = [
        {"id": number, "file_name": row, "width": SIDE, "height": SIDE}
        for number, row in enumerate(rows)
    ]
    boxes = [
        {"id": number, "image_id": number, "category_id": 1, "bbox": [1, 1, 9, 9]}
        for number in range(len(rows))
    ]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "x"}]}
    (folder / "boxes.json").write_text(json.dumps(content))
    return datasets.from_boxes(folder / "boxes.json", size=SIDE)


DOORS = {"folder": _from_folder, "table": _from_table, "annotations": _from_boxes}


def trapped(door: str, seed: int) -> str:
    """Read one planted folder; return how it went, or raise AssertionError."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="un dossier é ") as scratch, _within(SECONDS):
        folder = Path(scratch, "mine")
        folder.mkdir()
        names, traps = plant(seed, folder)
        odd = [*traps, *rng.choice(ODD_ROWS, 3).tolist(), str(Path(scratch, "secret.png"))]
        with _cache_of_its_own(Path(scratch)), _second_reader(rng, folder):
            try:
                result = DOORS[door](rng, folder, names, odd)
            except ValueError as error:
                assert str(error) and "\n" not in str(error), f"seed {seed}: {error!r}"
                return REFUSED
        _check(result, door, seed)
        return PROBLEM if len(result.problems) else READ


def _check(result: datasets.ReadResult, door: str, seed: int) -> None:
    images = result.dataset.images
    for number in range(4):
        expected = np.repeat(sound(number)[..., None], 3, axis=2)
        count = sum(np.array_equal(image, expected) for image in images)
        assert count == 1, f"seed {seed}: picture {number} was read {count} times"
    red = images[..., 0].mean((1, 2)) - images[..., 1].mean((1, 2))
    assert (red < 100).all(), f"seed {seed}: a picture from outside the folder came in"
    if door == "folder":
        text = str(result.problems.to_dict()) + str(result.dataset.facts) + str(result.dataset)
        text += str(result.dataset.patients)
        for record in RECORDS:
            assert record not in text, f"seed {seed}: the record number {record} is shown"


@contextlib.contextmanager
def _second_reader(rng: np.random.Generator, folder: Path) -> Iterator[None]:
    """Now and then another process reads the same folder into the same cache at the same time."""
    if rng.random() > 0.1:
        yield
        return
    child = os.fork()
    if child == 0:
        code = 1
        try:
            datasets.from_folder(folder, layout="class/patient", size=SIDE)
            code = 0
        finally:
            os._exit(code)
    try:
        yield
    finally:
        assert os.waitpid(child, 0)[1] == 0, "the second reader failed"


@contextlib.contextmanager
def _cache_of_its_own(folder: Path) -> Iterator[None]:
    before = os.environ.get("MEDLEARN_CACHE")
    os.environ["MEDLEARN_CACHE"] = str(folder / "cache")
    try:
        yield
    finally:
        if before is None:
            del os.environ["MEDLEARN_CACHE"]
        else:
            os.environ["MEDLEARN_CACHE"] = before


@contextlib.contextmanager
def _within(seconds: int) -> Iterator[None]:
    """End a wait that would last for ever, as at a pipe; a busy machine is no such wait."""
    began = time.process_time()

    def look(*_: object) -> None:
        used = time.process_time() - began
        assert used > 0.2, f"not read within {seconds} s"
        signal.alarm(seconds)

    signal.signal(signal.SIGALRM, look)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


MUTATIONS = {f"traps behind a {door}": partial(trapped, door) for door in DOORS}
