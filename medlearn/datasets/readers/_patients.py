"""Ids of patients that are none, that are one patient's, or that two sites share."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from medlearn.datasets.readers._problems import Problems

_PLACEHOLDERS = {
    "anon",
    "anonymous",
    "anonymised",
    "anonymized",
    "deidentified",
    "de-identified",
    "no name",
    "none",
    "not available",
    "patient",
    "removed",
    "test",
    "unknown",
    "unnamed",
    "xxx",
}
_NOBODY = re.compile(r"[0\W_]+")  # 0000, -, ...
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)  # 1.23457E+11
_DATE = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d(?: 00:00:00)?|\d{1,2}\.?[-. ][A-Za-zä]{3}\.?(?:[-. ]\d{2,4})?"
    r"|[A-Za-zä]{3}[-. ]\d{2,4}"
)
_MONTHS = re.compile(
    "jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|^[-0-9: ]+$", re.IGNORECASE
)


@dataclass(frozen=True)
class Mention:
    """An id of a patient as it is written, and where it stands."""

    identifier: str
    site: str
    file: str


def is_placeholder(identifier: str, *, counts_from_zero: bool = False) -> bool:
    """Say whether an id stands for nobody, such as ANONYMOUS or 0000.

    Parameters
    ----------
    identifier : str
        As it is written.
    counts_from_zero : bool
        Whether 0 is a patient like 1, as where a program has numbered them.
    """
    text = " ".join(identifier.split()).casefold()
    if text == "0" and counts_from_zero:
        return False
    return bool(text) and (text in _PLACEHOLDERS or _NOBODY.fullmatch(text) is not None)


def counts_from_zero(identifiers: Iterable[str]) -> bool:
    """Say whether 0 is a patient, because 1 is one.

    Parameters
    ----------
    identifiers : iterable of str
        All ids.
    """
    return "1" in {identifier.strip() for identifier in identifiers}


def report(mentions: Iterable[Mention], problems: Problems) -> None:
    """Add a row for placeholders, for ids that may be one patient, and for ids at several sites.

    Rows name files and not ids, which are not for everybody's eyes.

    Parameters
    ----------
    mentions : iterable of Mention
        One per file that names a patient.
    problems : Problems
        Gets the rows.
    """
    mentions = list(mentions)
    from_zero = counts_from_zero(m.identifier for m in mentions)
    placeholders = [m for m in mentions if is_placeholder(m.identifier, counts_from_zero=from_zero)]
    if placeholders:
        problems.add(
            placeholders[0].file,
            f"the patient of {len(placeholders)} files is a placeholder such as "
            f"{placeholders[0].identifier.strip()!r}: each file counts as a patient of its own",
            "name the patients by folders or by a table",
        )
    nobody = set(placeholders)
    named = [m for m in mentions if m.identifier.strip() and m not in nobody]
    _report_changed(named, problems)
    _report_spellings(named, problems)
    _report_sites(named, problems)


def _report_changed(mentions: list[Mention], problems: Problems) -> None:
    """Add a row for ids that a spreadsheet has rounded or turned into dates."""
    rounded = [m for m in mentions if _ROUNDED.fullmatch(m.identifier.strip())]
    if rounded:
        problems.add(
            rounded[0].file,
            f"the patient ids of {len(rounded)} files are rounded, as Excel writes long numbers "
            "(1.2E+11): several patients may have become one",
            "export the ids as text",
        )
    dates = [m for m in mentions if _is_date(m.identifier.strip())]
    if dates:
        problems.add(
            dates[0].file,
            f"the patient ids of {len(dates)} files are dates: Excel makes them of ids such as 3-1",
            "nothing, if they are the ids; else export them as text",
        )


def _is_date(identifier: str) -> bool:
    return bool(_DATE.fullmatch(identifier) and _MONTHS.search(identifier))


def _report_spellings(mentions: list[Mention], problems: Problems) -> None:
    spellings: dict[str, dict[str, str]] = defaultdict(dict)
    for mention in mentions:
        written = mention.identifier.strip()
        spellings[_plain(written)].setdefault(written, mention.file)
    groups = [list(files.values()) for files in spellings.values() if len(files) > 1]
    if groups:
        problems.add(
            groups[0][0],
            f"{len(groups)} patients may be written in several ways, with other capitals or "
            f"leading zeros, such as those of {' and '.join(groups[0][:2])}",
            "write each id in one way, as text: a split could part one patient's images",
        )


def _report_sites(mentions: list[Mention], problems: Problems) -> None:
    sites: dict[str, dict[str, str]] = defaultdict(dict)
    for mention in mentions:
        sites[mention.identifier.strip()].setdefault(mention.site, mention.file)
    groups = [files for files in sites.values() if len(files) > 1]
    if groups:
        names, files = list(groups[0]), list(groups[0].values())
        problems.add(
            files[0],
            f"{len(groups)} patient ids stand at several sites, such as those of "
            f"{' and '.join(files[:2])} at {' and '.join(names[:2])}: each counts as one patient",
            "if the sites number their patients themselves, put the site before the id",
        )


def _plain(identifier: str) -> str:
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", " ".join(identifier.split()).casefold())
