"""The rows of a CSV file, however it was saved, or of the first sheet of an Excel workbook."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from medlearn.datasets.readers import _paths
from medlearn.datasets.readers._problems import Unreadable, short

MAX_BYTES = 50_000_000  # of a table; of Excel, unpacked
MAX_ROWS = 200_000
MAX_COLUMNS = 200
_MAX_CELL = 4096  # characters
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_SEPARATORS = ",;\t|"

Row = tuple[int, list[str]]  # the number of the row in the file, and its cells as text


def rows(path: Path) -> list[Row]:
    """Return the rows of a CSV or Excel file with their numbers; empty rows are left out.

    Raises Unreadable.
    """
    data = _paths.contents(path, MAX_BYTES)
    if data.startswith(_OLD_WORKBOOK):
        raise Unreadable(
            "it is a workbook of the old kind (.xls) or has a password",
            "save it as .xlsx without one, or as CSV",
        )
    try:
        all_rows = _excel(data) if data.startswith(b"PK") else _csv(data)
    except Unreadable:
        raise
    except Exception as error:  # openpyxl raises many types on damaged workbooks
        raise Unreadable(
            f"it is damaged ({short(error)})", "save it anew, as CSV in UTF-8"
        ) from error
    return [(number, cells) for number, cells in all_rows if any(map(str.strip, cells))]


def _csv(data: bytes) -> list[Row]:
    text = _decoded(data)
    first_line = text.split("\n", 1)[0].strip()
    declared = re.fullmatch(r"sep=(.)", first_line)  # Excel's own first line
    separator = declared[1] if declared else max(_SEPARATORS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    all_rows = []
    for cells in reader:
        all_rows.append((reader.line_num, _bounded(cells)))
        _check_count(len(all_rows))
    return all_rows[1:] if declared else all_rows


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16", "replace")
        return data.decode("gb18030" if _is_chinese(data) else "cp1252", "replace")


def _is_chinese(data: bytes) -> bool:
    """Say whether bytes are Chinese as Excel saves it in China (GB18030).

    Its characters are pairs of high bytes; in Western text high bytes, its accented letters, stand
    alone.
    """
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    if not runs or sum(length % 2 == 0 for length in runs) < 0.8 * len(runs):
        return False
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _excel(data: bytes) -> list[Row]:
    import openpyxl  # late: only workbooks need it

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise Unreadable(f"it would unpack to more than {MAX_BYTES:,} bytes", "save it as CSV")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    all_rows = []
    book.worksheets[0].reset_dimensions()  # some programs write a wrong one
    sheet = book.worksheets[0].iter_rows(values_only=True, max_col=MAX_COLUMNS)
    for number, cells in enumerate(sheet, 1):
        all_rows.append((number, _bounded(map(_text, cells))))
        _check_count(number)
    width = _width(next((cells for _, cells in all_rows if any(cells)), []))
    return [(number, cells[:width]) for number, cells in all_rows]


def _width(heading: list[str]) -> int:
    """Return the number of columns up to the last one with a name; the first may have none."""
    return max((number for number, cell in enumerate(heading, 1) if cell), default=0)


def _text(cell: Any) -> str:
    """Return a cell as a CSV file would hold it: 7 and not 7.0, which would be another patient."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _bounded(cells: Iterable[str]) -> list[str]:
    return [cell[:_MAX_CELL] for cell in list(cells)[:MAX_COLUMNS]]


def _check_count(number: int) -> None:
    if number > MAX_ROWS:
        raise Unreadable(f"it has more than {MAX_ROWS:,} rows", "split it")
