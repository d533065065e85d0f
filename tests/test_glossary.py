"""Terms that the lessons link to, in the glossary: found on GitHub, in JupyterLab and on a site."""

import re

import lessons
from lessons import miniature, text_cell

from tools import glossary

GLOSSARY = lessons.ROOT / glossary.PAGE
ENTRY = re.compile(r'^### <a id="([^"]+)"></a>(.+)$', re.MULTILINE)
LINK = re.compile(r"\]\(\.\./docs/glossary\.md#([^)]+)\)")
PAGE = """### <a id="mask"></a>Mask
### <a id="domain-shift"></a>Domain shift
### <a id="domain"></a>Domain
### <a id="certainty-entropy"></a>Certainty, entropy
### <a id="confidence-interval-95-"></a>Confidence interval, 95 %
### <a id="te"></a>TE
### <a id="power"></a>Power
"""


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


@lessons.for_every_lesson
def test_the_first_mention_of_a_term_is_a_link(path):
    lesson = lessons.read(path)
    mentions = glossary.first_mentions(lesson.notebook, glossary.terms())
    command = f"`python3 -m tools.glossary {path.name[:2]}` links it"
    problems = [f"{mention.text!r} is no link; {command}" for mention in mentions]
    lessons.expect_none(lessons.unless_unfinished("glossary", lesson, problems))


# ---- how mentions are found ----------------------------------------------------------------------


def mentions(*texts: str) -> list[str]:
    """The terms of a small glossary that are mentioned in these cells, after a first one."""
    notebook = miniature().notebook
    notebook.cells = [text_cell("# Masks"), *map(text_cell, texts)]
    return [mention.text for mention in glossary.first_mentions(notebook, glossary.terms(PAGE))]


def test_the_first_mention_is_found_whatever_its_form():
    assert mentions("Two Masks.", "A mask.") == ["Masks"]
    assert mentions("a domain\nshift") == ["domain\nshift"]
    assert mentions("A domain shift and a domain.") == ["domain shift", "domain"]
    assert mentions("Its *entropy*, its certainty") == ["entropy"]
    assert mentions("A confidence interval of 95 %") == ["confidence interval"]


def test_no_mention_is_what_is_linked_before_or_means_something_else():
    link = "[mask](../docs/glossary.md#mask)"
    assert mentions(f"a {link} and a mask") == mentions(link, "A mask") == []
    assert mentions(f"a mask, then a {link}") == ["mask"]
    assert mentions("## A mask\n\n`mask`, $mask$, [the mask](05_x.ipynb), masking, x-mask") == []
    assert mentions("```python\nmask\n```", "te, the power") == []
    assert mentions("## Recap\n\n## References\n\n- *A mask*", "a mask") == []


def test_linking_makes_each_first_mention_a_link():
    notebook = miniature().notebook
    notebook.cells[1:] = [text_cell("A mask of a domain."), text_cell("Two masks.")]
    anchors = glossary.terms(PAGE)
    glossary.link(glossary.first_mentions(notebook, anchors))
    first, second = (cell.source for cell in notebook.cells[1:])
    page = "../docs/glossary.md"
    assert first == f"A [mask]({page}#mask) of a [domain]({page}#domain)."
    assert second == "Two masks."
    assert glossary.first_mentions(notebook, anchors) == []
