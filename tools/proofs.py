"""A plugin of pytest that proves a lesson's exercises while nbval plays it: `-p tools.proofs`.

After an exercise's untouched check come its proofs, each a test of its own in the lesson's kernel:
the stub is no answer, each typical wrong answer gets its hint, the solution is right. Then the
stub is put back, and the lesson goes on as for a learner who has not solved the exercise.
"""

import importlib
import os
import sys
from collections import defaultdict
from collections.abc import Generator

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from tools import lessons

PROOF = "proof of "  # what the name of each such test begins with


def pytest_configure() -> None:
    """Let kernels keep nothing of what the proofs solve: it is not the learner's."""
    os.environ["MEDLEARN_PROGRESS"] = "off"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator:
    """Put the proofs among the cells that nbval has found."""
    report = yield
    if isinstance(collector, IPyNbFile) and report.passed:
        report.result = _among(report.result, collector)
    return report


def _among(cells: list[IPyNbCell], lesson: IPyNbFile) -> list[IPyNbCell]:
    """The lesson's own cells with the proofs in their places."""
    own = iter(cells)
    items = []
    last = 0  # the number of the lesson's cell before
    for cell in _with_proofs(lesson.nb).cells:
        if cell.cell_type != "code":
            continue
        if "proof" in cell.metadata:
            items.append(_proof(cell, lesson, last))
        else:
            items.append(next(own))
            last = items[-1].cell_num
    return items


def _proof(cell: nbformat.NotebookNode, lesson: IPyNbFile, number: int) -> IPyNbCell:
    name = PROOF + cell.metadata.proof.replace("::", ":")  # `::` ends the name of a file
    options = defaultdict(bool, check=False)
    return IPyNbCell.from_parent(lesson, name=name, cell_num=number, cell=cell, options=options)


def _with_proofs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    folder = str(lessons.ROOT / "tests")  # what knows the exercises' parts is not installed
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("exercises").with_proofs(notebook)
