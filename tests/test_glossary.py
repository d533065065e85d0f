"""Words that the lessons link to, in the glossary: found on GitHub, in JupyterLab and on a site alike."""

import re

import nbformat

from tools import lessons

GLOSSARY = lessons.ROOT / "docs" / "glossary.md"
ENTRY = re.compile(r'^### <a id="([^"]+)"></a>(.+)$', re.MULTILINE)


def slug(heading: str) -> str:
    """GitHub's name of a heading; JupyterLab would keep its capitals, hence the explicit one."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_entry_names_its_anchor_and_none_comes_twice():
    text = GLOSSARY.read_text(encoding="utf-8")
    entries = ENTRY.findall(text)
    assert len(entries) == len(re.findall("^### ", text, re.MULTILINE)) > 50
    assert [anchor for anchor, _ in entries] == [slug(heading) for _, heading in entries]
    assert len(dict(entries)) == len(entries)


def test_every_word_that_a_lesson_links_to_has_an_entry():
    anchors = dict(ENTRY.findall(GLOSSARY.read_text(encoding="utf-8")))
    linked = {}
    for path in lessons.find([]):
        cells = (
            cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "markdown"
        )
        linked[path.name] = re.findall(r"\]\(\.\./docs/glossary\.md#([^)]+)\)", "\n".join(cells))
    assert all(linked.values()) and not {
        f"{name}: {word}" for name, words in linked.items() for word in words if word not in anchors
    }
