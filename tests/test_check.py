import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from IPython.lib.pretty import pretty

from medlearn.teaching import check
from medlearn.teaching._answers import blank, same

HINTS = ["Look at the shape.", "Count the columns.", "There are four columns."]


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(check, "_records", {})
    monkeypatch.setattr(check, "_verdicts", [])


def say(answer, **more):
    check.value(
        "02.1",
        answer,
        **{"expected": 4, "wrong": [(3, "You forgot the bias.")], "hints": HINTS, **more},
    )
    return check.last()


# value


def test_the_stub_gets_the_first_hint_every_time(capsys):
    for _ in range(2):
        assert say(...) == check.Verdict(
            "02.1", "blank", "02.1: not answered yet. Hint: Look at the shape."
        )
    assert capsys.readouterr().out == "02.1: not answered yet. Hint: Look at the shape.\n" * 2


def test_each_wrong_attempt_gets_the_next_hint_and_the_last_one_stays():
    verdicts = [say(answer) for answer in (10, 11, 12, 13)]
    assert {verdict.state for verdict in verdicts} == {"wrong"}
    for verdict, hint in zip(verdicts, [*HINTS, HINTS[-1]], strict=True):
        assert verdict.message.endswith(hint)


def test_a_hint_already_shown_for_the_stub_is_not_spent_again():
    say(...)
    assert say(10).message.endswith(HINTS[1])


def test_a_typical_wrong_answer_gets_its_own_hint_and_spends_none():
    assert say(3).message == "02.1: not yet. Hint: You forgot the bias."
    assert say(10).message.endswith(HINTS[0])


def test_right_after_wrong():
    say(3)
    assert say(4).state == "solved"
    assert check.progress() == [("02.1", 2, True)]


def test_the_answer_is_never_printed(capsys):
    for answer in (..., 3, 10, "4 ", [4], None, 4):
        say(answer, expected=271828, wrong=[(3, "No.")], hints=["A.", "B."])
    assert "271828" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer, expected",
    [
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
    ],
)
def test_answers_that_agree(answer, expected):
    assert say(answer, expected=expected).state == "solved"


@pytest.mark.parametrize(
    "answer, expected",
    [
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
    ],
)
def test_answers_that_do_not(answer, expected):
    assert say(answer, expected=expected).state == "wrong"


@given(hnp.arrays(float, hnp.array_shapes(), elements=st.floats(-1e6, 1e6)), st.floats(1e-6, 0.1))
def test_tolerance(array, tolerance):
    room = tolerance * (1 + np.abs(array))
    assert same(array + 0.9 * room, array, tolerance)
    assert not same(array + 1.1 * room, array, tolerance)


def test_tolerance_argument():
    assert say(4.03, tolerance=0.01).state == "solved"
    assert say(4.03, tolerance=0.001).state == "wrong"


@pytest.mark.parametrize("answer", [..., [..., 1], (1, [...]), {"a": ...}, np.array([..., 1])])
def test_blank(answer):
    assert blank(answer) and say(answer).state == "blank"


@pytest.mark.parametrize("answer", [None, 0, [], {}, "", "...", np.zeros(3)])
def test_not_blank(answer):
    assert not blank(answer) and say(answer).state == "wrong"


def test_another_kind_of_answer_is_named():
    assert "This is text; a number is asked for." in say("four").message
    assert (
        "This is an array of shape (2, 1); a number is asked for." in say(np.ones((2, 1))).message
    )
    assert "This is a function; a number is asked for." in say(len).message
    assert "asked for" not in say(5).message


def test_strange_answers_do_not_raise():
    class Odd:
        def __eq__(self, other):
            raise RuntimeError("no")

        def __array__(self, *_, **__):
            raise RuntimeError("no")

    for answer in (Odd(), object(), lambda: 1, [[1], [2, 3]], {1}, b"4", 4 + 0j, iter([])):
        assert say(answer).state in ("wrong", "solved")


# function


def double(x):
    return 2 * x


def ask(function, **more):
    asked = dict(
        cases=[((1.0,), 2.0), ((3.0,), 6.0)],
        wrong=[(lambda x: x**2, "Twice, not squared.")],
        hints=HINTS,
    )
    check.function("02.2", function, **{**asked, **more})
    return check.last()


def stub(x): ...


def half_a_stub(x):
    factor = ...
    return factor * x


def commented_stub(x):
    """Twice x."""


@pytest.mark.parametrize("function", [stub, half_a_stub, commented_stub, ..., lambda x: ...])
def test_a_stub_is_blank(function):
    assert ask(function).state == "blank"
    assert ask(function).message.endswith(HINTS[0])


def test_a_function_right_wrong_and_typically_wrong():
    assert ask(lambda x: x * x).message.endswith("Twice, not squared.")
    assert ask(lambda x: x + 7).message.endswith(HINTS[0])
    assert ask(lambda x: 2.0 if x == 1 else 0).message.endswith(HINTS[1])  # every case counts
    assert ask(double).state == "solved"
    assert check.progress() == [("02.2", 4, True)]


def test_a_function_that_raises_gets_one_line(capsys):
    def broken(x):
        raise KeyError("patient\nand more lines")

    verdict = ask(broken)
    assert verdict.state == "error"
    assert (
        verdict.message
        == r"02.2: your answer stops with an error, KeyError: 'patient\nand more lines'"
    )
    assert ask(lambda: 1).state == "error"  # the wrong number of arguments
    assert ask(lambda x: [][0]).message.endswith("IndexError: list index out of range")
    assert capsys.readouterr().out.count("\n") == 3


def test_not_a_function():
    assert "This is a number; a function is asked for." in ask(6.0).message


def test_a_function_may_change_its_arguments_without_harm():
    def spoil(values):
        values *= 2
        return values.sum()

    case = np.ones(3)
    for _ in range(2):
        assert (
            ask(spoil, cases=[((case,), 6.0)], wrong=[(lambda v: spoil(v) + 1, "")]).state
            == "solved"
        )
    assert ask(lambda v: v.sum(), cases=[((case,), 6.0)], wrong=[(spoil, "")]).state == "wrong"
    assert case.tolist() == [1, 1, 1]


def test_a_function_of_which_none_is_expected():
    assert ask(lambda x: None, cases=[((1,), None)]).state == "solved"
    assert ask(lambda x: None if x < 2 else 6.0).state == "wrong"
    assert ask(lambda x: None, cases=[((1,), None), ((2,), 3)]).state == "wrong"


def test_a_wrong_function_that_raises_is_not_the_learners():
    assert ask(lambda x: x + 7, wrong=[(lambda: 1, "No argument.")]).message.endswith(HINTS[0])


def test_ragged_results():
    cases = [((2,), np.ones(2)), ((3,), np.ones(3))]
    assert ask(np.ones, cases=cases).state == "solved"
    assert ask(np.zeros, cases=cases, wrong=[(np.zeros, "Ones.")]).message.endswith("Ones.")
    assert ask(lambda n: 1.0, cases=cases).message.startswith(
        "02.2: not yet. This is a number; an array of shape (2,)"
    )


# condition


def pick(answer, **more):
    wrong = [
        ("chance", "A word is not a number."),
        (0.0, lambda severity: severity < 0.4, "That is hardly a shift."),
    ]
    check.condition(
        "10.1",
        answer,
        **{"test": lambda x: 0.4 <= x <= 0.6, "wrong": wrong, "hints": HINTS, **more},
    )
    return check.last()


def test_a_condition():
    assert pick(...).state == "blank"
    assert pick(0.5).state == pick(0.55).state == "solved"
    assert pick(0.1).message.endswith("That is hardly a shift.")
    assert pick(0.9).message.endswith(HINTS[1])


def test_a_condition_on_another_kind_of_answer():
    assert pick("high").state == "error"
    assert pick("high").message.count("\n") == 0
    assert pick("chance", test=lambda x: x == 1).message.endswith("A word is not a number.")
    assert pick("high", test=lambda x: x == 1).state == "wrong"  # and no rule raises


# session


def test_progress(capsys):
    assert repr(check.progress()) == "No exercise checked yet."
    with pytest.raises(LookupError, match="run a check cell first"):
        check.last()
    pick(0.9)
    say(4)
    assert check.progress() == [("02.1", 1, True), ("10.1", 1, False)]
    lines = repr(check.progress()).splitlines()
    assert lines[0].split() == ["02.1", "solved", "attempts:", "1"]
    assert lines[-1] == "1 of 2 solved"
    assert pretty(check.progress()) == repr(check.progress())  # what a notebook shows
    say(...)
    say(4)
    assert check.progress()[0] == (
        "02.1",
        1,
        True,
    )  # a solved exercise stays solved, further runs do not count


# the author's mistakes


@pytest.mark.parametrize("id", ["2.1", "02", "02.", "lesson 2", 2.1, None, "02.1\n"])
def test_a_malformed_id(id):
    with pytest.raises(ValueError, match="lesson and number"):
        check.value(id, 1, expected=1, hints=HINTS)


@pytest.mark.parametrize("hints", [[], "Look.", [""], [1]])
def test_hints_are_needed(hints):
    with pytest.raises(ValueError, match="at least one sentence"):
        check.value("02.1", 1, expected=1, hints=hints)


@pytest.mark.parametrize("wrong", [[3], [(3,)], [(3, 4)], [[3, "hint"]]])
def test_wrong_answers_need_their_hint(wrong):
    for call in (
        lambda: check.value("02.1", 1, expected=1, wrong=wrong, hints=HINTS),
        lambda: check.function("02.1", double, cases=[((1,), 2)], wrong=wrong, hints=HINTS),
        lambda: check.condition("02.1", 1, test=bool, wrong=wrong, hints=HINTS),
    ):
        with pytest.raises(ValueError, match="wrong is a list"):
            call()


@pytest.mark.parametrize("cases", [[], [(1, 2)], [([1], 2)]])
def test_cases_need_a_tuple_of_arguments(cases):
    with pytest.raises(ValueError, match="arguments being a tuple"):
        check.function("02.1", double, cases=cases, hints=HINTS)
