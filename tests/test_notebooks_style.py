"""The shape of a lesson, rule by rule; each rule is also seen failing on its offenders."""

import ast
import re
from statistics import median

import lessons
import pytest
from lessons import Lesson, code_cell, text_cell

MEDLEARN = frozenset(lessons.public_names(lessons.ROOT / "medlearn"))
# The formatter writes an argument a line: what was 7 lines before it came is 9 lines after.
MEDIAN_LINES, MOST_LINES, LONGEST_LINE = 9, 20, 100


def named_by_number_verb_and_object(lesson: Lesson) -> list[str]:
    if re.fullmatch(r"\d\d_[a-z]+(_[a-z0-9]+)+\.ipynb", lesson.name):
        return []
    return [f"{lesson.name} is not named NN_verb_object.ipynb"]


def title_first_and_only_one(lesson: Lesson) -> list[str]:
    problems = []
    if not lessons.prose(lesson.notebook.cells[0]).startswith("# "):
        problems.append("the first cell does not begin with a `# ` title")
    titles = lessons.headings(lesson.notebook, "#")
    if len(titles) != 1:
        problems.append(f"{len(titles)} titles instead of one: {titles}")
    return problems


def says_minutes(lesson: Lesson) -> list[str]:
    if re.search(r"\b(minutes?|hours?)\b", _opening(lesson)):
        return []
    return ["the opening does not say how many minutes the lesson takes"]


def three_objectives(lesson: Lesson) -> list[str]:
    objectives = lessons.first_list(_opening(lesson).lower().partition("you will be able to")[2])
    if len(objectives) == 3:
        return []
    return [f'"You will be able to" is followed by {len(objectives)} list lines instead of three']


def parameters_first(lesson: Lesson) -> list[str]:
    cells = lessons.tagged(lesson.notebook, "parameters")
    if len(cells) != 1 or cells[0] is not lessons.code(lesson.notebook)[0]:
        return [f"{len(cells)} cells tagged parameters; it is one, the first code cell"]
    statements = lessons.parse(cells[0]).body
    problems = [
        f"the parameters cell does more than assign constants: {ast.unparse(node)}"
        for node in statements
        if not _assigns_constant(node)
    ]
    names = [ast.unparse(node.targets[0]) for node in statements if _assigns_constant(node)]
    if not any(name.startswith("DATASET") for name in names):
        problems.append("parameters name no DATASET")
    return problems


def one_result(lesson: Lesson) -> list[str]:
    cells = lessons.tagged(lesson.notebook, "result")
    if len(cells) == 1 and cells[0].cell_type == "code":
        return []
    return [f"{len(cells)} cells tagged result; it is one code cell that prints the numbers"]


def no_star_import(lesson: Lesson) -> list[str]:
    imports = _nodes(lesson, ast.ImportFrom)
    return [f"star import: {ast.unparse(node)}" for node in imports if node.names[0].name == "*"]


def short_cells(lesson: Lesson) -> list[str]:
    """Check cells count as well: they are one call."""
    sources = [cell.source.strip() for cell in lessons.code(lesson.notebook)]
    lengths = [len(source.splitlines()) for source in sources]
    problems = []
    if median(lengths) > MEDIAN_LINES:
        problems.append(f"the median code cell has {median(lengths)} lines; at most {MEDIAN_LINES}")
    for source, length in zip(sources, lengths, strict=True):
        if length > MOST_LINES:
            first_line = source.splitlines()[0]
            problems.append(f"a cell has {length} lines; at most {MOST_LINES}: {first_line}")
    return problems


def short_lines(lesson: Lesson) -> list[str]:
    return [
        f"a line of {len(line)} characters; at most {LONGEST_LINE}: {line.strip()[:60]}"
        for line in _code_lines(lesson)
        if len(line) > LONGEST_LINE
    ]


def not_in_medlearn_already(lesson: Lesson) -> list[str]:
    """An idea that is typed before it is imported has the tag `by-hand`; exercises may, too."""
    clashes = sorted(_defined(lesson, "exercise", "by-hand") & MEDLEARN)
    return [
        f"{name} is defined here, but medlearn has a {name}: import it, or choose another name"
        for name in clashes
    ]


def no_tricks(lesson: Lesson) -> list[str]:
    return [
        f"magic, shell or path trick: {line}"
        for line in map(str.strip, _code_lines(lesson))
        if re.match(r"[!%]", line) or "sys.path" in line
    ]


def two_exercises(lesson: Lesson) -> list[str]:
    count = len(lessons.tagged(lesson.notebook, "exercise"))
    return [] if count >= 2 else [f"{count} exercises; at least two"]


def ends_with_recap_and_references(lesson: Lesson) -> list[str]:
    heads = lessons.headings(lesson.notebook)[-2:]
    if len(heads) < 2 or "recap" not in heads[0].lower() or "references" not in heads[1].lower():
        return [f"the last two headings are {heads}, not a recap and references"]
    text = "\n".join(lessons.prose(cell) for cell in lesson.notebook.cells)
    recap, references = text.split(heads[0])[-1].split(heads[1])
    problems = []
    count = len(lessons.first_list(recap))
    if count != 3:
        problems.append(f"the recap has {count} list lines instead of three")
    if not references.strip():
        problems.append("there are no references")
    return problems


def one_open_task(lesson: Lesson) -> list[str]:
    tasks = [line for line in lessons.headings(lesson.notebook, "###") if "Open task" in line]
    sound = [line for line in tasks if re.fullmatch(r"### Open task · \S.*", line)]
    if len(tasks) == len(sound) == 1:
        return []
    return [f"headings {tasks}; it is one, `### Open task · Title`"]


def tried_on_own_data(lesson: Lesson) -> list[str]:
    text = lessons.prose(lesson.notebook.cells[-1])
    if text.count("**Try it on your data.**") == 1:
        return []
    return ["the last cell has no paragraph `**Try it on your data.**`"]


def references_are_linked(lesson: Lesson) -> list[str]:
    """Works in one item are parted by semicolons."""
    references = lessons.prose(lesson.notebook.cells[-1]).partition("## References")[2]
    works = []
    for item in re.findall(r"^- (.+)$", references, re.MULTILINE):
        works += item.split("; ")
    return [f"no link: {work[:70]}" for work in works if not re.search(r"\]\(https://\S+\)", work)]


def own_number_in_commands(lesson: Lesson) -> list[str]:
    text = "\n".join(lessons.prose(cell) for cell in lesson.notebook.cells)
    numbers = re.findall(r"course\.py run (\d\d)", text)
    return [
        f"`course.py run {number}` is another lesson"
        for number in numbers
        if number != lesson.name[:2]
    ]


RULES = [
    named_by_number_verb_and_object,
    title_first_and_only_one,
    says_minutes,
    three_objectives,
    parameters_first,
    one_result,
    no_star_import,
    short_cells,
    short_lines,
    not_in_medlearn_already,
    no_tricks,
    two_exercises,
    ends_with_recap_and_references,
    one_open_task,
    tried_on_own_data,
    references_are_linked,
    own_number_in_commands,
]


def defined_twice(all_lessons: list[Lesson]) -> list[str]:
    """Names that two lessons define."""
    owner: dict[str, str] = {}
    problems = []
    for lesson in all_lessons:
        for name in sorted(_defined(lesson)):
            first = owner.setdefault(name, lesson.name)
            if first != lesson.name:
                problems.append(
                    f"{name} is defined in {first} and in {lesson.name}; teach once, then import"
                )
    return problems


def _opening(lesson: Lesson) -> str:
    """The prose before the first code."""
    cells = lesson.notebook.cells
    first_code = next(index for index, cell in enumerate(cells) if cell.cell_type == "code")
    return "\n".join(lessons.prose(cell) for cell in cells[:first_code])


def _code_lines(lesson: Lesson) -> list[str]:
    sources = [cell.source for cell in lessons.code(lesson.notebook)]
    return "\n".join(sources).splitlines()


def _nodes(lesson: Lesson, node_type: type) -> list:
    nodes = []
    for cell in lessons.code(lesson.notebook):
        nodes += [node for node in ast.walk(lessons.parse(cell)) if isinstance(node, node_type)]
    return nodes


def _assigns_constant(node: ast.stmt) -> bool:
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return isinstance(node.targets[0], ast.Name)


def _defined(lesson: Lesson, *left_out: str) -> set[str]:
    """Functions and classes that a lesson defines in cells without one of these tags."""
    names: set[str] = set()
    for cell in lessons.code(lesson.notebook):
        if not set(left_out) & set(cell.metadata.get("tags", [])):
            names.update(lessons.definitions(lessons.parse(cell)))
    return names


# ---- the rules on the lessons --------------------------------------------------------------------


@lessons.for_every_lesson
def test_a_lesson_keeps_every_rule(path):
    lesson = lessons.read(path)
    problems = []
    for rule in RULES:
        problems += lessons.unless_unfinished(rule.__name__, lesson, rule(lesson))
    lessons.expect_none(problems)


def test_nothing_is_defined_in_two_lessons():
    lessons.expect_none(defined_twice([lessons.read(path) for path in lessons.PATHS]))


# ---- the rules on their offenders ----------------------------------------------------------------


def replace(index: int, old: str, new: str):
    """An offender: the miniature with a text replaced in one cell."""

    def spoil(lesson: Lesson) -> None:
        cell = lesson.notebook.cells[index]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return spoil


def rename(name: str):
    """An offender: the miniature under another name."""

    def spoil(lesson: Lesson) -> None:
        lesson.name = name

    return spoil


def insert(index: int, *cells):
    """An offender: the miniature with more cells."""

    def spoil(lesson: Lesson) -> None:
        lesson.notebook.cells[index:index] = cells

    return spoil


def remove(index: int):
    """An offender: the miniature without one cell."""

    def spoil(lesson: Lesson) -> None:
        lesson.notebook.cells.pop(index)

    return spoil


F1_BY_HAND = "def macro_f1(labels, predictions):\n    return 1"
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
    (short_cells, insert(3, code_cell("x = 1\n" * 21))),
    (short_cells, insert(3, code_cell("x = 1\n" * 21, "check"))),
    (short_cells, insert(3, *[code_cell("x = 1\n" * 10)] * 12)),
    (short_lines, insert(3, code_cell("x = " + "1 + " * 30 + "1"))),
    (not_in_medlearn_already, insert(3, code_cell(F1_BY_HAND))),
    (no_tricks, insert(3, code_cell("%matplotlib inline"))),
    (no_tricks, insert(3, code_cell("!pip install medlearn"))),
    (no_tricks, insert(3, code_cell("import sys\nsys.path.append('..')"))),
    (two_exercises, remove(7)),
    (ends_with_recap_and_references, insert(99, text_cell("## Afterword"))),
    (ends_with_recap_and_references, replace(-1, "## References", "References")),
    (ends_with_recap_and_references, replace(-1, f"- {lessons.REFERENCE}", "")),
    (ends_with_recap_and_references, replace(-1, "- count numbers\n", "")),
    (one_open_task, replace(6, "### Your turn:", "### Open task ·")),
    (one_open_task, replace(9, "### Open task", "### Exercise 2")),
    (one_open_task, replace(9, "Open task · A", "Open task: a")),
    (tried_on_own_data, replace(-1, "**Try it on your data.**", "Try it.")),
    (references_are_linked, replace(-1, "(https://doi.org/10.1000/182)", "")),
    (own_number_in_commands, replace(0, "About", "`course.py run 05` runs it. About")),
    (references_are_linked, replace(-1, ", 1786", ", 1786; Anon, *After school*, 1787")),
]


def test_a_sound_lesson_passes_and_every_rule_has_an_offender():
    for rule in RULES:
        assert rule(lessons.miniature()) == [], rule.__name__
    assert {rule for rule, _ in OFFENDERS} == set(RULES)


def test_every_offender_fails():
    passed = []
    for index, (rule, spoil) in enumerate(OFFENDERS):
        lesson = lessons.miniature()
        spoil(lesson)
        if not rule(lesson):
            passed.append(f"offender {index} of {rule.__name__} passed")
    lessons.expect_none(passed)


def test_a_definition_in_two_lessons_fails():
    first, second = lessons.miniature(), lessons.miniature()
    second.name = "03_sum_more.ipynb"
    insert(3, code_cell("def helper():\n    return 1"))(first)
    assert len(defined_twice([first, second])) == 1  # the exercise's function, which both have
    insert(3, code_cell("def helper():\n    return 2"))(second)
    assert len(defined_twice([first, second])) == 2


@pytest.mark.parametrize("tag", ["by-hand", "exercise"])
def test_an_idea_may_be_typed_where_it_is_taught(tag):
    lesson = lessons.miniature()
    insert(3, code_cell(F1_BY_HAND, tag))(lesson)
    assert not_in_medlearn_already(lesson) == []


def test_titles_in_fenced_code_are_comments():
    lesson = lessons.miniature()
    insert(3, text_cell("```python\n# a comment\n```"))(lesson)
    assert title_first_and_only_one(lesson) == []


def test_an_unfinished_lesson_that_keeps_the_rule_must_leave_the_list(monkeypatch):
    lesson = lessons.miniature()
    monkeypatch.setattr(lessons, "unfinished", lambda: {("one_result", "02")})
    assert lessons.unless_unfinished("one_result", lesson, ["none"]) == []
    assert "delete `one_result 02`" in lessons.unless_unfinished("one_result", lesson, [])[0]
    assert lessons.unless_unfinished("no_tricks", lesson, ["sys"]) == ["no_tricks: sys"]
