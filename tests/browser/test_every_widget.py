"""Every widget of the course in a real browser, with what it needs and no more: each is there and answers its main control.

Lessons run whole elsewhere. Here a notebook is made of them that has one cell for each widget: the lesson's own code on
which the widget builds, with less to learn from where that takes long. It exists while the test runs.
Some are left out unless MEDLEARN_EVERY_WIDGET is set: those of lessons that run whole in a browser anyway, and the slow ones.
"""

import ast
import os
import re
import shutil
import sys

import lessons
import nbformat
import pytest
import served
import slices

pytestmark = pytest.mark.skipif(bool(served.missing()), reason=served.missing() or "-")
SHOWING = ("widgets.explore", "widgets.microscope", "widgets.scanner")
SMALL = {  # what lessons that learn for long set, and what is enough for a widget to answer
    "04": {"EPOCHS": "2"},
    "05": {"COUNT": "500"},
    "07": {"EPOCHS": "3"},
    "08": {"STEPS": '{"frozen": 6, "fine-tuned": 4, "random": 3}'},
    "09": {"COUNT": "60", "EPOCHS": "3"},
    "15": {"IMAGES": "64"},
}
RUN_WHOLE = ("00", "02", "06", "13")  # by test_lessons_in_a_browser.py
SLOW = ("03", "04", "08", "10", "11", "15")
OPENING = """
import sys
from pathlib import Path
from tools import lab, lessons
lessons.ROOT = Path(sys.argv[1])
sys.exit(lab.open_lab(lessons.ROOT / "notebooks" / sys.argv[2], int(sys.argv[5]), browser=False))
"""


def parts(path):
    """The sources of a lesson's widgets, in order, each with what it needs beyond those before it."""
    cells = lessons.code(lessons.read(path).notebook)
    for name, value in SMALL.get(path.stem[:2], {}).items():
        [cell] = [cell for cell in cells if re.search(rf"^{name} = ", cell.source, re.MULTILINE)]
        cell.source = re.sub(rf"^{name} = .*", f"{name} = {value}", cell.source, flags=re.MULTILINE)
    trees = [lessons.parse(cell) for cell in cells]
    sources = [[]]
    for place in slices.needed(trees, lambda place: shows(trees[place])):
        sources[-1].append(
            ast.unparse(trees[place] if shows(trees[place]) else without_looking(trees[place]))
        )
        if shows(trees[place]):
            sources.append([])
    made = ["\n".join(source) for source in sources if source]
    return ["%reset -f\n" + made[0], *made[1:]] if made else []


def shows(tree):
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in SHOWING for node in ast.walk(tree)
    )


def without_looking(tree):
    """The same without the statements that only show something."""
    looks = [
        each for each in tree.body if isinstance(each, ast.Expr) and slices.only_looks(each.value)
    ]
    return ast.Module([each for each in tree.body if each not in looks], [])


PARTS = {path.stem: parts(path) for path in lessons.PATHS}
WITH_WIDGETS = [name for name, sources in PARTS.items() if sources]
PLACES = {
    name: sum(len(PARTS[earlier]) for earlier in WITH_WIDGETS[:place])
    for place, name in enumerate(WITH_WIDGETS)
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook, alone in a folder that stands for the course's."""
    folder = tmp_path_factory.mktemp("widgets") / "notebooks"
    folder.mkdir()
    shutil.copy(lessons.FOLDER / "matplotlibrc", folder)
    path = folder / "every_widget.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for name in WITH_WIDGETS for source in PARTS[name]]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


@pytest.fixture(scope="module")
def page(notebook, chromium, tmp_path_factory):
    """The notebook opened; in the end, all that its page has asked for must have been the course's own server."""
    command = [sys.executable, "-P", "-c", OPENING, str(notebook.parents[1]), notebook.name]
    with served.course(tmp_path_factory.mktemp("jupyter"), command) as (address, token, _):
        with served.watched(chromium, address) as page:
            served.open_lesson(page, address, token, notebook)
            yield page


@pytest.mark.parametrize("name", WITH_WIDGETS)
def test_each_widget_is_there_and_answers(name, page, shots):
    if name.startswith((*RUN_WHOLE, *SLOW)) and not os.environ.get("MEDLEARN_EVERY_WIDGET"):
        pytest.skip("set MEDLEARN_EVERY_WIDGET to try every widget of the course")
    for number in range(len(PARTS[name])):
        cell = page.locator(".jp-Notebook .jp-CodeCell").nth(PLACES[name] + number)
        served.run_cell(page, cell)
        assert not served.errors(cell)
        assert cell.locator(".jp-OutputArea .widget-image").first.is_visible()
        answered = served.turn(page, cell)
        cell.locator(".jp-OutputArea").first.screenshot(
            path=shots / f"widget_{name[:2]}_{number}.png"
        )
        assert answered, f"the first dial of widget {number} of {name} changed nothing"


def test_no_lesson_shows_a_widget_that_is_not_tried():
    used = {
        f"widgets.{found}"
        for path in lessons.PATHS
        for found in re.findall(r"\bwidgets\.(\w+)\(", path.read_text(encoding="utf-8"))
    }
    assert used - {"widgets.pace"} <= set(SHOWING)
