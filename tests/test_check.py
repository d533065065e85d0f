"""Exercises that check themselves: verdicts and hints, never the answer, never a stack trace."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from IPython.lib.pretty import pretty

from medlearn.teaching import _verdicts, check
from medlearn.teaching._answers import agree, is_blank

HINTS = ["Look at the shape.", "Count the columns.", "There are four columns."]


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(_verdicts, "records", {})
    monkeypatch.setattr(_verdicts, "verdicts", [])


def verdict_on(answer, **changes):
    arguments = {"expected": 4, "wrong": [(3, "You forgot the bias.")], "hints": HINTS}
    check.value("02.1", answer, **arguments | changes)
    return check.last()


# ---- value ----


def test_the_stub_gets_the_first_hint_every_time(capsys):
    message = "02.1: not answered yet. Hint: Look at the shape."
    for _ in range(2):
        assert verdict_on(...) == check.Verdict("02.1", "blank", message)
    assert capsys.readouterr().out == f"{message}\n" * 2


def test_each_wrong_attempt_gets_the_next_hint_and_the_last_one_stays():
    verdicts = [verdict_on(answer) for answer in (10, 11, 12, 13)]
    assert {verdict.state for verdict in verdicts} == {"wrong"}
    for verdict, hint in zip(verdicts, [*HINTS, HINTS[-1]], strict=True):
        assert verdict.message.endswith(hint)


def test_a_hint_already_given_for_the_stub_is_not_spent_again():
    verdict_on(...)
    assert verdict_on(10).message.endswith(HINTS[1])


def test_a_typical_wrong_answer_gets_its_own_hint_and_spends_none():
    assert verdict_on(3).message == "02.1: not yet. Hint: You forgot the bias."
    assert verdict_on(10).message.endswith(HINTS[0])


def test_right_after_wrong():
    verdict_on(3)
    assert verdict_on(4).state == "solved"
    assert check.progress() == [("02.1", 2, True)]


def test_the_answer_is_never_printed(capsys):
    for answer in (..., 3, 10, "4 ", [4], None, 4):
        verdict_on(answer, expected=271828, wrong=[(3, "No.")], hints=["A.", "B."])
    assert "271828" not in capsys.readouterr().out


AGREEING = [
    (4.0000001, 4),
    (np.float32(0.1), 0.1),
    (" Nucleus ", "nucleus"),
    ([1, 2], np.array([1.0, 2.0])),
    ((1, "a"), [1, "A"]),
    ([[1, 2], [3]], [[1, 2], [3]]),
    ({"a": 1.0}, {"a": 1}),
    (np.array(["a", "b"]), ["a", "b"]),
    (float("nan"), np.nan),
    ({1, 2}, {2, 1}),
    (None, None),
    (True, True),
]
DIFFERING = [
    (4.001, 4),
    ("4", 4),
    ([4], 4),
    ([1, 2, 3], [1, 2]),
    ([1, 2], [1, 3]),
    ({"a": 1}, {"b": 1}),
    ({"a": 1}, {"a": 2}),
    ("nucleus", "cytoplasm"),
    (None, 4),
    (np.ones((2, 3)), np.ones((3, 2))),
    (np.array(["a"]), ["a", "b"]),
    ([[1, 2], [3]], np.ones((2, 2))),
]


def test_answers_that_agree_and_answers_that_do_not():
    for answer, expected in AGREEING:
        assert verdict_on(answer, expected=expected).state == "solved", answer
    for answer, expected in DIFFERING:
        assert verdict_on(answer, expected=expected).state == "wrong", answer


@given(hnp.arrays(float, hnp.array_shapes(), elements=st.floats(-1e6, 1e6)), st.floats(1e-6, 0.1))
def test_tolerance_is_relative_above_1_and_absolute_below(array, tolerance):
    room = tolerance * (1 + np.abs(array))
    assert agree(array + 0.9 * room, array, tolerance)
    assert not agree(array + 1.1 * room, array, tolerance)


def test_the_tolerance_is_an_argument():
    assert verdict_on(4.03, tolerance=0.01).state == "solved"
    assert verdict_on(4.03, tolerance=0.001).state == "wrong"


def test_what_holds_an_ellipsis_is_blank_and_nothing_else():
    for answer in (..., [..., 1], (1, [...]), {"a": ...}, np.array([..., 1])):
        assert is_blank(answer) and verdict_on(answer).state == "blank"
    for answer in (None, 0, [], {}, "", "...", np.zeros(3)):
        assert not is_blank(answer) and verdict_on(answer).state == "wrong"


def test_another_type_of_answer_is_named():
    assert "This is text; a number is asked for." in verdict_on("four").message
    message = verdict_on(np.ones((2, 1))).message
    assert "This is an array of shape (2, 1); a number is asked for." in message
    assert "This is a function; a number is asked for." in verdict_on(len).message
    assert "asked for" not in verdict_on(5).message


def test_strange_answers_do_not_raise():
    class Odd:
        def __eq__(self, other):
            raise RuntimeError("no")

        def __array__(self, *_, **__):
            raise RuntimeError("no")

    for answer in (Odd(), object(), lambda: 1, [[1], [2, 3]], {1}, b"4", 4 + 0j, iter([])):
        assert verdict_on(answer).state in ("wrong", "solved")


# ---- function ----


def double(x):
    return 2 * x


def square(x):
    return x**2


def verdict_on_function(function, **changes):
    arguments = {
        "cases": [((1.0,), 2.0), ((3.0,), 6.0)],
        "wrong": [(square, "Twice, not squared.")],
        "hints": HINTS,
    }
    check.function("02.2", function, **arguments | changes)
    return check.last()


def stub(x): ...


def half_a_stub(x):
    factor = ...
    return factor * x


def commented_stub(x):
    """Twice x."""


def test_a_stub_is_blank():
    for function in (stub, half_a_stub, commented_stub, ..., lambda x: ...):
        verdict = verdict_on_function(function)
        assert verdict.state == "blank" and verdict.message.endswith(HINTS[0])


def test_a_function_right_wrong_and_typically_wrong():
    assert verdict_on_function(lambda x: x * x).message.endswith("Twice, not squared.")
    assert verdict_on_function(lambda x: x + 7).message.endswith(HINTS[0])
    # Every case counts: this one is right for 1 only.
    assert verdict_on_function(lambda x: 2.0 * (x == 1)).message.endswith(HINTS[1])
    assert verdict_on_function(double).state == "solved"
    assert check.progress() == [("02.2", 4, True)]


def test_a_function_that_raises_gets_one_line(capsys):
    def broken(x):
        raise KeyError("patient\nand more lines")

    error = r"02.2: your answer stops with an error, KeyError: 'patient\nand more lines'"
    verdict = verdict_on_function(broken)
    assert verdict.state == "error" and verdict.message == error
    assert verdict_on_function(lambda: 1).state == "error"  # the wrong number of arguments
    indexing = verdict_on_function(lambda x: [][0])
    assert indexing.message.endswith("IndexError: list index out of range")
    assert capsys.readouterr().out.count("\n") == 3


def test_a_number_is_no_function():
    assert "This is a number; a function is asked for." in verdict_on_function(6.0).message


def test_a_function_may_change_its_arguments_without_harm():
    def doubled_in_place(values):
        values *= 2
        return values.sum()

    def one_more(values):
        return doubled_in_place(values) + 1

    case = np.ones(3)
    cases = [((case,), 6.0)]
    for _ in range(2):
        verdict = verdict_on_function(doubled_in_place, cases=cases, wrong=[(one_more, "")])
        assert verdict.state == "solved"
    verdict = verdict_on_function(np.sum, cases=cases, wrong=[(doubled_in_place, "")])
    assert verdict.state == "wrong" and case.tolist() == [1, 1, 1]


def test_a_function_of_which_none_is_expected():
    def none(x):
        return None

    def none_at_first(x):
        return None if x < 2 else 6.0

    assert verdict_on_function(none, cases=[((1,), None)]).state == "solved"
    assert verdict_on_function(none_at_first).state == "wrong"
    assert verdict_on_function(none, cases=[((1,), None), ((2,), 3)]).state == "wrong"


def test_a_wrong_function_that_raises_is_not_the_learners():
    wrong = [(lambda: 1, "No argument.")]
    assert verdict_on_function(lambda x: x + 7, wrong=wrong).message.endswith(HINTS[0])


def test_results_of_several_shapes():
    cases = [((2,), np.ones(2)), ((3,), np.ones(3))]
    assert verdict_on_function(np.ones, cases=cases).state == "solved"
    zeros = verdict_on_function(np.zeros, cases=cases, wrong=[(np.zeros, "Ones.")])
    assert zeros.message.endswith("Ones.")
    number = verdict_on_function(lambda count: 1.0, cases=cases).message
    assert number.startswith("02.2: not yet. This is a number; an array of shape (2,)")


# ---- condition ----


def is_half(severity):
    return 0.4 <= severity <= 0.6


def verdict_on_choice(answer, **changes):
    wrong = [
        ("chance", "A word is not a number."),
        (0.0, lambda severity: severity < 0.4, "That is hardly a shift."),
    ]
    arguments = {"test": is_half, "wrong": wrong, "hints": HINTS}
    check.condition("10.1", answer, **arguments | changes)
    return check.last()


def test_a_condition():
    assert verdict_on_choice(...).state == "blank"
    assert verdict_on_choice(0.5).state == verdict_on_choice(0.55).state == "solved"
    assert verdict_on_choice(0.1).message.endswith("That is hardly a shift.")
    assert verdict_on_choice(0.9).message.endswith(HINTS[1])


def test_a_condition_on_another_type_of_answer():
    verdict = verdict_on_choice("high")
    assert verdict.state == "error" and verdict.message.count("\n") == 0
    is_one = {"test": lambda answer: answer == 1}
    assert verdict_on_choice("chance", **is_one).message.endswith("A word is not a number.")
    assert verdict_on_choice("high", **is_one).state == "wrong"  # and no rule raises


# ---- the session ----


def test_progress_lists_the_exercises():
    assert repr(check.progress()) == "No exercise checked yet."
    with pytest.raises(LookupError, match="run a check cell first"):
        check.last()
    verdict_on_choice(0.9)
    verdict_on(4)
    assert check.progress() == [("02.1", 1, True), ("10.1", 1, False)]
    lines = repr(check.progress()).splitlines()
    assert lines[0].split() == ["02.1", "solved", "attempts:", "1"]
    assert lines[-1] == "1 of 2 solved"
    assert pretty(check.progress()) == repr(check.progress())  # what a notebook displays


def test_a_solved_exercise_stays_solved_and_further_runs_do_not_count():
    for answer in (4, ..., 4):
        verdict_on(answer)
    assert check.progress() == [("02.1", 1, True)]


# ---- the author's mistakes ----


def test_an_id_is_lesson_and_number():
    for id in ("2.1", "02", "02.", "lesson 2", 2.1, None, "02.1\n"):
        with pytest.raises(ValueError, match="lesson and number"):
            check.value(id, 1, expected=1, hints=HINTS)


def test_hints_are_needed():
    for hints in ([], "Look.", [""], [1]):
        with pytest.raises(ValueError, match="at least one sentence"):
            check.value("02.1", 1, expected=1, hints=hints)


def test_wrong_answers_need_their_hint():
    for wrong in ([3], [(3,)], [(3, 4)], [[3, "hint"]]):
        with pytest.raises(ValueError, match="wrong is a list"):
            check.value("02.1", 1, expected=1, wrong=wrong, hints=HINTS)
        with pytest.raises(ValueError, match="wrong is a list"):
            check.function("02.1", double, cases=[((1,), 2)], wrong=wrong, hints=HINTS)
        with pytest.raises(ValueError, match="wrong is a list"):
            check.condition("02.1", 1, test=bool, wrong=wrong, hints=HINTS)


def test_cases_need_a_tuple_of_arguments():
    for cases in ([], [(1, 2)], [([1], 2)]):
        with pytest.raises(ValueError, match="arguments being a tuple"):
            check.function("02.1", double, cases=cases, hints=HINTS)
