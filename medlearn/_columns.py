"""What the tables of images and of volumes share: columns with one entry for each row.

A table is a dataclass with a name, `images` and `facts`; the names of its columns are given. A
column is an array, a list or a tuple, or None if it is missing.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

_DOMAINS_SHOWN = 8  # more of them are counted, not listed


def check_lengths(table, names: Sequence[str], row: str) -> None:
    """Raise ValueError unless each column has one entry for each row.

    Parameters
    ----------
    table : Dataset or Volumes
        The table.
    names : sequence of str
        Of its columns; those of `facts` are checked as well.
    row : str
        What a row holds: "image" or "volume".
    """
    for name, column in _columns(table, names).items():
        if column is not None and len(column) != len(table.images):
            raise ValueError(
                f"{name} has {len(column)} entries for {len(table.images)} {row}s of "
                f"{table.name!r}: give one entry per {row}."
            )


def taken(table, names: Sequence[str], indices):
    """Return a table of the rows at `indices`, in that order.

    Parameters
    ----------
    table : Dataset or Volumes
        The table; it is not changed.
    names : sequence of str
        Of its columns.
    indices : array_like of int or bool, or slice
        One dimension, as NumPy indexes.

    Raises
    ------
    ValueError
        If `indices` does not have one dimension.
    """
    rows = np.arange(len(table.images))[indices]
    if rows.ndim != 1:
        raise ValueError(
            f"take expects a one-dimensional array of indices; it was given {rows.ndim} dimensions."
        )
    facts = {name: _rows(column, rows) for name, column in table.facts.items()}
    return replace(
        table, **{name: _rows(getattr(table, name), rows) for name in names}, facts=facts
    )


def joined(parts: Sequence, names: Sequence[str]):
    """Return the rows of several tables that have the same columns, in this order.

    What is not a column, such as the name and the classes, is that of the first.

    Parameters
    ----------
    parts : sequence of Dataset or of Volumes
        At least one.
    names : sequence of str
        Of their columns.
    """
    columns, facts = {}, {}
    for name in names:
        columns[name] = _end_to_end([getattr(part, name) for part in parts])
    for name in parts[0].facts:
        facts[name] = _end_to_end([part.facts[name] for part in parts])
    return replace(parts[0], **columns, facts=facts)


def origins(table) -> list[str]:
    """Return how many patients there are, and which domains, in words.

    Parameters
    ----------
    table : Dataset or Volumes
        The table.
    """
    domains = np.unique(table.domains)
    few = len(domains) <= _DOMAINS_SHOWN
    return [
        f"{len(np.unique(table.patients))} patients",
        f"domains {', '.join(domains)}" if few else f"{len(domains)} domains",
    ]


def _columns(table, names: Sequence[str]) -> dict:
    return {name: getattr(table, name) for name in names} | table.facts


def _rows(column, rows: np.ndarray):
    if column is None:
        return None
    if isinstance(column, list | tuple):
        return type(column)(column[row] for row in rows)
    return column[rows]


def _end_to_end(columns: list):
    if columns[0] is None:
        return None
    if isinstance(columns[0], list | tuple):
        return type(columns[0])(chain.from_iterable(columns))
    return np.concatenate(columns)
