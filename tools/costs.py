"""What each lesson costs: seconds, processor seconds and peak memory, as a table that grows a lesson at a time."""

import csv
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from medlearn.teaching import doctor

COLUMNS = ("lesson", "seconds", "cpu_seconds", "peak_mb", "processor", "cores", "date")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock; of the kernel's process the processor seconds (with ended children) and the most memory in MB.

    The last two are None where the system does not tell (anywhere but on Linux).
    """

    seconds: float
    cpu_seconds: float | None = None
    peak_mb: float | None = None


def of_process(pid: int | None) -> tuple[float, float] | None:
    """Processor seconds and peak memory in MB of a running process and, in the seconds, of its ended children; or None."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        peak = next(
            line
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
    except (OSError, StopIteration):
        return None
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1024


def lines(costs: dict[str, Cost]) -> list[str]:
    """The costs for readers, with their sum."""
    shown = [f"{'lesson':44s}{'seconds':>8s}{'CPU-s':>8s}{'peak MB':>9s}"]
    for lesson, cost in sorted(costs.items()):
        shown.append(
            f"{lesson:44s}{cost.seconds:8.0f}{_text(cost.cpu_seconds):>8s}{_text(cost.peak_mb):>9s}"
        )
    known = [cost.cpu_seconds for cost in costs.values() if cost.cpu_seconds is not None]
    total = sum(known) if known else None
    return [
        *shown,
        f"{'together':44s}{sum(cost.seconds for cost in costs.values()):8.0f}{_text(total):>8s}",
    ]


def write(costs: dict[str, Cost], path: Path) -> None:
    """Write the costs into the table at `path`; rows of other lessons that stand there already are kept."""
    rows = {}
    if path.exists():
        with open(path, encoding="utf-8", newline="") as stream:
            rows = {row["lesson"]: row for row in csv.DictReader(stream)}
    for lesson, cost in costs.items():
        values = (
            lesson,
            _text(cost.seconds),
            _text(cost.cpu_seconds),
            _text(cost.peak_mb),
            doctor.processor(),
            os.cpu_count(),
            date.today(),
        )
        rows[lesson] = dict(zip(COLUMNS, values))
    with open(path, "w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows[lesson] for lesson in sorted(rows))


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:.0f}"
