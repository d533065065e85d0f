"""The shape of a lesson, rule by rule; each rule is also seen failing on an offender."""

import ast
import re
from statistics import median

import lessons
import pytest
from lessons import Lesson, code_cell, text_cell

MEDLEARN = frozenset(lessons.public_names(lessons.ROOT / "medlearn"))


def named_by_number_verb_and_object(lesson: Lesson) -> list[str]:
    good = re.fullmatch(r"\d\d_[a-z]+(_[a-z0-9]+)+\.ipynb", lesson.name)
    return [] if good else [f"{lesson.name} is not named NN_verb_object.ipynb"]


def title_first_and_only_one(lesson: Lesson) -> list[str]:
    first, titles = lesson.notebook.cells[0], lessons.headings(lesson.notebook, "#")
    problems = (
        []
        if lessons.prose(first).startswith("# ")
        else ["the first cell does not begin with a `# ` title"]
    )
    return problems + (
        [] if len(titles) == 1 else [f"{len(titles)} titles instead of one: {titles}"]
    )


def says_minutes(lesson: Lesson) -> list[str]:
    said = re.search(r"\b(minutes?|hours?)\b", _opening(lesson))
    return [] if said else ["the opening does not say how many minutes the lesson takes"]


def three_objectives(lesson: Lesson) -> list[str]:
    found = len(lessons.first_list(_opening(lesson).lower().partition("you will be able to")[2]))
    return (
        []
        if found == 3
        else [f'"You will be able to" is followed by {found} list lines instead of three']
    )


def parameters_first(lesson: Lesson) -> list[str]:
    cells = lessons.tagged(lesson.notebook, "parameters")
    if len(cells) != 1 or cells[0] is not lessons.code(lesson.notebook)[0]:
        return [f"{len(cells)} cells tagged parameters; it is one, the first code cell"]
    names, problems = [], []
    for node in lessons.parse(cells[0]).body:
        if _simple_assignment(node):
            names.append(node.targets[0].id)
        else:
            problems.append(
                f"the parameters cell does more than assign constants: {ast.unparse(node)}"
            )
    return problems + (
        [] if any(name.startswith("DATASET") for name in names) else ["parameters name no DATASET"]
    )


def one_result(lesson: Lesson) -> list[str]:
    cells = lessons.tagged(lesson.notebook, "result")
    good = len(cells) == 1 and cells[0].cell_type == "code"
    return (
        []
        if good
        else [
            f"{len(cells)} cells tagged result; it is one code cell that prints the lesson's numbers"
        ]
    )


def no_star_import(lesson: Lesson) -> list[str]:
    imports = _nodes(lesson, ast.ImportFrom)
    return [f"star import: {ast.unparse(node)}" for node in imports if node.names[0].name == "*"]


def short_cells(lesson: Lesson) -> list[str]:
    lengths = [len(cell.source.strip().splitlines()) for cell in lessons.code(lesson.notebook)]
    problems = (
        []
        if median(lengths) <= 7
        else [f"the median code cell has {median(lengths)} lines; at most 7"]
    )
    return problems + (
        []
        if max(lengths) <= 25
        else [f"the longest code cell has {max(lengths)} lines; at most 25"]
    )


def not_in_medlearn_already(lesson: Lesson) -> list[str]:
    """Cells where an idea is typed before it is imported say so by the tag `by-hand`; exercises are the learner's."""
    clashes = sorted(_defined(lesson, "exercise", "by-hand") & MEDLEARN)
    return [
        f"{name} is defined here, but medlearn has a {name}: import it, or choose another name"
        for name in clashes
    ]


def no_tricks(lesson: Lesson) -> list[str]:
    lines = [
        line.strip() for cell in lessons.code(lesson.notebook) for line in cell.source.splitlines()
    ]
    return [
        f"magic, shell or path trick: {line}"
        for line in lines
        if re.match(r"[!%]", line) or "sys.path" in line
    ]


def two_exercises(lesson: Lesson) -> list[str]:
    found = len(lessons.tagged(lesson.notebook, "exercise"))
    return [] if found >= 2 else [f"{found} exercises; at least two"]


def ends_with_recap_and_references(lesson: Lesson) -> list[str]:
    text = "\n".join(lessons.prose(cell) for cell in lesson.notebook.cells)
    heads = lessons.headings(lesson.notebook)[-2:]
    if len(heads) < 2 or "recap" not in heads[0].lower() or "references" not in heads[1].lower():
        return [f"the last two headings are {heads}, not a recap and references"]
    recap, references = text.split(heads[0])[-1].split(heads[1])
    items = len(lessons.first_list(recap))
    problems = [] if items == 3 else [f"the recap has {items} list lines instead of three"]
    return problems + ([] if references.strip() else ["there are no references"])


RULES = [
    named_by_number_verb_and_object,
    title_first_and_only_one,
    says_minutes,
    three_objectives,
    parameters_first,
    one_result,
    no_star_import,
    short_cells,
    not_in_medlearn_already,
    no_tricks,
    two_exercises,
    ends_with_recap_and_references,
]


def defined_twice(all_lessons: list[Lesson]) -> list[str]:
    owner: dict[str, str] = {}
    problems = []
    for lesson in all_lessons:
        for name in sorted(_defined(lesson)):
            if owner.setdefault(name, lesson.name) != lesson.name:
                problems.append(
                    f"{name} is defined in {owner[name]} and in {lesson.name}; teach once, then import"
                )
    return problems


def _opening(lesson: Lesson) -> str:
    """The prose before the first code."""
    cells = lesson.notebook.cells
    first_code = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
    return "\n".join(lessons.prose(cell) for cell in cells[:first_code])


def _nodes(lesson: Lesson, kind: type) -> list:
    trees = [lessons.parse(cell) for cell in lessons.code(lesson.notebook)]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, kind)]


def _simple_assignment(node: ast.stmt) -> bool:
    if (
        not isinstance(node, ast.Assign)
        or len(node.targets) != 1
        or not isinstance(node.targets[0], ast.Name)
    ):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


def _defined(lesson: Lesson, *but: str) -> set[str]:
    cells = [
        cell
        for cell in lessons.code(lesson.notebook)
        if not set(but) & set(cell.metadata.get("tags", []))
    ]
    return {name for cell in cells for name in lessons.definitions(lessons.parse(cell))}


# ---- the rules on the lessons ------------------------------------------------------------------------------


@lessons.each_notebook
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_lesson(rule, path):
    lessons.expect_none(rule(lessons.read(path)))


def test_nothing_is_defined_in_two_lessons():
    lessons.expect_none(defined_twice([lessons.read(path) for path in lessons.PATHS]))


# ---- the rules on their offenders --------------------------------------------------------------------------


def replace(number: int, old: str, new: str):
    """An offender: the miniature with a text replaced in one cell."""

    def spoil(lesson: Lesson) -> None:
        cell = lesson.notebook.cells[number]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return spoil


def rename(name: str):
    return lambda lesson: setattr(lesson, "name", name)


def insert(place: int, *cells):
    def spoil(lesson: Lesson) -> None:
        lesson.notebook.cells[place:place] = cells

    return spoil


def remove(place: int):
    return lambda lesson: lesson.notebook.cells.pop(place)


OFFENDERS = [
    (named_by_number_verb_and_object, rename("2_sum_numbers.ipynb")),
    (named_by_number_verb_and_object, rename("02_Sum_Numbers.ipynb")),
    (named_by_number_verb_and_object, rename("02_sum.ipynb")),
    (title_first_and_only_one, replace(0, "# Sum", "## Sum")),
    (title_first_and_only_one, insert(0, text_cell("Welcome"))),
    (title_first_and_only_one, insert(3, text_cell("# A second title"))),
    (says_minutes, replace(0, "5 minutes", "a while")),
    (three_objectives, replace(0, "- sum numbers\n", "")),
    (three_objectives, replace(0, "able to", "asked to")),
    (three_objectives, replace(0, "- sum", "- add numbers\n- sum")),
    (parameters_first, remove(1)),
    (parameters_first, insert(1, code_cell("import numpy"))),
    (parameters_first, insert(2, code_cell("MORE = 1", "parameters"))),
    (parameters_first, replace(1, "4", "len(DATASET)")),
    (parameters_first, replace(1, "DATASET", "NAME")),
    (parameters_first, replace(1, "COUNT = 4", "import os")),
    (one_result, remove(5)),
    (one_result, insert(5, code_cell("print(1)", "result"))),
    (no_star_import, insert(3, code_cell("from medlearn.teaching.check import *"))),
    (short_cells, insert(3, code_cell("x = 1\n" * 26))),
    (short_cells, insert(3, *[code_cell("x = 1\n" * 8)] * 12)),
    (
        not_in_medlearn_already,
        insert(3, code_cell("def macro_f1(labels, predictions):\n    return 1")),
    ),
    (no_tricks, insert(3, code_cell("%matplotlib inline"))),
    (no_tricks, insert(3, code_cell("!pip install medlearn"))),
    (no_tricks, insert(3, code_cell("import sys\nsys.path.append('..')"))),
    (two_exercises, remove(7)),
    (ends_with_recap_and_references, insert(99, text_cell("## Afterword"))),
    (ends_with_recap_and_references, replace(-1, "## References", "References")),
    (ends_with_recap_and_references, replace(-1, "- Gauss, C. F. At school, 1786.", "")),
    (ends_with_recap_and_references, replace(-1, "- count numbers\n", "")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_lesson_passes(rule):
    assert rule(lessons.miniature()) == []
    assert rule in [offended for offended, _ in OFFENDERS]


@pytest.mark.parametrize("rule, spoil", OFFENDERS, ids=lambda value: getattr(value, "__name__", ""))
def test_an_offender_fails(rule, spoil):
    lesson = lessons.miniature()
    spoil(lesson)
    assert rule(lesson)


def test_a_definition_in_two_lessons_fails():
    one, other = lessons.miniature(), lessons.miniature()
    insert(3, code_cell("def helper():\n    return 1"))(one)
    other.name = "03_sum_more.ipynb"
    assert len(defined_twice([one, other])) == 1  # the exercise function they share
    insert(3, code_cell("def helper():\n    return 2"))(other)
    assert len(defined_twice([one, other])) == 2


@pytest.mark.parametrize("tag", ["by-hand", "exercise"])
def test_an_idea_may_be_typed_where_it_is_taught(tag):
    lesson = lessons.miniature()
    insert(3, code_cell("def macro_f1(labels, predictions):\n    return 1", tag))(lesson)
    assert not_in_medlearn_already(lesson) == []


def test_titles_in_fenced_code_are_comments():
    lesson = lessons.miniature()
    insert(3, text_cell("```python\n# a comment\n```"))(lesson)
    assert title_first_and_only_one(lesson) == []
