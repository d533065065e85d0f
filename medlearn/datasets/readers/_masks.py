"""Pictures and their masks: two folders with the same file names in both."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from medlearn.datasets.readers import _cache, _fit, _mask_files, _mask_names, _paths, _patterns
from medlearn.datasets.readers._frame import Frame
from medlearn.datasets.readers._gather import (
    Annotate,
    Entry,
    Picture,
    read_entries,
    real_paths,
    to_dataset,
)
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable

_HALF = 128  # of 255


def from_masks(
    path: str | Path,
    masks: str | Path,
    *,
    classes: Sequence[str] = ("background", "object"),
    values: Mapping[int, int] | None = None,
    size: int = 128,
    fit: str = "crop",
    patient_pattern: str | None = None,
    study: str | None = None,
    cache: bool = True,
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
        Pixels a side of the square, 28 to 1024. A pixel of a mask is the class that covers most of
        it.
    fit : {"crop", "letterbox"}
        Whether the central square of each picture is cut out, or the whole picture is kept, with
        black above and below or left and right.
    patient_pattern : str, optional
        A regular expression that is searched in the path of each file below the folder. Its group
        "patient" is the patient and its group "site", if it has one, the site:
        ``r"(?P<site>[A-Z]+)_(?P<patient>[0-9]+)_"`` for ``A_0071_2.png``.
    study : str, optional
        Name of a study with a secret of its own for the pseudonyms of its patients. Within one
        study a patient has one pseudonym in all folders and tables.
    cache : bool
        Keep the decoded pictures in the cache folder (``MEDLEARN_CACHE``), so that the next call on
        unchanged files is quick. Texts such as file names are enciphered there, pictures are not:
        pass False where no copy may lie on this disk.

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
    options = Options(size, study=study, fit=fit)
    pattern = _patterns.checked(patient_pattern)
    if values is not None and not all(0 <= index < len(classes) for index in values.values()):
        raise ValueError(
            f"values must map greys to 0 to {len(classes) - 1}; it was {dict(values)}."
        )
    root, mask_root = _paths.folder(path), _paths.folder(masks)
    problems = Problems()
    entries = [Entry(file, name) for file, name in _paths.files_below(root)]
    entries = _patterns.applied(pattern, entries, problems)
    mask_files = _mask_names.matched([entry.name for entry in entries], mask_root, root, problems)
    annotate = partial(
        _mask_of, mask_files, mask_root.resolve(), len(classes), values, options, problems
    )
    greys = None if values is None else dict(values)
    arguments = root.name, mask_root, tuple(classes), greys, mask_files, patient_pattern
    files = list(mask_files.values())
    source = _cache.Source("masks", root, entries, options, arguments, files)
    decode = partial(
        _decoded,
        entries,
        root,
        options,
        annotate,
        problems,
        tuple(classes),
        mask_root.name,
        pattern is None,
    )
    return _cache.result(source, problems, decode, cache)


def _decoded(
    entries: list[Entry],
    root: Path,
    options: Options,
    annotate: Annotate,
    problems: Problems,
    classes: tuple[str, ...],
    mask_folder: str,
    suggest: bool,
) -> ReadResult:
    """Return what is in the files, with a pattern of patients suggested if wanted."""
    pictures = read_entries(entries, root, options, problems, annotate)
    _report_empty(pictures, mask_folder, classes[0], problems)
    outlined = np.array([picture.annotation for picture in pictures], np.uint8)
    dataset = to_dataset(
        root.name,
        pictures,
        options,
        problems,
        masks=outlined.reshape(-1, options.size, options.size),
        mask_classes=classes,
    )
    if suggest:
        _patterns.suggest(pictures, problems)
    return ReadResult(dataset, problems.table(), real_paths(entries, pictures, options))


def _mask_of(
    mask_files: Mapping[str, Path],
    mask_root: Path,
    class_count: int,
    values: Mapping[int, int] | None,
    options: Options,
    problems: Problems,
    entry: Entry,
    frame: Frame,
) -> np.ndarray:
    """Return the mask of a picture at the size of the data set; raise Unreadable if it has none."""
    path = mask_files.get(entry.name)
    if path is None:
        raise Unreadable(
            "there is no mask of that name, or there are several",
            "outline it, or take the picture out",
        )
    _paths.check_below(path, mask_root)
    mask, is_lossy = _mask_files.read(path, as_stored=values is None)
    mask = _turned(mask, entry, path, frame.pixels.shape[:2], problems)
    if is_lossy:
        mask = _without_ringing(mask, entry, problems)
    if values is None and class_count == 2:
        _report_greys(mask, entry.name, problems)
    return _fit.mask(_class_indices(mask, class_count, values), options.size, options.fit)


def _report_empty(pictures: list[Picture], folder: str, background: str, problems: Problems):
    """Add a row if no mask outlines anything."""
    if pictures and not any(picture.annotation.any() for picture in pictures):
        problems.add(
            folder,
            f"no mask outlines anything: every pixel is {background}",
            "check that these are the masks, and the values that mean a class",
        )


def _report_greys(mask: np.ndarray, name: str, problems: Problems) -> None:
    """Add a row if a mask of two classes holds more than two values."""
    if np.unique(mask).size > 2:
        problems.add(
            name,
            "its mask holds several greys besides 0, and all of them count as one class",
            "nothing, if they number the objects; pass classes=... and values={grey: class, ...} "
            "if they mean different classes",
        )


def _turned(
    mask: np.ndarray, entry: Entry, path: Path, shape: tuple[int, int], problems: Problems
) -> np.ndarray:
    """Return a mask as the picture stands; raise Unreadable if their sizes differ."""
    orientation = _mask_files.orientation(entry.path)
    if orientation != 1 and _mask_files.orientation(path) == 1:
        problems.add(
            entry.name,
            "its header turns the picture (EXIF orientation), and its mask has no such header",
            "the mask was turned with it, as if drawn on the stored pixels: look at both",
        )
        mask = _mask_files.upright(mask, orientation)
    elif orientation != 1:
        mask = _mask_files.upright(mask, _mask_files.orientation(path))
    if mask.shape != shape:
        raise Unreadable(
            f"its mask has {mask.shape[0]} x {mask.shape[1]} pixels, the picture {shape[0]} x "
            f"{shape[1]}",
            "outline the picture at its own size",
        )
    return mask


def _without_ringing(mask: np.ndarray, entry: Entry, problems: Problems) -> np.ndarray:
    """Return a mask of black and white as 0 and 255, cut at half; JPEG blurs outlines."""
    if set(np.unique(mask).tolist()) <= {0, 255}:
        return mask
    problems.add(
        entry.name,
        "its mask is a JPEG, which blurs outlines: greys from half of 255 on were taken as object",
        "save masks as PNG",
    )
    return np.where(mask >= _HALF, 255, 0).astype(np.uint8)


def _class_indices(
    greys: np.ndarray, class_count: int, values: Mapping[int, int] | None
) -> np.ndarray:
    """Return the class of each pixel as uint8 (H, W)."""
    if values is None and class_count == 2:
        return (greys != 0).astype(np.uint8)
    meaning = dict(values) if values is not None else {index: index for index in range(class_count)}
    present, positions = np.unique(greys, return_inverse=True)
    unknown = sorted(set(present.tolist()) - set(meaning))
    if unknown:
        raise Unreadable(
            f"its mask has the greys {unknown[:5]}, which mean nothing",
            "pass values={grey: class, ...}, or mend the mask",
        )
    indices = np.array([meaning[grey] for grey in present.tolist()], np.uint8)
    return indices[positions].reshape(greys.shape)
