"""The columns of a table by their names, and what it means if one is missing."""

import difflib
from collections.abc import Mapping, Sequence

from medlearn.datasets.readers._problems import Problems

WITHOUT_PATIENT = "counts as a patient of its own, unless its file names one"
_CONSEQUENCES = {
    "label": "no image has a label",
    "site": "all images count as one site",
    "patient": f"each image {WITHOUT_PATIENT}",
}
_DEFAULT_SITE = "site"  # a table may lack this column without a word


def find(names: dict[str, str | None], heading: Sequence[str]) -> dict[str, int]:
    """Return the index of each column that the table has.

    Parameters
    ----------
    names : dict of str to str or None
        Name of the column for "file", "label", "patient" and "site"; None for one that is not
        wanted.
    heading : sequence of str
        Names of the columns of the table.
    """
    indices = {role: _index(name, heading) for role, name in names.items() if name is not None}
    return {role: index for role, index in indices.items() if index is not None}


def report_twice(
    columns: Mapping[str, int], heading: Sequence[str], table: str, problems: Problems
) -> None:
    """Add a row for each column that is used and whose name stands above several columns.

    Parameters
    ----------
    columns : mapping of str to int
        What `find` returned.
    heading : sequence of str
        Names of the columns of the table.
    table : str
        Name of the table.
    problems : Problems
        Gets the rows.
    """
    for index in columns.values():
        count = list(heading).count(heading[index])
        if count > 1:
            problems.add(
                table,
                f"{count} columns are named {heading[index]!r}, and the first was read",
                "rename the others, or delete them",
            )


def similar(name: str, heading: Sequence[str]) -> str | None:
    """Return the column that was probably meant: with nearly these letters, or with this word.

    Parameters
    ----------
    name : str
        The name that was given.
    heading : sequence of str
        Names of the columns of the table.
    """
    by_lower = {column.casefold(): column for column in reversed(heading) if column}
    containing = [lower for lower in by_lower if name.casefold() in lower]
    close = difflib.get_close_matches(name.casefold(), by_lower, n=1, cutoff=0.6) or containing
    return by_lower[close[0]] if close else None


def report_missing(
    missing: dict[str, str | None], heading: Sequence[str], table: str, problems: Problems
) -> None:
    """Add a row for each column that the table lacks, with what follows from that.

    Parameters
    ----------
    missing : dict of str to str or None
        Name of the column for "label", "patient" and "site"; None for one that is not wanted.
    heading : sequence of str
        Names of the columns of the table.
    table : str
        Name of the table.
    problems : Problems
        Gets the rows.
    """
    for role, name in missing.items():
        if name is None or (role, name) == ("site", _DEFAULT_SITE):
            continue
        close = similar(name, heading)
        advice = f"pass {role}=... if a column says it under another name"
        if close:
            advice = f"perhaps pass {role}={close!r}"
        problems.add(
            table,
            f"there is no column {name!r}: {_CONSEQUENCES[role]}",
            f"{advice}; the columns are {', '.join(heading)}",
        )


def _index(name: str, heading: Sequence[str]) -> int | None:
    """Return where a column stands: by its name, or else whatever the case if that is unique."""
    if name in heading:
        return heading.index(name)
    same = [index for index, column in enumerate(heading) if column.casefold() == name.casefold()]
    return same[0] if len(same) == 1 else None
