"""Slides of each lesson, made from the lesson, with a question for the class."""

import html
import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

from medlearn.teaching import door, language
from tools import lessons
from tools.site.copies import Lesson, page_links, pictures_of
from tools.site.markup import without_links
from tools.translation import kit, pages_of_site

# As English lessons and Chinese ones say it.
SENTENCE = re.compile(r"\*\*(?:In one sentence:|一句话概括：)")
RECAP = ("Recap", "小结")
NOT_SHOWN = ("Your turn", "轮到你了", "References", "参考文献", *RECAP)
MOST_WORDS = 45  # of a slide's text; longer paragraphs are cut after their first sentences
LISTS = ("- ", "1. ")
_HAN = re.compile(r"[\u3400-\u9fff]")
_END = re.compile(r"(?<=[.?!:])(?= )|(?<=[。？！：])")  # of a sentence
_END_IN_MARKDOWN = re.compile(r"(?<=[.?!:])(?= [A-Z*])|(?<=[。？！])(?![*”）」])")
FRAME = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
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
REVEAL_FOLDER = "../_static/vendor/reveal.js/dist"
REVEAL_HEAD = f"""<link class="deck" rel="stylesheet" href="{REVEAL_FOLDER}/reset.css">
<link class="deck" rel="stylesheet" href="{REVEAL_FOLDER}/reveal.css">
<link class="deck" rel="stylesheet" href="{REVEAL_FOLDER}/theme/white.css">
<script>
if (!{WIDE}) document.querySelectorAll(".deck").forEach(style => style.remove())
</script>
"""
REVEAL = f"""<script src="{REVEAL_FOLDER}/reveal.js"></script>
<script>if ({WIDE}) Reveal.initialize({{hash: true, slideNumber: "c/t", transition: "none",
  width: 1100, height: 640, margin: 0.03, center: false, controlsTutorial: false,
  keyboard: {{83: () => document.body.classList.toggle("with-notes")}}}})</script>
"""
MATHJAX = """<script>window.MathJax = {tex: {inlineMath: [["$", "$"]]}}</script>
<script src="../_static/vendor/mathjax/es5/tex-mml-chtml.js"></script>
"""


@dataclass
class Section:
    """A section of a lesson.

    Attributes
    ----------
    title : str
        Its heading, as Markdown.
    texts : list of str
        The texts of its cells, as Markdown.
    pictures : list of str
        Its pictures, as HTML.
    sentence : str
        What it says "in one sentence", or an empty string.
    """

    title: str
    texts: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    sentence: str = ""


def questions() -> dict[str, dict[str, str]]:
    """Return the question for the class (``ask``, ``answer``) by each lesson's number.

    What the slides say around them stands below ``words``; all is in the reader's language.
    """
    return kit.read(kit.QUESTIONS)


def write(pages: list[Lesson], source: Path) -> None:
    """Write a deck for each lesson, and the page that lists decks and questions.

    Parameters
    ----------
    pages : list of Lesson
        The lessons.
    source : Path
        Sphinx's folder; decks go to ``_slides/slides``.
    """
    folder = source / "_slides" / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    head, script = _libraries(source / "_static" / "vendor")
    for_class = questions()
    phrases = for_class["words"]
    minutes = {card.number: card.minutes for card in door.cards(lessons.FOLDER)}
    parts = [phrases["page"] + "\n"]
    for page in pages:
        question = for_class.get(page.number)
        slides = deck(page, question, minutes[page.number])
        text = FRAME.format(
            language=pages_of_site.tag(language.name()),
            title=html.escape(page.title),
            head=head,
            slides="\n".join(f"<section>\n{slide}\n</section>" for slide in slides),
            script=script,
        )
        (folder / f"{page.number}.html").write_text(text, encoding="utf-8")
        parts.append(_entry(page, question, phrases))
    (source / "instructor" / "slides.md").write_text("\n".join(parts), encoding="utf-8")


def _libraries(vendor: Path) -> tuple[str, str]:
    """What stands in the head and at the end of a deck, of the libraries that were fetched."""
    formulas = MATHJAX if (vendor / "mathjax").exists() else ""
    if (vendor / "reveal.js").exists():
        return REVEAL_HEAD, formulas + REVEAL
    return "", formulas


def deck(page: Lesson, question: dict[str, str] | None, minutes: int = 0) -> list[str]:
    """Return the slides of one lesson: title, sections, the question for the class, recap.

    Parameters
    ----------
    page : Lesson
        The lesson.
    question : dict or None
        ``ask`` and ``answer``.
    minutes : int
        For reading and trying, from the lesson's card; 0 if unknown.

    Returns
    -------
    list of str
        HTML, one for each slide.
    """
    phrases = questions()["words"]
    sections = _sections(page)
    content = [section for section in sections if _is_content(section)]
    slides = [_title_slide(page, minutes, phrases)]
    for section in content:
        own = max(1, round(0.7 * minutes / len(content)))  # the rest is for the exercises
        slides += _section_slides(section, own if minutes else 0, phrases)
    if question:
        slides.append(_question_slide(question, phrases))
    for section in sections:
        if any(word in section.title for word in RECAP):
            recap = "".join(map(_block, section.texts))
            slides.append(f"<h2>{phrases['recap']}</h2>{recap}")
    return slides


def _title_slide(page: Lesson, minutes: int, phrases: dict[str, str]) -> str:
    goals = "".join(f"<li>{_inline(goal)}</li>" for goal in page.goals)
    notes = _notes(phrases["plan"].format(minutes=minutes) if minutes else "")
    return f"<h1>{html.escape(page.title)}</h1><p>{phrases['goals']}</p><ol>{goals}</ol>{notes}"


def _question_slide(question: dict[str, str], phrases: dict[str, str]) -> str:
    """The question for the class; the arrow key reveals the answer."""
    answer = f'<div class="fragment answer">{_block(question["answer"])}</div>'
    notes = _notes(phrases["wait"])
    return f"<h2>{phrases['while_it_trains']}</h2>{_block(question['ask'])}{answer}{notes}"


def _is_content(section: Section) -> bool:
    """Whether a section has slides: one with a picture or a sentence, and no exercise."""
    is_left_out = any(word in section.title for word in NOT_SHOWN)
    return not is_left_out and bool(section.pictures or section.sentence)


def _notes(*lines: str) -> str:
    """What the speaker reads, and the class does not."""
    paragraphs = "".join(f"<p>{_inline(line)}</p>" for line in lines if line)
    return f'<aside class="notes">{paragraphs}</aside>' if paragraphs else ""


def _question_in(section: Section) -> str:
    """The first question that a section asks its reader."""
    text = " ".join(" ".join(section.texts).replace("**", "").split())
    sentences = _END.split(re.sub(r"#+ |\$[^$]*\$", "", text))
    own_questions = [part.strip() for part in sentences if part.endswith(("?", "？"))]
    return own_questions[0] if own_questions else ""


def _section_slides(section: Section, minutes: int, phrases: dict[str, str]) -> list[str]:
    """The slides of a section, each with one message.

    Where there are several pictures, the first comes with the text that leads to it and the last
    with the sentence. Else one slide holds text, picture and sentence, which the arrow key reveals;
    a list or a formula leaves no room for a picture, which then comes on the next.
    """
    heading = f"<h2>{_inline(section.title)}</h2>"
    lead = _block(section.texts[0]) if section.texts else ""
    time = phrases["time"].format(minutes=minutes) if minutes else ""
    question = _question_in(section) or phrases["surprised"]
    notes = _notes(time, phrases["ask_this"].format(question=question))
    answer = _inline(section.sentence)
    first, last = "".join(section.pictures[:1]), "".join(section.pictures[1:][-1:])
    if last:
        sentence = f'<p class="sentence">{answer}</p>' if answer else ""
        return [heading + lead + first + notes, heading + last + sentence]
    sentence = f'<p class="fragment sentence">{answer}</p>' if answer else ""
    if first and any(sign in lead for sign in ("<li>", "$$")):
        return [heading + lead + notes, heading + first + sentence]
    return [heading + lead + first + sentence + notes]


def _sections(page: Lesson) -> list[Section]:
    """The sections of a lesson, without its title and its solutions."""
    sections: list[Section] = []
    for cell in page.notebook.cells[1:]:
        if cell.cell_type == "code":
            if sections:
                sections[-1].pictures += _pictures(cell)
        elif "solution" not in cell.metadata.get("tags", []):
            for part in re.split(r"^(?=## )", page_links(cell.source), flags=re.MULTILINE):
                _read(part, sections)
    return sections


def _read(markdown: str, sections: list[Section]) -> None:
    """Add a piece of text, which may begin with a heading, to the sections."""
    heading = re.match(r"## (.+)\n?", markdown)
    if heading:
        sections.append(Section(heading.group(1)))
        markdown = markdown[heading.end() :]
    if not sections:
        return
    text, *answers = SENTENCE.split(markdown, maxsplit=1)
    if text.strip():
        sections[-1].texts.append(text.strip())
    for answer in answers:
        sentence = answer.split("\n\n")[0].replace("**", "").strip()
        sections[-1].sentence = sentence[:1].upper() + sentence[1:]


def _pictures(cell) -> list[str]:
    """The pictures below a cell as HTML that holds them, so that a deck is one file."""
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    alt = html.escape(alt, quote=True)
    pictures = []
    for picture in pictures_of(cell):
        width = f' width="{picture.width}"' if picture.width else ""
        source = f"data:{picture.mime_type};base64,{''.join(picture.data.split())}"
        pictures.append(f'<img alt="{alt}"{width} src="{source}">')
    return pictures


def _block(markdown: str) -> str:
    """The first paragraph, and the list or formula that may follow it, as HTML without links."""
    blocks = [block for block in markdown.split("\n\n") if block.strip()]
    blocks = [block for block in blocks if not block.startswith(("```", "|", "#", "<"))]
    lead = [_shortened(block) for block in blocks[:1]]
    lead += [block for block in blocks[1:2] if block.startswith((*LISTS, "$$"))]
    return _markdown().render(_with_formulas_kept("\n\n".join(lead)))


def _inline(markdown: str) -> str:
    return _markdown().renderInline(_with_formulas_kept(markdown))


def _with_formulas_kept(markdown: str) -> str:
    """Text without links in which Markdown leaves the signs of formulas alone."""
    text = without_links(markdown).replace("\\", "\\\\")
    return re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", _escape_emphasis, text, flags=re.DOTALL)


def _escape_emphasis(formula: re.Match) -> str:
    return re.sub(r"[_*]", r"\\\g<0>", formula.group())


def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _shortened(paragraph: str) -> str:
    """As many first sentences as have few words together, at least one; lists stay whole."""
    if paragraph.startswith(LISTS):
        return paragraph
    first, *following = _END_IN_MARKDOWN.split(paragraph)
    for sentence in following:
        if _words_in(first + sentence) > MOST_WORDS:
            break
        first += sentence
    return first


def _words_in(text: str) -> float:
    """How many words a text has; two Chinese signs are about one."""
    return len(text.split()) + len(_HAN.findall(text)) / 2


def _entry(page: Lesson, question: dict[str, str] | None, phrases: dict[str, str]) -> str:
    """A lesson's part of the page of decks and questions."""
    slides = phrases["slides"].format(number=page.number)
    links = f'<a href="../slides/{page.number}.html">{slides}</a>'
    links += f" · [{phrases['to_lesson']}](../notebooks/{page.stem}.ipynb)"
    parts = [f"## {page.title}", links]
    if question:
        parts.append(phrases["ask"].format(question=question["ask"]))
        parts.append(phrases["answer"].format(answer=question["answer"]))
    return "\n\n".join(parts) + "\n"
