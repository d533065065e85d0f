"""Every exercise is proven: hints for its stub and for typical wrong answers, and its solution."""

import sys

import exercises
import lessons
import nbformat
import pytest
from lessons import code_cell, solution_cell, text_cell


@lessons.for_every_lesson
def test_exercises_are_well_formed(path):
    lesson = lessons.read(path)
    lessons.expect_none(exercises.find(lesson.notebook)[1] + exercises.numbering(lesson))


@pytest.mark.slow
@lessons.for_every_lesson
def test_exercises_are_proven(path):
    lesson = lessons.read(path)
    lessons.expect_none(exercises.run(exercises.needed(lesson.notebook), lessons.FOLDER))


# ---- seen failing on purpose ---------------------------------------------------------------------


def exercise(
    number: int,
    stub="a = ...",
    solution="a = 4",
    wrong='(3, "Own.")',
    expected="4",
    hints='["First."]',
):
    check = f'check.value("02.{number}", a, expected={expected}, wrong=[{wrong}], hints={hints})'
    return [
        text_cell("### Your turn"),
        code_cell(stub, "exercise"),
        solution_cell(solution),
        code_cell(check, "check"),
    ]


def notebook(*cells):
    first = code_cell("from medlearn.teaching import check")
    return nbformat.v4.new_notebook(cells=[first, *cells])


@pytest.mark.slow
def test_the_miniature_is_proven(tmp_path):
    lesson = lessons.miniature()
    assert exercises.find(lesson.notebook)[1] == exercises.numbering(lesson) == []
    expected = (str(tmp_path), sys.executable)
    lesson.notebook.cells += [
        code_cell(f"import os, sys\nassert (os.getcwd(), sys.executable) == {expected!r}"),
        code_cell("assert twice is ... and mean([1]) is None  # as a learner"),
    ]
    before = nbformat.writes(lesson.notebook)
    assert exercises.run(lesson.notebook, tmp_path) == []
    assert nbformat.writes(lesson.notebook) == before


@pytest.mark.slow
def test_every_kind_of_broken_exercise_is_named(tmp_path):
    broken = notebook(
        *exercise(1, solution="a = 5"),
        *exercise(2, stub="a = ... + 1"),
        *exercise(3, wrong='(4, "Own.")'),
        *exercise(4, wrong='(3, "Own" + unknown)'),
        *exercise(5, stub="# fill in the ...\na = 4"),
        *exercise(6, expected="1 / 0"),
        *exercise(7),
        *exercise(8, wrong='(3, "Own."), (3.0, "Another.")'),
        code_cell("1 / 0"),
    )
    problems = exercises.run(broken, tmp_path)
    for beginning in (
        "02.1: the solution is right: AssertionError",
        "cell ",  # the stub of 02.2 raises in its own cell
        "02.2: the stub runs again: TypeError",
        "02.3: the wrong answer 4 gets its own hint: AssertionError",
        "02.4: the wrong answer 3 gets its own hint: NameError",
        "02.5: the untouched stub gets the first hint: AssertionError",
        "02.6: the solution is right: ZeroDivisionError",
        "02.8: the wrong answer 3.0 gets its own hint: AssertionError",
    ):
        assert [problem for problem in problems if problem.startswith(beginning)], beginning
    assert not [problem for problem in problems if problem.startswith("02.7")]
    assert problems[-1].startswith("cell ") and problems[-1].endswith("division by zero")


def check(arguments: str) -> dict[str, str]:
    """The source of a check cell."""
    return {"source": f"check.value({arguments})"}


def test_a_malformed_exercise_is_named():
    lonely_text = "<details><summary>Solution</summary>\n\nfour\n\n</details>"
    offenders = [
        (0, {"source": "### A task"}, "Your turn"),
        (1, {"source": "a = 4"}, "leaves no `...`"),
        (2, {"metadata": {}}, "a cell tagged solution"),
        (2, {"source": "```python\na = 4\n```"}, "collapsed"),
        (2, {"source": lonely_text}, "collapsed"),
        (3, {"metadata": {}}, "a cell tagged check"),
        (3, {"source": "print(a)"}, "0 times, not once"),
        (3, check("'02.1', 4, wrong=[(1, '')], hints=['']"), "the name that the stub assigns"),
        (3, check("f'02.{1}', a, wrong=[(1, '')], hints=['']"), "begins with an id"),
        (3, check(""), "begins with an id"),
        (3, check("'02.1', a, expected=4, wrong=[(1, '')]"), "lists no hints"),
        (3, check("'02.1', a, expected=4, wrong=[], hints=['A.']"), "lists no wrong"),
        (3, check("'02.1', a, expected=4, wrong=[1], hints=['A.']"), "its hint"),
    ]
    for index, changes, sentence in offenders:
        cells = exercise(1)
        cells[index].update(changes)
        well_formed, problems = exercises.find(notebook(*cells))
        assert not well_formed, sentence
        assert "exercise in cell 2" in problems[0] and sentence in problems[0]


def test_a_lonely_solution_or_check_is_named():
    extra = exercise(1)[2:]
    assert len(exercises.find(notebook(*exercise(1), *extra))[1]) == 2


def test_exercises_are_numbered_in_order():
    def problems(*cells, name="02_sum_numbers.ipynb"):
        return exercises.numbering(lessons.Lesson(name, notebook(*cells)))

    assert problems(*exercise(1), *exercise(2)) == []
    assert problems(*exercise(2), *exercise(1))
    assert problems(*exercise(1), *exercise(1))
    assert problems(*exercise(1), name="03_sum_more.ipynb")
