"""The graph of prerequisites, as a picture whose boxes are links."""

import html

from medlearn.teaching.door import Card
from medlearn.teaching.language import say

WIDE, HIGH = 50, 34  # of a box, in pixels
STEP_X, STEP_Y = 100, 46  # from box to box
STYLE = 'fill="none" stroke="currentColor" stroke-opacity="0.45"'


def draw(cards: list[Card]) -> str:
    """Return the graph as HTML: a box for each lesson, an arrow from each that it needs.

    Parameters
    ----------
    cards : list of Card
        The lessons.
    """
    grid = layout(cards)
    width = STEP_X * (1 + max(column for column, _ in grid.values()))
    height = STEP_Y * (1 + max(row for _, row in grid.values()))
    arrows = [
        _arrow(grid[need], grid[card.number])
        for card in cards
        for need in card.needs
        if need in grid
    ]
    boxes = [_box(card, grid[card.number]) for card in cards]
    inside = "".join([_HEAD, *arrows, *boxes])
    label = html.escape(say("Which lesson needs which"))
    return (
        f'<div class="graph" tabindex="0"><svg viewBox="0 0 {width} {height}" width="{width}" '
        f'role="group" aria-label="{label}">{inside}</svg></div>'
    )


_HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor" fill-opacity="0.6"/></marker></defs>'
)


def layout(cards: list[Card]) -> dict[str, tuple[int, int]]:
    """Return column and row of each lesson: a column right of all that it needs.

    Parameters
    ----------
    cards : list of Card
        The lessons, each after those that it needs.
    """
    grid: dict[str, tuple[int, int]] = {}
    for card in cards:
        columns = [grid[need][0] for need in card.needs if need in grid]
        column = 1 + max(columns, default=-1)
        row = sum(taken_column == column for taken_column, _ in grid.values())
        grid[card.number] = column, row
    return grid


def _box(card: Card, cell: tuple[int, int]) -> str:
    x, y = _corner(cell)
    title = html.escape(card.title)
    page = card.file.replace(".ipynb", ".html")
    return (
        f'<a href="notebooks/{page}" aria-label="{title}"><title>{title}</title>'
        f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6" {STYLE}/>'
        f'<text x="{x + WIDE / 2:g}" y="{y + 22}" text-anchor="middle" fill="currentColor">'
        f"{card.number}</text></a>"
    )


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    left, top = _corner(start)
    right, bottom = _corner(end)
    x, y = left + WIDE, top + HIGH // 2
    middle = (x + right) // 2
    to = bottom + HIGH // 2
    path = f"M{x} {y}C{middle} {y} {middle} {to} {right} {to}"
    return f'<path d="{path}" {STYLE} marker-end="url(#head)"/>'


def _corner(cell: tuple[int, int]) -> tuple[int, int]:
    return 8 + STEP_X * cell[0], 6 + STEP_Y * cell[1]
