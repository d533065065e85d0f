"""A table of files, labels, patients and sites, as CSV or Excel."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from medlearn.datasets.readers import _cache, _columns, _multilabel, _paths, _sheets, _words
from medlearn.datasets.readers._frame import Window
from medlearn.datasets.readers._gather import Entry, read_entries, real_paths, to_dataset
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable

_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx")
_HEADINGS = 20  # rows in which a heading is looked for


def from_table(
    path: str | Path,
    root: str | Path | None = None,
    *,
    file: str = "file",
    label: str | Sequence[str] | None = "label",
    patient: str | None = "patient",
    site: str | None = "site",
    size: int = 128,
    fit: str = "crop",
    window: Window | None = None,
    slices: int = 8,
    rename: Mapping[str, str] | None = None,
    label_separator: str | None = None,
    study: str | None = None,
    cache: bool = True,
) -> ReadResult:
    """Read the files that a table lists as a data set, and list its problems.

    The table is a .csv with commas, semicolons, tabs or bars, or the first sheet of an .xlsx. Cells
    that are empty or hold NA, NaN, null or ? say nothing.

    Parameters
    ----------
    path : str or Path
        The table.
    root : str or Path, optional
        The folder from which the paths start. Default: the folder of the table.
    file, label, patient, site : str or None
        Names of the columns. None for a label, patient or site that you do not want; if the table
        lacks one of these, a row of problems says what that means. For a multi-label task, `label`
        is a sequence of columns that hold 0, 1 or, where nobody knows, nothing.
    size : int
        Pixels a side of the square, 28 to 1024.
    fit : {"crop", "letterbox"}
        Whether the central square of each picture is cut out, or the whole picture is kept, with
        black above and below or left and right.
    window : (float, float), optional
        Centre and width for deep greys, in the units of the file. Default: as the file says, or
        else by percentiles.
    slices : int
        At most so many slices of a volume or frames of a file, 1 to 1000.
    rename : mapping of str to str, optional
        New names of labels, such as ``{"Benign": "benign"}``; several may become one.
    label_separator : str, optional
        For a multi-label task in one column: what stands between the labels of a cell, such as "|".
        "No Finding" is no label.
    study : str, optional
        Name of a study with a secret of its own for the pseudonyms of its patients. Within one
        study a patient has one pseudonym in all folders and tables.
    cache : bool
        Keep the decoded pictures in the cache folder (``MEDLEARN_CACHE``), so that the next call on
        unchanged files is quick. Texts such as file names are enciphered there, pictures are not:
        pass False where no copy may lie on this disk.

    Returns
    -------
    ReadResult
        ``dataset`` and ``problems``. A bad row is a row of problems, with its number in the table
        (the heading is row 1). Of a multi-label task, ``dataset.labels`` is None, and
        ``dataset.facts["label_matrix"]`` is an array (N, K) of 0, 1 and NaN, one column for each of
        ``dataset.classes``.

    Raises
    ------
    ValueError
        If the table cannot be read, has no column of files or lacks one of several labels, and for
        arguments out of range.
    """
    options = Options(size, window, slices, study, fit)
    new_names = _words.checked_renaming(rename)
    path = Path(path).expanduser()
    start = _paths.folder(path.parent if root is None else root)
    problems = Problems()
    table = _table(path)
    rows, other_sheets = table.rows, table.other_sheets
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    several = _multilabel.scheme(label, label_separator, heading, new_names)
    names = {"file": file, "label": _one_label(label), "patient": patient, "site": site}
    columns = _columns.find(names, heading)
    if "file" not in columns:
        raise ValueError(_no_file_column(path.name, file, rows) + _of_sheets(other_sheets))
    for problem, fix in table.warnings:
        problems.add(path.name, problem, fix)
    _columns.report_twice(columns, heading, path.name, problems)
    if other_sheets:
        problems.add(
            path.name,
            f"only the first sheet was read; the others are {', '.join(other_sheets)}",
            "save each sheet that you need as a table of its own",
        )
    missing = {role: name for role, name in names.items() if role not in columns}
    _columns.report_missing(missing, heading, path.name, problems)
    entries = _entries(rows[1:], columns, len(heading), start, several, problems)
    if "patient" in columns:
        _report_missing_patients(entries, str(patient), path.name, problems)
    _words.report_similar_labels(_labels(entries, several), path.name, problems)
    _multilabel.report(several, [cells for _, cells in rows[1:]], path.name, problems)
    _multilabel.suggest([entry.label for entry in entries], path.name, problems)
    if not entries:
        problems.add(path.name, "the table lists no file that could be read", "check its rows")
    source = _cache.Source("table", start, entries, options, (path.name, several))
    decode = partial(_decoded, path.stem, entries, start, options, several, problems)
    return _cache.result(source, problems, decode, cache)


def _decoded(
    name: str,
    entries: list[Entry],
    root: Path,
    options: Options,
    several: _multilabel.Scheme,
    problems: Problems,
) -> ReadResult:
    """Return what is in the files."""
    pictures = read_entries(entries, root, options, problems)
    dataset = to_dataset(name, pictures, options, problems)
    if several.is_used():
        dataset = _multilabel.with_matrix(several, dataset, pictures)
    return ReadResult(dataset, problems.table(), real_paths(entries, pictures, options))


def _one_label(label: str | Sequence[str] | None) -> str | None:
    return label if isinstance(label, str) else None


def _labels(entries: list[Entry], several: _multilabel.Scheme) -> list[str]:
    """Return all labels that cells name."""
    labels = [entry.label for entry in entries]
    for entry in entries:
        labels += [] if several.columns else [name for name, _ in entry.findings]
    return labels


def _of_sheets(other_sheets: list[str]) -> str:
    if not other_sheets:
        return ""
    return f" Only the first sheet was read; the others are {', '.join(other_sheets)}."


def _table(path: Path) -> _sheets.Table:
    """Return the content of a table; raise ValueError if it is missing or unreadable."""
    if path.is_dir():
        raise ValueError(
            f"{str(path)!r} is a folder, but a table is expected; {_tables_in(path)}. A folder "
            "without a table is read by from_folder."
        )
    if not _paths.is_file(path) and not _paths.is_special(path):
        raise ValueError(
            f"There is no table {path.name!r} in {str(path.parent)!r}; {_tables_in(path.parent)}."
        )
    try:
        return _sheets.read(path)
    except Unreadable as error:
        raise ValueError(
            f"The table {path.name!r} cannot be read: {error.problem}; {error.fix}."
        ) from error


def _tables_in(folder: Path) -> str:
    children = folder.iterdir() if folder.is_dir() else []
    names = sorted(child.name for child in children if child.suffix.lower() in _ENDINGS)
    if names:
        return f"there are {', '.join(names)[:300]}"
    return "there is no other table either: check the path"


def _no_file_column(table: str, name: str, rows: list[_sheets.Row]) -> str:
    below = [number for number, cells in rows[1:_HEADINGS] if name in map(str.strip, cells)]
    if below:
        return (
            f"The heading of the table {table!r} seems to be row {below[0]}, and must be the first "
            "row: delete the rows above it."
        )
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    listed = ", ".join(heading)[:300] or "none"
    close = _columns.similar(name, heading)
    advice = f", perhaps pass file={close!r}." if close else "."
    return f"The table {table!r} has no column {name!r}; its columns are {listed}{advice}"


def _entries(
    rows: list[_sheets.Row],
    columns: dict[str, int],
    width: int,
    root: Path,
    several: _multilabel.Scheme,
    problems: Problems,
) -> list[Entry]:
    """Return the files of the good rows; a bad row becomes a row of problems."""
    entries: list[Entry] = []
    row_of_file: dict[str, tuple[int, dict[str, str]]] = {}
    locator = _paths.Locator(root)
    for number, cells in rows:
        if len(cells) != width:
            problems.add(
                "",
                f"the row has {len(cells)} cells, and the heading {width}",
                "mend the row, perhaps a stray separator",
                number,
            )
            continue
        name = cells[columns["file"]].strip().replace("\\", "/")
        path = locator.find(name) or root / name
        roles = [role for role in columns if role != "file"]
        facts: dict[str, Any] = {role: _words.name(cells[columns[role]]) for role in roles}
        label = facts.get("label", "")
        if several.columns:
            facts["label"] = several.cell(cells, label)
        same_path = os.path.normpath(path)  # ./a.png is a.png
        problem = _row_problem(name, path, facts, row_of_file.get(same_path))
        findings: _multilabel.Findings = ()
        if several.is_used() and not problem:
            try:
                findings = several.findings(cells, label)
            except Unreadable as error:
                problem = error.problem, error.fix
        if problem:
            problems.add(name, *problem, number)
            continue
        row_of_file[same_path] = (number, dict(facts))
        facts["label"] = "" if several.is_used() else several.rename.get(label, label)
        shown = locator.completed.get(name, name)
        entries.append(Entry(path, shown, row=number, findings=findings, **facts))
    report_completed(locator, problems)
    return entries


def report_completed(locator: _paths.Locator, problems: Problems) -> None:
    """Add a row for names that were completed or corrected, with an example.

    Parameters
    ----------
    locator : _paths.Locator
        After all names were looked for.
    problems : Problems
        Gets the row.
    """
    if locator.completed:
        written, file = next(iter(locator.completed.items()))
        problems.add(
            file,
            f"{len(locator.completed)} names of files were completed, such as {written} to {file}",
            "nothing, if these are the files that are meant",
        )


def _row_problem(
    name: str, path: Path, facts: Mapping[str, str], earlier: tuple[int, Mapping[str, str]] | None
) -> tuple[str, str] | None:
    """Return what is wrong with a row and how to fix it; None for a good row."""
    if not name:
        return "the row names no file", "fill it in, or delete the row"
    if "\n" in name:
        return (
            "the name of the file runs over several lines: a quotation mark is probably not closed",
            "close it: the rows inside the cell were not read",
        )
    if earlier is not None:
        return _repeated(facts, *earlier)
    if not _paths.is_file(path) and not _paths.is_special(path):
        return "there is no such file", _paths.how_to_fix_missing(path)
    if facts.get("label") == "":
        return "the row has no label", "fill it in, or delete the row"
    return None


def _repeated(facts: Mapping[str, str], row: int, earlier: Mapping[str, str]) -> tuple[str, str]:
    """Return the problem of a file that an earlier row lists, perhaps with other facts."""
    changed = [role for role in facts if facts[role] != earlier[role]]
    if not changed:
        return f"row {row} lists the same file", "delete one of the two rows"
    problem = f"row {row} lists the same file with another {' and another '.join(changed)}"
    return problem, f"find out which is right and delete the other: row {row} was read"


def _report_missing_patients(
    entries: list[Entry], column: str, table: str, problems: Problems
) -> None:
    """Add a row for each file without a patient, or a single one if the column names nobody."""
    unnamed = [entry for entry in entries if not entry.patient]
    if unnamed and len(unnamed) == len(entries):
        problem = f"the column {column!r} names nobody: each image {_columns.WITHOUT_PATIENT}"
        problems.add(table, problem, "fill it in if you can")
        return
    for entry in unnamed:
        problems.add(
            entry.name,
            f"the row names no patient: the image {_columns.WITHOUT_PATIENT}",
            "fill it in, for now patients are not known for all",
            entry.row,
        )
