"""Predictions that somebody hands in as a table: read with bounds, and nothing in it is run."""

import csv
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from medlearn import _files
from medlearn._harmless import harmless

LARGEST = 1_000_000  # bytes
MOST_ROWS = 20_000
LONGEST_METHOD = 300  # signs
ID, PREDICTION = "id", "prediction"
PLACEHOLDER = "one sentence"  # of the template
_SHOWN = 5  # ids that a message names
_NUMBER = re.compile(r"\d{1,3}(\.0+)?")


def read_predictions(
    data: bytes, ids: Sequence[str], classes: Sequence[str]
) -> tuple[np.ndarray, str]:
    """Return the class indices of a table in the order of the ids, and the sentence of method.

    The table has the columns id and prediction, in any order of columns and rows, separated by
    commas, semicolons or tabs, with or without a byte order mark. A prediction is the name of a
    class in any spelling of capitals, or its index from 0. Rows that begin with # are the method.

    Parameters
    ----------
    data : bytes
        The file.
    ids : sequence of str
        All ids that must be there.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    numpy.ndarray, shape (ids,)
        Class indices.
    str
        What was done, in the words of whoever handed in; empty if nothing was said.

    Raises
    ------
    ValueError
        For missing, repeated or invented ids, other classes, and what is no such table.
    """
    rows, method = _rows(_text(data))
    expected = set(ids)
    handed_in = [row[0] for row in rows]
    refuse("ids that this challenge does not have", [id for id in handed_in if id not in expected])
    counts = Counter(handed_in)
    refuse("ids that occur twice", [id for id in counts if counts[id] > 1])
    refuse("ids that are missing", [id for id in ids if id not in counts])
    refuse("ids without a prediction", [id for id, prediction in rows if not prediction])
    indices = {name.casefold(): index for index, name in enumerate(classes)}
    answers = {id: _index(prediction, indices, classes) for id, prediction in rows}
    return np.array([answers[id] for id in ids]), method


def one_sentence(text: str) -> str:
    """Return a text on one line, without signs that do not print, and not too long.

    Parameters
    ----------
    text : str
        Of whoever handed in.
    """
    return harmless(" ".join(text.split()), LONGEST_METHOD).removeprefix("'")


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise ValueError(f"the table is larger than {LARGEST // 1_000_000} MB")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # "Unicode text" of Excel
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _rows(text: str) -> tuple[list[tuple[str, str]], str]:
    """Pairs of id and prediction, and the rows of the method."""
    lines = [line for line in text.splitlines() if line.strip(" ;,\t")]
    lines = [line for line in lines if not line.casefold().startswith("sep=")]
    notes = [line for line in lines if _is_note(line)]
    lines = [line for line in lines if not _is_note(line)]
    if len(lines) > MOST_ROWS:
        raise ValueError(f"the table has more than {MOST_ROWS} rows")
    separator = next((sign for sign in ";\t" if lines and sign in lines[0]), ",")
    try:
        cells = [_stripped(row) for row in csv.reader(lines, delimiter=separator)]
    except csv.Error as error:
        raise ValueError(f"it is no table ({error})") from error
    header = [cell.casefold() for cell in cells[0]] if cells else []
    if header.count(ID) != 1 or header.count(PREDICTION) != 1:
        raise ValueError(
            f"the first row should name the columns {ID} and {PREDICTION}, as in the template"
        )
    id, prediction = header.index(ID), header.index(PREDICTION)
    padded = [row + [""] * len(header) for row in cells[1:]]
    return [(_id(row[id]), row[prediction]) for row in padded], _method(notes)


def _stripped(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def _is_note(line: str) -> bool:
    return line.lstrip(' "').startswith("#")


def _method(notes: list[str]) -> str:
    words = " ".join(note.strip(' ";,\t#') for note in notes)
    words = re.sub(r"^method\s*:\s*", "", words, flags=re.IGNORECASE)
    return "" if words == PLACEHOLDER else one_sentence(words)


def _id(text: str) -> str:
    """An id, also where a folder or the ending of the picture was left on it."""
    return re.split(r"[/\\]", text)[-1].casefold().removesuffix(".png")


def _index(prediction: str, indices: dict[str, int], classes: Sequence[str]) -> int:
    name = prediction.casefold()
    if name in indices:
        return indices[name]
    if _NUMBER.fullmatch(name) and int(name.split(".")[0]) < len(classes):
        return int(name.split(".")[0])
    raise ValueError(_files.unknown("class", harmless(prediction), classes))


def refuse(fault: str, ids: Sequence[str]) -> None:
    """Raise ValueError if there are any such ids.

    Parameters
    ----------
    fault : str
        What is wrong with them.
    ids : sequence of str
        The ids.
    """
    if ids:
        named = ", ".join(harmless(id) or "(empty)" for id in ids[:_SHOWN])
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        raise ValueError(f"{fault} ({len(ids)}): {named}{more}")
