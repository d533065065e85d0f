"""The lessons as cards on the front page, and the gallery of their figures."""

import html
import re
from pathlib import Path

from tools.site.copies import Figure, Lesson
from tools.site.markup import image, toctree, without_links

CARDS_GO_HERE = "<!-- lessons -->"  # in index.md
GALLERY = (
    "# Gallery\n\nEvery figure of every lesson; each leads to the lesson that draws it. All images "
    "are simulated, or ship with Python packages.\n"
)
LESSONS = "# Lessons\n\nEach is a notebook; here you read it with the outputs of its last run.\n"


def write(pages: list[Lesson], source: Path) -> None:
    """Put the cards into ``index.md``; write ``gallery.md`` and the list of lessons.

    Parameters
    ----------
    pages : list of Lesson
        The lessons.
    source : Path
        Sphinx's folder.
    """
    front = source / "index.md"
    text = front.read_text(encoding="utf-8")
    front.write_text(text.replace(CARDS_GO_HERE, _cards(pages)), encoding="utf-8")
    listed = "\n".join([LESSONS, _cards(pages), "", toctree([page.stem for page in pages])])
    listed = listed.replace('"notebooks/', '"').replace('"_static', '"../_static')
    (source / "notebooks" / "index.md").write_text(listed, encoding="utf-8")
    sections = [f"## {page.title}\n\n{_gallery(page)}\n" for page in pages]
    (source / "gallery.md").write_text("\n".join([GALLERY, *sections]), encoding="utf-8")


def _cards(pages: list[Lesson]) -> str:
    """The lessons as a grid of HTML."""
    return '<div class="cards">\n' + "\n".join(map(_card, pages)) + "\n</div>"


def _card(page: Lesson) -> str:
    """One lesson: a picture, the title, and the three goals in one line each."""
    number, _, name = page.title.partition(" · ")
    # The title beside the picture says the same, so that it needs no alt text.
    picture = image(page.figures[0].thumbnail, alt="") if page.figures else ""
    goals = "".join(f"<li>{_inline(goal)}</li>" for goal in page.goals)
    return (
        f'<a class="lesson-card" href="notebooks/{page.stem}.html">{picture}'
        f'<span class="number">{html.escape(number)}</span>'
        f"<strong>{html.escape(name or number)}</strong><ul>{goals}</ul></a>"
    )


def _inline(markdown: str) -> str:
    """Bold and code of a line of Markdown as HTML; links become words."""
    text = html.escape(without_links(markdown))
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text).replace("*", "")


def _gallery(page: Lesson) -> str:
    figures = "\n".join(_gallery_figure(page, figure) for figure in page.figures)
    return f'<div class="gallery">\n{figures}\n</div>'


def _gallery_figure(page: Lesson, figure: Figure) -> str:
    picture = image(figure.thumbnail, figure.alt)
    section = f"<span>{html.escape(figure.section)}</span>"
    return f'<a href="notebooks/{page.stem}.html">{picture}{section}</a>'
