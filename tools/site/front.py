"""The lessons as cards on the front page, and the gallery of their figures."""

import html
import re
from pathlib import Path

from tools.site.copies import Lesson, plain

HERE = "<!-- lessons -->"  # in index.md, where the cards go


def write(lessons: list[Lesson], source: Path) -> None:
    """Put the cards into `source/index.md`, and write `gallery.md` and the list of lessons."""
    front = source / "index.md"
    text = front.read_text(encoding="utf-8")
    front.write_text(text.replace(HERE, cards(lessons)), encoding="utf-8")
    listed = [
        "# Lessons",
        "",
        "Each is a notebook; here you read it with the outputs of its last run.",
        "",
        cards(lessons),
        "",
        "```{toctree}",
        ":hidden:",
        "",
        *(lesson.stem for lesson in lessons),
        "```",
        "",
    ]
    (source / "notebooks" / "index.md").write_text(
        "\n".join(listed).replace('"notebooks/', '"').replace('"_static', '"../_static'),
        encoding="utf-8",
    )
    (source / "gallery.md").write_text(_gallery(lessons), encoding="utf-8")


def cards(lessons: list[Lesson]) -> str:
    """The lessons as a grid of HTML: a picture, the title, the three goals in one line each."""
    return '<div class="cards">\n' + "\n".join(_card(lesson) for lesson in lessons) + "\n</div>"


def _card(lesson: Lesson) -> str:
    number, _, name = lesson.title.partition(" · ")
    shown = lesson.figures[0] if lesson.figures else None
    picture = (
        f'<img src="{shown.thumbnail}" alt="" loading="lazy">' if shown else ""
    )  # the title beside it says the same
    goals = "".join(f"<li>{_inline(goal)}</li>" for goal in lesson.goals)
    return (
        f'<a class="lesson-card" href="notebooks/{lesson.stem}.html">{picture}<span class="number">{html.escape(number)}</span>'
        f"<strong>{html.escape(name or number)}</strong><ul>{goals}</ul></a>"
    )


def _inline(markdown: str) -> str:
    text = html.escape(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown))
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text).replace("*", "")


def _gallery(lessons: list[Lesson]) -> str:
    parts = [
        "# Gallery",
        "",
        "Every figure of every lesson; each leads to the lesson that draws it. All images are simulated, or ship "
        "with Python packages.",
        "",
    ]
    for lesson in lessons:
        shown = "\n".join(
            f'<a href="notebooks/{lesson.stem}.html"><img src="{figure.thumbnail}" alt="{html.escape(figure.alt, quote=True)}" loading="lazy">'
            f"<span>{html.escape(plain(figure.section))}</span></a>"
            for figure in lesson.figures
        )
        parts += [f"## {lesson.title}", "", f'<div class="gallery">\n{shown}\n</div>', ""]
    return "\n".join(parts)
