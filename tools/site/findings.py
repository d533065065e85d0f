"""What each committed table found, in sentences whose numbers are read from the table.

The sentences, and which chart goes with them, stand in ``docs/findings.toml``.
"""

import functools
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
Ends = tuple[float, float, float]


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
    found = {}
    for table, parts in tomllib.loads(WHERE.read_text(encoding="utf-8")).items():
        finding = Finding(table, **parts)
        found |= dict.fromkeys([table, *finding.also], finding)
    return found


def ends(record: dict[str, str], column: str) -> Ends | None:
    """Return a number of a row and the ends of its interval (NaN without one), or None.

    The interval stands in the same cell (``0.36 [0.32, 0.41]``), in the columns that end in
    ``_low`` and ``_high``, or in those named ``low`` and ``high`` if they hold the number between
    them.
    """
    cell = record.get(column, "")
    together = _INTERVAL.fullmatch(cell)
    if together:
        return float(together[1]), float(together[2]), float(together[3])
    try:
        value = float(cell)
    except ValueError:
        return None
    if value != value:
        return None
    for low, high in ((f"{column}_low", f"{column}_high"), ("low", "high")):
        if record.get(low) and record.get(high):
            bounds = float(record[low]), float(record[high])
            if low != "low" or bounds[0] <= value <= bounds[1]:
                return value, *bounds
    return value, float("nan"), float("nan")


def written(number: Ends) -> str:
    """Return a number as pages show it: rounded, with its interval if it has one."""
    value, low, high = number
    if low == low:
        return str(metrics.Interval(value, low, high))
    if value == int(value):
        return str(int(value))
    decimals = 0 if abs(value) >= 10 else 2 if abs(value) >= 0.005 else 3
    return (
        f"{value:.{decimals}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{decimals}f}"
    )


def _number(records: list[dict[str, str]], value: dict[str, str]) -> str:
    row = {column: text for column, text in value.items() if column not in ("show", "how")}
    found = [record for record in records if row.items() <= record.items()]
    how = value.get("how")
    if how == "count":
        return str(sum(record[value["show"]] != "" for record in found))
    numbers = [number for record in found if (number := ends(record, value["show"]))]
    if how is None and len(numbers) == 1:
        return written(numbers[0])
    if how is None or not numbers:
        raise LookupError(f"{len(numbers)} rows of {row} hold a {value['show']}, not one.")
    return written((_MANY[how]([number[0] for number in numbers]), float("nan"), float("nan")))
