"""`course.py student`: copies of the lessons for students, and for teachers with the solutions."""

import copy
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools import lessons, new_files, solutions
from tools.translation import copies as translated

BESIDE = {
    "notebooks/index.ipynb": "the lessons as cards",
    "notebooks/lessons.toml": "what the cards say",
    "notebooks/matplotlibrc": "figures in the course's style",
    "docs/glossary.md": "the lessons link to it",
    "docs/keras.md": "the lessons link to it",
    "LICENSE-LESSONS": "what may be done with the copies",
}


def write(to: Path, with_solutions: bool = False, language: str | None = None) -> Iterator[str]:
    """Write the copies below the folder `to`, and yield what to print.

    Parameters
    ----------
    to : Path
        The folder; it is made if there is none.
    with_solutions : bool
        Fill in all stubs: copies for teachers.
    language : str, optional
        Such as ``"zh_CN"``; default: English.

    Raises
    ------
    ValueError
        If the folder is the course's or lies inside it.
    FileExistsError
        Before anything is written, if a file there differs from the copy that would be
        written: it may hold a student's work.
    """
    _refuse_the_course(to)
    answers = solutions.read() if with_solutions else None
    copies = {
        to / "notebooks" / path.name: without_outputs(translated.lesson(path, language), answers)
        for path in lessons.find([])
    }
    texts = {path: lessons.as_text(notebook).encode() for path, notebook in copies.items()}
    texts |= {to / name: (lessons.ROOT / name).read_bytes() for name in BESIDE}
    if language:
        pages = translated.pages_of(language)
        texts |= {to / name: text.encode() for name, text in pages.items()}
    new_files.write(texts, "The folder for the copies", "hold a student's work")
    filled = "with all exercises solved" if with_solutions else "for students"
    yield f"{len(copies)} lessons {filled} are in {to / 'notebooks'}."
    yield "They run wherever medlearn is installed; `course.py collect` reads what comes back."


def _refuse_the_course(to: Path) -> None:
    """Raise ValueError if copies there would mix with the course's own files."""
    course = lessons.ROOT.resolve()
    folder = to.expanduser().resolve()
    if folder == course or course in folder.parents:
        raise ValueError(
            f"{to} lies inside the course's folder {course}, whose own lessons the copies would "
            f"mix with; choose a folder elsewhere, such as {course.parent / 'class'}."
        )


def without_outputs(
    notebook: NotebookNode, answers: dict[str, solutions.Solution] | None = None
) -> NotebookNode:
    """Return a copy in which stubs and checks have printed nothing.

    Parameters
    ----------
    notebook : NotebookNode
        A lesson.
    answers : dict of str to Solution, optional
        Solutions to fill in.
    """
    notebook = copy.deepcopy(notebook)
    if answers is not None:
        notebook = solutions.filled_in(notebook, answers)
    for tag in ("exercise", "check"):
        for cell in lessons.tagged(notebook, tag):
            cell.outputs = []
            cell.execution_count = None
    return notebook
