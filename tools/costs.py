"""What each lesson costs: seconds, processor seconds and peak memory, kept in a table."""

import csv
import io
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from medlearn import _files
from medlearn.teaching import doctor

COLUMNS = ("lesson", "seconds", "cpu_seconds", "peak_mb", "processor", "cores", "date")


@dataclass(frozen=True)
class Cost:
    """What one lesson cost.

    Attributes
    ----------
    seconds : float
        Seconds on the clock.
    cpu_seconds : float or None
        Processor seconds of the kernel and its ended children; None except on Linux.
    peak_mb : float or None
        Peak memory of the kernel in MB; None except on Linux.
    """

    seconds: float
    cpu_seconds: float | None = None
    peak_mb: float | None = None


def of_process(pid: int | None) -> tuple[float, float] | None:
    """Return processor seconds and peak memory (MB) of a running process.

    The seconds include its ended children. None is returned if the system does not tell, as for a
    process that has ended.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    peaks = [line.split()[1] for line in status if line.startswith("VmHWM")]
    if not peaks:
        return None
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK"), int(peaks[0]) / 1024


def lines(costs: dict[str, Cost]) -> list[str]:
    """Return a table for readers: a head, a line for each lesson, and the sum."""
    table = [_line("lesson", "seconds", "CPU-s", "peak MB")]
    for lesson, cost in sorted(costs.items()):
        texts = map(_text, (cost.seconds, cost.cpu_seconds, cost.peak_mb))
        table.append(_line(lesson, *texts))
    seconds = sum(cost.seconds for cost in costs.values())
    cpu_seconds = [cost.cpu_seconds for cost in costs.values() if cost.cpu_seconds is not None]
    total = sum(cpu_seconds) if cpu_seconds else None
    return [*table, _line("together", _text(seconds), _text(total), "")]


def write(costs: dict[str, Cost], path: Path) -> None:
    """Write the costs into a table and keep its rows of other lessons.

    Parameters
    ----------
    costs : dict of str to Cost
        The cost of each lesson, by the name of its notebook.
    path : Path
        The table (CSV); it need not exist.
    """
    rows = _read(path) if path.exists() else {}
    for lesson, cost in costs.items():
        measured = map(_text, (cost.seconds, cost.cpu_seconds, cost.peak_mb))
        machine = (doctor.processor(), os.cpu_count(), date.today())
        rows[lesson] = dict(zip(COLUMNS, (lesson, *measured, *machine)))
    stream = io.StringIO(newline="")
    table = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
    table.writeheader()
    table.writerows(rows[lesson] for lesson in sorted(rows))
    _files.write_text(path, stream.getvalue())


def read(path: Path) -> dict[str, float]:
    """Return the processor seconds of each lesson in a table, or nothing if there is none."""
    rows = _read(path) if path.exists() else {}
    return {lesson: float(row["cpu_seconds"] or row["seconds"]) for lesson, row in rows.items()}


def _read(path: Path) -> dict[str, dict]:
    with open(path, encoding="utf-8", newline="") as stream:
        return {row["lesson"]: row for row in csv.DictReader(stream)}


def _line(lesson: str, seconds: str, cpu_seconds: str, peak_mb: str) -> str:
    return f"{lesson:44s}{seconds:>8s}{cpu_seconds:>8s}{peak_mb:>9s}".rstrip()


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:.0f}"
