"""Pictures and their masks: two folders with the same file names in both."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets.readers import _paths, _pictures
from medlearn.datasets.readers._frame import Frame
from medlearn.datasets.readers._gather import Entry, read_entries, real_paths, to_dataset
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable


def from_masks(
    path: str | Path,
    masks: str | Path,
    *,
    classes: Sequence[str] = ("background", "object"),
    values: Mapping[int, int] | None = None,
    size: int = 128,
) -> ReadResult:
    """Read the pictures of one folder with the masks of another, matched by name without ending.

    Parameters
    ----------
    path : str or Path
        The folder of the pictures.
    masks : str or Path
        The folder of the masks.
    classes : sequence of str
        Names of the classes of a pixel: ``mask_classes`` of the data set.
    values : mapping of int to int, optional
        What each grey of the masks means, as an index into `classes`. Default: the greys are the
        indices, or, with two classes, 0 and anything else.
    size : int
        Pixels a side after a central crop that keeps the aspect, 28 to 1024.

    Returns
    -------
    ReadResult
        ``dataset`` and ``problems``. A mask that is missing, has another shape or an unknown grey
        leaves its picture out, and a row of problems says so.

    Raises
    ------
    ValueError
        For folders that do not exist, and for arguments out of range.
    """
    options = Options(size)
    if values is not None and not all(0 <= index < len(classes) for index in values.values()):
        raise ValueError(
            f"values must map greys to 0 to {len(classes) - 1}; it was {dict(values)}."
        )
    root, mask_root = _paths.folder(path), _paths.folder(masks)
    mask_files = {_stem(name): file for file, name in _paths.files_below(mask_root)}
    problems = Problems()
    entries = [Entry(file, name) for file, name in _paths.files_below(root)]
    annotate = partial(_mask_of, mask_files, len(classes), values, options.size)
    pictures = read_entries(entries, options, problems, annotate)
    outlined = np.array([picture.annotation for picture in pictures], np.uint8)
    dataset = to_dataset(
        root.name,
        pictures,
        options,
        problems,
        masks=outlined.reshape(-1, size, size),
        mask_classes=tuple(classes),
    )
    return ReadResult(dataset, problems.table(), real_paths(entries, pictures, options))


def _stem(name: str) -> str:
    """Return the path of a file without its ending."""
    return PurePosixPath(name).with_suffix("").as_posix()


def _mask_of(
    mask_files: Mapping[str, Path],
    class_count: int,
    values: Mapping[int, int] | None,
    size: int,
    entry: Entry,
    frame: Frame,
) -> np.ndarray:
    """Return the mask of a picture at the size of the data set; raise Unreadable if it has none."""
    path = mask_files.get(_stem(entry.name))
    if path is None:
        raise Unreadable("there is no mask of that name", "outline it, or take the picture out")
    greys = _greys(path)
    shape = frame.pixels.shape[:2]
    if greys.shape != shape:
        raise Unreadable(
            f"its mask has {greys.shape[0]} x {greys.shape[1]} pixels, the picture {shape[0]} x "
            f"{shape[1]}",
            "outline the picture at its own size",
        )
    return _crop.square(_class_indices(greys, class_count, values), size, labels=True)


def _greys(path: Path) -> np.ndarray:
    """Return the values (H, W) of a mask as they are stored."""
    try:
        mask, _ = _pictures.decoded(_paths.contents(path))
    except Unreadable as error:
        raise Unreadable(f"of its mask: {error.what}", error.fix) from error
    if mask.ndim == 2:
        return mask
    if not (mask == mask[..., :1]).all():
        raise Unreadable("its mask has colours", "save masks as greys")
    return mask[..., 0]


def _class_indices(
    greys: np.ndarray, class_count: int, values: Mapping[int, int] | None
) -> np.ndarray:
    """Return the class of each pixel as uint8 (H, W)."""
    if values is None and class_count == 2:
        return (greys > 0).astype(np.uint8)
    meaning = dict(values) if values is not None else {index: index for index in range(class_count)}
    unknown = sorted(set(np.unique(greys).tolist()) - set(meaning))
    if unknown:
        raise Unreadable(
            f"its mask has the greys {unknown[:5]}, which mean nothing",
            "pass values={grey: class, ...}, or mend the mask",
        )
    table = np.zeros(int(max(meaning)) + 1, np.uint8)
    table[list(meaning)] = list(meaning.values())
    return table[greys]
