"""Words of folders and tables: cells that mean nothing, and labels that are one class misspelt."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from medlearn.datasets.readers._problems import Problems

# What programs and people leave in an empty cell.
NOTHING = {"", "?", "na", "n/a", "nan", "null"}
NOTHING |= {"#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!"}  # of Excel
# Spaces of no width, marks of direction and soft hyphens, which nobody sees.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060\ufeff\u00ad]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_WHOLE_FLOAT = re.compile(r"[+-]?\d+\.0+")
_MIN_LIKENESS = 0.8  # of two spellings
_MOST_COMPARED = 300  # labels; more would take minutes
_RARER = 20  # a misspelling is at least so many times rarer
_SHORTEST = 5  # letters; shorter labels such as "A" and "B" are alike by chance
_DISTINGUISHING = re.compile(r"\d+|[^\w\s]")  # grade 2 is not grade 3, and HER2+ is not HER2-

PARTS = {  # of a split, as folders name them
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def spelled(text: str) -> str:
    """Return a text on one line as it looks: accents composed, and nothing invisible in it."""
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).split())


def meaning(cell: str) -> str:
    """Return the text of a cell as it looks; "" for what means nothing, such as NA."""
    text = spelled(cell)
    return "" if text.casefold() in NOTHING else text


def name(text: str) -> str:
    """Return a label or an id on one line; 1.0, which a program made of 1, is 1 again."""
    return _whole(meaning(text))


def folder_name(folder: str) -> str:
    """Return the label that a folder names; unlike a cell, a folder "na" means something."""
    return _whole(spelled(folder)) or folder


def _whole(text: str) -> str:
    return text.split(".")[0] if _WHOLE_FLOAT.fullmatch(text) else text


def sorted_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct labels: numbers in the order of numbers, texts in that of the alphabet.

    Parameters
    ----------
    labels : sequence of str
        One per image; "" where there is none.
    """
    distinct = set(labels) - {""}
    if all(_NUMBER.fullmatch(text) for text in distinct):
        return tuple(sorted(distinct, key=float))
    return tuple(sorted(distinct))


def checked_renaming(rename: Mapping[str, str] | None) -> dict[str, str]:
    """Return the new name of each label; raise ValueError for anything but texts."""
    names = dict(rename or {})
    if not all(isinstance(text, str) and text.strip() for pair in names.items() for text in pair):
        raise ValueError(
            f"rename maps labels to labels, such as {{'Benign': 'benign'}}; it was {rename!r}."
        )
    return {spelled(label): new_name for label, new_name in names.items()}


def report_similar_labels(labels: Sequence[str], file: str, problems: Problems) -> None:
    """Add a row for each label that looks like a more frequent one.

    Labels look alike if they differ in capitals, or if a rare one nearly has the letters of a
    frequent one; the latter is looked for among the few hundred most frequent labels.

    Parameters
    ----------
    labels : sequence of str
        One per image; "" where there is none.
    file : str
        The table or the folder, which the row names.
    problems : Problems
        Gets the rows.
    """
    counts = Counter(label for label in labels if label).most_common()
    spelled_alike: dict[str, tuple[str, int]] = {}
    for rank, (label, count) in enumerate(counts):
        earlier = counts[:rank] if rank < _MOST_COMPARED else []
        similar = (pair for pair in earlier if _are_similar(label, count, *pair))
        same = spelled_alike.setdefault(_plain(label), (label, count))
        frequent, frequent_count = next(similar, same)
        if frequent != label:
            problems.add(
                file,
                f"the label {label!r} ({_times(count)}) looks like {frequent!r} "
                f"({_times(frequent_count)})",
                f"correct it, or pass rename={{{label!r}: {frequent!r}}}; if they differ, leave "
                "both",
            )


def _are_similar(label: str, count: int, frequent: str, frequent_count: int) -> bool:
    plain, plain_frequent = _plain(label), _plain(frequent)
    if plain == plain_frequent:
        return True
    is_short = min(len(label), len(frequent)) < _SHORTEST
    is_rare = count * _RARER <= frequent_count
    if is_short or not is_rare:
        return False
    if _DISTINGUISHING.findall(label) != _DISTINGUISHING.findall(frequent):
        return False
    return difflib.SequenceMatcher(None, plain, plain_frequent).ratio() >= _MIN_LIKENESS


def _plain(label: str) -> str:
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", label.casefold())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
