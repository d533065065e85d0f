"""The committed tables as pages, and what each lesson printed on simulated and on real images."""

import html
import re
import shutil
from pathlib import Path

from medlearn import _files
from medlearn.teaching import language
from medlearn.teaching.language import say
from tools import bench, lessons, running
from tools.site import charts, dots, findings, tables
from tools.site.markup import escaped, toctree
from tools.translation import copies as translated

LONGEST_TABLE = 100  # rows; of a longer one the first few are shown
FIRST_ROWS = 8
ORIGIN = {"command", "commit", "date", "processor", "versions", "code"}  # of each row
LONG_COLUMNS = {"predictions", "dice_per_image"}  # one value per image: not for readers
LONGEST_CELL = 120  # characters; a column with a longer one is not for readers
LONG_NUMBER = re.compile(r"-?\d*\.\d{3,}")
REAL_RUNS = "real_runs.txt"
NOT_BENCHMARKS = {
    "labels_opened": "The log of every opening of real target labels, with its reason.",
    "lessons": "What each lesson costs: seconds, processor seconds, and the peak memory of its "
    "kernel in MB.\n\n    python3 course.py run --times benchmarks/results/lessons.csv",
}
HEAD = """\
# Benchmarks

Comparisons too long for a lesson are computed once, by a command that anybody can repeat, and
committed as tables. The lessons show them beside one point that they compute live. Where a row
rests on one seed, its table says so; small differences then rank nothing. Each page says in two or
three sentences what was found, shows a chart, and then the rows.

| question | table | rows |
|---|---|---|
"""
REAL_OPTIONS = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n\n"
REAL_HEAD = """\
# Simulated and real

Each lesson runs unchanged on the real twin of its simulated data, by
`python3 course.py run NN --real`. Here is what its last cell prints on both. Only numbers and
charts are shown: pictures of the real sets are not ours to publish.

## Two comparisons at a glance
"""
WHOLE = '<a href="{address}" download>The whole table as CSV</a>, with all decimals.'
CAUTION = "These are single seeds, and the real sets are small: read the intervals first."


def write(source: Path) -> None:
    """Write a page for each table, the page that lists them, and the page of the real runs."""
    folder = source / "results"
    downloads = source / "_static" / "tables"
    folder.mkdir()
    downloads.mkdir()
    rows = []
    for path in tables.paths():
        table = tables.read(path)
        text = _question(table.name)
        (folder / f"{table.name}.md").write_text(_page(table, text), encoding="utf-8")
        shutil.copy(path, downloads / path.name)
        name = f"[{table.name}]({table.name}.md)"
        rows.append(f"| {_title(table.name)} | {name} | {len(table.rows)} |\n")
    contents = toctree([path.stem for path in tables.paths()])
    (folder / "index.md").write_text(f"{say(HEAD)}{''.join(rows)}\n{contents}", encoding="utf-8")
    (source / "real.md").write_text(_real_page(), encoding="utf-8")


def as_html(columns: list[str], rows: list[list[str]]) -> str:
    """Return an HTML table that scrolls sideways in its own box.

    Parameters
    ----------
    columns : list of str
        The names of the columns; those in `LONG_COLUMNS` and `ORIGIN` are left out.
    rows : list of list of str
        The cells; missing ones at the end of a row are empty.
    """
    hidden = LONG_COLUMNS | (ORIGIN if set(columns) >= ORIGIN else set())
    hidden |= {columns[i] for row in rows for i, cell in enumerate(row) if len(cell) > LONGEST_CELL}
    visible = [index for index, column in enumerate(columns) if column not in hidden]
    head = _html_row("th", [columns[index].replace("_", " ") for index in visible])
    body = []
    for row in rows:
        padded = row + [""] * (len(columns) - len(row))
        body.append(_html_row("td", [rounded(padded[index]) for index in visible]))
    lines = "\n".join(body)
    return (
        '<div class="wide" tabindex="0"><table>\n'
        f"<thead>{head}</thead>\n<tbody>\n{lines}\n</tbody></table></div>"
    )


def rounded(cell: str) -> str:
    """Return a number with two decimals (three where it is tiny), any other cell as it is."""
    if not LONG_NUMBER.fullmatch(cell):
        return cell
    number = float(cell)
    decimals = 0 if abs(number) >= 100 else 2 if abs(number) >= 0.01 else 3
    return f"{number:.{decimals}f}"


def _html_row(tag: str, cells: list[str]) -> str:
    inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"


def _question(table: str) -> str:
    """What the program that made a table says of itself, as Markdown."""
    programs = bench.programs()
    program = programs.get(bench.maker(table, programs) or "")
    return escaped(program.text if program else NOT_BENCHMARKS.get(table, ""))


def _page(table: tables.Table, text: str) -> str:
    """The page of one table: its question, how it was made, its rows."""
    is_long = len(table.rows) > LONGEST_TABLE
    rows = table.rows[:FIRST_ROWS] if is_long else table.rows
    trimmed = say("The first {shown} of {all} rows. ", shown=FIRST_ROWS, all=len(table.rows))
    address = f"../_static/tables/{table.name}.csv"
    parts = [
        f"# {_title(table.name)}",
        *_found(table.name),
        say("## The table"),
        trimmed * is_long + say(WHOLE, address=address),
        as_html(table.columns, rows),
        say("## How it was measured"),
        *map(_paragraph, text.split("\n\n")),
        _literal(table.comments) if table.comments else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(table: str) -> str:
    """The question of a table; behind a summary, its rows."""
    finding = findings.read()[table]
    own = table == finding.table
    title = say(finding.title)
    return (
        title
        if own
        else say("{title} The rows of {table}", title=title, table=table.replace("_", " "))
    )


def _found(table: str) -> list[str]:
    """What a table found, and its chart."""
    finding = findings.read()[table]
    alt = dots.alternative(finding)
    chart = f"```{{figure}} ../_static/charts/{finding.table}.svg\n:alt: {alt}\n:width: 100%\n```"
    if table == finding.table:
        return [finding.sentences(), chart]
    page = f"[{finding.table}]({finding.table}.md)"
    source = say("The numbers and the chart are those of {page}.", page=page)
    return [finding.sentences(), source, chart]


def _paragraph(block: str) -> str:
    """A paragraph of a docstring; an indented one shows commands."""
    if not block.startswith("    "):
        return block
    return _literal([line[4:] for line in block.replace("\\", "").split("\n")])


def _literal(lines: list[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


# ---- simulated beside real -----------------------------------------------------------------------


def real_runs() -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Return the record of `course.py run --real`.

    Returns
    -------
    list of str
        The comments at its head.
    dict of str to (str, str)
        Each lesson's first line and numbers, by the lesson's number.
    """
    path = _files.folder("results") / REAL_RUNS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    runs = {}
    for run in re.findall(r"^((\d\d)_\w+ .*)\n((?: .*\n?|\n)*)", text, re.MULTILINE):
        first, number, printed = run
        lines = [line[4:] for line in printed.rstrip().split("\n")]
        runs[number] = (first, "\n".join(lines))
    return comments, runs


def _real_page() -> str:
    comments, runs = real_runs()
    parts = [REAL_OPTIONS + say(REAL_HEAD)]
    for name, (_, table, text) in charts.CHARTS.items():
        parts.append(_figure(name, table, text))
    parts += [say("## Lesson by lesson"), _literal(comments) if comments else "", say(CAUTION)]
    for path in lessons.find([]):
        notebook = translated.lesson(path, language.name())
        parts += [
            f"### {lessons.title(notebook)}",
            f"[{say('The lesson')}](notebooks/{path.name})",
            _beside(running.result(notebook), runs.get(path.name[:2])),
        ]
    return "\n\n".join(parts) + "\n"


def _figure(name: str, table: str, text: str) -> str:
    link = f"[{table}](results/{table}.md)"
    caption = say("{shown} Table: {table}.", shown=say(text), table=link)
    options = f":alt: {say(text)}\n:width: 100%"
    return f"```{{figure}} _static/charts/{name}.svg\n{options}\n\n{caption}\n```"


def _beside(simulated: str, run: tuple[str, str] | None) -> str:
    """Two boxes of text as HTML: a lesson's numbers on simulated and on real data."""
    first, numbers = run or ("", say("(not recorded yet)"))
    swapped = re.search(r"\((.+)\)$", first)
    title = say("real") + (f" ({html.escape(swapped.group(1))})" if swapped else "")
    boxes = _box(say("simulated"), simulated or say("(nothing printed)")) + _box(title, numbers)
    # An empty line would end the HTML block of Markdown.
    boxes = boxes.replace("\n\n", "\n&#8203;\n")
    return f'<div class="beside">{boxes}</div>'


def _box(title: str, text: str) -> str:
    return (
        f'<div><p><strong>{title}</strong></p><div class="wide" tabindex="0">'
        f"<pre>{html.escape(text)}</pre></div></div>"
    )
