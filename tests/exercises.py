"""Take a lesson's exercises apart, and put in the cells that prove each of them while the lesson runs."""

import ast
import copy
import re
from dataclasses import dataclass
from pathlib import Path

import lessons
import slices
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools import running

CALLS = ("value", "function", "condition")
_SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n\n```python\n(.+?)\n```\n(?:\n.*)?\n</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Exercise:
    """One exercise: its cells, and what its check says, as source text."""

    id: str
    place: int  # of the stub among the notebook's cells
    name: str  # of the variable or function that holds the answer
    solution: str
    check: str
    hints: list[str]
    wrong: list[tuple[str, str]]  # (answer, hint)


def find(notebook: NotebookNode) -> tuple[list[Exercise], list[str]]:
    """The well-formed exercises of a notebook, and what is amiss with the others."""
    exercises, problems = [], []
    for place, cell in enumerate(notebook.cells):
        if "exercise" not in _tags(cell):
            continue
        try:
            exercises.append(_exercise(notebook.cells, place))
        except ValueError as problem:
            problems.append(
                f"exercise in cell {place} ({cell.source.splitlines()[0]!r}): {problem}"
            )
    for tag in ("solution", "check"):
        lonely = len(lessons.tagged(notebook, tag)) - len(lessons.tagged(notebook, "exercise"))
        problems += [f"{lonely} more cells tagged {tag} than exercises"] if lonely > 0 else []
    return exercises, problems


def numbering(lesson: lessons.Lesson) -> list[str]:
    """Ids count from NN.1 in the order of the lesson NN."""
    ids = [exercise.id for exercise in find(lesson.notebook)[0]]
    wanted = [f"{lesson.name[:2]}.{number}" for number in range(1, len(ids) + 1)]
    return [] if ids == wanted else [f"exercise ids are {ids}, not {wanted}"]


def with_proofs(notebook: NotebookNode) -> NotebookNode:
    """A copy that, after each untouched check, tries the wrong answers and the solution and puts the stub back."""
    notebook = copy.deepcopy(notebook)
    for exercise in reversed(find(notebook)[0]):
        after_check = exercise.place + 3
        notebook.cells[after_check:after_check] = list(
            _proofs(exercise, notebook.cells[exercise.place].source)
        )
    return notebook


def needed(notebook: NotebookNode) -> NotebookNode:
    """A copy without the code that no exercise builds on, so that proving exercises does not play a whole lesson again."""
    notebook = copy.deepcopy(notebook)
    cells = [
        cell for cell in notebook.cells if cell.cell_type == "code" or "solution" in _tags(cell)
    ]
    trees = [
        ast.parse(_SOLUTION.fullmatch(cell.source.strip())[1])
        if "solution" in _tags(cell)
        else lessons.parse(cell)
        for cell in cells
    ]
    kept = slices.needed(
        trees,
        lambda place: bool(
            {"parameters", "exercise", "solution", "check"} & set(_tags(cells[place]))
        ),
    )
    ours = {id(cells[place]) for place in kept}
    notebook.cells = [
        cell for cell in notebook.cells if cell.cell_type != "code" or id(cell) in ours
    ]
    return notebook


def run(notebook: NotebookNode, folder: Path) -> list[str]:
    """Run a notebook with its proofs, once, in `folder`; returns what failed."""
    notebook = with_proofs(notebook)
    for cell in lessons.code(notebook):
        cell.metadata.tags = [
            *_tags(cell),
            "raises-exception",
        ]  # one failed proof must not hide the next
    stopped = running.execute(notebook, folder)
    problems = [
        problem for place, cell in enumerate(notebook.cells) for problem in _failures(place, cell)
    ]
    return problems + ([f"stopped at {stopped.first_line!r}: {stopped.error}"] if stopped else [])


def _exercise(cells: list[NotebookNode], place: int) -> Exercise:
    task, stub, solution, check = _four_cells(cells, place)
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
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    hints, wrong = (_elements(given.get(name), name) for name in ("hints", "wrong"))
    return Exercise(
        id=call.args[0].value,
        place=place,
        name=call.args[1].id,
        solution=block[1],
        check=check.source,
        hints=[ast.unparse(hint) for hint in hints],
        wrong=[_answer_and_hint(entry) for entry in wrong],
    )


def _four_cells(cells: list[NotebookNode], place: int) -> list[NotebookNode]:
    four = cells[max(place - 1, 0) : place + 3]
    if len(four) < 4 or "solution" not in _tags(four[2]) or "check" not in _tags(four[3]):
        raise ValueError("after the stub come a cell tagged solution and a cell tagged check")
    return four


def _check_call(check: NotebookNode) -> ast.Call:
    calls = [
        node
        for node in ast.walk(lessons.parse(check))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in [f"check.{name}" for name in CALLS]
    ]
    if len(calls) != 1:
        raise ValueError(
            f"the cell calls check.value, .function or .condition {len(calls)} times, not once"
        )
    id, answer = (*calls[0].args, None, None)[:2]
    if not isinstance(id, ast.Constant) or not isinstance(answer, ast.Name):
        raise ValueError(
            'the check begins with an id such as "02.1" and the name that the stub assigns'
        )
    return calls[0]


def _elements(node: ast.expr | None, name: str) -> list[ast.expr]:
    if not isinstance(node, ast.List) or not node.elts:
        raise ValueError(f"the check lists no {name}=[...]")
    return node.elts


def _answer_and_hint(entry: ast.expr) -> tuple[str, str]:
    if not isinstance(entry, ast.Tuple) or len(entry.elts) not in (2, 3):
        raise ValueError("wrong is a list of (typical wrong answer, its hint) pairs")
    return ast.unparse(entry.elts[0]), ast.unparse(entry.elts[-1])


def _proofs(exercise: Exercise, stub: str):
    untouched = _assert_last(exercise.id, "blank", exercise.hints[0])
    yield _proof(f"{exercise.id}: the untouched stub gets the first hint", untouched)
    for answer, hint in exercise.wrong:
        attempt = f"{exercise.name} = {answer}\n{exercise.check}\n{_assert_last(exercise.id, 'wrong', hint)}"
        yield _proof(f"{exercise.id}: the wrong answer {answer} gets its own hint", attempt)
    solve = f"{exercise.solution}\n{exercise.check}\n{_assert_last(exercise.id, 'solved')}"
    yield _proof(f"{exercise.id}: the solution is right", solve)
    yield _proof(
        f"{exercise.id}: the stub runs again", stub
    )  # so that the lesson goes on as for a learner


def _proof(name: str, source: str) -> NotebookNode:
    return new_code_cell(source, metadata={"proof": name})


def _assert_last(id: str, state: str, ending: str = "''") -> str:
    return (
        "from medlearn.teaching import check as _check\n"
        "_said = _check.last()\n"
        f"assert (_said.id, _said.state) == ({id!r}, {state!r}) and _said.message.endswith({ending}), _said"
    )


def _failures(place: int, cell: NotebookNode) -> list[str]:
    what = (
        cell.metadata.get("proof")
        or f"cell {place} of the lesson with proofs, {cell.source[:60]!r}"
    )
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return [f"{what}: {error.ename}: {error.evalue}" for error in errors]


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])
