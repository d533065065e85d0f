"""Patients and sites by a pattern of file names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from medlearn.datasets.readers._gather import Entry, Picture
from medlearn.datasets.readers._problems import Problems

_GROUPS = {"patient", "site"}
# Names that clearly carry an id: 0071_2.png and P07_1_003.dcm, or 12L.jpg and 12-right.jpg.
_SUGGESTED = (
    r"(?:^|/)(?P<patient>[^/]*?[0-9][^/]*?)(?:[_-][0-9]+)+\.[^/]*$",
    r"(?:^|/)(?P<patient>[^/]*[0-9])[_-]?(?:L|R|OD|OS|left|right)\.[^/]*$",
)


def checked(pattern: str | None) -> re.Pattern[str] | None:
    """Return a compiled pattern, or None for None.

    Parameters
    ----------
    pattern : str or None
        A regular expression with a group "patient", and perhaps a group "site".

    Raises
    ------
    ValueError
        If it is no regular expression, or has other groups.
    """
    if pattern is None:
        return None
    advice = r"such as r'(?P<patient>\d+)_' for names like 0071_2.png"
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"patient_pattern must be a regular expression, {advice}; {pattern!r} is none "
            f"({error})."
        ) from error
    groups = set(compiled.groupindex)
    if "patient" not in groups or groups - _GROUPS:
        raise ValueError(
            "patient_pattern must have a group named patient, and may have one named site, "
            f"{advice}; it was {pattern!r}."
        )
    return compiled


def applied(
    pattern: re.Pattern[str] | None, entries: Sequence[Entry], problems: Problems
) -> list[Entry]:
    """Return the entries with the patient, and the site, that the pattern finds in their names.

    Parameters
    ----------
    pattern : re.Pattern or None
        What `checked` returned; None returns the entries as they are.
    entries : sequence of Entry
        The files.
    problems : Problems
        Gets a row for each name in which the pattern finds nobody.
    """
    if pattern is None:
        return list(entries)
    named = [_named(pattern, entry) for entry in entries]
    nobody = [entry for entry in named if not entry.patient]
    if nobody and len(nobody) == len(named):
        problems.add(
            nobody[0].name,
            f"patient_pattern {pattern.pattern!r} finds no patient in any of the "
            f"{len(named)} names: each file counts as a patient of its own",
            "correct the pattern; it is searched in the path below the folder",
        )
        return named
    for entry in nobody:
        problems.add(
            entry.name,
            "patient_pattern finds no patient in its name: it counts as a patient of its own",
            "correct the pattern, or the name of the file",
        )
    return named


def suggest(pictures: Iterable[Picture], problems: Problems) -> None:
    """Add a row if nobody names the patients and all file names clearly carry an id.

    Parameters
    ----------
    pictures : iterable of Picture
        All that were read.
    problems : Problems
        Gets the row.
    """
    pictures = list(pictures)
    if any(picture.patient for picture in pictures):
        return
    names = sorted({picture.entry.name for picture in pictures})
    for pattern in _SUGGESTED:
        matches = [re.search(pattern, name) for name in names]
        ids = {match["patient"] for match in matches if match}
        if all(matches) and 1 < len(ids) < len(names):
            problems.add(
                names[0],
                f"each of the {len(names)} files counts as a patient of its own, and their names "
                f"seem to carry {len(ids)} ids: a split could part one patient's images",
                f"if these are the patients, pass patient_pattern=r{pattern!r}".replace(
                    "\\\\", "\\"
                ),
            )
            return


def _named(pattern: re.Pattern[str], entry: Entry) -> Entry:
    match = pattern.search(entry.name)
    if match is None or not (match["patient"] or "").strip():
        return entry
    site = match["site"] if "site" in pattern.groupindex else None
    return replace(
        entry,
        patient=match["patient"].strip(),
        patient_span=match.span("patient"),
        site=(site or entry.site).strip(),
    )
