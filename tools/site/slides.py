"""Slides of each lesson, made from the lesson: its questions, pictures and one-sentence answers, and a question for the class."""

import base64
import html
import re
import tomllib
from pathlib import Path

from markdown_it import MarkdownIt

from tools import lessons as course
from tools.site.copies import PICTURES, Lesson, page_links

SENTENCE = "**In one sentence:"
NOT_SHOWN = ("Your turn", "Recap", "References")
WORDS = 45  # a slide's text at most; longer paragraphs are cut after their first sentences
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="../_static/favicon.svg">
{head}<link rel="stylesheet" href="../_static/slides.css"></head>
<body><div class="reveal"><div class="slides">
{slides}
</div></div>
{script}</body></html>
"""
# A narrow window shows the slides one below the other, as a page to read.
WIDE = 'matchMedia("(min-width: 600px)").matches'
REVEAL_HEAD = (
    """<link class="deck" rel="stylesheet" href="../_static/vendor/reveal.js/dist/reset.css">
<link class="deck" rel="stylesheet" href="../_static/vendor/reveal.js/dist/reveal.css">
<link class="deck" rel="stylesheet" href="../_static/vendor/reveal.js/dist/theme/white.css">
"""
    + f'<script>if (!{WIDE}) document.querySelectorAll(".deck").forEach(each => each.remove())</script>\n'
)
MATHJAX = """<script>window.MathJax = {tex: {inlineMath: [["$", "$"]]}}</script>
<script src="../_static/vendor/mathjax/es5/tex-mml-chtml.js"></script>
"""
REVEAL = f"""<script src="../_static/vendor/reveal.js/dist/reveal.js"></script>
<script>if ({WIDE}) Reveal.initialize({{hash: true, slideNumber: "c/t", transition: "none", width: 1100, height: 700,
  controlsTutorial: false}})</script>
"""


def questions() -> dict[str, dict[str, str]]:
    """The question for the class and its answer, for each lesson's number."""
    return tomllib.loads(
        (course.ROOT / "docs" / "instructor" / "questions.toml").read_text(encoding="utf-8")
    )


def write(lessons: list[Lesson], source: Path) -> None:
    """Write `NN.html` for each lesson to `source/_slides/slides`, and the page that lists decks and questions."""
    folder, asked = source / "_slides" / "slides", questions()
    folder.mkdir(parents=True)
    vendor = source / "_static" / "vendor"
    head = REVEAL_HEAD if (vendor / "reveal.js").exists() else ""
    script = (MATHJAX if (vendor / "mathjax").exists() else "") + (REVEAL if head else "")
    for lesson in lessons:
        number = lesson.stem[:2]
        body = "\n".join(
            f"<section>\n{slide}\n</section>" for slide in deck(lesson, asked.get(number))
        )
        page = FRAME.format(title=html.escape(lesson.title), head=head, slides=body, script=script)
        (folder / f"{number}.html").write_text(page, encoding="utf-8")
    (source / "instructor" / "slides.md").write_text(_page(lessons, asked), encoding="utf-8")


def deck(lesson: Lesson, question: dict[str, str] | None) -> list[str]:
    """The slides of one lesson as HTML: title, sections, the question for the class, recap."""
    goals = "".join(f"<li>{_inline(goal)}</li>" for goal in lesson.goals)
    slides = [f"<h1>{html.escape(lesson.title)}</h1><p>You will be able to</p><ol>{goals}</ol>"]
    for title, texts, pictures, sentence in sections(lesson):
        if any(word in title for word in NOT_SHOWN) or not (pictures or sentence):
            continue
        lead = texts[0] if texts else ""
        slides.append(
            f"<h2>{_inline(title)}</h2>{_block(lead)}" + (pictures[0] if pictures else "")
        )
        if len(pictures) > 1 or sentence:
            answer = f'<p class="sentence">{_inline(sentence)}</p>' if sentence else ""
            slides.append(
                f"<h2>{_inline(title)}</h2>" + (pictures[-1] if len(pictures) > 1 else "") + answer
            )
    if question:
        slides.append(
            f'<h2>While it trains</h2>{_block(question["ask"])}<div class="fragment answer">{_block(question["answer"])}</div>'
        )
    recap = next((texts for title, texts, *_ in sections(lesson) if "Recap" in title), [])
    return (
        [*slides, "<h2>Recap</h2>" + "".join(_block(text) for text in recap)] if recap else slides
    )


def sections(lesson: Lesson) -> list[tuple[str, list[str], list[str], str]]:
    """Each section's title, its texts, its pictures as HTML, and its one sentence."""
    found: list[tuple[str, list[str], list[str], str]] = []
    for cell in lesson.notebook.cells[1:]:
        if cell.cell_type == "code":
            if found:
                found[-1][2].extend(_pictures(cell))
        elif "solution" not in cell.metadata.get("tags", []):
            for part in re.split(r"^(?=## )", page_links(cell.source), flags=re.MULTILINE):
                _read(part, found)
    return found


def _read(markdown: str, found: list[tuple[str, list[str], list[str], str]]) -> None:
    """Add a piece of a lesson's text, which may begin with the heading of a section, to the sections found so far."""
    heading = re.match(r"## (.+)\n?", markdown)
    if heading:
        found.append((heading.group(1), [], [], ""))
        markdown = markdown[heading.end() :]
    if not found:
        return
    title, texts, pictures, sentence = found[-1]
    text, mark, answer = markdown.partition(SENTENCE)
    if mark:
        sentence = answer.split("\n\n")[0].replace("**", "").strip()
        sentence = sentence[:1].upper() + sentence[1:]
    found[-1] = (title, [*texts, *([text.strip()] if text.strip() else [])], pictures, sentence)


def _pictures(cell) -> list[str]:
    """The cell's pictures within the page: a deck is one file that can be carried about with its folder."""
    alt = html.escape(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""), quote=True)
    shown = [
        (kind, output.data[kind])
        for output in cell.get("outputs", [])
        for kind in PICTURES
        if kind in output.get("data", {})
    ]
    return [
        f'<img alt="{alt}" src="data:{kind};base64,{base64.b64encode(base64.b64decode(data)).decode()}">'
        for kind, data in shown
    ]


def _block(markdown: str) -> str:
    """The first paragraph, and the list that may follow it, as HTML without links."""
    blocks = [
        block
        for block in markdown.split("\n\n")
        if block.strip() and not block.startswith(("```", "|", "#", "<"))
    ]
    kept = [_shorter(block) for block in blocks[:1]] + [
        block for block in blocks[1:2] if block.startswith(("- ", "1. ", "$$"))
    ]
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", "\n\n".join(kept))
    return MarkdownIt("commonmark", {"html": False}).render(text.replace("\\", "\\\\"))


def _shorter(paragraph: str) -> str:
    """The paragraph's first sentences, as many as have few words together, and at least one; lists stay whole."""
    if paragraph.startswith(("- ", "1. ")):
        return paragraph
    sentences = re.split(r"(?<=[.?!:]) (?=[A-Z*])", paragraph)
    fit = [
        place
        for place in range(1, len(sentences) + 1)
        if len(" ".join(sentences[:place]).split()) <= WORDS
    ]
    return " ".join(sentences[: max(fit, default=1)])


def _inline(markdown: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return MarkdownIt("commonmark", {"html": False}).renderInline(text.replace("\\", "\\\\"))


def _page(lessons: list[Lesson], asked: dict[str, dict[str, str]]) -> str:
    parts = [
        "# Slides and questions",
        "A deck for each lesson, made from the lesson itself: what it asks, its pictures, its one-sentence answers. "
        "Arrow keys turn the pages, `F` fills the screen, `Esc` shows all pages at once. Decks open without a network, "
        "and print from the browser.",
        "Each deck asks the question below before its recap: ask it **while it trains**.",
    ]
    for lesson in lessons:
        number = lesson.stem[:2]
        parts += [
            f"## {lesson.title}",
            f'<a href="../slides/{number}.html">Slides of lesson {number}</a>, '
            f"[the lesson](../notebooks/{lesson.stem}.ipynb)",
        ]
        if number in asked:
            parts += [
                f"**Ask:** {asked[number]['ask']}",
                f"**A good answer:** {asked[number]['answer']}",
            ]
    return "\n\n".join(parts) + "\n"
