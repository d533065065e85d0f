"""Every widget of the course in a real browser: each is there and answers its main control.

Lessons run whole elsewhere. Here a notebook is made of them that has one cell for each widget: the
lesson's own code on which the widget builds, with less to learn from where that takes long. It
exists while the test runs. Widgets whose lessons compute for long are tried by `--all` only. Some
are left out unless MEDLEARN_EVERY_WIDGET is set: those of lessons that run whole in a browser
anyway, and the slowest.
"""

import ast
import copy
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
SHOWING = ("widgets.explore", "widgets.microscope", "widgets.scanner", "widgets.volume_planes")
SMALL = {  # what lessons that learn for long set, and what is enough for a widget to answer
    "07": {"COUNT": "500"},
    "08": {"COUNT": "500"},
    "10": {"EPOCHS": "3"},
    "12": {"STEPS": "4"},
    "13": {"COUNT": "60", "EPOCHS": "3"},
    "24": {"IMAGES": "64"},
}
RUN_WHOLE = ("00", "02", "09", "18")  # by test_lessons_in_a_browser.py
SLOWEST = ("03", "12", "15", "16", "24")
SLOW = ("04", "08", "13", "17", "25")
OPENING = """
import sys
from pathlib import Path
from tools import lab, lessons
lessons.ROOT = Path(sys.argv[1])
path = lessons.ROOT / "notebooks" / sys.argv[2]
sys.exit(lab.open_lab(path, int(sys.argv[5]), browser=False))
"""


def parts(path):
    """The source of each widget of a lesson, with what it needs beyond those before it."""
    cells = copy.deepcopy(lessons.code(lessons.read(path).notebook))
    for name, value in SMALL.get(path.stem[:2], {}).items():
        assignment = re.compile(rf"^{name} = .*", re.MULTILINE)
        [cell] = [cell for cell in cells if assignment.search(cell.source)]
        cell.source = assignment.sub(f"{name} = {value}", cell.source)
    trees = [lessons.parse(cell) for cell in cells]
    sources = [""]
    for index in slices.needed(trees, lambda index: shows(trees[index])):
        if shows(trees[index]):
            sources[-1] += ast.unparse(trees[index])
            sources.append("")
        else:
            sources[-1] += ast.unparse(without_looking(trees[index])) + "\n"
    sources = [source for source in sources if source]
    return ["%reset -f\n" + sources[0], *sources[1:]] if sources else []


def shows(tree):
    """Whether a cell shows a widget."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(ast.unparse(node.func) in SHOWING for node in calls)


def without_looking(tree):
    """The same without the statements that only show something."""
    return ast.Module([node for node in tree.body if not only_looks(node)], [])


def only_looks(node):
    return isinstance(node, ast.Expr) and slices.only_looks(node.value)


def first_cells(names):
    """The index of each lesson's first cell in the notebook of all widgets."""
    indices = {}
    count = 0
    for name in names:
        indices[name] = count
        count += len(PARTS[name])
    return indices


PARTS = {path.stem: parts(path) for path in lessons.PATHS}
WITH_WIDGETS = [name for name, sources in PARTS.items() if sources]
FIRST_CELL = first_cells(WITH_WIDGETS)
NAMES = [
    pytest.param(name, marks=pytest.mark.slow if name.startswith(SLOW) else ())
    for name in WITH_WIDGETS
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook, alone in a folder that stands for the course's."""
    folder = tmp_path_factory.mktemp("widgets") / "notebooks"
    folder.mkdir()
    shutil.copy(lessons.FOLDER / "matplotlibrc", folder)
    path = folder / "every_widget.ipynb"
    sources = [source for name in WITH_WIDGETS for source in PARTS[name]]
    cells = [nbformat.v4.new_code_cell(source) for source in [*sources, "1 / 0"]]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


@pytest.fixture(scope="module")
def page(notebook, chromium, tmp_path_factory):
    """The notebook opened; in the end, its page must have asked the course's own server only."""
    command = [sys.executable, "-P", "-c", OPENING, str(notebook.parents[1]), notebook.name]
    with served.course(tmp_path_factory.mktemp("jupyter"), command) as (address, token, _):
        with served.watched(chromium, address) as page:
            served.open_lesson(page, address, token, notebook)
            yield page


@pytest.mark.parametrize("name", NAMES)
def test_each_widget_is_there_and_answers(name, page, shots):
    if name.startswith((*RUN_WHOLE, *SLOWEST)) and not os.environ.get("MEDLEARN_EVERY_WIDGET"):
        pytest.skip("set MEDLEARN_EVERY_WIDGET to try every widget of the course")
    for number in range(len(PARTS[name])):
        cell = page.locator(".jp-Notebook .jp-CodeCell").nth(FIRST_CELL[name] + number)
        served.run_cell(page, cell)
        assert not served.errors(cell)
        assert cell.locator(".jp-OutputArea .widget-image").first.is_visible()
        answered = served.turn(page, cell)
        picture = shots / f"widget_{name[:2]}_{number}.png"
        cell.locator(".jp-OutputArea").first.screenshot(path=picture)
        assert answered, f"the first dial of widget {number} of {name} changed nothing"


def test_an_error_of_a_cell_is_seen(page):
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(sum(map(len, PARTS.values())))
    served.run_cell(page, cell)
    (text,) = served.errors(cell)
    assert "ZeroDivisionError" in text


def test_no_lesson_shows_a_widget_that_is_not_tried():
    used = set()
    for path in lessons.PATHS:
        text = path.read_text(encoding="utf-8")
        used |= {f"widgets.{name}" for name in re.findall(r"\bwidgets\.(\w+)\(", text)}
    assert used - {"widgets.pace"} <= set(SHOWING)
