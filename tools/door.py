"""The door: `notebooks/index.ipynb`, with a card of each lesson and four ways through the course.

`python3 -m tools.navigation` writes it, from the lessons and from `notebooks/lessons.toml`.
"""

from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from medlearn.teaching import door
from tools import lessons

NAME = "index.ipynb"
TITLE = """\
# The lessons

Transfer learning and domain adaptation for medical images, {count} lessons. Each has one idea, and
each runs on this computer without a network. **New here?** Open
[{first}]({file}): it checks that everything works, and shows how a lesson is used.

Click a title to open a lesson. The squares are its exercises. To see what you have solved, click
the cell below and press `Shift + Enter`."""
CODE = """\
from medlearn.teaching import door

door.show()"""
ROUTES = "## Which lessons are for you?\n\n{}"
LAST = """\
**Look up:** [words of the field](../docs/glossary.md) · [words of Keras](../docs/keras.md)

**Real images:** write the name of the real twin into a lesson's first code cell, or type
`python3 course.py run 02 --real`. **Your solved exercises** are kept in the cache folder;
`check.progress().save()` writes them into a table for your teacher."""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def path() -> Path:
    """Return where the door is."""
    return lessons.FOLDER / NAME


def notebook() -> NotebookNode:
    """Return the door as it should be, with the cards as they are before anything is solved."""
    cards = door.cards(lessons.FOLDER)
    first = cards[0]
    title = TITLE.format(count=len(cards), first=first.title, file=first.file)
    data = {"text/html": door.as_html(cards, {}), "text/plain": "the cards of the lessons"}
    output = new_output("execute_result", data=data, execution_count=1)
    routes = "\n\n".join(map(_route, door.routes(lessons.FOLDER)))
    cells = [
        new_markdown_cell(title, id="title"),
        new_code_cell(CODE, id="cards", outputs=[output], execution_count=1),
        new_markdown_cell(ROUTES.format(routes), id="routes"),
        new_markdown_cell(LAST, id="last"),
    ]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def write() -> bool:
    """Write the door anew; returns whether it has changed."""
    text = lessons.as_text(notebook())
    if path().exists() and path().read_text(encoding="utf-8") == text:
        return False
    lessons.save(notebook(), path())
    return True


def _route(route: door.Route) -> str:
    """A way through the course as Markdown: whom it is for, how long, its lessons in order."""
    hours = f"{route.minutes / 60:.0f} hours"
    head = f"**{route.name}** (about {hours}). {route.who}"
    if len(route.cards) == len(door.cards(lessons.FOLDER)):
        return f"{head} All lessons, in their order."
    steps = " → ".join(f"[{card.title}]({card.file})" for card in route.cards)
    return f"{head}\n\n{steps}"
