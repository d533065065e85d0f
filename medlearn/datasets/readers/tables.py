"""A table of files, labels, patients and sites, as CSV or Excel."""

import csv
import difflib
import io
import zipfile
from pathlib import Path

from medlearn.datasets.readers import gather
from medlearn.datasets.readers.gather import Entry
from medlearn.datasets.readers.problems import Found, Problems, Unreadable, short

MOST_TABLE, MOST_ROWS, MOST_COLUMNS = 50_000_000, 200_000, 200      # bytes (unpacked, of Excel), rows, columns
_CELL = 4096


def from_table(path: str | Path, root: str | Path | None = None, size: int = 128, file: str = "file", label: str | None = "label",
               patient: str | None = "patient", site: str | None = "site", window: tuple[float, float] | None = None,
               slices: int = 8) -> Found:
    """The files that a table lists (.csv with commas, semicolons or tabs, or .xlsx) as a Dataset and its problems.

    root                        the folder that the paths start from; None: the table's own
    file, label, patient, site  the names of the columns; of the last three those that the table lacks are left out
    size, window, slices        as in `from_folder`

    Raises ValueError if the table cannot be read or has no column of files; a bad row is a row of problems, with its
    number in the table (the heading is row 1).
    """
    gather.check_arguments(size, window, slices)
    path = Path(path).expanduser()
    start = gather.folder(path.parent if root is None else root)
    problems = Problems()
    try:
        rows = table(path)
    except Unreadable as error:
        raise ValueError(f"The table {path.name!r} cannot be read: {error.what}; {error.fix}.") from error
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    if file not in heading:
        close = difflib.get_close_matches(file, heading, n=1, cutoff=0.3)
        raise ValueError(f"The table {path.name!r} has no column {file!r}; its columns are {', '.join(heading)[:300] or 'none'}"
                         + (f", perhaps pass file={close[0]!r}." if close else "."))
    wanted = {"name": file, "label": label, "patient": patient, "site": site}
    places = {key: heading.index(column) for key, column in wanted.items() if column in heading}
    entries = _entries(rows[1:], places, len(heading), start, problems)
    if not entries:
        problems.add(path.name, "the table lists no file that could be read", "check its rows")
    return gather.gather(path.stem, entries, problems, int(size), window, slices)


def table(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of a CSV or Excel file with their numbers, cells as text, empty rows left out; raises Unreadable."""
    data = gather.contents(path, MOST_TABLE)
    try:
        rows = _excel(data) if data.startswith(b"PK") else _csv(data)
        return [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    except Unreadable:
        raise
    except Exception as error:                   # openpyxl raises many kinds on damaged workbooks
        raise Unreadable(f"it is damaged ({short(error)})", "save it anew, as CSV in UTF-8") from error


def _csv(data: bytes) -> list[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252", "replace")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    reader, rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator), []
    for cells in reader:
        rows.append((reader.line_num, _bounded(cells)))
        _check_rows(len(rows))
    return rows


def _excel(data: bytes) -> list[tuple[int, list[str]]]:
    import openpyxl                              # late: only workbooks need it

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_TABLE:
            raise Unreadable(f"it would unpack to more than {MOST_TABLE:,} bytes", "save it as CSV")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    rows = []
    for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS), 1):
        rows.append((number, _bounded(["" if cell is None else str(cell) for cell in cells])))
        _check_rows(number)
    heading = len([cell for cell in rows[0][1] if cell]) if rows else 0
    return [(number, cells[:heading]) for number, cells in rows]


def _bounded(cells: list[str]) -> list[str]:
    return [cell[:_CELL] for cell in cells[:MOST_COLUMNS]]


def _check_rows(number: int) -> None:
    if number > MOST_ROWS:
        raise Unreadable(f"it has more than {MOST_ROWS:,} rows", "split it")


def _entries(rows, places: dict[str, int], width: int, root: Path, problems: Problems) -> list[Entry]:
    entries, seen = [], {}
    for number, cells in rows:
        if len(cells) != width:
            problems.add("", f"the row has {len(cells)} cells, and the heading {width}", "mend the row, perhaps a stray separator", number)
            continue
        known = {key: cells[place].strip() for key, place in places.items()}
        name = known.pop("name").replace("\\", "/")
        if not name:
            problems.add("", "the row names no file", "fill it in, or delete the row", number)
        elif name in seen:
            problems.add(name, f"row {seen[name]} lists the same file", "delete one of the two rows", number)
        elif not _there(root / name):
            problems.add(name, "there is no such file", _near(root / name), number)
        elif "label" in places and not known["label"]:
            problems.add(name, "the row has no label", "fill it in, or delete the row", number)
        else:
            seen[name] = number
            entries.append(Entry(root / name, name, row=number, **known))
    return entries


def _there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):                # a name too long, or with a zero byte
        return False


def _near(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):
        return "correct the path: its folder is not there either"
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f"correct the path, perhaps to {close[0]}" if close else "correct the path, or delete the row"
