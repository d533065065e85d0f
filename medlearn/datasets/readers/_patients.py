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


@dataclass(frozen=True)
class Mention:
    """An id of a patient as it is written, and where it stands."""

    identifier: str
    site: str
    file: str


def is_placeholder(identifier: str) -> bool:
    """Say whether an id stands for nobody, such as ANONYMOUS or 0000.

    Parameters
    ----------
    identifier : str
        As it is written.
    """
    text = " ".join(identifier.split()).casefold()
    return bool(text) and (text in _PLACEHOLDERS or _NOBODY.fullmatch(text) is not None)


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
    placeholders = [m for m in mentions if is_placeholder(m.identifier)]
    if placeholders:
        problems.add(
            placeholders[0].file,
            f"the patient of {len(placeholders)} files is a placeholder such as "
            f"{placeholders[0].identifier.strip()!r}: each file counts as a patient of its own",
            "name the patients by folders or by a table",
        )
    named = [m for m in mentions if m.identifier.strip() and not is_placeholder(m.identifier)]
    _report_spellings(named, problems)
    _report_sites(named, problems)


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
