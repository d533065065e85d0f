"""Clean what a run left in a notebook, so that it is fit to be committed."""

import base64
import copy
import io
import re
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

from medlearn import _files
from tools import lessons

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"
TEXTS = ("text/plain", "text/html", "text/markdown")
SMALLEST_PATCH = 40  # pixels of one colour that count as a patch, such as a legend's
VISIBLE_SHIFT = 8  # of 255; a patch whose colour moves by more keeps its own colour
MOST_PATCHES = 32
MOST_OF_BYTES = 0.75  # of the bytes of a picture, or it stays as it is
HEAVY = 100_000  # characters of a picture in base64
JPEG_QUALITY = 82


def clean(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of an executed notebook without anything that belongs to one run or machine.

    Removed are stderr, widget views and their state, timings, memory addresses and this machine's
    paths. Pictures stay, with a palette of 256 colours where that saves a quarter of their bytes;
    a photograph that is heavy even so becomes a JPEG.
    Cells count from 1, and ``notebook.metadata["medlearn"]["executed"]`` holds the digest of the
    sources that ran.
    """
    notebook = copy.deepcopy(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        cell.outputs = _clean_outputs(cell.outputs, number)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("ExecuteTime", None)
    notebook.metadata = _clean_metadata(notebook)
    return notebook


def _clean_metadata(notebook: NotebookNode) -> NotebookNode:
    """The metadata without widgets and without what changes with the version of Python."""
    metadata = {key: value for key, value in notebook.metadata.items() if key != "widgets"}
    metadata["kernelspec"] = KERNEL
    metadata["language_info"] = {"name": "python"}
    executed = lessons.source_digest(notebook)
    metadata["medlearn"] = {**metadata.get("medlearn", {}), "executed": executed}
    return nbformat.from_dict(metadata)


def _clean_outputs(outputs: list[NotebookNode], number: int) -> list[NotebookNode]:
    """The outputs to keep, cleaned; neighbouring streams become one."""
    cleaned: list[NotebookNode] = []
    for output in outputs:
        if output.get("name") == "stderr" or WIDGET in output.get("data", {}):
            continue  # a static picture stands beside each widget
        if output.output_type == "stream":
            output.text = _clean_text(output.text)
            if cleaned and cleaned[-1].output_type == "stream":
                cleaned[-1].text += output.text
                continue
        elif "data" in output:
            _clean_data(output.data)
            _replace_heavy_png(output)
        if output.output_type == "execute_result":
            output.execution_count = number
        cleaned.append(output)
    return cleaned


def _clean_data(data: NotebookNode) -> None:
    """Clean the texts and the picture of one output in place."""
    for mime_type in TEXTS:
        if mime_type in data:
            data[mime_type] = _clean_text(data[mime_type])
    if "image/png" in data:
        data["image/png"] = _lighter(data["image/png"])


def _clean_text(text: str) -> str:
    """The text as a terminal shows it, without memory addresses and this machine's paths."""
    text = re.sub(r"[^\n]*\r(?!\n)", "", text)
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    for folder, name in _machine_folders():
        text = re.sub(re.escape(folder) + r"(?![\w.-])", name, text)
    return text


def _machine_folders() -> list[tuple[str, str]]:
    """This machine's folders and their names in a saved notebook, the longest first."""
    folders = {
        str(lessons.ROOT): "COURSE",
        str(_files.cache()): "CACHE",
        sys.prefix: "PYTHON",
        sys.base_prefix: "PYTHON",
        tempfile.gettempdir(): "TEMPORARY",
        str(Path.home()): "~",
    }
    return sorted(folders.items(), key=lambda item: len(item[0]), reverse=True)


# ---- pictures with fewer colours -----------------------------------------------------------------


def _lighter(png: str) -> str:
    """The picture (base64) with 256 colours if that saves a quarter of its bytes, else the same."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    pixels = np.asarray(picture)
    patches = _patches(pixels, np.asarray(_few_colours(picture, 256).convert("RGB")))
    fewer = _few_colours(picture, 256 - len(patches))
    indices = np.array(fewer)
    palette = fewer.getpalette()[: 3 * (256 - len(patches))]
    for colour in patches:
        indices[(pixels == colour).all(-1)] = len(palette) // 3
        palette += colour.tolist()
    lightened = Image.fromarray(indices)
    lightened.putpalette(palette)
    memory = io.BytesIO()
    lightened.save(memory, "PNG", optimize=True)
    encoded = base64.b64encode(memory.getvalue()).decode()
    return encoded if len(encoded) < MOST_OF_BYTES * len(png) else png


def _replace_heavy_png(output: NotebookNode) -> None:
    """Make a JPEG of a heavy picture, in place, where that saves a quarter of its bytes."""
    png = output.data.get("image/png", "")
    if len(png) < HEAVY:
        return
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    memory = io.BytesIO()
    picture.save(memory, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    jpeg = base64.b64encode(memory.getvalue()).decode()
    if len(jpeg) < MOST_OF_BYTES * len(png):
        for entries in (output.data, output.metadata):
            if "image/png" in entries:
                entries["image/jpeg"] = entries.pop("image/png")
        output.data["image/jpeg"] = jpeg


def _few_colours(picture: Image.Image, count: int) -> Image.Image:
    return picture.quantize(count, dither=Image.Dither.NONE)


def _patches(pixels: np.ndarray, quantized: np.ndarray) -> np.ndarray:
    """Colours (k, 3) of patches that a palette changes visibly, the most changed first.

    Beside photographs, the colours of a legend would otherwise all become one.
    """
    colours, first, counts = np.unique(
        pixels.reshape(-1, 3), axis=0, return_index=True, return_counts=True
    )
    shift = np.abs(quantized.reshape(-1, 3)[first].astype(int) - colours).max(1)
    spoiled = np.flatnonzero((counts >= SMALLEST_PATCH) & (shift > VISIBLE_SHIFT))
    return colours[spoiled[np.argsort(-shift[spoiled], kind="stable")][:MOST_PATCHES]]
