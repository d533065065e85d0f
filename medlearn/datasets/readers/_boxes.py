"""Boxes in the formats of COCO (one JSON file) and Pascal VOC (one XML file per picture)."""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets.readers import _gather
from medlearn.datasets.readers._frame import Frame
from medlearn.datasets.readers._gather import Entry
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable, short

MOST_JSON, MOST_XML, MOST_BOXES = 100_000_000, 5_000_000, 10_000


@dataclass
class _Annotated:
    """A picture's file and its boxes: (edges [y0, x0, y1, x1], class)."""

    file: str
    boxes: list[tuple[tuple[float, float, float, float], str]] = field(default_factory=list)


def from_boxes(
    annotations: str | Path, pictures: str | Path | None = None, size: int = 256
) -> ReadResult:
    """Pictures with boxes, from a COCO file (.json) or from a folder of Pascal VOC files (.xml).

    pictures  the folder of the pictures; None: that of the annotations
    size      pixels a side after the centre crop; a box stays if its centre does

    Raises ValueError if the annotations cannot be read at all; a bad box, file or picture is a row of problems.
    """
    _gather.check_arguments(size, None, 1)
    path, problems = Path(annotations).expanduser(), Problems()
    if path.is_dir():
        found = _voc(path, problems)
    else:
        try:
            found = coco(_gather.contents(path, MOST_JSON), path.name, problems)
        except Unreadable as error:
            raise ValueError(
                f"The annotations {path.name!r} cannot be read: {error.what}; {error.fix}."
            ) from error
    root = _gather.folder(
        pictures if pictures is not None else path if path.is_dir() else path.parent
    )
    classes = tuple(sorted({kind for each in found.values() for _, kind in each.boxes}))
    kept = {}

    def accept(entry: Entry, frame: Frame) -> None:
        kept[entry.name] = _inside(
            found[entry.name], frame.pixels.shape[:2], classes, int(size), problems
        )

    read = _gather.gather(
        path.stem,
        [Entry(root / name, name) for name in found],
        problems,
        int(size),
        slices=1,
        accept=accept,
    )
    if not kept:
        problems.add(
            path.name,
            "no picture with annotations could be read",
            "check the folder of the pictures",
        )
    boxes = [kept[name] for name in read.dataset.facts["file"]]
    return ReadResult(replace(read.dataset, boxes=boxes, classes=classes), problems.table())


def coco(data: bytes, name: str, problems: Problems) -> dict[str, _Annotated]:
    """The pictures of a COCO file by their name; raises Unreadable if it is none."""
    try:
        whole = json.loads(data)
        kinds = {each["id"]: str(each["name"])[:200] for each in whole["categories"]}
        listed = {each["id"]: _Annotated(str(each["file_name"])[:1000]) for each in whole["images"]}
        rows = list(whole["annotations"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(
            f"it is no COCO file ({short(error)})", "export images, annotations and categories anew"
        ) from error
    for row, each in enumerate(rows):
        try:
            x, y, width, height = (float(value) for value in each["bbox"])
            listed[each["image_id"]].boxes.append(
                (_edges(y, x, y + height, x + width), kinds[each["category_id"]])
            )
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            problems.add(
                name,
                f"the box is unusable ({type(error).__name__}: {short(error)})",
                "correct or delete the annotation",
                row,
            )
    return {each.file: each for each in listed.values()}


def voc(data: bytes, name: str, problems: Problems) -> _Annotated:
    """The picture of one Pascal VOC file; entities and document types are refused. Raises Unreadable."""
    from defusedxml import DefusedXmlException, ElementTree

    try:
        tree = ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise Unreadable(
            "the XML defines entities, which may be a trap", "remove its document type"
        ) from error
    except Exception as error:  # expat raises ParseError, and others on impossible encodings
        raise Unreadable(f"it is no XML ({short(error)})", "export it anew") from error
    found = _Annotated((tree.findtext("filename") or "").strip()[:1000])
    if not found.file:
        raise Unreadable("it names no picture", "fill in its filename")
    for row, thing in enumerate(tree.iter("object")):
        try:
            y0, x0, y1, x1 = (
                float(thing.findtext(f"bndbox/{key}") or "nan")
                for key in ("ymin", "xmin", "ymax", "xmax")
            )
            kind = (thing.findtext("name") or "").strip()[:200]
            if not kind:
                raise ValueError("it names no class")
            found.boxes.append(
                (_edges(y0 - 1, x0 - 1, y1, x1), kind)
            )  # VOC counts from 1, the last pixel included
        except ValueError as error:
            problems.add(
                name, f"the box is unusable ({short(error)})", "correct or delete the object", row
            )
    return found


def _voc(path: Path, problems: Problems) -> dict[str, _Annotated]:
    found = {}
    for file in sorted(path.glob("*.xml")):
        try:
            each = voc(_gather.contents(file, MOST_XML), file.name, problems)
            found[each.file] = each
        except Unreadable as error:
            problems.add(file.name, error.what, error.fix)
    return found


def _edges(y0: float, x0: float, y1: float, x1: float) -> tuple[float, float, float, float]:
    if not all(map(math.isfinite, (y0, x0, y1, x1))):
        raise ValueError("an edge is no number")
    if y1 <= y0 or x1 <= x0:
        raise ValueError("it has no area")
    return y0, x0, y1, x1


def _inside(
    each: _Annotated,
    shape: tuple[int, int],
    classes: tuple[str, ...],
    size: int,
    problems: Problems,
) -> np.ndarray:
    rows, (height, width) = [], shape
    for (y0, x0, y1, x1), kind in each.boxes[:MOST_BOXES]:
        if y0 < -1 or x0 < -1 or y1 > height + 1 or x1 > width + 1:
            problems.add(
                each.file,
                f"a box of {kind} reaches beyond the picture of {height} x {width}",
                "correct it: it was left out",
            )
            continue
        rows.append((max(y0, 0), max(x0, 0), min(y1, height), min(x1, width), classes.index(kind)))
    if len(each.boxes) > MOST_BOXES:
        problems.add(
            each.file,
            f"it has {len(each.boxes):,} boxes, and the first {MOST_BOXES:,} were read",
            "split the picture",
        )
    return _crop.square_boxes(np.array(rows, float).reshape(-1, 5), height, width, size)
