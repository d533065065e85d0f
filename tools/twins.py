"""Swap the virtual data sets of a lesson for their real twins."""

import ast
import copy

import nbformat
from nbformat import NotebookNode

from tools import lessons


def twins() -> dict[str, str]:
    """Return the real twin of each virtual data set, from the data cards."""
    from medlearn import datasets  # late: finding and cleaning lessons needs no data

    cards = [datasets.card(name) for name in datasets.names()]
    return {card.name: card.twin for card in cards if card.kind == "virtual"}


def with_twins(
    notebook: NotebookNode, twin_of: dict[str, str]
) -> tuple[NotebookNode, dict[str, str]]:
    """Return a copy of the notebook that runs on real data.

    After the cell tagged ``parameters`` comes a new one that assigns the twin to each parameter
    that holds the name of a virtual set. A lesson that needs other twins than the cards name says
    so in that cell, as in ``REAL = {"brain-mri": "wbc", "tumour": "monocyte"}``.

    Parameters
    ----------
    notebook : NotebookNode
        A lesson.
    twin_of : dict
        The twin of each virtual set, as `twins` returns it.

    Returns
    -------
    NotebookNode
        The copy.
    dict
        Which set was swapped for which.
    """
    notebook = copy.deepcopy(notebook)
    swapped = {}
    for cell in lessons.tagged(notebook, "parameters"):
        twin_of = twin_of | _own_twins(cell.source)
        lines = []
        for name, value in _string_assignments(cell.source):
            if value in twin_of:
                swapped[value] = twin_of[value]
                lines.append(f"{name} = {twin_of[value]!r}")
        if lines:
            extra = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["injected"]})
            notebook.cells.insert(notebook.cells.index(cell) + 1, extra)
    return notebook, swapped


def _own_twins(source: str) -> dict[str, str]:
    """The dictionary that the source assigns to REAL, or an empty one."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REAL":
            value = ast.literal_eval(node.value)
            return value if isinstance(value, dict) else {}
    return {}


def _string_assignments(source: str) -> list[tuple[str, str]]:
    """(name, value) of each name that the source assigns a string to."""
    pairs = []
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node.value.value, str):
            pairs += [(ast.unparse(target), node.value.value) for target in node.targets]
    return pairs
