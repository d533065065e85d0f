"""Words of folders and tables: what means "nothing", and labels that are one class misspelt."""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from medlearn.datasets.readers._problems import Problems

NOTHING = {
    "",
    "?",
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
}  # what programs and people leave in an empty cell
_ALIKE, _RARE, _SHORT = 0.8, 20, 5
_MEANT = re.compile(r"\d+|[^\w\s]")  # grade 2 is not grade 3, and HER2+ not HER2-


def said(cell: str) -> str:
    """The cell's text on one line without spaces around it; "" for what means that nothing is known, such as NA."""
    text = " ".join(cell.split())
    return "" if text.casefold() in NOTHING else text


def checked_renaming(rename: Mapping[str, str] | None) -> dict[str, str]:
    """What each label is to be called; raises ValueError for anything but texts."""
    names = dict(rename or {})
    if not all(isinstance(text, str) and text.strip() for pair in names.items() for text in pair):
        raise ValueError(
            f"rename maps labels to labels, such as {{'Benign': 'benign'}}; it was {rename!r}."
        )
    return names


def name_lookalikes(labels: Sequence[str], file: str, problems: Problems) -> None:
    """A row of problems for each label that looks like a more frequent one: other capitals, or a rare near miss."""
    counts = Counter(label for label in labels if label).most_common()
    for place, (label, count) in enumerate(counts):
        other = next((each for each in counts[:place] if _alike(label, count, *each)), None)
        if other:
            problems.add(
                file,
                f"the label {label!r} ({_times(count)}) looks like {other[0]!r} ({_times(other[1])})",
                f"correct it, or pass rename={{{label!r}: {other[0]!r}}}; if they differ, leave both",
            )


def _alike(label: str, count: int, other: str, frequent: int) -> bool:
    if _plain(label) == _plain(other):
        return True
    if (
        min(len(label), len(other)) < _SHORT
        or count * _RARE > frequent
        or _MEANT.findall(label) != _MEANT.findall(other)
    ):
        return False
    return difflib.SequenceMatcher(None, _plain(label), _plain(other)).ratio() >= _ALIKE


def _plain(label: str) -> str:
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", label.casefold())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
