"""A table of files, labels, patients and sites, as CSV or Excel."""

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medlearn.datasets.readers import _gather, _sheets, _words
from medlearn.datasets.readers._gather import Entry
from medlearn.datasets.readers._problems import Problems, ReadResult, Unreadable

_TABLES = (".csv", ".tsv", ".txt", ".xlsx")


def from_table(
    path: str | Path,
    root: str | Path | None = None,
    size: int = 128,
    file: str = "file",
    label: str | None = "label",
    patient: str | None = "patient",
    site: str | None = "site",
    window: tuple[float, float] | None = None,
    slices: int = 8,
    rename: Mapping[str, str] | None = None,
) -> ReadResult:
    """The files that a table lists (.csv with commas, semicolons or tabs, or the first sheet of .xlsx) as a Dataset and its problems.

    root                        the folder that the paths start from; None: the table's own
    file, label, patient, site  the names of the columns; None for one that you do not want. Of the last three those that
                                the table lacks are left out, and a row of problems says what that means
    size, window, slices, rename  as in `from_folder`

    Cells that are empty or hold NA, NaN, null or ? say nothing. Raises ValueError if the table cannot be read or has
    no column of files; a bad row is a row of problems, with its number in the table (the heading is row 1).
    """
    _gather.check_arguments(size, window, slices)
    names, path = _words.checked_renaming(rename), Path(path).expanduser()
    start = _gather.folder(path.parent if root is None else root)
    problems = Problems()
    if not _there(path):
        raise ValueError(
            f"There is no table {path.name!r} in {str(path.parent)!r}; {_tables_of(path.parent)}."
        )
    try:
        rows = _sheets.rows(path)
    except Unreadable as error:
        raise ValueError(
            f"The table {path.name!r} cannot be read: {error.what}; {error.fix}."
        ) from error
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    wanted = {"name": file, "label": label, "patient": patient, "site": site}
    places = {
        key: _place(column, heading)
        for key, column in wanted.items()
        if _place(column, heading) is not None
    }
    if "name" not in places:
        close = _likely(file, heading)
        raise ValueError(
            f"The table {path.name!r} has no column {file!r}; its columns are {', '.join(heading)[:300] or 'none'}"
            + (f", perhaps pass file={close!r}." if close else ".")
        )
    _name_absent(
        {key: column for key, column in wanted.items() if key not in places},
        heading,
        path.name,
        problems,
    )
    entries = _entries(rows[1:], places, len(heading), start, problems)
    if "patient" in places:
        _name_strangers(entries, patient, path.name, problems)
    entries = [replace(entry, label=names.get(entry.label, entry.label)) for entry in entries]
    _words.name_lookalikes([entry.label for entry in entries], path.name, problems)
    if not entries:
        problems.add(path.name, "the table lists no file that could be read", "check its rows")
    return _gather.gather(path.stem, entries, problems, int(size), window, slices)


def _tables_of(folder: Path) -> str:
    found = (
        sorted(each.name for each in folder.iterdir() if each.suffix.lower() in _TABLES)
        if folder.is_dir()
        else []
    )
    return (
        f"there are {', '.join(found)[:300]}"
        if found
        else "there is no other table either: check the path"
    )


def _place(column: str | None, heading: list[str]) -> int | None:
    """Where a column stands: by its name, or else by its letters whatever their case, if only one has them."""
    if column in heading:
        return heading.index(column)
    same = [
        place
        for place, each in enumerate(heading)
        if column is not None and each.casefold() == column.casefold()
    ]
    return same[0] if len(same) == 1 else None


def _likely(column: str, heading: list[str]) -> str | None:
    """The column that was probably meant: one with nearly these letters, or one that holds the word."""
    lower = {each.casefold(): each for each in reversed(heading) if each}
    held = [each for each in lower if column.casefold() in each]
    close = difflib.get_close_matches(column.casefold(), lower, n=1, cutoff=0.6) or held[:1]
    return lower[close[0]] if close else None


def _name_absent(
    absent: dict[str, str | None], heading: list[str], name: str, problems: Problems
) -> None:
    """A row for each column that the table lacks, and what follows; the default name of the site may be missing."""
    follows = {
        "label": "no image has a label",
        "site": "all images count as one site",
        "patient": "each image counts as a patient of its own, unless its file names one",
    }
    for key, column in absent.items():
        if column is None or (key, column) == ("site", "site"):
            continue
        close = _likely(column, heading)
        problems.add(
            name,
            f"there is no column {column!r}: {follows[key]}",
            (
                f"perhaps pass {key}={close!r}"
                if close
                else f"pass {key}=... if a column says it under another name"
            )
            + f"; the columns are {', '.join(heading)}",
        )


def _name_strangers(entries: list[Entry], column: str, name: str, problems: Problems) -> None:
    """Files without a patient, though the table has a column for them: one row each, or one if nobody is named."""
    strangers = [entry for entry in entries if not entry.patient]
    follows = "each image counts as a patient of its own, unless its file names one"
    if strangers and len(strangers) == len(entries):
        problems.add(
            name, f"the column {column!r} names nobody: {follows}", "fill it in if you can"
        )
    for entry in strangers if len(strangers) < len(entries) else ():
        problems.add(
            entry.name,
            "the row names no patient: the image counts as a patient of its own, unless its file names one",
            "fill it in, for now patients are not known for all",
            entry.row,
        )


def _entries(
    rows, places: dict[str, int], width: int, root: Path, problems: Problems
) -> list[Entry]:
    entries, seen = [], {}
    for number, cells in rows:
        if len(cells) != width:
            problems.add(
                "",
                f"the row has {len(cells)} cells, and the heading {width}",
                "mend the row, perhaps a stray separator",
                number,
            )
            continue
        known = {key: _words.said(cells[place]) for key, place in places.items() if key != "name"}
        name = cells[places["name"]].strip().replace("\\", "/")
        if not name:
            problems.add("", "the row names no file", "fill it in, or delete the row", number)
        elif name in seen:
            problems.add(
                name, f"row {seen[name]} lists the same file", "delete one of the two rows", number
            )
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
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return False


def _near(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):
        return "correct the path: its folder is not there either (paths start from root=..., or else from the table's own folder)"
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return (
        f"correct the path, perhaps to {close[0]}"
        if close
        else "correct the path, or delete the row"
    )
