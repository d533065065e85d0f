"""Lessons as pages: copies of the notebooks whose pictures have a text in their stead, and thumbnails of these pictures."""

import base64
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from tools import lessons
from tools.site import reference

THUMBNAIL = (480, 360)
PICTURES = ("image/png", "image/jpeg")


@dataclass
class Figure:
    """A picture of a lesson: its thumbnail below `_static`, the text in its stead, the section it stands in."""

    thumbnail: str
    alt: str
    section: str


@dataclass
class Lesson:
    """What the pages around a lesson need to know of it."""

    stem: str
    title: str
    notebook: NotebookNode
    figures: list[Figure] = field(default_factory=list)

    @property
    def goals(self) -> list[str]:
        """The three things that its reader will be able to do."""
        return re.findall(r"^\d\. (.+?)[;.]?$", self.notebook.cells[0].source, re.MULTILINE)

    @property
    def minutes(self) -> str:
        """The sentence of the first cell on computing and reading, or ""."""
        found = re.search(r"^\*(.+?)\*$", self.notebook.cells[0].source, re.MULTILINE)
        return found.group(1) if found else ""


def copy(source: Path) -> list[Lesson]:
    """Write a page of each lesson below `source/notebooks`, thumbnails below `source/_static/figures`; returns the lessons."""
    (source / "notebooks").mkdir()
    (source / "_static" / "figures").mkdir(parents=True)
    copied, charts = [], reference.first_sentences("plots")
    for path in lessons.find([]):
        notebook = nbformat.read(path, as_version=4)
        lesson = Lesson(path.stem, notebook.cells[0].source.split("\n")[0].lstrip("# "), notebook)
        _describe(lesson, charts, source / "_static" / "figures")
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = page_links(cell.source)
        nbformat.write(notebook, source / "notebooks" / path.name)
        copied.append(lesson)
    return copied


def page_links(markdown: str) -> str:
    """Links that lead from a lesson to the glossary and the cards, as the site has them."""
    markdown = re.sub(r"\]\(\.\./docs/glossary\.md#([\w-]+)\)", r"](#\1)", markdown)
    markdown = re.sub(r"\]\(\.\./datasets/[\w.-]*\)", "](../data.md)", markdown)
    return markdown.replace("](../docs/", "](../")


def link_glossary(path: Path) -> None:
    """Give each word of the glossary a target that Sphinx checks, in place of its HTML anchor."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'^### <a id="([^"]+)"></a>', r"(\1)=\n### ", text, flags=re.MULTILINE)
    path.write_text(re.sub(r"\]\((?:glossary\.md)?#", "](#", text), encoding="utf-8")


def _describe(lesson: Lesson, charts: dict[str, str], folder: Path) -> None:
    """Give each picture of the lesson its text, and note it among the lesson's figures."""
    section, said = lesson.title, ""
    for cell in lesson.notebook.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#{2,3} (.+)$", cell.source, re.MULTILINE)
            section, said = (headings[-1] if headings else section), cell.source
            continue
        shown = [
            output.data
            for output in cell.get("outputs", [])
            if set(output.get("data", {})) & set(PICTURES)
        ]
        if not shown:
            continue
        alt = alternative(cell, section, said, charts)
        cell.metadata["mystnb"] = {"image": {"alt": alt}}
        for data in shown:
            name = f"{lesson.stem[:2]}_{len(lesson.figures) + 1:02d}.webp"
            kind = next(kind for kind in PICTURES if kind in data)
            picture = Image.open(io.BytesIO(base64.b64decode(data[kind]))).convert("RGB")
            picture.thumbnail(THUMBNAIL)
            picture.save(folder / name, quality=82)
            lesson.figures.append(Figure(f"_static/figures/{name}", alt, plain(section)))


def alternative(cell: NotebookNode, section: str, said: str, charts: dict[str, str]) -> str:
    """What a reader who cannot see the picture hears.

    The author's own words if the cell has them (`alt` in its metadata); else what the functions of `plots` that drew it say
    they draw, the section, and the last sentence before the cell.
    """
    if cell.metadata.get("alt"):
        return cell.metadata["alt"]
    drawn = [
        charts[name]
        for name in dict.fromkeys(re.findall(r"\bplots\.(\w+)\(", cell.source))
        if name in charts
    ]
    sentences = re.split(
        r"(?<=[.?!:])\s+",
        plain(re.sub(r"^#+ .*$|\$\$.*?\$\$", "", said, flags=re.MULTILINE | re.DOTALL)),
    )
    last = next((sentence for sentence in reversed(sentences) if len(sentence) > 12), "")
    return " ".join([*drawn, f"Section “{plain(section)}”.", last]).replace('"', "”").strip()


def plain(markdown: str) -> str:
    """Markdown without its marks, on one line."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"[*`$\\]|^\|.*$", "", text, flags=re.MULTILINE).split())
