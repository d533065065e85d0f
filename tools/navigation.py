"""Links to the previous and the next lesson, and the door: `python3 -m tools.navigation`.

The links are the last line of a lesson's first cell, in small, and of its last text. The door is
``notebooks/index.ipynb``. Run it after a lesson was added or renamed; with numbers it writes the
links of these lessons alone, and the door.
"""

import re
import sys
from pathlib import Path

from nbformat import NotebookNode

from tools import door, lessons

_LINKS = re.compile(
    r"\n*^(?:<small>)?[*[]*(?:Previous|Next)\b[^\n]*\.ipynb\)[^\n]*\Z", re.MULTILINE
)


def links() -> dict[str, str]:
    """Return the line of links of each lesson, by the name of its file."""
    paths = lessons.find([])
    labels = {path: f"{lessons.title(lessons.read(path))}]({path.name})" for path in paths}
    lines = {}
    for index, path in enumerate(paths):
        parts = [f"[Previous: {labels[paths[index - 1]]}"] if index else []
        parts += [f"[Next: {labels[after]}" for after in paths[index + 1 : index + 2]]
        lines[path.name] = " · ".join(parts)
    return lines


def write_links(notebook: NotebookNode, line: str) -> bool:
    """Write the line of links into a lesson, in place of the one that stands there.

    Parameters
    ----------
    notebook : NotebookNode
        The lesson, which is changed.
    line : str
        Its links, as from `links`.

    Returns
    -------
    bool
        Whether anything changed.
    """
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    changed = False
    for cell, ending in ((texts[0], f"<small>{line}</small>"), (texts[-1], line)):
        source = f"{without_links(cell.source)}\n\n{ending}"
        changed |= source != cell.source
        cell.source = source
    return changed


def without_links(source: str) -> str:
    """Return a cell's text without the line of links at its end."""
    return _LINKS.sub("", source.rstrip())


def main(numbers: list[str]) -> None:
    """Write the links of these lessons, or of all, and the door; print which files changed."""
    lines = links()
    for path in lessons.find(numbers):
        notebook = lessons.read(path)
        if write_links(notebook, lines[path.name]):
            lessons.save(notebook, path)
            print(f"{_shown(path)}: {lines[path.name]}")
    if door.write():
        print(f"{_shown(door.path())}: the cards of all lessons")


def _shown(path: Path) -> str:
    return path.relative_to(lessons.ROOT).as_posix()


if __name__ == "__main__":
    main(sys.argv[1:])
