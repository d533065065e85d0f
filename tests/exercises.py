"""Take a lesson's exercises apart, and put in the cells that prove each while the lesson runs."""

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lessons
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from medlearn.teaching import exercises as package
from tools import running, solutions

CHECK = re.compile(r'check\.answer\("(\d\d\.\d{1,2})", (\w+)(, \w+=[\w.\[\]]+)*\)')


@dataclass(frozen=True)
class Found:
    """One exercise of a notebook."""

    id: str
    index: int  # of the stub among the notebook's cells
    name: str  # of the variable or function that holds the answer
    stub: str
    check: str
    task: str


def find(notebook: NotebookNode) -> tuple[list[Found], list[str]]:
    """The well-formed exercises of a notebook, and what is wrong with the others."""
    found = []
    problems = []
    for index, cell in enumerate(notebook.cells):
        if "exercise" not in _tags(cell):
            continue
        try:
            found.append(_exercise(notebook.cells, index))
        except ValueError as problem:
            first_line = cell.source.splitlines()[0]
            problems.append(f"exercise in cell {index} ({first_line!r}): {problem}")
    surplus = len(lessons.tagged(notebook, "check")) - len(lessons.tagged(notebook, "exercise"))
    if surplus > 0:
        problems.append(f"{surplus} more cells tagged check than exercises")
    if lessons.tagged(notebook, "solution"):
        problems.append(f"a solution stands in the lesson; its place is {solutions.PAGE}")
    return found, problems


def numbering(lesson: lessons.Lesson) -> list[str]:
    """Ids count from NN.1 in the order of the lesson NN."""
    ids = [exercise.id for exercise in find(lesson.notebook)[0]]
    expected = [f"{lesson.name[:2]}.{number}" for number in range(1, len(ids) + 1)]
    return [] if ids == expected else [f"exercise ids are {ids}, not {expected}"]


def agreement(lesson: lessons.Lesson) -> list[str]:
    """The package has these exercises and no others, under the same names, each with a solution."""
    found = find(lesson.notebook)[0]
    answers = solutions.read()
    problems = []
    if [exercise.id for exercise in found] != list(package.ids(lesson.name[:2])):
        problems.append(f"the package has the exercises {package.ids(lesson.name[:2])}")
    for exercise in found:
        if exercise.id not in answers:
            problems.append(f"{exercise.id} has no solution in {solutions.PAGE}")
        elif exercise.name not in bound(ast.parse(answers[exercise.id].code)):
            problems.append(f"the solution of {exercise.id} does not set {exercise.name}")
        if exercise.id not in package.ids():
            problems.append(f"{exercise.id} is not in medlearn.teaching.exercises")
        elif package.find(exercise.id).name != exercise.name:
            problems.append(f"the package calls the answer {package.find(exercise.id).name}")
    return problems


def clashes(notebook: NotebookNode) -> list[str]:
    """Names of the lesson that a stub or a solution would overwrite, and the other way round."""
    own: set[str] = set()
    for cell in lessons.code(notebook):
        if not {"exercise", "check"} & set(_tags(cell)):
            own |= bound(lessons.parse(cell))
    answers = solutions.read()
    problems = []
    taken: dict[str, str] = {}
    for exercise in find(notebook)[0]:
        names = bound(ast.parse(exercise.stub))
        if exercise.id in answers:
            names |= bound(ast.parse(answers[exercise.id].code))
        for name in sorted(names):
            if name in own:
                problems.append(f"{exercise.id} sets {name}, which the lesson sets as well")
            if name in taken:
                problems.append(f"{exercise.id} sets {name}, as {taken[name]} does")
            taken[name] = exercise.id
    return problems


def signatures(notebook: NotebookNode) -> list[str]:
    """A function that a task asks for has the name and the arguments that its stub has."""
    problems = []
    for exercise in find(notebook)[0]:
        for node in ast.parse(exercise.stub).body:
            if isinstance(node, ast.FunctionDef):
                arguments = exercise.stub.partition("(")[2].partition("):")[0]
                signature = f"`{node.name}({arguments})`"
                if signature not in exercise.task:
                    problems.append(f"{exercise.id}: the task does not say {signature}")
    return problems


def bound(tree: ast.Module) -> set[str]:
    """The names that code binds at its top level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            names |= {part.id for part in _stored(node)}
    return names


def _stored(node: ast.stmt) -> Iterator[ast.Name]:
    """Names that a statement stores; those inside a comprehension stay there."""
    scopes = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part
        elif not isinstance(part, scopes):
            yield from _stored(part)


def with_proofs(notebook: NotebookNode) -> NotebookNode:
    """A copy that proves each exercise after its untouched check, and then puts the stub back."""
    notebook = copy.deepcopy(notebook)
    answers = solutions.read()
    for exercise in reversed(find(notebook)[0]):
        proofs = list(_proofs(exercise, answers[exercise.id].code))
        after_check = exercise.index + 2
        notebook.cells[after_check:after_check] = proofs
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


def _exercise(cells: list[NotebookNode], index: int) -> Found:
    three = cells[max(index - 1, 0) : index + 2]
    if len(three) < 3 or "check" not in _tags(three[2]):
        raise ValueError("after the stub comes a cell tagged check")
    task, stub, check = three
    if not re.search(
        r"^#{2,4} .*(Your turn|Exercise|Open task)", lessons.prose(task), re.MULTILINE
    ):
        raise ValueError(
            'no markdown cell before it with a heading "Your turn ...", "Exercise ..." or '
            '"Open task ..."'
        )
    if "..." not in stub.source:
        raise ValueError("the stub leaves no `...` to fill in")
    match = CHECK.fullmatch(check.source)
    if not match:
        raise ValueError('the check is not one short call, check.answer("02.1", name)')
    if match[2] not in bound(ast.parse(stub.source)):
        raise ValueError(f"the stub does not set {match[2]}")
    return Found(match[1], index, match[2], stub.source, check.source, task.source)


def _proofs(exercise: Found, solution: str) -> Iterator[NotebookNode]:
    id, name = exercise.id, exercise.name
    untouched = f"assert (_check.last().id, _check.last().state) == ({id!r}, 'blank')"
    begin = "from medlearn.teaching import check as _check, exercises as _exercises"
    yield _proof(f"{id}: the untouched stub is not an answer", f"{begin}\n{untouched}")
    for number, entry in enumerate(package.find(id).wrong):
        attempt = (
            f"_typical, *_, _hint = _exercises.find({id!r}).wrong[{number}]\n"
            f"{name} = {_wrong_answer(exercise)}\n{exercise.check}\n"
            f"assert (_check.last().state, _check.last().message) == ('wrong', "
            f"f'{id}: not yet. Hint: {{_hint}}'), _check.last()"
        )
        yield _proof(f"{id}: the wrong answer {number} gets its hint, {entry[-1]!r}", attempt)
    solve = f"{solution}\n{exercise.check}\nassert _check.last().state == 'solved', _check.last()"
    yield _proof(f"{id}: the solution is right", solve)
    # The lesson goes on as for a learner who has not solved the exercise.
    yield _proof(f"{id}: the stub runs again", exercise.stub)


def _wrong_answer(exercise: Found) -> str:
    """A wrong value may be a function of the data that the check cell passes on."""
    if not isinstance(package.find(exercise.id), package.Value):
        return "_typical"
    data = exercise.check.partition(f"{exercise.name}")[2].lstrip(", ").removesuffix(")")
    return f"_typical({data}) if callable(_typical) else _typical"


def _proof(name: str, source: str) -> NotebookNode:
    return new_code_cell(source, metadata={"proof": name})


def _failures(index: int, cell: NotebookNode) -> list[str]:
    name = f"cell {index} of the lesson with proofs, {cell.source[:60]!r}"
    name = cell.metadata.get("proof") or name
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return [f"{name}: {error.ename}: {error.evalue}" for error in errors]


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])
