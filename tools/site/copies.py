"""Lessons as pages: copies of the notebooks whose pictures have alt texts, and thumbnails."""

import base64
import inspect
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from medlearn import plots
from tools import lessons
from tools.site import online
from tools.site.markup import plain
from tools.translation import copies as translated

THUMBNAIL = (480, 360)
PICTURES = ("image/png", "image/jpeg")
SHORTEST_SENTENCE = 12  # characters; shorter ones are numbers and abbreviations


@dataclass
class Picture:
    """A picture below a code cell.

    Attributes
    ----------
    mime_type : str
        Such as ``"image/png"``.
    data : str
        Its base64 text.
    width : int or None
        Its width on the page, in pixels; a sharp display has more than one for each of them.
    """

    mime_type: str
    data: str
    width: int | None


@dataclass
class Figure:
    """A picture of a lesson.

    Attributes
    ----------
    thumbnail : str
        Its path in the site.
    alt : str
        The text in its stead.
    section : str
        The section of the lesson in which it stands.
    """

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
    def number(self) -> str:
        """Such as ``"02"``."""
        return self.stem[:2]

    @property
    def goals(self) -> list[str]:
        """The three things that its reader will be able to do."""
        return re.findall(r"^\d\. (.+?)[;.]?$", self.notebook.cells[0].source, re.MULTILINE)


def copy(source: Path, repository: str | None = None, language: str | None = None) -> list[Lesson]:
    """Write a page of each lesson, and a thumbnail of each of its pictures.

    Parameters
    ----------
    source : Path
        Sphinx's folder; pages go to ``notebooks``, thumbnails to ``_static/figures``, the
        notebooks themselves to ``_slides/files``.
    repository : str, optional
        ``"owner/name"`` on GitHub, for links below the title.
    language : str, optional
        Of the lessons; default: English.

    Returns
    -------
    list of Lesson
        The lessons in the course's order.
    """
    files, figures = source / "_slides" / "files", source / "_static" / "figures"
    for folder in (source / "notebooks", files, figures):
        folder.mkdir(parents=True)
    charts = chart_sentences()
    pages = []
    for path in lessons.find([]):
        notebook = translated.lesson(path, language)
        lessons.save(notebook, files / path.name)
        page = Lesson(path.stem, lessons.title(notebook), notebook)
        _describe_pictures(page, charts, figures)
        _link(notebook, online.links(path.name, repository))
        nbformat.write(notebook, source / "notebooks" / path.name)
        pages.append(page)
    return pages


def _link(notebook: NotebookNode, below_title: str) -> None:
    """Let a lesson's links lead to pages of the site, and put others below its title."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = page_links(cell.source)
    title, _, body = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}\n\n{below_title}\n{body}"


def page_links(markdown: str) -> str:
    """Return a lesson's text whose links to the glossary and the cards lead to the site's pages."""
    markdown = re.sub(r"\]\(\.\./docs/glossary\.md#([\w-]+)\)", r"](#\1)", markdown)
    markdown = re.sub(r"\]\(\.\./datasets/[\w.-]*\)", "](../data.md)", markdown)
    return markdown.replace("](../docs/", "](../")


def table_links(markdown: str) -> str:
    """Return the text of a page of docs/ whose links lead to the site's lessons and tables."""
    markdown = re.sub(r"\]\(\.\./benchmarks/results/(\w+)\.csv\)", r"](results/\1.md)", markdown)
    markdown = markdown.replace("](../benchmarks/results/real_runs.txt)", "](real.md)")
    return markdown.replace("](../notebooks/", "](notebooks/")


def link_glossary(path: Path) -> None:
    """Replace the HTML anchor of each word of the glossary by a target that Sphinx checks."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'^### <a id="([^"]+)"></a>', r"(\1)=\n### ", text, flags=re.MULTILINE)
    path.write_text(re.sub(r"\]\((?:glossary\.md)?#", "](#", text), encoding="utf-8")


def chart_sentences() -> dict[str, str]:
    """Return the first sentence of the docstring of each function of `plots`."""
    sentences = {}
    for name, function in inspect.getmembers(plots, inspect.isfunction):
        text = inspect.getdoc(function) or ""
        summary = plain(text.split("\n\n")[0])
        first = re.split(r"(?<=[.;])\s|: ", summary)[0].rstrip(".;")
        first = re.sub(r"^(?:Draw|Plot|Show) ", "", first)
        sentences[name] = first[:1].upper() + first[1:] + "."
    return sentences


def alternative(cell: NotebookNode, section: str, text: str, charts: dict[str, str]) -> str:
    """Return what a reader who cannot see a picture hears.

    These are the author's own words if the cell has them (``alt`` in its metadata). Else they are
    what the functions of `plots` in the cell draw, the section, and the last sentence before it.

    Parameters
    ----------
    cell : NotebookNode
        The cell that drew the picture.
    section : str
        The heading above it.
    text : str
        The Markdown above it.
    charts : dict of str to str
        A sentence for each function of `plots`, as from `chart_sentences`.
    """
    if cell.metadata.get("alt"):
        return cell.metadata["alt"]
    names = dict.fromkeys(re.findall(r"\bplots\.(\w+)\(", cell.source))
    sentences = [charts[name] for name in names if name in charts]
    parts = [*sentences, f"Section “{plain(section)}”.", _last_sentence(text)]
    return " ".join(parts).replace('"', "”").strip()


def _last_sentence(markdown: str) -> str:
    """The last sentence of a text without its headings and formulas."""
    prose = re.sub(r"^#+ .*$|\$\$.*?\$\$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    sentences = re.split(r"(?<=[.?!:])\s+", plain(prose))
    long = [sentence for sentence in sentences if len(sentence) > SHORTEST_SENTENCE]
    return long[-1] if long else ""


def _describe_pictures(lesson: Lesson, charts: dict[str, str], folder: Path) -> None:
    """Give each picture of the lesson its alt text, and list it among the lesson's figures."""
    section = lesson.title
    text = ""
    for cell in lesson.notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source
            headings = re.findall(r"^#{2,3} (.+)$", text, re.MULTILINE)
            section = headings[-1] if headings else section
            continue
        pictures = pictures_of(cell)
        if not pictures:
            continue
        alt = alternative(cell, section, text, charts)
        cell.metadata["mystnb"] = {"image": {"alt": alt, **_shown_width(pictures)}}
        for picture in pictures:
            name = f"{lesson.number}_{len(lesson.figures) + 1:02d}.webp"
            _write_thumbnail(picture.data, folder / name)
            lesson.figures.append(Figure(f"_static/figures/{name}", alt, plain(section)))


def pictures_of(cell: NotebookNode) -> list[Picture]:
    """Return the pictures below a code cell."""
    pictures = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        for mime_type in [mime_type for mime_type in PICTURES if mime_type in data][:1]:
            size = output.get("metadata", {}).get(mime_type, {})
            pictures.append(Picture(mime_type, data[mime_type], size.get("width")))
    return pictures


def _shown_width(pictures: list[Picture]) -> dict[str, str]:
    """The width of a cell's pictures on the page, where their pixels are those of a sharp display.

    MyST-NB takes one width for all pictures of a cell; those of a lesson are equally wide.
    """
    widths = [picture.width for picture in pictures if picture.width]
    return {"width": f"{max(widths)}px"} if widths else {}


def _write_thumbnail(picture: str, path: Path) -> None:
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image.thumbnail(THUMBNAIL)
    image.save(path, quality=82)
