"""The course's notebooks as the tests see them, and a sound miniature to make offenders from."""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
PATHS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))  # not the door, which is generated
for_every_lesson = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@dataclass
class Lesson:
    name: str
    notebook: NotebookNode


@functools.cache
def read(path: Path) -> Lesson:
    """A lesson, read once for all tests: who changes it copies it first."""
    return Lesson(path.name, nbformat.read(path, as_version=4))


@functools.cache
def unfinished() -> frozenset[tuple[str, ...]]:
    """The pairs (rule, number of a lesson) that `unfinished.txt` lists."""
    text = Path(__file__).with_name("unfinished.txt").read_text(encoding="utf-8")
    return frozenset(tuple(line.split()) for line in text.splitlines() if line[:1] != "#")


def unless_unfinished(rule: str, lesson: Lesson, problems: list[str]) -> list[str]:
    """The problems; of a lesson that is listed as unfinished only that it need not be any more."""
    if (rule, lesson.name[:2]) not in unfinished():
        return [f"{rule}: {problem}" for problem in problems]
    line = f"{rule} {lesson.name[:2]}"
    return (
        [] if problems else [f"the lesson keeps this rule now; delete `{line}` in unfinished.txt"]
    )


def expect_none(problems: list[str]) -> None:
    """Fail with the problems, one a line, and nothing else."""
    __tracebackhide__ = True
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(cell: NotebookNode) -> str:
    """A markdown cell's text without its fenced code; an empty string for code cells."""
    if cell.cell_type != "markdown":
        return ""
    return re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)


def headings(notebook: NotebookNode, level: str = "#{1,6}") -> list[str]:
    text = "\n".join(map(prose, notebook.cells))
    return re.findall(rf"^{level} .*", text, re.MULTILINE)


def first_list(text: str) -> list[str]:
    """The first line of each item of the first list in a text."""
    items: list[str] = []
    for line in text.splitlines():
        if re.match(r"([-*]|\d+\.) ", line):
            items.append(line)
        elif items and line and not line.startswith(" "):
            break
    return items


def parse(cell: NotebookNode) -> ast.Module:
    """The cell's syntax tree, with magics translated to calls."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


def public_names(folder: Path) -> Iterator[str]:
    """Public functions and classes of a package, read from its files."""
    for path in folder.rglob("*.py"):
        yield from definitions(ast.parse(path.read_text(encoding="utf-8")))


def definitions(tree: ast.Module) -> list[str]:
    definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names = [node.name for node in tree.body if isinstance(node, definition)]
    return [name for name in names if not name.startswith("_")]


def text_cell(source: str, *tags: str) -> NotebookNode:
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def code_cell(source: str, *tags: str, printed: str = "") -> NotebookNode:
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    return new_code_cell(source, metadata={"tags": list(tags)}, outputs=outputs)


def solution_cell(source: str) -> NotebookNode:
    collapsed = f"<details><summary>Solution</summary>\n\n```python\n{source}\n```\n\n</details>"
    return text_cell(collapsed, "solution")


def miniature() -> Lesson:
    """A lesson that keeps every rule, with the outputs that a clean run saves."""
    notebook = new_notebook(
        cells=[*_opening(), *_value_exercise(), *_function_exercise(), *_ending()]
    )
    for number, cell in enumerate(code(notebook), start=1):
        cell.execution_count = number
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.language_info = {"name": "python"}
    return Lesson("02_sum_numbers.ipynb", notebook)


REFERENCE = "Gauss, C. F., [*At school*](https://doi.org/10.1000/182), 1786."
_THREE_LINES = "\n- sum numbers\n- count numbers\n- mistrust numbers\n"


def _opening() -> list[NotebookNode]:
    return [
        text_cell(f"# Sum numbers\n\nAbout 5 minutes.\n\nYou will be able to:\n{_THREE_LINES}"),
        code_cell('DATASET = "smear"\nCOUNT = 4', "parameters"),
        code_cell(
            "import numpy as np\n\nfrom medlearn.teaching import check\n\n"
            "classes, vectors = COUNT, np.zeros((1, COUNT))"
        ),
        code_cell(
            "# NBVAL_CHECK_OUTPUT\nnumbers = list(range(COUNT + 1))\nprint(COUNT)", printed="4\n"
        ),
        code_cell("# NBVAL_CHECK_OUTPUT\nprint(sum(numbers))", printed="10\n"),
        code_cell('print("the sum is", sum(numbers))', "result", printed="the sum is 10\n"),
    ]


def _value_exercise() -> list[NotebookNode]:
    return [
        text_cell("### Your turn: a probe\n\nHow many numbers does it learn?"),
        code_cell("n_parameters = ...   # your answer", "exercise"),
        code_cell(
            'check.answer("02.1", n_parameters, classes=COUNT, features=COUNT)',
            "check",
            printed="02.1: not answered yet\n",
        ),
    ]


def _function_exercise() -> list[NotebookNode]:
    return [
        text_cell("### Open task · A mean\n\nWrite `mean_pool(maps)`."),
        code_cell("def mean_pool(maps):\n    ...", "exercise"),
        code_cell(
            'check.answer("02.2", mean_pool)',
            "check",
            printed="02.2: the function returns nothing yet\n",
        ),
    ]


def _ending() -> list[NotebookNode]:
    return [
        text_cell(
            f"## Recap\n\nNow you can\n{_THREE_LINES}\n"
            "**Try it on your data.** Sum it.\n\n"
            f"## References\n\n- {REFERENCE}"
        )
    ]
