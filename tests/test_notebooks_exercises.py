"""Every exercise is proven: its stub gets a hint, each typical wrong answer its own, its solution is right."""

import sys

import exercises
import lessons
import nbformat
import pytest
from lessons import code_cell, solution_cell, text_cell


@lessons.each_notebook
def test_exercises_are_well_formed(path):
    lesson = lessons.read(path)
    lessons.expect_none(exercises.find(lesson.notebook)[1] + exercises.numbering(lesson))


@lessons.each_notebook
def test_exercises_are_proven(path):
    lesson = lessons.read(path)
    if not exercises.find(lesson.notebook)[0]:
        pytest.skip("no exercise in this lesson")
    lessons.expect_none(exercises.run(exercises.needed(lesson.notebook), lessons.FOLDER))


# ---- seen failing on purpose -------------------------------------------------------------------------------


def exercise(
    number: int,
    stub="a = ...",
    solution="a = 4",
    wrong="3",
    hint='"Own."',
    expected="4",
    hints='["First."]',
):
    check = f'check.value("02.{number}", a, expected={expected}, wrong=[({wrong}, {hint})], hints={hints})'
    return [
        text_cell("### Your turn"),
        code_cell(stub, "exercise"),
        solution_cell(solution),
        code_cell(check, "check"),
    ]


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[code_cell("from medlearn.teaching import check"), *cells])


def test_the_miniature_is_proven(tmp_path):
    lesson = lessons.miniature()
    assert exercises.find(lesson.notebook)[1] == exercises.numbering(lesson) == []
    here = f"import os, sys\nassert (os.getcwd(), sys.executable) == {(str(tmp_path), sys.executable)!r}"
    lesson.notebook.cells += [
        code_cell(here),
        code_cell("assert twice is ... and mean([1]) is None  # as a learner"),
    ]
    before = nbformat.writes(lesson.notebook)
    assert exercises.run(lesson.notebook, tmp_path) == []
    assert nbformat.writes(lesson.notebook) == before


def test_every_kind_of_broken_exercise_is_named(tmp_path):
    broken = notebook(
        *exercise(1, solution="a = 5"),
        *exercise(2, stub="a = ... + 1"),
        *exercise(3, wrong="4"),
        *exercise(4, hint="'Own' + unknown"),
        *exercise(5, stub="# fill in the ...\na = 4"),
        *exercise(6, expected="1 / 0"),
        *exercise(7),
    )
    problems = exercises.run(broken, tmp_path)
    for start in (
        "02.1: the solution is right: AssertionError",
        "cell ",  # the stub of 02.2 raises where it stands
        "02.2: the stub runs again: TypeError",
        "02.3: the wrong answer 4 gets its own hint: AssertionError",
        "02.4: the wrong answer 3 gets its own hint: NameError",
        "02.5: the untouched stub gets the first hint: AssertionError",
        "02.6: the solution is right: ZeroDivisionError",
    ):
        assert [problem for problem in problems if problem.startswith(start)], start
    assert not [problem for problem in problems if problem.startswith("02.7")]


def test_two_wrong_answers_that_look_alike_cannot_both_have_their_own_hint(tmp_path):
    cells = exercise(1)
    cells[3].source = cells[3].source.replace('(3, "Own.")', '(3, "Own."), (3.0, "Another.")')
    [problem] = exercises.run(notebook(*cells), tmp_path)
    assert problem.startswith("02.1: the wrong answer 3.0 gets its own hint: AssertionError")


def test_a_failing_lesson_cell_is_a_problem_too(tmp_path):
    assert exercises.run(notebook(*exercise(1), code_cell("1 / 0")), tmp_path)[0].endswith(
        "division by zero"
    )


def spoiled(place: int, **change):
    cells = exercise(1)
    cells[place].update(change)
    return notebook(*cells)


@pytest.mark.parametrize(
    "broken, sentence",
    [
        (spoiled(0, source="### A task"), "Your turn"),
        (spoiled(1, source="a = 4"), "leaves no `...`"),
        (spoiled(2, metadata={}), "a cell tagged solution"),
        (spoiled(2, source="```python\na = 4\n```"), "collapsed"),
        (
            spoiled(2, source="<details><summary>Solution</summary>\n\nfour\n\n</details>"),
            "collapsed",
        ),
        (spoiled(3, metadata={}), "a cell tagged check"),
        (spoiled(3, source="print(a)"), "0 times, not once"),
        (
            spoiled(3, source="check.value('02.1', 4, wrong=[(1, '')], hints=[''])"),
            "the name that the stub assigns",
        ),
        (
            spoiled(3, source="check.value(f'02.{1}', a, wrong=[(1, '')], hints=[''])"),
            "begins with an id",
        ),
        (spoiled(3, source="check.value()"), "begins with an id"),
        (
            spoiled(3, source="check.value('02.1', a, expected=4, wrong=[(1, '')])"),
            "lists no hints",
        ),
        (
            spoiled(3, source="check.value('02.1', a, expected=4, wrong=[], hints=['A.'])"),
            "lists no wrong",
        ),
        (
            spoiled(3, source="check.value('02.1', a, expected=4, wrong=[1], hints=['A.'])"),
            "its hint",
        ),
    ],
)
def test_a_malformed_exercise_is_named(broken, sentence):
    found, problems = exercises.find(broken)
    assert not found
    assert "exercise in cell 2" in problems[0] and sentence in problems[0]


def test_a_lonely_solution_or_check_is_named():
    extra = exercise(1)[2:]
    assert len(exercises.find(notebook(*exercise(1), *extra))[1]) == 2


def test_numbering():
    def problems(*cells):
        return exercises.numbering(lessons.Lesson("02_sum_numbers.ipynb", notebook(*cells)))

    assert problems(*exercise(1), *exercise(2)) == []
    assert problems(*exercise(2), *exercise(1))
    assert problems(*exercise(1), *exercise(1))
    assert exercises.numbering(lessons.Lesson("03_sum_more.ipynb", notebook(*exercise(1))))
