"""Several labels of one image in a table: a column for each of them, or names in one cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medlearn._dataset import Dataset
from medlearn.datasets.readers import _columns, _words
from medlearn.datasets.readers._gather import Picture
from medlearn.datasets.readers._problems import Problems, Unreadable

MATRIX = "label_matrix"  # name of the column of facts
_VALUES = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}
_UNCERTAIN = "-1"  # of an automatic labeller
_SEPARATORS = "|;+"
_NONE = {"no finding", "no findings", "none"}  # cells that say that there is no label

Findings = tuple[tuple[str, float], ...]  # names of labels with 0, 1, or NaN where nobody knows


@dataclass(frozen=True)
class Scheme:
    """How a table gives several labels.

    Attributes
    ----------
    columns : dict of str to int
        Where the column of each label stands; empty where one cell names them all.
    separator : str or None
        What stands between the names in a cell; None where each image has one label.
    rename : mapping of str to str
        New names of labels.
    """

    columns: dict[str, int]
    separator: str | None
    rename: Mapping[str, str]

    def is_used(self) -> bool:
        """Say whether an image may have several labels."""
        return bool(self.columns) or self.separator is not None

    def cell(self, cells: Sequence[str], label: str) -> str:
        """Return what a row says about labels, as one text.

        Parameters
        ----------
        cells : sequence of str
            The row.
        label : str
            The cell of the column of labels; "" if there is none.
        """
        if not self.columns:
            return label
        return "|".join(_words.name(cells[index]) for index in self.columns.values())

    def findings(self, cells: Sequence[str], label: str) -> Findings:
        """Return the labels of a row; raise Unreadable for cells that mean nothing.

        Parameters
        ----------
        cells : sequence of str
            The row.
        label : str
            The cell of the column of labels; "" if there is none.
        """
        if self.columns:
            return tuple(
                (self.rename.get(name, name), _value(name, cells[index]))
                for name, index in self.columns.items()
            )
        names = [_words.name(word) for word in label.split(self.separator)]
        found = [name for name in names if name and name.casefold() not in _NONE]
        return tuple((self.rename.get(name, name), 1.0) for name in found)


def scheme(
    label: str | Sequence[str] | None,
    separator: str | None,
    heading: Sequence[str],
    rename: Mapping[str, str],
) -> Scheme:
    """Return how a table gives labels.

    Parameters
    ----------
    label : str, sequence of str or None
        Name of the column of labels, or one column per label.
    separator : str or None
        What stands between the names of several labels in one cell.
    heading : sequence of str
        Names of the columns of the table.
    rename : mapping of str to str
        New names of labels.

    Raises
    ------
    ValueError
        If the table lacks a column of a label, and for a separator that cannot be one.
    """
    if separator is not None and (not isinstance(separator, str) or not separator.strip()):
        raise ValueError(
            "label_separator is what stands between the names of labels in one cell, such as '|'; "
            f"it was {separator!r}."
        )
    if label is None or isinstance(label, str):
        return Scheme({}, None if label is None else separator, rename)
    if separator is not None or not label:
        raise ValueError(
            "Pass label=[column, ...] with one column per label, or label=column with "
            f"label_separator; label was {list(label)!r}, label_separator {separator!r}."
        )
    names = dict.fromkeys(map(str, label))
    columns = _columns.find(dict(zip(names, names)), heading)
    missing = [name for name in names if name not in columns]
    if missing:
        close = _columns.similar(missing[0], heading)
        advice = f"do you mean {close!r}? " if close else ""
        raise ValueError(
            f"The table has no column {missing[0]!r}; {advice}Its columns are "
            f"{', '.join(heading)[:300]}."
        )
    return Scheme(columns, None, rename)


def _value(name: str, cell: str) -> float:
    """Return 0, 1 or NaN; raise Unreadable for other cells."""
    text = _words.name(cell).casefold()
    if text in ("", _UNCERTAIN):
        return np.nan
    if text not in _VALUES:
        raise Unreadable(
            f"the column {name!r} holds {cell.strip()[:40]!r}, and 0, 1 or nothing is expected",
            "correct it; pass label_separator='|' instead where one cell names several labels",
        )
    return _VALUES[text]


def report(scheme: Scheme, rows: Sequence[Sequence[str]], table: str, problems: Problems) -> None:
    """Add a row if labels are marked as uncertain.

    Parameters
    ----------
    scheme : Scheme
        How the table gives labels.
    rows : sequence of sequence of str
        The cells of each row.
    table : str
        Name of the table.
    problems : Problems
        Gets the row.
    """
    count = 0
    for cells in rows:
        inside = [cells[index] for index in scheme.columns.values() if index < len(cells)]
        count += sum(_words.name(cell) == _UNCERTAIN for cell in inside)
    if count:
        problems.add(
            table,
            f"{count} labels are -1, which labellers write where they are uncertain",
            "nothing: they are NaN, as labels that nobody knows are; write 0 or 1 to use them",
        )


def suggest(labels: Sequence[str], table: str, problems: Problems) -> None:
    """Add a row if labels look like several names in one cell.

    Parameters
    ----------
    labels : sequence of str
        One per image.
    table : str
        Name of the table.
    problems : Problems
        Gets the row.
    """
    distinct = set(labels)
    for separator in _SEPARATORS:
        joined = sorted(label for label in distinct if separator in label)
        for label in joined:
            if distinct & {name.strip() for name in label.split(separator)}:
                problems.add(
                    table,
                    f"labels such as {label!r} look like several labels of one image, and each "
                    "combination counts as a class",
                    f"pass label_separator={separator!r} for one label each",
                )
                return


def with_matrix(scheme: Scheme, dataset: Dataset, pictures: Sequence[Picture]) -> Dataset:
    """Return a data set with its classes and `facts["label_matrix"]`, (N, K) of 0, 1 and NaN.

    Parameters
    ----------
    scheme : Scheme
        How the table gives labels.
    dataset : Dataset
        Without labels.
    pictures : sequence of Picture
        Of each image.
    """
    names = [scheme.rename.get(name, name) for name in scheme.columns]
    if not names:
        for picture in pictures:
            names += [name for name, _ in picture.entry.findings]
        names = list(_words.sorted_classes(names))
    classes = tuple(dict.fromkeys(names))
    index_of = {name: index for index, name in enumerate(classes)}
    start = np.nan if scheme.columns else 0.0
    matrix = np.full((len(pictures), len(classes)), start)
    for row, picture in zip(matrix, pictures):
        for name, value in picture.entry.findings:
            index = index_of[name]
            row[index] = np.fmax(row[index], value)
    return replace(dataset, classes=classes, facts=dataset.facts | {MATRIX: matrix})
