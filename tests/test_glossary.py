"""Words that the lessons link to, in the glossary: found on GitHub, in JupyterLab and on a site."""

import re

import lessons

GLOSSARY = lessons.ROOT / "docs" / "glossary.md"
ENTRY = re.compile(r'^### <a id="([^"]+)"></a>(.+)$', re.MULTILINE)
LINK = re.compile(r"\]\(\.\./docs/glossary\.md#([^)]+)\)")


def anchor(heading: str) -> str:
    """GitHub's name of a heading; JupyterLab keeps its capitals, hence the explicit anchors."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_entry_names_its_anchor_and_none_comes_twice():
    text = GLOSSARY.read_text(encoding="utf-8")
    entries = ENTRY.findall(text)
    assert len(entries) == len(re.findall("^### ", text, re.MULTILINE)) > 50
    assert [name for name, _ in entries] == [anchor(heading) for _, heading in entries]
    assert len(dict(entries)) == len(entries)


def test_every_word_that_a_lesson_links_to_has_an_entry():
    anchors = dict(ENTRY.findall(GLOSSARY.read_text(encoding="utf-8")))
    for path in lessons.PATHS:
        text = "\n".join(map(lessons.prose, lessons.read(path).notebook.cells))
        linked = LINK.findall(text)
        assert linked, f"{path.name} links to no word"
        assert [word for word in linked if word not in anchors] == [], path.name
