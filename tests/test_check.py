"""Exercises that check themselves: verdicts and hints, never the answer, never a stack trace."""

import builtins
import io
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from IPython.core.interactiveshell import InteractiveShell
from IPython.lib.pretty import pretty

from medlearn.teaching import _cells, _limits, _sealed, _verdicts, check, exercises
from medlearn.teaching._answers import agree, is_blank, plain, spelling, spellings

HINTS = ["Look at the shape.", "Count the columns.", "There are four columns."]


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(_verdicts, "records", {})
    monkeypatch.setattr(_verdicts, "verdicts", [])
    monkeypatch.setattr(_cells, "failed", {})


def verdict_on(answer, **changes):
    arguments = {"expected": 4, "wrong": [(3, "You forgot the bias.")], "hints": HINTS}
    check.value("02.1", answer, **arguments | changes)
    return check.last()


# ---- value ----


def test_the_stub_is_told_how_to_begin_and_given_no_hint(capsys):
    message = (
        "02.1: not answered yet: put your answer in place of `...` above, run that cell, then "
        'this one. Stuck? check.hint("02.1")'
    )
    for _ in range(2):
        assert verdict_on(...) == check.Verdict("02.1", "blank", message)
    assert capsys.readouterr().out == f"{message}\n" * 2
    assert verdict_on(10).message.endswith(HINTS[0])


def test_each_wrong_attempt_gets_the_next_hint_and_the_last_one_stays():
    verdicts = [verdict_on(answer) for answer in (10, 11, 12, 13)]
    assert {verdict.state for verdict in verdicts} == {"wrong"}
    for verdict, hint in zip(verdicts, [*HINTS, HINTS[-1]], strict=True):
        assert verdict.message.endswith(hint)


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
    ("Prior-Shift.", "prior shift"),
    ("a)", "a"),
    ("(A) forty files", "a"),
    (0.67, 2 / 3),
    (0.667, 2 / 3),
    (0.62, 0.625),
    (0.63, 0.625),
    (1.0, 0.9999),
    (0.1 + 0.2, 0.3),
    (1e-17, 0),
    ([0.33, 0.6667], [1 / 3, 2 / 3]),
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
    (4.1, 4),
    (10_000, 10_248),
    (0.7, 2 / 3),
    (0.6708, 2 / 3),
    (0.66, 2 / 3),
    (-0.67, 2 / 3),
    (0.67, 0.675001),
    ("4", 4),
    ([4], 4),
    ([1, 2, 3], [1, 2]),
    ([1, 2], [1, 3]),
    ({"a": 1}, {"b": 1}),
    ({"a": 1}, {"a": 2}),
    ("nucleus", "cytoplasm"),
    (np.ones((2, 3)), np.ones((3, 2))),
    (np.array(["a"]), ["a", "b"]),
    ([[1, 2], [3]], np.ones((2, 2))),
]


def test_answers_that_agree_and_answers_that_do_not():
    for answer, expected in AGREEING:
        assert verdict_on(answer, expected=expected).state == "solved", answer
    for answer, expected in DIFFERING:
        assert verdict_on(answer, expected=expected).state == "wrong", answer


def is_no_whole_number(number):
    return spellings(number) > {spelling(number)}


@given(st.floats(1e-6, 1e5).filter(is_no_whole_number), st.integers(2, 12))
def test_a_number_may_be_rounded_to_two_digits_or_more(number, digits):
    assert agree(float(f"{number:.{digits}g}"), number)
    assert agree(np.float64(number), number) and agree(-number, -number)
    assert not agree(number * 1.05 + 1e-6, number)


@given(hnp.arrays(float, hnp.array_shapes(), elements=st.floats(-1e6, 1e6)))
def test_arrays_of_one_shape_may_be_computed_in_another_order(array):
    assert agree(array * (1 + 1e-9), array)
    assert not agree(array + 1 + np.abs(array), array)


def test_a_rounded_answer_is_not_a_short_one():
    assert spellings(2 / 3) == {"0.67", "0.667", "0.6667", "0.66667", "0.666667"}
    assert spellings(7) == spellings(7.0) == {"7"}
    assert plain("the Prior_shift") == "prior shift" and plain("`decode`") == "decode"


def test_per_cent_and_another_choice_are_named():
    per_cent = verdict_on(67, expected=2 / 3, wrong=())
    assert per_cent.message.endswith(check.PER_CENT)
    choices = {"expected": "prior", "wrong": [("concept", "No.")], "choices": ["prior", "concept"]}
    message = verdict_on("something", **choices).message
    assert message == f"02.1: not yet. Choose 'prior' or 'concept'. Hint: {HINTS[0]}"
    assert verdict_on("concept", **choices).message.endswith("yet. Hint: No.")


def test_what_holds_an_ellipsis_is_blank_and_nothing_else():
    for answer in (..., [..., 1], (1, [...]), {"a": ...}, np.array([..., 1])):
        assert is_blank(answer) and verdict_on(answer).state == "blank"
    for answer in (0, [], {}, "", "...", np.zeros(3)):
        assert not is_blank(answer) and verdict_on(answer).state == "wrong"
    for answer in (None, NotImplemented, NotImplementedError):
        assert verdict_on(answer).state == "blank"
    assert "still None" in verdict_on(None).message


def test_another_type_of_answer_is_named():
    assert "This is text; a number is asked for." in verdict_on("four").message
    assert "This is a list of 3 numbers; a number is asked for." in verdict_on([1, 2, 3]).message
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


def not_written(x):
    raise NotImplementedError


def promised(x):
    return NotImplemented


def test_a_stub_is_blank():
    stubs = (stub, half_a_stub, commented_stub, ..., None, lambda x: ..., not_written, promised)
    for function in stubs:
        verdict = verdict_on_function(function)
        assert verdict.state == "blank" and 'check.hint("02.2")' in verdict.message


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
    assert verdict_on_function(none, cases=[((1,), None), ((2,), 3)]).state == "blank"  # a stub


def test_a_wrong_function_that_raises_is_not_the_learners():
    wrong = [(lambda: 1, "No argument.")]
    assert verdict_on_function(lambda x: x + 7, wrong=wrong).message.endswith(HINTS[0])


def test_results_of_several_shapes():
    cases = [((2,), np.ones(2)), ((3,), np.ones(3))]
    assert verdict_on_function(np.ones, cases=cases).state == "solved"
    zeros = verdict_on_function(np.zeros, cases=cases, wrong=[(np.zeros, "Ones.")])
    assert zeros.message.endswith("Ones.")
    number = verdict_on_function(lambda count: 1.0, cases=cases).message
    assert number.startswith("02.2: not yet. This is a number; a list of 2 numbers is asked for.")


# ---- condition ----


def is_half(severity):
    return 0.4 <= severity <= 0.6


def verdict_on_choice(answer, **changes):
    wrong = [
        ("chance", "A word is not a number."),
        (0.0, lambda severity: severity < 0.4, "That is hardly a shift."),
    ]
    arguments = {"test": is_half, "wrong": wrong, "hints": HINTS}
    check.condition("15.1", answer, **arguments | changes)
    return check.last()


def test_a_condition():
    assert verdict_on_choice(...).state == "blank"
    assert verdict_on_choice(0.5).state == verdict_on_choice(0.55).state == "solved"
    assert verdict_on_choice(0.1).message.endswith("That is hardly a shift.")
    assert verdict_on_choice(0.9).message.endswith(HINTS[0])
    assert verdict_on_choice(0.95).message.endswith(HINTS[1])


def test_a_condition_on_another_type_of_answer():
    verdict = verdict_on_choice("high")
    assert verdict.state == "error" and verdict.message.count("\n") == 0
    is_one = {"test": lambda answer: answer == 1}
    assert verdict_on_choice("chance", **is_one).message.endswith("A word is not a number.")
    assert verdict_on_choice("high", **is_one).state == "wrong"  # and no rule raises


def test_a_function_that_returns_nothing_meets_no_condition_yet():
    asks = {"test": lambda answer: None if answer() is None else answer() == 1, "wrong": []}
    assert verdict_on_choice(lambda: None, **asks).state == "blank"
    assert verdict_on_choice(lambda: 2, **asks).state == "wrong"
    assert verdict_on_choice(lambda: 1, **asks).state == "solved"


# ---- what takes too long, and what failed before ----


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(_limits, "SECONDS", 0.3)


def test_an_endless_loop_is_stopped_with_a_sentence(short):
    turns = [0]

    def endless(x):
        while True:
            turns[0] += 1

    began = time.monotonic()
    verdict = verdict_on_function(endless)
    assert verdict.state == "stopped" and "was stopped" in verdict.message
    assert time.monotonic() - began < 5
    count = turns[0]
    time.sleep(0.05)
    assert turns[0] == count  # it does not go on in the background
    assert verdict_on_function(double).state == "solved"
    assert verdict_on_choice(0.5, test=endless).state == "stopped"


def test_a_function_may_leave_the_program_and_the_session_goes_on(short):
    verdict = verdict_on_function(lambda x: builtins.exit())
    assert verdict.state == "error" and "SystemExit" in verdict.message


def cell(source, error=None, error_before=None):
    """What IPython says of a cell after it ran."""
    info = SimpleNamespace(raw_cell=source)
    return SimpleNamespace(info=info, error_in_exec=error, error_before_exec=error_before)


def test_a_stub_that_failed_is_noticed(capsys):
    _cells._after(cell("f1_by_hand = 1 / 0", ZeroDivisionError("division by zero")))
    check.answer("09.1", 0.6)
    verdict = check.last()
    assert verdict.state == "stale" and "stopped with ZeroDivisionError" in verdict.message
    assert "`f1_by_hand` is still the one from before" in verdict.message
    _cells._after(cell("other = 1"))
    check.answer("09.1", 2 / 3)
    assert check.last().state == "stale"
    _cells._after(cell("f1_by_hand = 2 / 3"))
    check.answer("09.1", 2 / 3)
    assert check.last().state == "solved" and check.progress() == [("09.1", 1, True)]


def test_a_notebook_reports_its_cells(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    _cells.watch()
    shell.run_cell("choose = 1 / 0")
    assert _cells.failed == {"choose": "ZeroDivisionError"}
    shell.run_cell("def choose(miss, alarm):\n    return (")
    assert _cells.failed == {"choose": "SyntaxError"}
    shell.run_cell("def choose(miss, alarm):\n    return 0.5")
    assert _cells.failed == {}


def test_the_names_that_a_cell_sets_even_if_it_is_no_python():
    assert _cells.names("import os\na, b = 1, 2\nc: int = 3\ndef f(x):\n    y = x\n") == set("abcf")
    assert {"f", "g"} <= _cells.names("f = (1\ndef g(x):\n    return")
    _cells._after(cell("def choose(miss, alarm):\n    return (", error_before=SyntaxError("eof")))
    assert _cells.failed == {"choose": "SyntaxError"}


# ---- the exercises of the course ----


def test_an_exercise_of_the_course():
    check.answer("09.1", 0.67)
    assert check.last().state == "solved"
    check.answer("09.2", lambda prevalence, sensitivity, specificity: prevalence * sensitivity)
    assert "divide by all who were called yes" in check.last().message
    check.answer("02.1", 8 * 384, classes=8, features=384)
    assert "each class also has a bias" in check.last().message
    check.answer("00.1", {"sequence": "T2w", "tr_ms": 4000, "te_ms": 95})
    assert "Grey matter is brighter" in check.last().message
    with pytest.raises(ValueError, match=r"no exercise '6.1'; do you mean"):
        check.answer("6.1", 1)


def test_hints_come_to_who_asks(capsys):
    for _ in range(3):
        check.hint("09.1")
    first, second = exercises.find("09.1").hints
    expected = [first, second, second]
    assert capsys.readouterr().out.splitlines() == [f"09.1: Hint: {hint}" for hint in expected]
    assert check.progress() == [("09.1", 0, False)]


def test_a_seal_opens_to_every_right_spelling_and_shows_nothing():
    number = _sealed.seal("09.1", 2 / 3)
    assert number == exercises.find("09.1").expected
    assert all(map(number.opens, (2 / 3, 0.67, np.float32(2 / 3), np.array(0.6667))))
    assert not any(map(number.opens, (0.7, "0.67", None, [0.67], 0.67j, len, np.ones(2))))
    pair = _sealed.seal("17.1", (15, -10))
    assert pair.opens([15.0, -10]) and pair.opens(np.array([15, -10]))
    assert not pair.opens((-10, 15)) and not pair.opens(np.ones((2, 2)))
    text = _sealed.seal("15.2", "prior", "prior shift")
    assert text.opens("Prior-Shift") and text.opens('"prior"') and not text.opens(["prior"])
    assert "0.67" not in repr(number) and "prior" not in repr(text)
    assert _sealed.seal("09.1", 0.5).hashes != _sealed.seal("09.2", 0.5).hashes


# ---- the session ----


def test_progress_lists_the_exercises_by_lesson():
    assert repr(check.progress()) == "No exercise checked yet."
    with pytest.raises(LookupError, match="run a check cell first"):
        check.last()
    verdict_on_choice(0.9)
    verdict_on(4)
    assert check.progress() == [("02.1", 1, True), ("15.1", 1, False)]
    assert repr(check.progress()).splitlines() == [
        "02 · 1 of 3 solved   open: 02.2, 02.3",
        "15 · 0 of 3 solved   open: 15.1 (1 attempt), 15.2, 15.3",
        f"1 of {len(exercises.ids())} of the course solved",
    ]
    assert pretty(check.progress()) == repr(check.progress())  # what a notebook displays


def test_a_solved_exercise_stays_solved_and_further_runs_do_not_count():
    for answer in (4, ..., 5, 4):
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


def test_a_guess_is_printed_beside_the_truth_and_never_wrong(capsys):
    check.guess(..., 0.4, "share")
    check.guess(0.25, 0.4, "share")
    check.guess(np.float32(0.5), 0.4, "share")
    check.guess(0.4, 0.4)
    check.guess("stain", "magnification", "the worst dial")
    check.guess("no idea", 0.4, "share")
    check.guess(True, 1, "yes")
    check.guess(70_000, 73_728, "values")
    check.guess(100, 26.0, "tokens")
    assert capsys.readouterr().out.splitlines() == [
        "share: 0.4; you made no guess",
        "share: 0.4; your guess: 0.25, which is 0.15 too low",
        "share: 0.4; your guess: 0.5, which is 0.1 too high",
        "measured: 0.4; your guess: 0.4, which is right",
        "the worst dial: magnification; your guess: stain",
        "share: 0.4; your guess: no idea",
        "yes: 1; your guess: 1, which is right",
        "values: 73,728; your guess: 70,000, which is 3,728 too low",
        "tokens: 26; your guess: 100, which is 74 too high",
    ]
    assert check.progress() == []


# ---- sign, colour and words ----


def test_a_verdict_has_a_sign_and_words_and_a_colour_only_where_it_is_seen(capsys, monkeypatch):
    for answer in (3, 4, ...):
        verdict_on(answer)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["✗ 02.1: not yet. Hint: You forgot the bias.", f"✓ 02.1: {check.RIGHT}"]
    assert lines[2].startswith("02.1: not answered yet")
    monkeypatch.setattr(_verdicts._progress, "watched", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    verdict_on(3)
    verdict_on(4)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "\x1b[1;33m✗ 02.1: not yet.\x1b[0m Hint: You forgot the bias."
    assert second == f"\x1b[1;32m✓ 02.1: {check.RIGHT}\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    verdict_on(4)
    assert capsys.readouterr().out == f"✓ 02.1: {check.RIGHT}\n"


def test_a_terminal_without_the_sign_is_given_the_words(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    verdict_on(4)
    assert stream.buffer.getvalue().decode("cp1252").strip() == f"02.1: {check.RIGHT}"
