"""Put translations in the place of the English, and mark what has none."""

import copy
import re

from babel.messages.catalog import Catalog
from nbformat import NotebookNode

from tools import navigation
from tools.translation import catalogues, pages, terms

# Below a text that is not translated, or whose English has changed since.
MARK = "<small>（这一段还没有对应的中文，先显示英文。）</small>"
_NEIGHBOURS = {"Previous": "上一课", "Next": "下一课"}


def notebook(lesson: NotebookNode, catalogue: Catalog) -> NotebookNode:
    """Return a copy of a lesson whose texts are translated; code and outputs stay as they are.

    Parameters
    ----------
    lesson : NotebookNode
        The English lesson.
    catalogue : Catalog
        Its translations.
    """
    lesson = copy.deepcopy(lesson)
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            text = navigation.without_links(cell.source)
            line = cell.source.rstrip()[len(text) :]
            chinese = catalogues.translation(catalogue, cell.id, text) or f"{text}\n\n{MARK}"
            cell.source = chinese + links(line)
        elif cell.metadata.get("alt"):
            alt = cell.metadata["alt"]
            cell.metadata["alt"] = catalogues.translation(catalogue, f"{cell.id} alt", alt) or alt
    return lesson


def links(line: str) -> str:
    """Return a line of links to the neighbours with their translated titles."""
    for english, chinese in _NEIGHBOURS.items():
        line = line.replace(f"[{english}: ", f"[{chinese}：")
    for english, chinese in terms.titles().items():
        line = line.replace(f"· {english}]", f"· {chinese}]")
    return line


def page(text: str, name: str, catalogue: Catalog) -> str:
    """Return a page whose blocks are translated.

    Parameters
    ----------
    text : str
        The English Markdown.
    name : str
        The page's file, as in the catalogue.
    catalogue : Catalog
        The translations of its part of the course.
    """

    def translate(block: str) -> str:
        return catalogues.translation(catalogue, name, block) or _marked(block)

    return pages.translated(text, translate)


def _marked(block: str) -> str:
    """English with a mark; headings and rows of tables carry none."""
    if re.match(r"\||#|!\[|- |\d+\. |<", block):
        return block
    return f"{block} {MARK}"
