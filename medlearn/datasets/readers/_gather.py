"""From a list of files to one Dataset: recognised by content, read one by one, compared with each other."""

import difflib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn import _progress
from medlearn._dataset import Dataset
from medlearn.datasets import _crop
from medlearn.datasets.readers import _dicom, _identity, _nifti, _pictures
from medlearn.datasets.readers._frame import MOST_BYTES, Frame
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable, short

LICENCE = "your own data; whoever owns them decides"
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM")
_ALIKE, _SIDE, _BLOCK = 0.998, 16, 512


@dataclass(frozen=True)
class Entry:
    """A file to read and what is known of it from its folder or its table; "" where nothing is."""

    path: Path
    name: str
    label: str = ""
    patient: str = ""
    site: str = ""
    row: int | str = ""


def contents(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file of at most `most`; raises Unreadable and nothing else."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= most else b""
    except OSError as error:
        raise Unreadable(
            f"it cannot be opened ({error.strerror or short(error)})",
            "check the path and the rights to read",
        ) from error
    except ValueError as error:  # a zero byte in the name
        raise Unreadable("its name is impossible", "correct it where it is listed") from error
    if size > most:
        raise Unreadable(f"it has more than {most:,} bytes", "save it in parts")
    return data


def read(path: Path, window: tuple[float, float] | None = None, slices: int = 8) -> list[Frame]:
    """The pictures in a file, whatever its name says it is; raises Unreadable and nothing else."""
    data = contents(path)
    if not data:
        raise Unreadable("the file is empty", "copy it anew from its source")
    reader = _dicom if _dicom.is_dicom(data) else _nifti if _nifti.is_nifti(data) else _pictures
    if reader is _pictures and not data.startswith(_MAGIC):
        raise Unreadable(
            "its content is none of DICOM, NIfTI, PNG, JPEG, TIFF, BMP, whatever its name says",
            "export it in one of these formats, or move it elsewhere",
        )
    try:
        return reader.frames(data, window, slices)
    except MemoryError as error:
        raise Unreadable("it does not fit into memory", "save it smaller or in parts") from error


def check_arguments(size: int, window, slices: int) -> None:
    """Raises ValueError for a size, window or number of slices that makes no sense."""
    if not isinstance(size, Integral) or isinstance(size, bool) or not 28 <= size <= 1024:
        raise ValueError(f"size must be a whole number from 28 to 1024; it was {size!r}.")
    if not isinstance(slices, Integral) or isinstance(slices, bool) or not 1 <= slices <= 1000:
        raise ValueError(f"slices must be a whole number from 1 to 1000; it was {slices!r}.")
    if window is not None and (
        np.shape(window) != (2,) or not np.isfinite(window).all() or not window[1] > 0
    ):
        raise ValueError(
            f"window must be a pair (centre, width) with a positive width; it was {window!r}."
        )


def folder(path: str | Path) -> Path:
    """The folder as a Path; raises ValueError with what lies near if there is none."""
    found = Path(path).expanduser()
    if not found.is_dir():
        near = (
            [each.name for each in found.parent.iterdir() if each.is_dir()]
            if found.parent.is_dir()
            else []
        )
        close = difflib.get_close_matches(found.name, near, n=1)
        raise ValueError(
            f"There is no folder {str(path)!r}"
            + (f"; did you mean {close[0]!r}?" if close else "; check the path.")
        )
    return found


def gather(
    name: str,
    entries: Iterable[Entry],
    problems: Problems,
    size: int,
    window=None,
    slices: int = 8,
    accept: Callable[[Entry, Frame], None] | None = None,
) -> ReadResult:
    """Read every entry; good ones become rows, the others rows of the table of problems.

    accept: sees each frame at its full size, and may refuse its file by raising Unreadable.
    """
    rows = []
    for entry in _progress.bar(list(entries), "files"):
        try:
            found = read(entry.path, window, slices)
            for frame in found if accept else ():
                accept(entry, frame)
        except Unreadable as error:
            problems.add(entry.name, error.what, error.fix, entry.row)
            continue
        for warning in dict.fromkeys(each for frame in found for each in frame.warnings):
            problems.add(entry.name, *warning, entry.row)
        rows += [(entry, frame, _crop.square(frame.pixels, size)) for frame in found]
    rows.sort(
        key=lambda row: (
            (str(row[0].path.parent), row[1].series, row[1].place, row[0].name)
            if row[1].series
            else (str(row[0].path.parent), "", 0, row[0].name)
        )
    )
    return ReadResult(_dataset(name, rows, problems, size), problems.table())


def _dataset(name: str, rows: list, problems: Problems, size: int) -> Dataset:
    entries, frames = [row[0] for row in rows], [row[1] for row in rows]
    pixels = np.array([row[2] for row in rows], np.uint8).reshape(-1, size, size, 3)
    classes = tuple(sorted({entry.label for entry in entries} - {""}))
    people = [
        _identity.hashed(entry.patient) or frame.patient for entry, frame in zip(entries, frames)
    ]
    spacing = [
        _crop.square_spacing(np.array(frame.spacing), *frame.pixels.shape[:2], size)
        for frame in frames
    ]
    files = [entry.name for entry in entries]
    duplicates(files, pixels, problems)
    return Dataset(
        name=name,
        images=pixels,
        licence=LICENCE,
        twin="",
        classes=classes,
        labels=np.array([classes.index(entry.label) for entry in entries], np.int64)
        if classes
        else None,
        patients=np.array([who or f"unknown-{file}" for who, file in zip(people, files)], str),
        patients_known=bool(people) and all(people),
        domains=np.array([entry.site or "one site" for entry in entries], str),
        spacing=np.array(spacing, float).reshape(-1, 2),
        facts={
            "file": np.array(files, str),
            "place": np.array([frame.place for frame in frames], int),
            "series": np.array([frame.series for frame in frames], str),
        },
    )


def duplicates(files: list[str], pixels: np.ndarray, problems: Problems) -> None:
    """Name every picture that is the same as, or nearly the same as, an earlier one of another file; both are kept.

    Nearly the same: 16 x 16 grey averages, each with mean 0 and norm 1, correlate by 0.998 or more.
    """
    fix = "keep one of them, or give both the same patient, so that a split cannot part them"
    known, prints = {}, [_print(picture) for picture in pixels]
    for place, picture in enumerate(pixels):
        first = known.setdefault(hashlib.sha256(picture.tobytes()).digest(), place)
        if files[first] != files[place]:
            problems.add(files[place], f"the picture is the same as that of {files[first]}", fix)
    table = np.array(prints, np.float32).reshape(-1, _SIDE * _SIDE)
    for start in range(0, len(table), _BLOCK):
        alike = table[start : start + _BLOCK] @ table[: start + _BLOCK].T
        told = set()
        for late, early in zip(*np.nonzero(alike >= _ALIKE)):
            late = late + start
            if (
                early < late
                and late not in told
                and files[early] != files[late]
                and not np.array_equal(pixels[early], pixels[late])
            ):
                told.add(late)
                problems.add(
                    files[late], f"the picture is nearly the same as that of {files[early]}", fix
                )


def _print(picture: np.ndarray) -> np.ndarray:
    grey = Image.fromarray(picture).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    values = np.asarray(grey, np.float32).ravel()
    values = values - values.mean()
    norm = np.linalg.norm(values)
    return (
        values / norm if norm > 1 else np.zeros_like(values)
    )  # an empty picture resembles nothing
