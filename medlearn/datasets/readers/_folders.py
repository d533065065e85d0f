"""A folder of files: the names of its sub-folders say class, patient and site."""

from collections.abc import Mapping
from pathlib import Path

from medlearn.datasets.readers import _gather, _words
from medlearn.datasets.readers._gather import Entry
from medlearn.datasets.readers._problems import Problems, ReadResult

LEVELS = ("site", "class", "patient")
_ASIDE = ("Thumbs.db", "desktop.ini", "DICOMDIR")


def from_folder(
    path: str | Path,
    size: int = 128,
    layout: str = "class",
    window: tuple[float, float] | None = None,
    slices: int = 8,
    rename: Mapping[str, str] | None = None,
) -> ReadResult:
    """Every picture below a folder (DICOM, NIfTI, PNG, JPEG, TIFF, recognised by content) as a Dataset and its problems.

    size    pixels a side after a centre crop that keeps the aspect
    layout  what the levels of folders mean, outermost first: words of site, class, patient with "/" between, such as
            "site/class/patient"; "" if they mean nothing. Deeper folders are searched too.
    window  (centre, width) in the file's units for deep greys; None: as the file says, or by percentiles
    slices  at most so many of a volume or a multi-frame file
    rename  labels to be called otherwise, such as {"Benign": "benign"}; several may become one

    Patients are hashed; where neither folder nor DICOM header names them, patients_known is False. Raises ValueError for
    a folder that is not there and for arguments that make no sense; what is wrong with a file is in the table.
    """
    _gather.check_arguments(size, window, slices)
    levels, names = _levels(layout), _words.checked_renaming(rename)
    root, problems, entries = _gather.folder(path), Problems(), []
    for file in sorted(each for each in root.rglob("*") if each.is_file() or each.is_symlink()):
        name = file.relative_to(root).as_posix()
        parts = name.split("/")[:-1]
        if file.name in _ASIDE or any(
            part.startswith((".", "__MACOSX")) for part in (*parts, file.name)
        ):
            continue
        if len(parts) < len(levels):
            problems.add(
                name,
                f"it lies {len(parts)} folders deep, and the layout {layout!r} has {len(levels)}",
                "move it into its folder, or pass another layout",
            )
            continue
        known = dict(zip(levels, parts))
        label = " ".join(known.get("class", "").split())
        entries.append(
            Entry(
                file, name, names.get(label, label), known.get("patient", ""), known.get("site", "")
            )
        )
    _words.name_lookalikes([entry.label for entry in entries], root.name, problems)
    if not entries:
        problems.add(
            "", "the folder holds no file to read", f"check the path and the layout {layout!r}"
        )
    return _gather.gather(root.name, entries, problems, int(size), window, slices)


def _levels(layout: str) -> list[str]:
    levels = layout.split("/") if layout else []
    if len(set(levels)) != len(levels) or not set(levels) <= set(LEVELS):
        raise ValueError(
            f"layout must be words of {', '.join(LEVELS)} with / between, each at most once; it was {layout!r}."
        )
    return levels
