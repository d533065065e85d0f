"""What is saved of a run: texts and pictures, nothing of one machine, and never half a file."""

import base64
import io
import os
import sys

import nbformat
import numpy as np
import pytest
from commandline import notebook, write
from nbformat.v4 import new_output
from PIL import Image

from tools import lessons, outputs

WARNING = "a warning"
SHOWN_SIZE = {"width": 1, "height": 1}  # of a picture of 2 by 2 pixels, on the page
LEGEND = {0: (0, 158, 115), 20: (86, 180, 233), 40: (213, 94, 0)}  # column: colour


def png(pixels):
    memory = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(memory, "PNG")
    return base64.b64encode(memory.getvalue()).decode()


def dirty():
    """A notebook with everything that a run may leave behind."""
    view = {outputs.WIDGET: {"model_id": "1"}, "text/plain": "IntSlider()"}
    picture = {"image/png": png(np.zeros((2, 2, 3))), "text/plain": "<Figure size 640x320>"}
    value = {"text/plain": "<Thing at 0x7f00deadbeef>", "text/html": f"<b>{sys.prefix}/x</b>"}
    book = notebook("import a", "b", "", "c", parameters=0)
    book.cells[1].execution_count = 7
    book.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    book.cells[2].outputs = [
        new_output("stream", name="stdout", text="10%\r100%\nkept "),
        new_output("stream", name="stderr", text=WARNING),
        new_output("stream", name="stdout", text=f"{lessons.ROOT}/notebooks\n"),
        new_output("display_data", data=view),
        new_output("display_data", data=picture, metadata={"image/png": SHOWN_SIZE}),
    ]
    book.cells[4].outputs = [new_output("execute_result", data=value, execution_count=9)]
    book.metadata.update(
        widgets={"application/vnd.jupyter.widget-state+json": {}},
        language_info={"name": "python", "version": "3.11.7"},
        kernelspec={"name": "other", "display_name": "Mine"},
    )
    return book


def test_cleaning_keeps_pictures_and_text_and_nothing_of_this_machine():
    book = dirty()
    before = nbformat.writes(book)
    cleaned = outputs.clean(book)
    assert nbformat.writes(book) == before, "the argument was edited"
    text = nbformat.writes(cleaned)
    of_this_run = (WARNING, "stderr", "widget", "0x7f", "3.11.7", "iopub", "Mine", "10%")
    for removed in (*of_this_run, str(lessons.ROOT), sys.prefix):
        assert removed not in text, removed
    stream, picture = cleaned.cells[2].outputs
    assert stream.text == "100%\nkept COURSE/notebooks\n"
    assert picture.data == book.cells[2].outputs[4].data
    assert picture.metadata == {"image/png": SHOWN_SIZE}
    assert cleaned.cells[4].outputs[0].data["text/plain"] == "<Thing>"
    counts = [cell.get("execution_count") for cell in cleaned.cells]
    assert counts == [None, 1, 2, None, 3] and cleaned.cells[4].outputs[0].execution_count == 3
    assert [cell.id for cell in cleaned.cells] == [cell.id for cell in book.cells]
    assert cleaned.cells[1].metadata == {"tags": ["parameters"]}
    assert outputs.clean(cleaned) == cleaned
    nbformat.validate(cleaned)


def photograph():
    """A noisy picture with the patches of a legend."""
    shades = np.linspace(40, 200, 256)[None, :, None] * np.array([1, 0.8, 0.9])
    pixels = shades + np.random.default_rng(0).normal(0, 8, (256, 256, 3))
    for column, colour in LEGEND.items():
        pixels[:6, column : column + 12] = colour
    return pixels


def test_cleaning_makes_photographs_lighter_and_keeps_the_colours_of_a_legend():
    pixels = photograph()
    book = notebook("a")
    book.cells[-1].outputs = [new_output("display_data", data={"image/png": png(pixels)})]
    cleaned = outputs.clean(book).cells[-1].outputs[0].data["image/png"]
    assert len(cleaned) < 0.75 * len(png(pixels))
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(cleaned))).convert("RGB"), float)
    assert np.abs(after - pixels).mean() < 8
    for column, colour in LEGEND.items():
        assert (after[:6, column : column + 12] == colour).all()


def test_a_photograph_that_is_heavy_even_so_becomes_a_jpeg_of_the_same_size():
    pixels = np.tile(photograph(), (2, 2, 1))
    book = notebook("a")
    shown = {"data": {"image/png": png(pixels)}, "metadata": {"image/png": SHOWN_SIZE}}
    book.cells[-1].outputs = [new_output("display_data", **shown)]
    cleaned = outputs.clean(book)
    output = cleaned.cells[-1].outputs[0]
    assert set(output.data) == {"image/jpeg"} and output.metadata == {"image/jpeg": SHOWN_SIZE}
    assert outputs.clean(cleaned) == cleaned
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"]))), float)
    assert after.shape == pixels.shape and np.abs(after - pixels).mean() < 8


def test_the_digest_tells_stale_outputs():
    cleaned = outputs.clean(notebook("a", "b"))
    digest = cleaned.metadata["medlearn"]["executed"]
    cleaned.cells[0].source = "# Another title"
    assert digest == lessons.source_digest(cleaned)
    for sources in (("a", "b2"), ("a\nb",), ("ab", ""), ("b", "a"), ("a", "b", "")):
        assert lessons.source_digest(notebook(*sources)) != digest


def test_a_kill_while_saving_leaves_the_old_file(tmp_path, monkeypatch):
    path = write(tmp_path, "02_b.ipynb", notebook("1"))
    before = path.read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        lessons.save(notebook("2"), path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]
