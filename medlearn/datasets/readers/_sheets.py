"""The rows of a CSV file, however it was saved, or of the first sheet of an Excel workbook."""

import csv
import datetime
import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medlearn.datasets.readers import _formats, _paths
from medlearn.datasets.readers._problems import Unreadable, short

MAX_BYTES = 50_000_000  # of a table; of Excel, unpacked
MAX_ROWS = 200_000
MAX_COLUMNS = 200
_MAX_CELL = 4096  # characters
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\3\4"  # a text may begin with PK
_SEPARATORS = ",;\t|"
_RAREST_ZERO = 100  # a text has fewer than one zero byte in so many

Row = tuple[int, list[str]]  # the number of the row in the file, and its cells as text


@dataclass(frozen=True)
class Table:
    """The rows of a table without empty ones, names of further sheets with content, and warnings.

    A warning is what is odd, and how to fix it.
    """

    rows: list[Row]
    other_sheets: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)


def read(path: Path) -> Table:
    """Return the content of a CSV or Excel file; raise Unreadable for others."""
    data = _paths.contents(path, MAX_BYTES)
    if data.startswith(_OLD_WORKBOOK):
        raise Unreadable(
            "it is a workbook of the old kind (.xls) or has a password",
            "save it as .xlsx without one, or as CSV",
        )
    try:
        _refuse_other_formats(data)
        table = _excel(data) if data.startswith(_ZIP) else Table(_csv(data))
    except Unreadable:
        raise
    except Exception as error:  # openpyxl raises many types on damaged workbooks
        raise Unreadable(
            f"it is damaged ({short(error)})", "save it anew, as CSV in UTF-8"
        ) from error
    rows = [(number, cells) for number, cells in table.rows if any(map(str.strip, cells))]
    return Table(rows, table.other_sheets, table.warnings)


def _refuse_other_formats(data: bytes) -> None:
    """Raise Unreadable for what is neither a workbook nor text with separators."""
    name = _formats.foreign(data)
    if data.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            is_workbook = any(member.startswith("xl/") for member in archive.namelist())
        name = "" if is_workbook else name
    elif data[:1] == b"<":
        name = "a web page or XML, which some programs name .xls"
    elif data.lstrip()[:1] in (b"{", b"[") and _is_json(data):
        name = "a JSON file"
    if name:
        raise Unreadable(f"it is {name}, and no table that is read", "save it as CSV or .xlsx")


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _csv(data: bytes) -> list[Row]:
    text = _decoded(data)
    first_line = text.split("\n", 1)[0].strip()
    declared = re.fullmatch(r"sep=(.)", first_line)  # Excel's own first line
    unquoted = re.sub(r'"[^"]*"', "", first_line)
    separator = declared[1] if declared else max(_SEPARATORS, key=unquoted.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    all_rows = []
    start = line = 0
    for cells in reader:
        start, line = line + 1, reader.line_num
        all_rows.append((line, _bounded(cells)))
        _check_count(len(all_rows))
    if line > start and text.count('"') % 2:
        raise Unreadable(
            f"a quotation mark in row {start} is never closed, so the rows after it are lost",
            "close or delete it",
        )
    return all_rows[1:] if declared else all_rows


def _decoded(data: bytes) -> str:
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if data.count(b"\0") * _RAREST_ZERO > len(data) and not is_wide:
        raise Unreadable("it is no text and no Excel workbook", "save it as CSV in UTF-8 or .xlsx")
    if is_wide:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
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


def _excel(data: bytes) -> Table:
    import openpyxl  # late: only workbooks need it

    from medlearn.datasets.readers import _workbook_xml

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
    all_rows = [(number, cells[:width]) for number, cells in all_rows]
    xml = _xml(data, getattr(book.worksheets[0], "_worksheet_path", ""))
    filled = _workbook_xml.fill_merged(xml, all_rows)
    formulas = _workbook_xml.formulas_without_result(xml)
    other_sheets = [sheet.title for sheet in book.worksheets[1:] if _has_content(sheet)]
    return Table(all_rows, other_sheets, _excel_warnings(filled, formulas))


def _xml(data: bytes, name: str) -> bytes:
    """Return a sheet as it is stored; b"" if it is not found."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = name.lstrip("/")
        return archive.read(name) if name in archive.namelist() else b""


def _excel_warnings(filled: int, formulas: int) -> list[tuple[str, str]]:
    warnings = []
    if filled:
        warnings.append(
            (
                f"cells of the sheet are merged: {filled} cells got the value that they share",
                "nothing, if each row is meant to have it",
            )
        )
    if formulas:
        warnings.append(
            (
                f"{formulas} formulas of the sheet hold no result, and count as empty cells",
                "open it in Excel or LibreOffice, save it, and read it again",
            )
        )
    return warnings


def _has_content(sheet: Any) -> bool:
    """Say whether a sheet has at least two cells with a value; Excel once made three sheets."""
    sheet.reset_dimensions()
    lines = sheet.iter_rows(values_only=True, max_row=100, max_col=MAX_COLUMNS)
    return sum(cell is not None for cells in lines for cell in cells) > 1


def _width(heading: list[str]) -> int:
    """Return the number of columns up to the last one with a name; the first may have none."""
    return max((number for number, cell in enumerate(heading, 1) if cell), default=0)


def _text(cell: Any) -> str:
    """Return a cell as a CSV file would hold it: 7 and not 7.0, which would be another patient."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _bounded(cells: Iterable[str]) -> list[str]:
    return [cell[:_MAX_CELL] for cell in list(cells)[:MAX_COLUMNS]]


def _check_count(number: int) -> None:
    if number > MAX_ROWS:
        raise Unreadable(f"it has more than {MAX_ROWS:,} rows", "split it")
