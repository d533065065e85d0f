"""What each committed table found, in sentences whose numbers are read from the table.

The sentences, and which chart goes with them, stand in ``docs/findings.toml``.
"""

import functools
import math
import re
import statistics
import tomllib
from dataclasses import dataclass, field

from medlearn import metrics
from medlearn.teaching.language import say
from tools import lessons
from tools.site import tables

WHERE = lessons.ROOT / "docs" / "findings.toml"
_INTERVAL = re.compile(r"(-?\d*\.?\d+) \[(-?\d*\.?\d+), (-?\d*\.?\d+)\]")
_MANY = {"mean": statistics.fmean, "lowest": min, "highest": max}


@dataclass(frozen=True)
class Finding:
    """What a table found.

    Attributes
    ----------
    table : str
        The table whose numbers are read.
    title : str
        The question, as the title of a page.
    says : str
        Two or three sentences; words in braces are names of `values`.
    values : dict of str to dict
        For each number what its row holds (column to text), the column to ``show`` and, of several
        rows, ``how``: mean, lowest, highest or count.
    chart : dict
        What `dots.draw` draws.
    also : list of str
        Tables with the rows behind this one, whose pages show the same.
    """

    table: str
    title: str
    says: str
    values: dict[str, dict[str, str]]
    chart: dict
    also: list[str] = field(default_factory=list)

    def sentences(self) -> str:
        """Return the sentences with their numbers, on one line.

        Raises
        ------
        LookupError
            If a number has no row, or more than one without a way to join them.
        """
        records = tables.records(self.table)
        numbers = {name: _number(records, value) for name, value in self.values.items()}
        return " ".join(say(self.says, **numbers).split())


@functools.cache
def read() -> dict[str, Finding]:
    """Return the finding of each table that has one, by the table's name."""
    findings = {}
    for table, parts in tomllib.loads(WHERE.read_text(encoding="utf-8")).items():
        finding = Finding(table, **parts)
        findings |= dict.fromkeys([table, *finding.also], finding)
    return findings


def interval(record: dict[str, str], column: str) -> metrics.Interval | None:
    """Return a number of a row with its interval (ends are NaN without one), or None.

    The interval stands in the same cell (``0.36 [0.32, 0.41]``), in the columns that end in
    ``_low`` and ``_high``, or in those named ``low`` and ``high`` if they hold the number between
    them.

    Parameters
    ----------
    record : dict of str to str
        The row, by column.
    column : str
        The number's column; a row without it, or with a text there, has none.
    """
    cell = record.get(column, "")
    together = _INTERVAL.fullmatch(cell)
    if together:
        return metrics.Interval(*map(float, together.groups()))
    try:
        value = float(cell)
    except ValueError:
        return None
    if math.isnan(value):
        return None
    for low_column, high_column in ((f"{column}_low", f"{column}_high"), ("low", "high")):
        if record.get(low_column) and record.get(high_column):
            low, high = float(record[low_column]), float(record[high_column])
            if low_column != "low" or low <= value <= high:
                return metrics.Interval(value, low, high)
    return _without_interval(value)


def written(number: metrics.Interval) -> str:
    """Return a number as pages show it: rounded, with its interval if it has one.

    Parameters
    ----------
    number : Interval
        Its ends are NaN if it has none.
    """
    value = number.value
    if not math.isnan(number.low):
        return str(number)
    if value == int(value):
        return str(int(value))
    decimals = 0 if abs(value) >= 10 else 2 if abs(value) >= 0.005 else 3
    text = f"{value:.{decimals}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def _without_interval(value: float) -> metrics.Interval:
    return metrics.Interval(value, math.nan, math.nan)


def _number(records: list[dict[str, str]], value: dict[str, str]) -> str:
    """The text of a number of the sentences, from the rows that it names."""
    row = {column: text for column, text in value.items() if column not in ("show", "how")}
    matching = [record for record in records if row.items() <= record.items()]
    how = value.get("how")
    if how == "count":
        return str(sum(record[value["show"]] != "" for record in matching))
    numbers = [number for record in matching if (number := interval(record, value["show"]))]
    if how is None and len(numbers) == 1:
        return written(numbers[0])
    if how is None or not numbers:
        raise LookupError(
            f"{len(numbers)} rows of {row} hold a {value['show']}, not one: name more columns in "
            f"{WHERE.name}, or say `how` to join them ({', '.join(_MANY)} or count)."
        )
    return written(_without_interval(_MANY[how]([number.value for number in numbers])))
