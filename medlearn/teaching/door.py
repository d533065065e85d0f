"""The lessons as cards: what each is about, how long it takes, and what you have solved.

``notebooks/index.ipynb`` shows them. Titles come from the lessons, ideas, minutes and prerequisites
from ``lessons.toml`` beside them, computing times from the table of the last measurement.
"""

import html
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from IPython.display import HTML

from medlearn.teaching import check, exercises, results
from medlearn.teaching.language import say

FACTS = "lessons.toml"
# Only what JupyterLab leaves in the saved output of a notebook that it does not trust yet.
_CARD = (
    "display: inline-block; vertical-align: top; width: 230px; min-height: 165px; margin: 5px; "
    "padding: 10px 12px; border: 1px solid #888888; border-radius: 8px; text-align: left; "
    "white-space: normal"
)


@dataclass(frozen=True)
class Card:
    """What a card says of a lesson.

    Attributes
    ----------
    file : str
        Name of the notebook.
    title : str
        Such as ``"02 · Extract features"``.
    idea : str
        One sentence.
    minutes : int
        For reading and trying.
    needs : tuple of str
        Numbers of the lessons to take before.
    computes : int or None
        Minutes that its cells take on two CPU cores, rounded up; None if not measured yet.
    """

    file: str
    title: str
    idea: str
    minutes: int
    needs: tuple[str, ...]
    computes: int | None

    @property
    def number(self) -> str:
        """Such as ``"02"``."""
        return self.file[:2]


@dataclass(frozen=True)
class Route:
    """A way through the course.

    Attributes
    ----------
    name : str
        Such as ``"A day"``.
    who : str
        Whom it is for, in one sentence.
    cards : tuple of Card
        Its lessons.
    """

    name: str
    who: str
    cards: tuple[Card, ...]

    @property
    def minutes(self) -> int:
        """For reading and trying."""
        return sum(card.minutes for card in self.cards)


def cards(folder: str | Path = ".") -> list[Card]:
    """Return the card of each lesson in a folder, in the course's order.

    Parameters
    ----------
    folder : str or Path
        Holds the lessons and ``lessons.toml``.

    Returns
    -------
    list of Card
        Of the lessons whose notebooks are there.

    Raises
    ------
    FileNotFoundError
        If there is no ``lessons.toml``.
    LookupError
        If it holds nothing on a lesson that is there.
    """
    folder = Path(folder)
    facts = _facts(folder)["lessons"]
    seconds = results.read("lessons").set_index("lesson")["seconds"]
    listed = []
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        if path.name[:2] not in facts:
            raise LookupError(
                f"{folder / FACTS} holds nothing on {path.name}; add [lessons.{path.name[:2]}] "
                "with idea, minutes and needs."
            )
        fact = facts[path.name[:2]]
        computes = math.ceil(seconds[path.stem] / 60) if path.stem in seconds else None
        needs = tuple(fact["needs"])
        title = _title(path)
        listed.append(Card(path.name, title, fact["idea"], fact["minutes"], needs, computes))
    return listed


def routes(folder: str | Path = ".") -> list[Route]:
    """Return the ways through the course.

    Parameters
    ----------
    folder : str or Path
        As for `cards`.
    """
    all_cards = cards(folder)
    listed = []
    for row in _facts(Path(folder))["paths"]:
        numbers = [card.number for card in all_cards] if row["lessons"] == "all" else row["lessons"]
        own_cards = tuple(card for card in all_cards if card.number in numbers)
        listed.append(Route(row["name"], row["who"], own_cards))
    return listed


def show(folder: str | Path = ".") -> HTML:
    """Return the cards as HTML, with the exercises that you have solved.

    Parameters
    ----------
    folder : str or Path
        As for `cards`.
    """
    return HTML(as_html(cards(folder), {id: solved for id, _, solved in check.progress()}))


def as_html(cards: list[Card], solved: Mapping[str, bool]) -> str:
    """Return cards as HTML.

    Parameters
    ----------
    cards : list of Card
        The lessons.
    solved : dict of str to bool
        For each exercise that was tried, whether it is solved.
    """
    return "\n".join(_card_as_html(card, cards, solved) for card in cards)


def _card_as_html(card: Card, cards: list[Card], solved: Mapping[str, bool]) -> str:
    ids = exercises.ids(card.number)
    count = sum(solved.get(id, False) for id in ids)
    marks = "".join("■" if solved.get(id) else "□" for id in ids)
    files = {neighbour.number: neighbour.file for neighbour in cards}
    needs = [f'<a href="{files[need]}">{need}</a>' for need in card.needs if need in files]
    times = say("{minutes} min", minutes=card.minutes)
    if card.computes:
        times += say(" · computes {minutes} min", minutes=card.computes)
    before = say("before: {lessons}", lessons=", ".join(needs)) if needs else say("before: nothing")
    solved_text = say("{count} of {all} exercises solved", count=count, all=len(ids))
    lines = [
        f'<a href="{card.file}"><b>{html.escape(card.title)}</b></a>',
        html.escape(say(card.idea)),
        times,
        before,
        f"{marks} {solved_text}",
    ]
    return f'<div style="{_CARD}">{"<br>".join(lines)}</div>'


def _facts(folder: Path) -> dict:
    return tomllib.loads((folder / FACTS).read_text(encoding="utf-8"))


def _title(path: Path) -> str:
    """The heading of a notebook's first cell."""
    source = json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]
    text = source if isinstance(source, str) else "".join(source)
    return text.split("\n")[0].lstrip("# ")
