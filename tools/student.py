"""`course.py student`: copies of the lessons for students, without the solutions."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import lessons

BESIDE = {
    "notebooks/matplotlibrc": "figures in the course's style",
    "docs/glossary.md": "the lessons link to it",
    "LICENSE-LESSONS": "what may be done with the copies",
}


def write(to: Path) -> Iterator[str]:
    """Write the student copies below `to`; yields what to print.

    Raises FileExistsError, before anything is written, if a notebook there differs from the copy that would be written:
    it may hold a student's work.
    """
    copies = {
        Path("notebooks") / path.name: without_solutions(nbformat.read(path, as_version=4))
        for path in lessons.find([])
    }
    for name, notebook in copies.items():
        if (to / name).exists() and (to / name).read_bytes() != _text(notebook).encode():
            raise FileExistsError(
                f"{to / name} differs from the copy that would be written, so it may hold a student's work; "
                "choose another folder, or move that one away."
            )
    for name, notebook in copies.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        lessons.save(notebook, to / name)
    for name in BESIDE:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lessons.ROOT / name, to / name)
    yield f"{len(copies)} lessons without their solutions are in {to / 'notebooks'}."
    yield "They run wherever medlearn is installed; `course.py collect` reads them when they come back."


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy without the cells tagged `solution` and without what exercises and checks printed; stubs and checks stay."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        cell for cell in notebook.cells if "solution" not in cell.metadata.get("tags", [])
    ]
    for cell in [*lessons.tagged(notebook, "exercise"), *lessons.tagged(notebook, "check")]:
        cell.outputs, cell.execution_count = [], None
    return notebook


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
