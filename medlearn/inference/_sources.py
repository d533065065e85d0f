"""Where new images come from: arrays, files and folders, read in parts of bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from medlearn import _checks, _progress
from medlearn._dataset import Dataset
from medlearn.datasets.readers import _formats, _nifti, _paths
from medlearn.datasets.readers._frame import Frame, contrast_warnings
from medlearn.datasets.readers._problems import Unreadable

_SLICES = 8  # of a volume or a series in one file that a classifier looks at
_ALL_SLICES = 100_000


@dataclass(frozen=True, eq=False)
class Part:
    """Images of one size that are predicted together, and files that could not be read.

    Attributes
    ----------
    images : ndarray, shape (N, H, W, 3)
        In their own size.
    files : list of str
        The name of each image.
    unreadable : list of tuple of str
        Name and problem of each file without an image.
    volume : Path or None
        The NIfTI file of which the images are all slices, from the feet to the head.
    notes : dict of str to str
        What was odd about an image that could be read, by its name.
    """

    images: np.ndarray
    files: list[str]
    unreadable: list[tuple[str, str]]
    volume: Path | None = None
    notes: dict[str, str] = field(default_factory=dict)


def parts(source, batch_size: int, volumes: bool, written: Path | None = None) -> Iterator[Part]:
    """Yield the images of an array, of files or of a folder, a part at a time.

    Parameters
    ----------
    source : array_like, str, Path or list of them
        Images (N, H, W, 3), a file, a folder, or several files.
    batch_size : int
        Images of a part, at most; the slices of a volume stay together.
    volumes : bool
        Whether all slices of a volume are taken, and not a few.
    written : Path, optional
        The folder of the answers. Below the folder of the images, it is left out.

    Raises
    ------
    ValueError
        If the answers would be written among the images.
    """
    if isinstance(source, Dataset):
        raise ValueError("A data set was given, but images are expected: pass dataset.images.")
    if _names_files(source):
        yield from _file_parts(source, batch_size, volumes, written)
    else:
        yield from _array_parts(_checks.images(source), batch_size)


def _names_files(source) -> bool:
    if isinstance(source, str | Path):
        return True
    return isinstance(source, list | tuple) and all(isinstance(path, str | Path) for path in source)


def _array_parts(images: np.ndarray, batch_size: int) -> Iterator[Part]:
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        names = [f"image {number}" for number in range(start, start + len(batch))]
        yield Part(batch, names, [])


def _file_parts(source, batch_size: int, volumes: bool, written: Path | None) -> Iterator[Part]:
    waiting: list[tuple[str, Frame]] = []
    root = _folder(source)
    listed = _listed(source)
    if written is not None:
        _check_apart(listed, root, written.expanduser().resolve())
        listed = _without(listed, root, written.expanduser().resolve())
    for path, name in _progress.bar(listed, "files", unit=" files"):
        try:
            if root is not None:
                _paths.check_below(path, root)
            frames = list(_formats.read(path, None, _ALL_SLICES if volumes else _SLICES))
        except Unreadable as error:
            yield from _together(waiting, batch_size)  # first: rows are in the order of the files
            waiting = []
            yield Part(
                np.empty((0, 1, 1, 3), np.uint8), [], [(name, f"{error.problem}: {error.fix}")]
            )
            continue
        if volumes and _is_nifti(path):
            yield from _together(waiting, batch_size)
            waiting = []
            yield _volume(path, name, frames)
            continue
        waiting += [
            (name if len(frames) == 1 else f"{name}#{number}", frame)
            for number, frame in enumerate(frames)
        ]
        if len(waiting) >= batch_size:
            yield from _together(waiting, batch_size)
            waiting = []
    yield from _together(waiting, batch_size)


def _listed(source: str | Path | Sequence[str | Path]) -> list[tuple[Path, str]]:
    """Return the files to read and their names; below a folder, their paths from there."""
    if not isinstance(source, str | Path):
        paths = [Path(path).expanduser() for path in source]
        return [(path, path.name) for path in paths]
    path = Path(source).expanduser()
    if path.is_dir():
        return list(_paths.files_below(path))
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}: check the path.")
    return [(path, path.name)]


def _folder(source: str | Path | Sequence[str | Path]) -> Path | None:
    """Return the folder in which all files must lie, without links; None where files were named."""
    if not isinstance(source, str | Path):
        return None
    path = Path(source).expanduser()
    return path.resolve() if path.is_dir() else None


def _check_apart(listed: list[tuple[Path, str]], root: Path | None, written: Path) -> None:
    """Raise ValueError if answers would be written into the folder of the images."""
    folders = {path.parent.resolve() for path, _ in listed} if root is None else {root}
    if written in folders:
        raise ValueError(
            f"The masks would be written among the images in {str(written)!r}, and could replace "
            "files of yours: name another folder for them."
        )


def _without(
    listed: list[tuple[Path, str]], root: Path | None, written: Path
) -> list[tuple[Path, str]]:
    """Return the files that do not lie in the folder of the answers."""
    if root is None or not written.is_relative_to(root):
        return listed
    start = f"{written.relative_to(root).as_posix()}/"
    return [(path, name) for path, name in listed if not name.startswith(start)]


def _is_nifti(path: Path) -> bool:
    with path.open("rb") as file:
        return _nifti.is_nifti(file.read(4096))


def _volume(path: Path, name: str, frames: list) -> Part:
    ordered = sorted(frames, key=lambda frame: frame.index_in_series)
    images = np.stack([frame.pixels for frame in ordered])
    files = [f"{name}#{number}" for number in range(len(ordered))]
    return Part(images, files, [], path, _notes(files, ordered))


def _notes(files: Sequence[str], frames: Sequence[Frame]) -> dict[str, str]:
    """What was odd about these images, where anything was."""
    notes = {}
    for file, frame in zip(files, frames, strict=True):
        warnings = frame.warnings + contrast_warnings(frame.pixels)
        if warnings:
            notes[file] = "; ".join(f"{problem}: {fix}" for problem, fix in warnings)
    return notes


def _together(waiting: list[tuple[str, Frame]], batch_size: int) -> Iterator[Part]:
    """Yield parts of neighbouring images of one size."""
    for _, group in groupby(waiting, key=lambda item: item[1].pixels.shape):
        items = list(group)
        for start in range(0, len(items), batch_size):
            files, frames = zip(*items[start : start + batch_size], strict=True)
            images = np.stack([frame.pixels for frame in frames])
            yield Part(images, list(files), [], notes=_notes(files, frames))
