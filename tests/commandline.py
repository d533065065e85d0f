"""What the tests of `course.py` share: small notebooks, a folder of lessons, waiting."""

import time

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

FOLDER_NAME = "un chemin é à"  # a path as users have them


def notebook(*sources, **tags):
    """A title and these code cells; `tags` maps a tag to the index of the code cell with it."""
    cells = [new_code_cell(source) for source in sources]
    for tag, index in tags.items():
        cells[index].metadata["tags"] = [tag]
    return new_notebook(cells=[new_markdown_cell("# Title"), *cells])


def write(folder, name, content):
    """Write a notebook into the folder and return its path."""
    path = folder / name
    nbformat.write(content, path)
    return path


def wait_for(condition, seconds=60):
    """Wait until the condition holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
