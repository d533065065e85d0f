"""Lessons as notebooks: find them, swap virtual data for real, clean what a run left in them, save them."""

import ast
import base64
import copy
import hashlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

from medlearn import _files

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"


def find(numbers: list[str], folder: Path | None = None) -> list[Path]:
    """The notebooks of these lesson numbers (`"2"` and `"02"` are one), or all of them, in the course's order.

    Raises LookupError, naming the lessons that exist, if there is none of that number.
    """
    folder = folder or FOLDER
    lessons = {path.name[:2]: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    if not lessons:
        raise LookupError(
            f"There are no lessons in {folder}; the course runs from a git clone of it."
        )
    for number in numbers:
        if number.zfill(2) not in lessons:
            raise LookupError(f"There is no lesson {number}; there are {', '.join(lessons)}.")
    return [
        lessons[number] for number in sorted({number.zfill(2) for number in numbers} or lessons)
    ]


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    """The cells that carry the tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


# ---- virtual or real ------------------------------------------------------------------------------------------------


def twins() -> dict[str, str]:
    """Each virtual set's real twin, read from the data cards."""
    from medlearn.datasets import _catalogue  # late: finding and cleaning lessons needs no data

    cards = (_catalogue.card(name) for name in _catalogue.names())
    return {card.name: card.twin for card in cards if card.kind == "virtual"}


def with_twins(
    notebook: NotebookNode, twin_of: dict[str, str]
) -> tuple[NotebookNode, dict[str, str]]:
    """A copy of the notebook that runs on real data, and which set was swapped for which.

    After the cell tagged `parameters` comes a new one that assigns the twin to each parameter holding a virtual set's name.
    A lesson that needs other twins than the cards name says so there, as in REAL = {"brain-mri": "wbc", "tumour": "monocyte"}.
    """
    notebook = copy.deepcopy(notebook)
    swapped = {}
    for cell in tagged(notebook, "parameters"):
        twin_of, lines = twin_of | _own_twins(cell.source), []
        for name, value in _string_assignments(cell.source):
            if value in twin_of:
                swapped[value] = twin_of[value]
                lines.append(f"{name} = {twin_of[value]!r}")
        extra = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["injected"]})
        if lines:
            notebook.cells.insert(notebook.cells.index(cell) + 1, extra)
    return notebook, swapped


def _own_twins(source: str) -> dict[str, str]:
    """The dictionary that the source assigns to REAL, or an empty one."""
    assigned = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    )
    return {} | next(
        (
            ast.literal_eval(node.value)
            for node in assigned
            if ast.unparse(node.targets[0]) == "REAL"
        ),
        {},
    )


def _string_assignments(source: str) -> list[tuple[str, str]]:
    plain = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    )
    return [
        (target.id, node.value.value)
        for node in plain
        for target in node.targets
        if isinstance(node.value.value, str)
    ]


# ---- what is saved ---------------------------------------------------------------------------------------------------


def source_digest(notebook: NotebookNode) -> str:
    """SHA-256 of the sources of all code cells: `clean` writes it down, and where it differs the outputs are stale."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\n\0\n".join(sources).encode()).hexdigest()


def clean(notebook: NotebookNode) -> NotebookNode:
    """A copy of an executed notebook that is fit to be committed.

    Gone are stderr, widget views and their state, timings, memory addresses and this machine's paths; pictures stay,
    with a palette of 256 colours where that saves a quarter of their bytes.
    Cells count from 1, and `notebook.metadata["medlearn"]["executed"]` holds the digest of the sources that ran.
    """
    notebook = copy.deepcopy(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        cell.outputs = _clean_outputs(cell.outputs, number)
    for cell in notebook.cells:
        for timing in ("execution", "ExecuteTime"):
            cell.metadata.pop(timing, None)
    kept = {key: value for key, value in notebook.metadata.items() if key != "widgets"}
    # Left as the kernel reports it, each Python version that runs a lesson would change the file.
    kept["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    kept["language_info"] = {"name": "python"}
    kept["medlearn"] = {**kept.get("medlearn", {}), "executed": source_digest(notebook)}
    notebook.metadata = nbformat.from_dict(kept)
    return notebook


def _clean_outputs(outputs: list[NotebookNode], number: int) -> list[NotebookNode]:
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            output.text = _clean_text(output.text)
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        elif "data" in output:
            if "application/vnd.jupyter.widget-view+json" in output.data:
                continue  # a static picture stands beside each widget
            for kind in ("text/plain", "text/html", "text/markdown"):
                if kind in output.data:
                    output.data[kind] = _clean_text(output.data[kind])
            if "image/png" in output.data:
                output.data["image/png"] = _lighter(output.data["image/png"])
        if output.output_type == "execute_result":
            output.execution_count = number
        kept.append(output)
    return kept


def _clean_text(text: str) -> str:
    """The text as a terminal would leave it after its carriage returns, without memory addresses and this machine's paths."""
    text = re.sub(r"[^\n]*\r(?!\n)", "", text)
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    for path, name in _places():
        text = re.sub(re.escape(path) + r"(?![\w.-])", name, text)
    return text


def _lighter(png: str) -> str:
    """The picture (base64) with 256 colours of its own choice, if that saves a quarter of its length; else as it was."""
    picture, palette = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), io.BytesIO()
    pixels = np.asarray(picture)
    patches = _patches(pixels, np.asarray(_few_colours(picture, 256).convert("RGB")))
    fewer = _few_colours(picture, 256 - len(patches))
    places, colours = np.array(fewer), fewer.getpalette()[: 3 * (256 - len(patches))]
    for colour in patches:
        places[(pixels == colour).all(-1)] = len(colours) // 3
        colours += colour.tolist()
    lightened = Image.fromarray(places)
    lightened.putpalette(colours)
    lightened.save(palette, "PNG", optimize=True)
    lighter = base64.b64encode(palette.getvalue()).decode()
    return lighter if len(lighter) < 0.75 * len(png) else png


def _few_colours(picture: Image.Image, number: int) -> Image.Image:
    return picture.quantize(number, dither=Image.Dither.NONE)


def _patches(pixels: np.ndarray, fewer: np.ndarray) -> np.ndarray:
    """Colours (k, 3) that fill a patch and that fewer colours spoil most: beside photographs, those of a legend would all be one."""
    colours, first, counts = np.unique(
        pixels.reshape(-1, 3), axis=0, return_index=True, return_counts=True
    )
    moved = np.abs(fewer.reshape(-1, 3)[first].astype(int) - colours).max(1)
    spoiled = np.flatnonzero((counts >= 40) & (moved > 8))
    return colours[spoiled[np.argsort(-moved[spoiled], kind="stable")][:32]]


def _places() -> list[tuple[str, str]]:
    """This machine's folders and what a saved notebook calls them; the longest come first, for one may hold another."""
    places = {
        str(ROOT): "COURSE",
        str(_files.cache()): "CACHE",
        sys.prefix: "PYTHON",
        sys.base_prefix: "PYTHON",
        tempfile.gettempdir(): "TEMPORARY",
        str(Path.home()): "~",
    }
    return sorted(places.items(), key=lambda place: len(place[0]), reverse=True)


def save(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook as Jupyter does; whoever reads meanwhile finds the old file or the new one, never half of it."""
    text = nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
    nbformat.validate(notebook)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, path)
