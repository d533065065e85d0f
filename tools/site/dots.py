"""Charts of committed tables for their pages: dots with intervals, in shapes and colours."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes

from medlearn import metrics
from medlearn.teaching import language
from medlearn.teaching.language import say
from tools.site import findings, tables
from tools.site.charts import STYLE, save

MARKERS = "osD^vPX<>*"
COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#56b4e9", "#6d6d6d", "#ca9161")
INCHES_WIDE, INCHES_PER_ROW = 7.0, 0.24
Points = list[tuple[str, metrics.Interval]]  # of a series: its rows and their numbers


def draw(folder: Path) -> None:
    """Draw the chart of each finding into a folder, as SVG.

    Parameters
    ----------
    folder : Path
        It is made if there is none; a chart has the name of its table.
    """
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    by_table = {finding.table: finding for finding in findings.read().values()}
    with plt.rc_context(STYLE):
        language.translate_figures()
        for table, finding in by_table.items():
            figure, ax = plt.subplots(figsize=(INCHES_WIDE, 3.0))
            _draw(ax, finding)
            save(figure, folder / f"{table}.svg")


def alternative(finding: findings.Finding) -> str:
    """Return what a reader who cannot see the chart hears."""
    chart = finding.chart
    if "count" in chart:
        words = {"label": say(chart["label"]), "column": say(chart["count"].replace("_", " "))}
        return say("Bars: {label} by {column}. The sentences above say what it shows.", **words)
    columns = {key: say(chart.get(key, "").replace("_", " ")) for key in ("rows", "series")}
    by = say(" for each {rows}", rows=columns["rows"]) if "rows" in chart else ""
    more = say(", by {series}", series=columns["series"]) if "series" in chart else ""
    label = say(chart["label"]) + by + more
    return say("Dots with intervals where there are any: {label}.", label=label)


def _draw(ax: Axes, finding: findings.Finding) -> None:
    """The chart of a finding: bars where it counts, a cloud where it has a `y`, else dots."""
    chart = finding.chart
    records = [record for record in tables.records(finding.table) if _is_shown(record, chart)]
    if "count" in chart:
        _bars(ax, records, chart)
    elif "y" in chart:
        _cloud(ax, records, chart)
    else:
        _dots(ax, records, chart)


def _dots(ax: Axes, records: list[dict[str, str]], chart: dict) -> None:
    """A row for each text of a column, in which the series stand one above the other."""
    series = _series(records, chart)
    rows = _in_order(row for points in series.values() for row, _ in points)[::-1]
    gap = 0.7 / max(len(series), 1)
    for index, (name, points) in enumerate(series.items()):
        shift = ((len(series) - 1) / 2 - index) * gap
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        heights = [rows.index(row) + shift for row, _ in points]
        values, low, high = zip(*(number for _, number in points), strict=True)
        ax.hlines(heights, low, high, color=colour, linewidth=1.2)
        label = name.replace("_", " ")
        ax.plot(values, heights, marker, color=colour, markersize=5.5, alpha=0.85, label=label)
    inches = 0.7 + INCHES_PER_ROW * len(rows) * max(1.0, 0.35 * len(series))
    ax.figure.set_size_inches(INCHES_WIDE, inches)
    ax.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel(chart["label"])
    _guides(ax, chart)
    if len(series) > 1:
        _legend(ax, title=chart.get("series", ""))


def _in_order(rows: Iterable[str]) -> list[str]:
    """Each row once: numbers by size, names as they come."""
    names = list(dict.fromkeys(rows))
    return sorted(names, key=int) if all(name.isdigit() for name in names) else names


def _is_shown(record: dict[str, str], chart: dict) -> bool:
    """Whether a chart has a row: one that fits `where`, of the series or rows in `only`."""
    fits = all(record[column] in texts for column, texts in chart.get("where", {}).items())
    if not fits or "only" not in chart:
        return fits
    names = (record.get(chart.get("series", "")), record[chart["rows"]])
    return any(name in chart["only"] for name in names)


def _series(records: list[dict[str, str]], chart: dict) -> dict[str, Points]:
    """The numbers of each series; where a chart has several columns, each is a series."""
    columns = chart["x"] if isinstance(chart["x"], list) else [chart["x"]]
    series: dict[str, Points] = {}
    for record in records:
        for column in columns:
            number = findings.interval(record, column)
            name = column if len(columns) > 1 else record.get(chart.get("series", ""), "")
            if number:
                series.setdefault(name, []).append((record[chart["rows"]], number))
    return series


def _bars(ax: Axes, records: list[dict[str, str]], chart: dict) -> None:
    """How often each text stands in a column."""
    counts = Counter(record[chart["count"]] for record in records).most_common()[::-1]
    ax.barh([name.replace("_", " ") for name, _ in counts], [count for _, count in counts])
    ax.set_xscale("log")
    ax.set_xlabel(say("{label} (logarithmic)", label=say(chart["label"])))


def _cloud(ax: Axes, records: list[dict[str, str]], chart: dict) -> None:
    """One number against another."""
    for index, column in enumerate(chart["y"]):
        x = [float(record[chart["x"]]) for record in records]
        y = [float(record[column]) for record in records]
        style = {"color": COLOURS[index], "markersize": 5, "alpha": 0.6}
        ax.plot(x, y, MARKERS[index], label=column.replace("_", " "), **style)
    ax.set(xlabel=chart["label"], ylabel=chart["label_y"])
    _legend(ax)


def _guides(ax: Axes, chart: dict) -> None:
    """A line at the value that the rows are compared with, and faint lines along the rows."""
    reference = 0.0 if chart.get("zero") else chart.get("at")
    if reference is not None:
        ax.axvline(reference, color="0.5", linewidth=1, linestyle="--", zorder=0)
    ax.grid(axis="y", color="0.92", linewidth=0.8, zorder=-1)


def _legend(ax: Axes, title: str = "") -> None:
    title = title.replace("_", " ")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, title=title)
