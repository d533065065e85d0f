"""The rows of a CSV file, whatever parts its cells and however its letters are stored, or of the first sheet of an Excel workbook."""

import csv
import io
import re
import zipfile
from pathlib import Path

from medlearn.datasets.readers import _gather
from medlearn.datasets.readers._problems import Unreadable, short

MOST_TABLE, MOST_ROWS, MOST_COLUMNS = (
    50_000_000,
    200_000,
    200,
)  # bytes (unpacked, of Excel), rows, columns
_CELL = 4096
_OLD = b"\xd0\xcf\x11\xe0"


def rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of a CSV or Excel file with their numbers, cells as text, empty rows left out; raises Unreadable."""
    data = _gather.contents(path, MOST_TABLE)
    if data.startswith(_OLD):
        raise Unreadable(
            "it is a workbook of the old kind (.xls) or has a password",
            "save it as .xlsx without one, or as CSV",
        )
    try:
        found = _excel(data) if data.startswith(b"PK") else _csv(data)
        return [(number, cells) for number, cells in found if any(cell.strip() for cell in cells)]
    except Unreadable:
        raise
    except Exception as error:  # openpyxl raises many kinds on damaged workbooks
        raise Unreadable(
            f"it is damaged ({short(error)})", "save it anew, as CSV in UTF-8"
        ) from error


def _csv(data: bytes) -> list[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode(
            "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252", "replace"
        )
    first = text.split("\n", 1)[0].strip()
    told = re.fullmatch(
        r"sep=(.)", first
    )  # Excel's own first line, which says how the cells are parted
    separator = told[1] if told else max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    found = []
    for cells in reader:
        found.append((reader.line_num, _bounded(cells)))
        _check_rows(len(found))
    return found[1:] if told else found


def _excel(data: bytes) -> list[tuple[int, list[str]]]:
    import openpyxl  # late: only workbooks need it

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_TABLE:
            raise Unreadable(f"it would unpack to more than {MOST_TABLE:,} bytes", "save it as CSV")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    found = []
    for number, cells in enumerate(
        book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS), 1
    ):
        found.append((number, _bounded([_text(cell) for cell in cells])))
        _check_rows(number)
    heading = next((cells for _, cells in found if any(cells)), [])
    width = max(
        (place for place, cell in enumerate(heading, 1) if cell), default=0
    )  # a nameless column may come first
    return [(number, cells[:width]) for number, cells in found]


def _text(cell) -> str:
    """A cell of a workbook as a CSV file would hold it: 7 and not 7.0, which would be another patient."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _bounded(cells: list[str]) -> list[str]:
    return [cell[:_CELL] for cell in cells[:MOST_COLUMNS]]


def _check_rows(number: int) -> None:
    if number > MOST_ROWS:
        raise Unreadable(f"it has more than {MOST_ROWS:,} rows", "split it")
