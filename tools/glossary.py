"""Terms of the glossary in the lessons: `python3 -m tools.glossary` links each first mention.

With numbers it does so in these lessons alone. Left out are a lesson's first cell, headings, code,
formulas, other links and the references.
"""

import re
import sys
from dataclasses import dataclass

from nbformat import NotebookNode

from tools import lessons

PAGE = "docs/glossary.md"
# Terms that are everyday words as well: a mention need not mean the term.
ORDINARY = frozenset({"evidence", "power", "cluster", "source", "target"})
_ENTRY = re.compile(r'^### <a id="([^"]+)"></a>(.+)$', re.MULTILINE)
_LINK = re.compile(r"\[[^]\[]*\]\(\.\./docs/glossary\.md#([^)\s]+)\)")
_NO_PROSE = re.compile(
    r"^ *```.*?^ *```"  # fenced code
    r"|`[^`\n]+`"
    r"|\$\$.*?\$\$|\$[^$\n]+\$"  # formulas
    r"|^#+ [^\n]*"  # headings
    r"|!?\[[^]\[]*\]\([^)]*\)"  # links and pictures
    r"|<[^>\n]+>",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Mention:
    """A term in the text of a lesson that no link to the glossary precedes.

    Attributes
    ----------
    cell : NotebookNode
        The cell that holds it.
    start, end : int
        Where it stands in the cell's source.
    anchor : str
        Its entry in the glossary.
    """

    cell: NotebookNode
    start: int
    end: int
    anchor: str

    @property
    def text(self) -> str:
        """The words of the lesson."""
        return self.cell.source[self.start : self.end]


def terms(page: str | None = None) -> dict[str, str]:
    """Return the anchor of each term of the glossary.

    Parameters
    ----------
    page : str, optional
        The glossary's text; default: that of the course. An entry such as ``Backbone, encoder``
        has two terms.
    """
    page = page or (lessons.ROOT / PAGE).read_text(encoding="utf-8")
    anchors = {}
    for anchor, heading in _ENTRY.findall(page):
        for term in heading.split(", "):
            if not term[0].isdigit() and term.lower() not in ORDINARY:
                anchors[term] = anchor
    return anchors


def first_mentions(notebook: NotebookNode, anchors: dict[str, str]) -> list[Mention]:
    """Return the first mention of each term, where it is no link and none stands before it.

    Parameters
    ----------
    notebook : NotebookNode
        A lesson.
    anchors : dict of str to str
        As from `terms`.
    """
    pattern = _any_of(anchors)
    by_spelling = {_spelling(term): anchor for term, anchor in anchors.items()}
    linked_anchors: set[str] = set()
    mentions = []
    for cell in [cell for cell in notebook.cells if cell.cell_type == "markdown"][1:]:
        text, is_last, _ = cell.source.partition("## References")
        links = [(match.start(), match.group(1)) for match in _LINK.finditer(text)]
        for match in pattern.finditer(_NO_PROSE.sub(_blank, text)):
            linked_anchors |= {anchor for start, anchor in links if start < match.start()}
            anchor = by_spelling[_spelling(match.group("term"))]
            if anchor not in linked_anchors:
                mentions.append(Mention(cell, match.start(), match.end(), anchor))
                linked_anchors.add(anchor)
        linked_anchors |= {anchor for _, anchor in links}
        if is_last:
            break
    return mentions


def link(mentions: list[Mention]) -> None:
    """Make each mention a link to its entry."""
    for mention in sorted(mentions, key=lambda mention: -mention.start):
        before, after = mention.cell.source[: mention.start], mention.cell.source[mention.end :]
        linked = f"[{mention.text}](../{PAGE}#{mention.anchor})"
        mention.cell.source = before + linked + after


def main(numbers: list[str]) -> None:
    """Link the first mentions in these lessons, or in all, and print the terms."""
    anchors = terms()
    for path in lessons.find(numbers):
        notebook = lessons.read(path)
        mentions = first_mentions(notebook, anchors)
        words = ", ".join(mention.text for mention in mentions)
        link(mentions)
        if mentions:
            lessons.save(notebook, path)
            print(f"{path.name}: {words}")


def _any_of(anchors: dict[str, str]) -> re.Pattern:
    """Any of the terms as whole words, the longest first; only abbreviations mind capitals."""
    alternatives = []
    for term in sorted(anchors, key=len, reverse=True):
        words = r"\s+".join(map(re.escape, term.split()))
        alternatives.append(words if _is_abbreviation(term) else f"(?i:{words})")
    return re.compile(rf"(?<![\w-])(?P<term>{'|'.join(alternatives)})s?(?![\w-])")


def _spelling(term: str) -> str:
    term = " ".join(term.split())
    return term if _is_abbreviation(term) else term.lower()


def _is_abbreviation(term: str) -> bool:
    return sum(letter.isupper() for letter in term) > 1 or len(term) < 3


def _blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group())


if __name__ == "__main__":
    main(sys.argv[1:])
