"""Pictures and their outlines: two folders with the same names in both."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from medlearn.datasets import _crop
from medlearn.datasets.readers import _gather, _pictures
from medlearn.datasets.readers._frame import Frame
from medlearn.datasets.readers._gather import Entry
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable


def from_masks(
    path: str | Path,
    masks: str | Path,
    classes: tuple[str, ...] = ("background", "object"),
    size: int = 128,
    values: Mapping[int, int] | None = None,
) -> ReadResult:
    """Pictures of one folder with the masks of another, matched by their names without the ending.

    classes  names of the classes of a pixel, `mask_classes` of the Dataset
    values   what each grey of the masks means, as an index into classes; None: the greys are the indices, or, with two
             classes, 0 and anything else

    Raises ValueError for missing folders and senseless arguments; a mask that is missing, has another shape or an
    unknown grey takes its picture out, and a row of problems says so.
    """
    _gather.check_arguments(size, None, 1)
    if values is not None and not all(0 <= index < len(classes) for index in values.values()):
        raise ValueError(
            f"values must map greys to 0 to {len(classes) - 1}; it was {dict(values)}."
        )
    root, outlines, problems = _gather.folder(path), _gather.folder(masks), Problems()
    by_stem = {
        each.relative_to(outlines).with_suffix("").as_posix(): each
        for each in sorted(outlines.rglob("*"))
        if each.is_file()
    }
    entries, found = [], {}
    for file in sorted(
        each for each in root.rglob("*") if each.is_file() and not each.name.startswith(".")
    ):
        entries.append(Entry(file, file.relative_to(root).as_posix()))

    def accept(entry: Entry, frame: Frame) -> None:
        mask = by_stem.get(entry.path.relative_to(root).with_suffix("").as_posix())
        if mask is None:
            raise Unreadable("there is no mask of that name", "outline it, or take the picture out")
        found[entry.name] = _crop.square(
            _classes(mask, frame.pixels.shape[:2], len(classes), values), size, labels=True
        )

    read = _gather.gather(root.name, entries, problems, int(size), slices=1, accept=accept)
    outlined = np.array([found[name] for name in read.dataset.facts["file"]], np.uint8).reshape(
        -1, size, size
    )
    return ReadResult(
        replace(read.dataset, masks=outlined, mask_classes=tuple(classes)), read.problems
    )


def _classes(
    path: Path, shape: tuple[int, int], count: int, values: Mapping[int, int] | None
) -> np.ndarray:
    try:
        mask, _ = _pictures.decoded(_gather.contents(path))
    except Unreadable as error:
        raise Unreadable(f"of its mask: {error.what}", error.fix) from error
    if mask.ndim == 3:
        if not (mask == mask[..., :1]).all():
            raise Unreadable("its mask has colours", "save masks as greys")
        mask = mask[..., 0]
    if mask.shape != shape:
        raise Unreadable(
            f"its mask has {mask.shape[0]} x {mask.shape[1]} pixels, the picture {shape[0]} x {shape[1]}",
            "outline the picture at its own size",
        )
    known = dict(values) if values is not None else {index: index for index in range(count)}
    if values is None and count == 2:
        return (mask > 0).astype(np.uint8)
    strange = sorted(set(np.unique(mask).tolist()) - set(known))
    if strange:
        raise Unreadable(
            f"its mask has the greys {strange[:5]}, which mean nothing",
            "pass values={grey: class, ...}, or mend the mask",
        )
    table = np.zeros(int(max(known)) + 1, np.uint8)
    table[list(known)] = list(known.values())
    return table[mask]
