"""The English texts of each part of the course, in the order in which a reader meets them."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from medlearn.teaching import exercises
from tools import door, lessons, navigation
from tools.translation import generated, kit, labels, pages

GLOSSARY = {"glossary": ["docs/glossary.md"]}
README = {"readme": ["README.md"]}
SITE = {
    "site": [
        "docs/index.md",
        "docs/faq.md",
        "docs/keras.md",
        "docs/two_sites.md",
        "docs/jupyterhub.md",
    ]
}
CARDS = "notebooks/lessons.toml"


@dataclass(frozen=True)
class Source:
    """An English text.

    Attributes
    ----------
    context : str
        Where it stands: the id of a cell, ``"<id> alt"`` for the text in stead of its picture,
        ``"hint 03.1"``, ``"label"``, or the name of a page.
    text : str
        The text itself.
    note : str
        What a translator should know.
    is_alone : bool
        Whether nothing else can stand in this place, as in a cell.
    """

    context: str
    text: str
    note: str = ""
    is_alone: bool = False


def parts() -> list[str]:
    """Return the names of all parts: lessons by number, then the pages and the package."""
    numbers = [path.name[:2] for path in lessons.find([])]
    return [*numbers, *GLOSSARY, *README, *SITE, generated.PART, kit.PART, "package"]


def read(part: str) -> list[Source]:
    """Return the texts of a part, each once for each place.

    Parameters
    ----------
    part : str
        Such as ``"03"`` or ``"glossary"``.

    Raises
    ------
    LookupError
        If there is no such part.
    """
    if part.isdigit():
        notebook = lessons.read(lessons.find([part])[0])
        texts = [*_of_cells(notebook), *_of_exercises(part), *_of_labels(notebook)]
    elif part == "package":
        texts = [Source(context, text) for context, text in labels.of_package()]
    elif part == "site":
        door_cells = _of_cells(lessons.read(door.path()))
        texts = [*door_cells, *_of_cards(), *_of_pages(part)]
    elif part == generated.PART:
        texts = [Source(context, text) for context, text in generated.texts()]
    elif part == kit.PART:
        texts = [*_of_pages(part), *_of_kit()]
    elif part in parts():
        texts = list(_of_pages(part))
    else:
        raise LookupError(f"There is no part {part!r}; there are {', '.join(parts())}.")
    return list({(source.context, source.text): source for source in texts}.values())


def page_names(part: str) -> list[str]:
    """Return the files of Markdown that belong to a part, without those made of `kit.FILES`.

    Parameters
    ----------
    part : str
        ``"glossary"``, ``"readme"``, ``"site"`` or ``"kit"``.
    """
    if part == kit.PART:
        pages_of_kit = sorted((lessons.ROOT / "docs" / "instructor").glob("*.md"))
        by_hand = [path.name for path in pages_of_kit if path.name not in kit.MADE]
        return [f"docs/instructor/{name}" for name in by_hand]
    return {**GLOSSARY, **README, **SITE}[part]


def _of_cells(notebook: NotebookNode) -> Iterator[Source]:
    """Each Markdown cell without its links to the neighbours, and each alt text."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield Source(cell.id, navigation.without_links(cell.source), is_alone=True)
        elif cell.metadata.get("alt"):
            note = "said in stead of the picture below this cell"
            yield Source(f"{cell.id} alt", cell.metadata["alt"], note, is_alone=True)


def _of_exercises(number: str) -> Iterator[Source]:
    """The hints of a lesson's exercises; those of typical wrong answers come first."""
    for id in exercises.ids(number):
        exercise = exercises.find(id)
        hints = [entry[-1] for entry in exercise.wrong] + list(exercise.hints)
        yield from (Source(f"hint {id}", hint) for hint in hints)


def _of_labels(notebook: NotebookNode) -> Iterator[Source]:
    """What the code of a lesson writes on figures and beside dials."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            pairs = labels.of_lesson(cell.source)
            yield from (Source(context, text, f"in {cell.id}") for context, text in pairs)


def _of_pages(part: str) -> Iterator[Source]:
    for name in page_names(part):
        text = (lessons.ROOT / name).read_text(encoding="utf-8")
        yield from (Source(name, block) for block in pages.blocks(text) if pages.is_prose(block))


def _of_cards() -> Iterator[Source]:
    """The ideas of the lessons and the ways through the course."""
    facts = tomllib.loads((lessons.ROOT / CARDS).read_text(encoding="utf-8"))
    for route in facts["paths"]:
        yield Source(CARDS, route["name"])
        yield Source(CARDS, route["who"])
    for lesson in facts["lessons"].values():
        yield Source(CARDS, lesson["idea"])


def _of_kit() -> Iterator[Source]:
    """The items of the quiz, the questions for the class, and the words around them."""
    for name in kit.FILES:
        yield from (Source(name, text) for text in kit.texts(name))
