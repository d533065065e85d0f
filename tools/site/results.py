"""The committed tables as pages, and what each lesson printed on simulated and on real images."""

import html
import re
import shutil
from pathlib import Path

from medlearn import _files
from tools import bench, lessons, running
from tools.site import charts, reference

WHOLE = 100  # rows; of a longer table the first few are shown
FEW = 8
LONG_COLUMNS = {"predictions"}  # one digit an image: for the summary's intervals, not for readers
REAL_RUNS = "real_runs.txt"
NOT_BENCHMARKS = {
    "labels_opened": "The log of every opening of real target labels, with its reason.",
    "lessons": "What each lesson costs: seconds, processor seconds, and the most memory of its kernel in MB.\n\n"
    "    python3 course.py run --times benchmarks/results/lessons.csv",
}


def write(source: Path) -> None:
    """Write a page for each table, the page that lists them, and the page of the real runs."""
    folder, tables = source / "results", source / "_static" / "tables"
    folder.mkdir()
    tables.mkdir()
    paths = sorted(_files.folder("results").glob("*.csv"))
    lines = [
        "# Benchmarks",
        "",
        "Comparisons too long for a lesson are computed once, by a command that anybody can repeat, and "
        "committed as tables. The lessons show them beside one point that they compute live. Where a row rests on one seed, "
        "its table says so; small differences then rank nothing.",
        "",
        "| table | rows | what it asks |",
        "|---|---|---|",
    ]
    for path in paths:
        head, rows = charts.read(path)
        asks = _asks(path.stem)
        (folder / f"{path.stem}.md").write_text(
            _page(path.stem, head, rows, asks), encoding="utf-8"
        )
        shutil.copy(path, tables / path.name)
        lines.append(
            f"| [{path.stem}]({path.stem}.md) | {len(rows) - 1} | {asks.split(chr(10) * 2)[0].replace(chr(10), ' ')} |"
        )
    lines += ["", "```{toctree}", ":hidden:", "", *(path.stem for path in paths), "```", ""]
    (folder / "index.md").write_text("\n".join(lines), encoding="utf-8")
    (source / "real.md").write_text(_real_page(), encoding="utf-8")


def _asks(name: str) -> str:
    """What the program that made a table says of itself; a part of a table goes by the longest name that fits."""
    programs = bench.programs()
    told = programs.get(bench.maker(name, programs) or "", NOT_BENCHMARKS.get(name, ""))
    return reference.escaped(told)


def _page(name: str, head: list[str], rows: list[list[str]], asks: str) -> str:
    paragraphs = "\n\n".join(_paragraph(block) for block in asks.split("\n\n"))
    shown = rows if len(rows) <= WHOLE else rows[: FEW + 1]
    trimmed = "" if shown is rows else f"The first {FEW} of {len(rows) - 1} rows. "
    by = ["", "```text", *head, "```"] if head else []
    return "\n".join(
        [
            f"# {name.replace('_', ' ')}",
            "",
            paragraphs,
            *by,
            "",
            f'{trimmed}<a href="../_static/tables/{name}.csv" download>The whole table as CSV.</a>',
            "",
            as_html(shown),
            "",
        ]
    )


def _paragraph(block: str) -> str:
    lines = block.replace("\\", "").split("\n")
    return (
        "```text\n" + "\n".join(line[4:] for line in lines) + "\n```"
        if lines[0].startswith("    ")
        else block
    )


def as_html(rows: list[list[str]]) -> str:
    """Rows as an HTML table that scrolls sideways in its own box."""
    kept = [place for place, column in enumerate(rows[0]) if column not in LONG_COLUMNS]
    cells = [
        [html.escape(row[place]) if place < len(row) else "" for place in kept] for row in rows
    ]
    head = "".join(f"<th>{cell.replace('_', ' ')}</th>" for cell in cells[0])
    body = "\n".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells[1:]
    )
    return f'<div class="wide" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


# ---- simulated beside real ------------------------------------------------------------------------------------------


def real_runs() -> tuple[list[str], dict[str, tuple[str, str]]]:
    """The head of the record of `course.py run --real`, and each lesson's first line and numbers by its number."""
    path = _files.folder("results") / REAL_RUNS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    head = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    found = re.findall(r"^((\d\d)_\w+ .*)\n((?: .*\n?|\n)*)", text, re.MULTILINE)
    return head, {
        number: (first, "\n".join(line[4:] for line in numbers.rstrip().split("\n")))
        for first, number, numbers in found
    }


def _real_page() -> str:
    head, real = real_runs()
    parts = [
        "---\nhtml_theme.sidebar_secondary.remove: true\n---",
        "# Simulated and real",
        "Each lesson runs unchanged on the real twin of its simulated data: `python3 course.py run NN --real`. "
        "Here is what its last cell prints on both. Only numbers and charts are shown: pictures of the real sets are not ours to publish.",
        "## Two comparisons at a glance",
    ]
    for name, told in charts.CHARTS.items():
        parts.append(
            f"```{{figure}} _static/charts/{name}.svg\n:alt: {told}\n:width: 100%\n\n{told} Table: "
            f"[{'transfer' if name == 'fine_tuning' else 'adaptation'}_summary](results/"
            f"{'transfer' if name == 'fine_tuning' else 'adaptation'}_summary.md).\n```"
        )
    parts.append("## Lesson by lesson")
    if head:
        parts.append("```text\n" + "\n".join(head) + "\n```")
    parts.append(
        "A seed is a seed, and the real sets are small: read the intervals before the numbers."
    )
    for path in lessons.find([]):
        notebook = lessons.nbformat.read(path, as_version=4)
        title = notebook.cells[0].source.split("\n")[0].lstrip("# ")
        parts += [
            f"### {title}",
            f"[The lesson](notebooks/{path.name})",
            _beside(running.result(notebook), real.get(path.name[:2])),
        ]
    return "\n\n".join(parts) + "\n"


def _beside(virtual: str, real: tuple[str, str] | None) -> str:
    swapped = re.search(r"\((.+)\)$", real[0]) if real else None
    boxes = [
        ("simulated", virtual or "(nothing printed)"),
        (
            f"real ({html.escape(swapped.group(1))})" if swapped else "real",
            real[1] if real else "(not recorded yet)",
        ),
    ]
    return (
        '<div class="beside">'
        + "".join(
            f'<div><p><strong>{name}</strong></p><div class="wide" tabindex="0"><pre>{html.escape(text)}</pre></div></div>'
            for name, text in boxes
        ).replace("\n\n", "\n&#8203;\n")
        + "</div>"
    )
