"""The lessons as notebooks: find them, find their tagged cells, save them."""

import hashlib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from medlearn import _files

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"


def find(numbers: list[str], folder: Path | None = None) -> list[Path]:
    """Return the notebooks of these lessons in the course's order.

    Parameters
    ----------
    numbers : list of str
        Lesson numbers (``"2"`` and ``"02"`` are the same); all lessons if empty.
    folder : Path, optional
        Where the notebooks are; default: the course's folder.

    Raises
    ------
    LookupError
        If there is no lesson of that number; the message names those that exist.
    """
    folder = folder or FOLDER
    paths = {path.name[:2]: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    if not paths:
        raise LookupError(f"There are no lessons in {folder}: the course runs from its git clone.")
    for number in numbers:
        if number.zfill(2) not in paths:
            raise LookupError(_no_lesson(number, paths))
    wanted_numbers = {number.zfill(2) for number in numbers} or paths
    return [paths[number] for number in sorted(wanted_numbers)]


def _no_lesson(number: str, paths: dict[str, Path]) -> str:
    """The sentence for a lesson that is not there, with the one that was probably meant."""
    words = number.rpartition("/")[2].removesuffix(".ipynb").replace(" ", "_")
    near = [] if number.isdigit() else _files.nearest(words, [p.stem for p in paths.values()], 1)
    if near:
        return f"There is no lesson {number}; do you mean {near[0][:2]} ({near[0]})?"
    return f"There is no lesson {number}; there are {', '.join(paths)}."


def read(path: Path) -> NotebookNode:
    """Return the notebook in this file."""
    return nbformat.read(path, as_version=4)


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    """Return the cells that carry a tag.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook.
    tag : str
        Such as ``"result"``.
    """
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def title(notebook: NotebookNode) -> str:
    """Return the lesson's title, such as ``"02 · Extract features"``."""
    return notebook.cells[0].source.split("\n")[0].lstrip("# ")


def source_digest(notebook: NotebookNode) -> str:
    """Return the SHA-256 of the sources of all code cells.

    `outputs.clean` writes it into the notebook; where it differs later, the outputs are stale.
    """
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\n\0\n".join(sources).encode()).hexdigest()


def as_text(notebook: NotebookNode) -> str:
    """Return the notebook's file content, as Jupyter writes it."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def save(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook whole or not at all.

    Parameters
    ----------
    notebook : NotebookNode
        A valid notebook.
    path : Path
        The file; its folder must exist.
    """
    nbformat.validate(notebook)
    _files.write_text(path, as_text(notebook))
