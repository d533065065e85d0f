"""Take a lesson's exercises apart, and put in the cells that prove each while the lesson runs."""

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lessons
import slices
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools import running

CALLS = ("check.value", "check.function", "check.condition")
TAGS_OF_EXERCISES = {"parameters", "exercise", "solution", "check"}
_SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n\n```python\n(.+?)\n```\n(?:\n.*)?\n</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Exercise:
    """One exercise: its cells, and what its check says, as source text."""

    id: str
    index: int  # of the stub among the notebook's cells
    name: str  # of the variable or function that holds the answer
    solution: str
    check: str
    hints: list[str]
    wrong: list[tuple[str, str]]  # (answer, hint)


def find(notebook: NotebookNode) -> tuple[list[Exercise], list[str]]:
    """The well-formed exercises of a notebook, and what is wrong with the others."""
    exercises = []
    problems = []
    for index, cell in enumerate(notebook.cells):
        if "exercise" not in _tags(cell):
            continue
        try:
            exercises.append(_exercise(notebook.cells, index))
        except ValueError as problem:
            first_line = cell.source.splitlines()[0]
            problems.append(f"exercise in cell {index} ({first_line!r}): {problem}")
    for tag in ("solution", "check"):
        surplus = len(lessons.tagged(notebook, tag)) - len(lessons.tagged(notebook, "exercise"))
        if surplus > 0:
            problems.append(f"{surplus} more cells tagged {tag} than exercises")
    return exercises, problems


def numbering(lesson: lessons.Lesson) -> list[str]:
    """Ids count from NN.1 in the order of the lesson NN."""
    ids = [exercise.id for exercise in find(lesson.notebook)[0]]
    expected = [f"{lesson.name[:2]}.{number}" for number in range(1, len(ids) + 1)]
    return [] if ids == expected else [f"exercise ids are {ids}, not {expected}"]


def with_proofs(notebook: NotebookNode) -> NotebookNode:
    """A copy that proves each exercise after its untouched check, and then puts the stub back."""
    notebook = copy.deepcopy(notebook)
    for exercise in reversed(find(notebook)[0]):
        proofs = list(_proofs(exercise, notebook.cells[exercise.index].source))
        after_check = exercise.index + 3
        notebook.cells[after_check:after_check] = proofs
    return notebook


def needed(notebook: NotebookNode) -> NotebookNode:
    """A copy without the code that no exercise builds on: proofs need not play a whole lesson."""
    notebook = copy.deepcopy(notebook)
    cells = [
        cell for cell in notebook.cells if cell.cell_type == "code" or "solution" in _tags(cell)
    ]

    def is_part_of_exercise(index: int) -> bool:
        return bool(TAGS_OF_EXERCISES & set(_tags(cells[index])))

    kept = slices.needed([_tree(cell) for cell in cells], is_part_of_exercise)
    kept_ids = {id(cells[index]) for index in kept}
    notebook.cells = [
        cell for cell in notebook.cells if cell.cell_type != "code" or id(cell) in kept_ids
    ]
    return notebook


def run(notebook: NotebookNode, folder: Path) -> list[str]:
    """Run a notebook with its proofs, once, in `folder`; returns what failed."""
    notebook = with_proofs(notebook)
    for cell in lessons.code(notebook):
        # One failed proof must not hide the next.
        cell.metadata.tags = [*_tags(cell), "raises-exception"]
    stopped = running.execute(notebook, folder)
    problems = []
    for index, cell in enumerate(notebook.cells):
        problems += _failures(index, cell)
    if stopped:
        problems.append(f"stopped at {stopped.first_line!r}: {stopped.error}")
    return problems


def _tree(cell: NotebookNode) -> ast.Module:
    """The syntax tree of a code cell, or of the code in a solution."""
    if "solution" in _tags(cell):
        return ast.parse(_SOLUTION.fullmatch(cell.source.strip())[1])
    return lessons.parse(cell)


def _exercise(cells: list[NotebookNode], index: int) -> Exercise:
    task, stub, solution, check = _four_cells(cells, index)
    if not re.search(r"^#{2,4} .*(Your turn|Exercise)", lessons.prose(task), re.MULTILINE):
        raise ValueError(
            'no markdown cell with a heading "Your turn ..." or "Exercise ..." before it'
        )
    if "..." not in stub.source:
        raise ValueError("the stub leaves no `...` to fill in")
    block = _SOLUTION.fullmatch(solution.source.strip())
    if solution.cell_type != "markdown" or not block:
        raise ValueError("the solution is not one python block, collapsed, in a markdown cell")
    call = _check_call(check)
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    return Exercise(
        id=call.args[0].value,
        index=index,
        name=call.args[1].id,
        solution=block[1],
        check=check.source,
        hints=[ast.unparse(hint) for hint in _elements(keywords, "hints")],
        wrong=[_answer_and_hint(entry) for entry in _elements(keywords, "wrong")],
    )


def _four_cells(cells: list[NotebookNode], index: int) -> list[NotebookNode]:
    four = cells[max(index - 1, 0) : index + 3]
    if len(four) < 4 or "solution" not in _tags(four[2]) or "check" not in _tags(four[3]):
        raise ValueError("after the stub come a cell tagged solution and a cell tagged check")
    return four


def _check_call(check: NotebookNode) -> ast.Call:
    nodes = [node for node in ast.walk(lessons.parse(check)) if isinstance(node, ast.Call)]
    calls = [node for node in nodes if ast.unparse(node.func) in CALLS]
    if len(calls) != 1:
        raise ValueError(f"the cell calls {' or '.join(CALLS)} {len(calls)} times, not once")
    id, answer = (*calls[0].args, None, None)[:2]
    if not isinstance(id, ast.Constant) or not isinstance(answer, ast.Name):
        raise ValueError(
            'the check begins with an id such as "02.1" and the name that the stub assigns'
        )
    return calls[0]


def _elements(keywords: dict[str, ast.expr], name: str) -> list[ast.expr]:
    node = keywords.get(name)
    if not isinstance(node, ast.List) or not node.elts:
        raise ValueError(f"the check lists no {name}=[...]")
    return node.elts


def _answer_and_hint(entry: ast.expr) -> tuple[str, str]:
    if not isinstance(entry, ast.Tuple) or len(entry.elts) not in (2, 3):
        raise ValueError("wrong is a list of (typical wrong answer, its hint) pairs")
    return ast.unparse(entry.elts[0]), ast.unparse(entry.elts[-1])


def _proofs(exercise: Exercise, stub: str) -> Iterator[NotebookNode]:
    id = exercise.id
    untouched = _assert_last(id, "blank", exercise.hints[0])
    yield _proof(f"{id}: the untouched stub gets the first hint", untouched)
    for answer, hint in exercise.wrong:
        attempt = f"{exercise.name} = {answer}\n{exercise.check}\n{_assert_last(id, 'wrong', hint)}"
        yield _proof(f"{id}: the wrong answer {answer} gets its own hint", attempt)
    solve = f"{exercise.solution}\n{exercise.check}\n{_assert_last(id, 'solved')}"
    yield _proof(f"{id}: the solution is right", solve)
    # The lesson goes on as for a learner who has not solved the exercise.
    yield _proof(f"{id}: the stub runs again", stub)


def _proof(name: str, source: str) -> NotebookNode:
    return new_code_cell(source, metadata={"proof": name})


def _assert_last(id: str, state: str, ending: str = "''") -> str:
    return (
        "from medlearn.teaching import check as _check\n"
        "_last = _check.last()\n"
        f"assert (_last.id, _last.state) == ({id!r}, {state!r}), _last\n"
        f"assert _last.message.endswith({ending}), _last"
    )


def _failures(index: int, cell: NotebookNode) -> list[str]:
    name = f"cell {index} of the lesson with proofs, {cell.source[:60]!r}"
    name = cell.metadata.get("proof") or name
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return [f"{name}: {error.ename}: {error.evalue}" for error in errors]


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])
