"""The lessons as cards on the front page, and the gallery of their figures."""

import dataclasses
import html
from pathlib import Path

from medlearn.teaching import door
from medlearn.teaching.language import say
from tools import lessons
from tools.site import graph, online
from tools.site.copies import Figure, Lesson
from tools.site.markup import image, toctree

CARDS_GO_HERE = "<!-- lessons -->"  # in index.md
GALLERY = (
    "# Gallery\n\nEvery figure of every lesson; each leads to the lesson that draws it. All images "
    "are simulated, or ship with Python packages.\n"
)
GRAPH = "## What builds on what\n\nEach arrow leads from a lesson to one that needs it.\n"
LESSONS = "# Lessons\n\nEach is a notebook; here you read it with the outputs of its last run.\n"


def write(pages: list[Lesson], source: Path, repository: str | None = None) -> None:
    """Put the cards into ``index.md``; write ``gallery.md`` and the list of lessons.

    Parameters
    ----------
    pages : list of Lesson
        The lessons.
    source : Path
        Sphinx's folder.
    repository : str, optional
        ``"owner/name"`` on GitHub, which is cloned.
    """
    front = source / "index.md"
    text = front.read_text(encoding="utf-8").replace(CARDS_GO_HERE, _cards(pages))
    text = text.replace(online.NOT_GIVEN, online.clone_address(repository))
    front.write_text(text, encoding="utf-8")
    titles = {page.number: page.title for page in pages}
    cards = [
        dataclasses.replace(card, title=titles.get(card.number, card.title))
        for card in door.cards(lessons.FOLDER)
    ]
    parts = [say(LESSONS), _cards(pages), "", say(GRAPH), graph.draw(cards), ""]
    listed = "\n".join([*parts, toctree([page.stem for page in pages])])
    listed = listed.replace('"notebooks/', '"').replace('"_static', '"../_static')
    (source / "notebooks" / "index.md").write_text(listed, encoding="utf-8")
    sections = [f"## {page.title}\n\n{_gallery(page)}\n" for page in pages]
    (source / "gallery.md").write_text("\n".join([say(GALLERY), *sections]), encoding="utf-8")


def _cards(pages: list[Lesson]) -> str:
    """The lessons as a grid of HTML."""
    facts = {card.number: card for card in door.cards(lessons.FOLDER)}
    cards = [_card(page, facts[page.number]) for page in pages]
    return '<div class="cards">\n' + "\n".join(cards) + "\n</div>"


def _card(page: Lesson, facts: door.Card) -> str:
    """One lesson: a picture, the title, the idea, the minutes and what to take before."""
    number, _, name = page.title.partition(" · ")
    # The title beside the picture says the same, so that it needs no alt text.
    picture = image(page.figures[0].thumbnail, alt="") if page.figures else ""
    needs = ", ".join(facts.needs)
    before = say("after {lessons}", lessons=needs) if needs else say("no lesson before")
    minutes = say("{minutes} min", minutes=facts.minutes)
    if facts.computes:
        minutes += say(", computes {minutes} min", minutes=facts.computes)
    return (
        f'<a class="lesson-card" href="notebooks/{page.stem}.html">{picture}'
        f'<span class="number">{html.escape(number)}</span>'
        f"<strong>{html.escape(name or number)}</strong><p>{html.escape(say(facts.idea))}</p>"
        f'<p class="facts">{minutes} · {before}</p></a>'
    )


def _gallery(page: Lesson) -> str:
    figures = "\n".join(_gallery_figure(page, figure) for figure in page.figures)
    return f'<div class="gallery">\n{figures}\n</div>'


def _gallery_figure(page: Lesson, figure: Figure) -> str:
    picture = image(figure.thumbnail, figure.alt)
    section = f"<span>{html.escape(figure.section)}</span>"
    return f'<a href="notebooks/{page.stem}.html">{picture}{section}</a>'
