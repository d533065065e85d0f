"""`course.py student`: copies of the lessons for students, without the solutions."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools import lessons

BESIDE = {
    "notebooks/matplotlibrc": "figures in the course's style",
    "docs/glossary.md": "the lessons link to it",
    "LICENSE-LESSONS": "what may be done with the copies",
}


def write(to: Path) -> Iterator[str]:
    """Write the student copies below the folder `to`, and yield what to print.

    Raises
    ------
    FileExistsError
        Before anything is written, if a notebook there differs from the copy that would be
        written: it may hold a student's work.
    """
    copies = {
        to / "notebooks" / path.name: without_solutions(lessons.read(path))
        for path in lessons.find([])
    }
    for path, notebook in copies.items():
        if path.exists() and path.read_bytes() != lessons.as_text(notebook).encode():
            raise FileExistsError(
                f"{path} differs from the copy that would be written, so it may hold a student's "
                "work; choose another folder, or move that file away."
            )
    for path, notebook in copies.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        lessons.save(notebook, path)
    for name in BESIDE:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lessons.ROOT / name, to / name)
    yield f"{len(copies)} lessons without their solutions are in {to / 'notebooks'}."
    yield "They run wherever medlearn is installed; `course.py collect` reads what comes back."


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without the cells tagged `solution`.

    Stubs and checks stay; what they printed is removed.
    """
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        cell for cell in notebook.cells if "solution" not in cell.metadata.get("tags", [])
    ]
    for tag in ("exercise", "check"):
        for cell in lessons.tagged(notebook, tag):
            cell.outputs = []
            cell.execution_count = None
    return notebook
