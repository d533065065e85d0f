"""The solutions of all exercises: read from one page of the instructor kit, put into copies."""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools import lessons

PAGE = "docs/instructor/solutions.md"
_HEADING = re.compile(r"^### (\d\d\.\d{1,2}) · ", re.MULTILINE)
_CODE = re.compile(r"```python\n(.+?)\n```\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r'^check\.answer\("(\d\d\.\d{1,2})"', re.MULTILINE)


@dataclass(frozen=True)
class Solution:
    """A solution.

    Attributes
    ----------
    code : str
        Takes the place of the stub.
    text : str
        Why; may be empty.
    """

    code: str
    text: str


def read(path: Path | None = None) -> dict[str, Solution]:
    """Return the solutions by the id of their exercise.

    Parameters
    ----------
    path : Path, optional
        The page; default: the instructor kit's.

    Raises
    ------
    ValueError
        If an exercise has a heading and no code.
    """
    page = (path or lessons.ROOT / PAGE).read_text(encoding="utf-8")
    _, *parts = _HEADING.split(page)
    solutions = {}
    for id, entry in zip(parts[::2], parts[1::2], strict=True):
        match = _CODE.search(entry)
        if match is None:
            raise ValueError(f"the solution of {id} in {PAGE} holds no block of python")
        solutions[id] = Solution(match[1], match[2].strip())
    return solutions


def id_of(check: NotebookNode) -> str | None:
    """Return the id of the exercise that a check cell checks."""
    match = _CALL.search(check.source)
    return match[1] if match else None


def filled_in(notebook: NotebookNode, solutions: dict[str, Solution]) -> NotebookNode:
    """Return a copy in which each stub is its solution, with the reason below.

    Parameters
    ----------
    notebook : NotebookNode
        A lesson.
    solutions : dict of str to Solution
        For each exercise of the lesson.

    Raises
    ------
    KeyError
        If an exercise has no solution.
    """
    notebook = copy.deepcopy(notebook)
    cells = []
    for index, cell in enumerate(notebook.cells):
        cells.append(cell)
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        id = id_of(notebook.cells[index + 1])
        if id not in solutions:
            raise KeyError(f"exercise {id} has no solution in {PAGE}")
        cell.source = solutions[id].code
        if solutions[id].text:
            cells.append(new_markdown_cell(solutions[id].text, metadata={"tags": ["solution"]}))
    notebook.cells = cells
    return notebook
