"""Pictures with boxes around objects, in the format of COCO, Pascal VOC or YOLO."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from medlearn.datasets.readers import _box_formats, _cache, _fit, _mask_files, _paths, _patterns
from medlearn.datasets.readers._annotations import Annotated, Edges, is_normalised
from medlearn.datasets.readers._frame import Frame
from medlearn.datasets.readers._gather import Annotate, Entry, read_entries, real_paths, to_dataset
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable
from medlearn.datasets.readers._tables import report_completed

MAX_BOXES = 10_000  # of one picture
_ROUNDING = 1  # pixels that a box may reach beyond its picture


def from_boxes(
    annotations: str | Path,
    pictures: str | Path | None = None,
    *,
    size: int = 256,
    fit: str = "crop",
    patient_pattern: str | None = None,
    study: str | None = None,
    cache: bool = True,
) -> ReadResult:
    """Read pictures with boxes from a COCO file, or from a folder of Pascal VOC or YOLO files.

    Annotations of labelme and tables of boxes are recognised, and refused in one sentence.

    Parameters
    ----------
    annotations : str or Path
        A COCO file (.json), a folder of Pascal VOC files (.xml), or a folder of YOLO: text files
        beside the pictures or in labels/ beside images/, and data.yaml or classes.txt.
    pictures : str or Path, optional
        The folder of the pictures. Default: the folder of the annotations;
        for YOLO also images/ beside labels/.
    size : int
        Pixels a side of the square, 28 to 1024.
    fit : {"crop", "letterbox"}
        Whether the central square of each picture is cut out, or the whole picture is kept, with
        black above and below or left and right.
        After a crop a box stays if its centre does.
    patient_pattern : str, optional
        A regular expression that is searched in the path of each picture as the annotations write
        it. Its group "patient" is the patient and its group "site", if it has one, the site:
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
        ``dataset`` and ``problems``. A bad box, file or picture is a row of problems.

    Raises
    ------
    ValueError
        If the annotations cannot be read at all, for a folder that does not exist, and for a size
        out of range.
    """
    options = Options(size, study=study, fit=fit)
    pattern = _patterns.checked(patient_pattern)
    path = Path(annotations).expanduser()
    problems = Problems()
    annotated, classes, root = _box_formats.parse(path, pictures, problems)
    locator = _paths.Locator(root)
    entries = [
        Entry(locator.find(name) or root / name, name, split=picture.split)
        for name, picture in annotated.items()
    ]
    entries = _patterns.applied(pattern, entries, problems)
    report_completed(locator, problems)
    is_yolo = any(picture.is_normalised for picture in annotated.values())
    if not is_yolo and is_normalised(annotated.values()):
        problems.add(
            path.name,
            "all boxes are shares of the picture, from 0 to 1, and no pixels",
            "nothing: they were multiplied by the sides of each picture",
        )
        for picture in annotated.values():
            picture.is_normalised = True
    annotate = partial(_boxes_of, annotated, classes, options, problems)
    arguments = path.name, classes, annotated, patient_pattern
    source = _cache.Source("boxes", root, entries, options, arguments)
    decode = partial(
        _decoded, path, entries, root, options, annotate, problems, classes, pattern is None
    )
    return _cache.result(source, problems, decode, cache)


def _decoded(
    annotations: Path,
    entries: list[Entry],
    root: Path,
    options: Options,
    annotate: Annotate,
    problems: Problems,
    classes: tuple[str, ...],
    suggest: bool,
) -> ReadResult:
    """Return what is in the files, with a pattern of patients suggested if wanted."""
    pictures = read_entries(entries, root, options, problems, annotate)
    dataset = to_dataset(
        annotations.stem,
        pictures,
        options,
        problems,
        boxes=[picture.annotation for picture in pictures],
        classes=classes,
    )
    if not pictures:
        problems.add(
            annotations.name,
            "no picture with annotations could be read",
            "check the folder of the pictures",
        )
    elif not any(len(picture.annotation) for picture in pictures):
        problems.add(
            annotations.name,
            "no picture has a box",
            "check that these are the annotations, and not those of an unlabelled test set",
        )
    if suggest:
        _patterns.suggest(pictures, problems)
    return ReadResult(dataset, problems.table(), real_paths(entries, pictures, options))


def _in_pixels(picture: Annotated, height: int, width: int) -> list[tuple[Edges, str]]:
    if not picture.is_normalised:
        return picture.boxes
    return [
        ((y0 * height, x0 * width, y1 * height, x1 * width), name)
        for (y0, x0, y1, x1), name in picture.boxes
    ]


def _turned(
    picture: Annotated, entry: Entry, shape: tuple[int, int], problems: Problems
) -> Annotated:
    """Return the boxes as the picture stands; raise Unreadable if they were drawn in another size.

    A header may turn a picture (EXIF orientation). Boxes of the stored width and height were drawn
    before that and are turned with it.
    """
    orientation = _mask_files.orientation(entry.path)
    if picture.declared in (None, shape) and orientation == 1:
        return picture
    is_stored = orientation > 4 and picture.declared == shape[::-1]
    if picture.declared not in (None, shape) and not is_stored:
        height, width = picture.declared
        raise Unreadable(
            f"the annotations say {height} x {width} pixels, and the picture has {shape[0]} x "
            f"{shape[1]}",
            "bring the picture or its annotations to one size",
        )
    if not is_stored:
        problems.add(
            entry.name,
            "its header turns the picture (EXIF orientation); its boxes count as drawn on the "
            "turned picture",
            "look at it with its boxes, and annotate it anew if they are elsewhere",
        )
        return picture
    problems.add(
        entry.name,
        "its header turns the picture (EXIF orientation), and its boxes were drawn before that",
        "nothing: they were turned with it",
    )
    stored = shape[::-1]
    boxes = [
        (_upright(edges, orientation, *stored), class_name) for edges, class_name in picture.boxes
    ]
    return replace(picture, boxes=boxes)


def _upright(edges: Edges, orientation: int, height: int, width: int) -> Edges:
    """Return the edges of a box of a stored picture (height, width) as the picture is shown."""
    y0, x0, y1, x1 = edges
    if orientation == 5:
        return x0, y0, x1, y1
    if orientation == 6:
        return x0, height - y1, x1, height - y0
    if orientation == 7:
        return width - x1, height - y1, width - x0, height - y0
    return width - x1, y0, width - x0, y1  # 8


def _boxes_of(
    annotated: dict[str, Annotated],
    classes: tuple[str, ...],
    options: Options,
    problems: Problems,
    entry: Entry,
    frame: Frame,
) -> np.ndarray:
    """Return the boxes (k, 5) of a picture at the size of the data set."""
    picture = annotated[entry.name]
    height, width = frame.pixels.shape[:2]
    picture = _turned(picture, entry, (height, width), problems)
    rows = []
    for (y0, x0, y1, x1), name in _in_pixels(picture, height, width)[:MAX_BOXES]:
        is_above = y0 < -_ROUNDING or x0 < -_ROUNDING
        if is_above or y1 > height + _ROUNDING or x1 > width + _ROUNDING:
            problems.add(
                picture.file,
                f"a box of {name} reaches beyond the picture of {height} x {width}",
                "correct it: it was left out",
            )
            continue
        clipped = max(y0, 0), max(x0, 0), min(y1, height), min(x1, width)
        rows.append((*clipped, classes.index(name)))
    if len(picture.boxes) > MAX_BOXES:
        problems.add(
            picture.file,
            f"it has {len(picture.boxes):,} boxes, and the first {MAX_BOXES:,} were read",
            "split the picture",
        )
    return _fit.boxes(
        np.array(rows, float).reshape(-1, 5), height, width, options.size, options.fit
    )
