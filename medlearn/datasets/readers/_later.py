"""Labels that come after the images: the names in a table, matched to the paths of images."""

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from medlearn import _files
from medlearn.datasets.readers import _columns, _tables, _words
from medlearn.datasets.readers._problems import ReadResult, as_table

Parts = tuple[str, ...]


def later_labels(
    result: ReadResult,
    table: str | Path,
    *,
    file: str = "file",
    label: str = "label",
    rename: Mapping[str, str] | None = None,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the label of each image that was read earlier, from a table that came later.

    Names are compared from their ends, without regard to capitals: ``/mnt/study/away/p7/03.png``,
    ``p7/03.PNG`` and ``p7/03`` are all ``away/p7/03.png``, if no other image is. A row that fits
    no image, or several, gives no label but a row of problems. The table's files need not exist.

    Parameters
    ----------
    result : ReadResult
        What a reader of `datasets` returned for the images.
    table : str or Path
        A .csv or .xlsx with names and labels, in any order, and not necessarily for all images.
    file, label : str
        Names of its columns.
    rename : mapping of str to str, optional
        New names of labels, as in `from_table`.

    Returns
    -------
    labels : numpy.ndarray of str, shape (N,)
        The label of each image of ``result.dataset``; "" where the table gives none.
    problems : pandas.DataFrame
        Columns ``file`` (the table), ``row``, ``what`` and ``how to fix``. The names of rows are
        not repeated: they may hold what a patient is called.

    Raises
    ------
    ValueError
        If the table cannot be read, or lacks one of the two columns.
    """
    new_names = _words.checked_renaming(rename)
    path = Path(table).expanduser()
    rows = _tables._table(path).rows
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    columns = _columns.find({"file": file, "label": label}, heading)
    for role, name in (("file", file), ("label", label)):
        if role not in columns:
            raise ValueError(_files.unknown("column", name, heading, path.name))
    shown_names = result.dataset.facts["file"]
    images = {name: _parts(str(result.paths[name])) for name in dict.fromkeys(shown_names)}
    by_name = _by_last_part(images)
    labels: dict[str, str] = {}
    problems: list[tuple] = []
    for number, cells in rows[1:]:
        name, word = (_cell(cells, columns[role]) for role in ("file", "label"))
        word = new_names.get(_words.name(word), _words.name(word))
        matches = _matches(_parts(name), by_name)
        found = _problem(matches, word, labels)
        if found:
            problems.append((path.name, number, *found))
        elif labels.setdefault(matches[0], word) != word:
            labels[matches[0]] = ""
            problems.append((path.name, number, *_CONTRADICTION))
    if rows[1:] and not any(labels.values()):
        problems.insert(0, (path.name, "", *_nothing(len(rows) - 1, len(images))))
    found_labels = [labels.get(str(name), "") for name in shown_names]
    return np.array(found_labels, str), as_table(problems)


_CONTRADICTION = (
    "the image has another label in an earlier row, so it counts as unlabelled",
    "ask which of the two is right",
)


def _nothing(rows: int, images: int) -> tuple[str, str]:
    return (
        f"NO LABEL ARRIVED: none of the {rows} rows names one of the {images} images",
        "compare the names in the table with those of the files, from their ends",
    )


def _problem(
    matches: Sequence[str], word: str, labels: Mapping[str, str]
) -> tuple[str, str] | None:
    """What is wrong with a row, and how to fix it; None if it is sound."""
    if not word:
        return "the row has no label", "fill it in, or delete the row"
    if not matches:
        return "no image that was read has this name", "correct the name, or read the image first"
    if len(matches) > 1:
        return (
            f"{len(matches)} images have this name",
            "name the folder of the image as well, such as p7/03.png",
        )
    if labels.get(matches[0]) == "":
        return _CONTRADICTION
    return None


def _by_last_part(images: Mapping[str, Parts]) -> dict[str, dict[str, Parts]]:
    """The images by the name of their file, with and without its ending."""
    by_name: dict[str, dict[str, Parts]] = {}
    for image, parts in images.items():
        for last in {parts[-1], PurePosixPath(parts[-1]).stem}:
            by_name.setdefault(last, {})[image] = parts
    return by_name


def _matches(name: Parts, by_name: Mapping[str, Mapping[str, Parts]]) -> list[str]:
    """The images whose paths agree with a name from the end, for the longest piece."""
    images = by_name.get(name[-1], {}) if name else {}
    lengths = {image: _agreement(name, parts) for image, parts in images.items()}
    longest = max(lengths.values(), default=0)
    if longest == 1 < len(name):  # another folder's file of that name
        return []
    return [image for image, length in lengths.items() if length == longest]


def _agreement(name: Parts, path: Parts) -> int:
    """How many parts two paths with the same last one have in common, from the end."""
    length = 1
    while length < min(len(name), len(path)) and name[-1 - length] == path[-1 - length]:
        length += 1
    return length


def _parts(path: str) -> Parts:
    """The parts of a path as anybody may write it, without regard to capitals."""
    plain = unicodedata.normalize("NFC", path.strip()).replace("\\", "/").casefold()
    return tuple(part for part in plain.split("/") if part not in ("", "."))


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""
