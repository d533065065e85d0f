"""What a reader of cell values does not see in a sheet of Excel: merged cells, empty formulas."""

import re
from collections.abc import Iterator

from openpyxl.utils.cell import range_boundaries

# Repetitions have bounds, so that a hostile sheet is searched in linear time.
_MERGED = re.compile(
    rb'<(?:\w{1,20}:)?mergeCell\s[^>]{0,200}?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"'
)
# A cell with a formula, and without a value or with an empty one; "str" is a text, perhaps empty.
_NO_RESULT = re.compile(
    rb'<(?:\w{1,20}:)?c\b(?![^>]{0,200}t="str")[^>]{0,200}>\s{0,20}'
    rb"<(?:\w{1,20}:)?f\b(?:[^>]{0,200}/>|[^>]{0,200}>[^<]{0,9000}</(?:\w{1,20}:)?f>)\s{0,20}"
    rb"(?:<(?:\w{1,20}:)?v\s?/>|<(?:\w{1,20}:)?v>\s{0,20}</(?:\w{1,20}:)?v>)?\s{0,20}"
    rb"</(?:\w{1,20}:)?c>"
)
_MOST_FILLED = 1_000_000  # cells


def formulas_without_result(xml: bytes) -> int:
    """Return how many formulas hold no value, as where a program and not Excel wrote them.

    Parameters
    ----------
    xml : bytes
        The sheet as it is stored.
    """
    return sum(1 for _ in _NO_RESULT.finditer(xml))


def fill_merged(xml: bytes, rows: list[tuple[int, list[str]]]) -> int:
    """Write the value of merged cells into each of them, in place; return how many were filled.

    Parameters
    ----------
    xml : bytes
        The sheet as it is stored.
    rows : list of (int, list of str)
        The number of each row, and its cells.
    """
    cells_of_row = dict(rows)
    filled = 0
    for cells, column, value in _merged_cells(xml, cells_of_row):
        if filled >= _MOST_FILLED:
            break
        if column < len(cells) and not cells[column] and value:
            cells[column] = value
            filled += 1
    return filled


def _merged_cells(
    xml: bytes, cells_of_row: dict[int, list[str]]
) -> Iterator[tuple[list[str], int, str]]:
    """Yield the cells of each merged row, a column, and the value that all merged cells share."""
    visited, last = 0, max(cells_of_row, default=0)
    for match in _MERGED.finditer(xml):
        left, top, right, bottom = range_boundaries(match[1].decode())
        first_row = cells_of_row.get(top, [])
        value = first_row[left - 1] if left <= len(first_row) else ""
        for number in range(top, min(bottom, last) + 1):
            cells = cells_of_row.get(number, [])
            columns = range(left - 1, min(right, len(cells)))
            visited += 1 + len(columns)
            if visited > _MOST_FILLED:
                return
            for column in columns:
                yield cells, column, value
