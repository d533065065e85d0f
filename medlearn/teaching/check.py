"""Check an exercise: a friendly verdict and a hint, never the answer and never a stack trace.

A lesson's exercise is two cells: a stub tagged `exercise` that leaves `...` to fill in, and a cell
tagged `check` that calls `answer`. What is right, what is typically wrong, and the hints are in
`medlearn.teaching.exercises`. For exercises of your own there are `value`, `function` and
`condition`. A mistake of the learner never raises; a mistake of the author, such as a malformed id
or no hint, raises ValueError.

One rule holds for all numbers: they may be rounded, but to no fewer than two significant digits.
A number is right if it is the expected one rounded to as many digits as it shows; more than six are
not compared, and a whole number must be exact. So 0.67, 0.667 and 2 / 3 are two thirds, while 0.7
and 0.6708 are not. Text may differ in case, spaces, hyphens, quotation marks and brackets.

An answer that computes for more than ten seconds is stopped.
"""

import copy
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from medlearn.teaching import _cells, _limits, _scores, _verdicts, exercises, language
from medlearn.teaching._answers import agree, is_blank, is_numeric, plain, type_mismatch, type_name
from medlearn.teaching._table import Progress
from medlearn.teaching._verdicts import RIGHT, Record, Verdict, record_of
from medlearn.teaching.language import label, say

__all__ = [
    "RIGHT",
    "Progress",
    "Verdict",
    "answer",
    "condition",
    "function",
    "guess",
    "hint",
    "last",
    "progress",
    "value",
]
PER_CENT = "A share between 0 and 1 is asked for, not per cent."
_cells.watch()
if not language.translate_figures() and language.name() and "ipykernel" in sys.modules:
    print(
        say(
            "This computer has no font with the signs of this language, so figures stay English. "
            "Install one, such as Noto Sans CJK SC, and restart the kernel."
        )
    )


def answer(id: str, answer: Any, **data: object) -> None:
    """Check an exercise of the course.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    answer : object
        The learner's.
    **data : object
        What the right answer depends on, if the lesson computed it.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> answer("09.1", ...)
    09.1: not answered yet: put your answer in place of `...` above, run that cell, then this \
one. Stuck? check.hint("09.1")
    """
    exercise = exercises.find(id)
    error = _cells.failed.get(exercise.name)
    if error is not None:
        record_of(id, exercise.hints, ()).stale(exercise.name, error)
    elif isinstance(exercise, exercises.Function):
        wrong_functions, hints = exercise.wrong, exercise.hints
        function(id, answer, cases=exercise.cases, wrong=wrong_functions, hints=hints)
    elif isinstance(exercise, exercises.Condition):
        _condition(id, answer, exercise.test, exercise.wrong, exercise.hints, data)
    else:
        assert isinstance(exercise, exercises.Value)
        wrong = [(_of_data(typical, data), own_hint) for typical, own_hint in exercise.wrong]
        expected = _of_data(exercise.expected, data)
        choices, hints = exercise.choices, exercise.hints
        value(id, answer, expected=expected, wrong=wrong, hints=hints, choices=choices)


def hint(id: str) -> None:
    """Print the next hint of an exercise of the course; the last one stays.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    record = record_of(id, exercises.find(id).hints, ())
    print(say("{id}: Hint: {hint}", id=id, hint=record.next_hint()))


def guess(answer: object, measured: float | str, name: str = "measured") -> None:
    """Print the learner's guess beside what was measured. No guess is wrong.

    Parameters
    ----------
    answer : object
        The learner's: a number or a text; ``...`` without one.
    measured : float or str
        What the lesson has measured.
    name : str
        What it is, such as ``"accuracy at lab-b"``.

    Examples
    --------
    >>> guess(0.8, 0.371, "accuracy at lab-b")
    accuracy at lab-b: 0.37; your guess: 0.8, which is 0.43 too high
    >>> guess(..., "magnification", "the dial that hurts most")
    the dial that hurts most: magnification; you made no guess
    """
    line = say("{name}: {measured}", name=label(name), measured=label(_written(measured)))
    if is_blank(answer):
        print(line + say("; you made no guess"))
        return
    line += say("; your guess: {guess}", guess=_written(answer))
    if _is_number(answer) and _is_number(measured):
        difference = float(answer) - float(measured)  # type: ignore[arg-type]
        line += _distance(difference)
    print(line)


def _distance(difference: float) -> str:
    """How far a guess lies from what was measured."""
    if not difference:
        return say(", which is right")
    text = say(", which is {far} too high" if difference > 0 else ", which is {far} too low")
    return text.format(far=_written(abs(difference)))


def _written(answer: object) -> str:
    """A number with two significant digits, from 100 on without decimals; a text as it is."""
    if not _is_number(answer):
        return str(answer)
    number = float(answer)  # type: ignore[arg-type]
    return f"{number:,.0f}" if abs(number) >= 99.5 else f"{number:.2g}"


def _is_number(answer: object) -> bool:
    return type_name(answer) == "a number"


def value(
    id: str,
    answer: object,
    *,
    expected: object,
    wrong: Sequence[tuple[object, str]] = (),
    hints: Sequence[str],
    choices: Sequence[str] = (),
) -> None:
    """Check a number, text, array, list or mapping against the expected one.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    answer : object
        The learner's.
    expected : object
        The right answer. Numbers may be rounded, see above.
    wrong : sequence of (object, str)
        Typical wrong answers, each with its own hint.
    hints : sequence of str
        From gentle to plain; each further wrong attempt prints the next.
    choices : sequence of str
        If one of these texts has to be chosen; another text is told which they are.

    Raises
    ------
    ValueError
        If the id, the hints or the wrong answers are not of this form.
    """
    record = record_of(id, hints, wrong)
    if is_blank(answer) or (answer is None and expected is not None):
        return record.blank("the answer is still None" if answer is None else "not answered yet")
    if agree(answer, expected):
        return record.solved()
    own_hints = [own_hint for typical, own_hint in wrong if agree(answer, typical)]
    if not own_hints and _is_per_cent(answer, expected):
        own_hints = [PER_CENT]
    mismatch = type_mismatch(answer, expected)
    if not mismatch and _is_no_choice(answer, choices):
        listed = say(" or ").join(map(repr, choices))
        mismatch = say("Choose {choices}. ", choices=listed)
    return record.wrong(_first(own_hints), mismatch)


def function(
    id: str,
    function: Callable,
    *,
    cases: Sequence[tuple[tuple, object]],
    wrong: Sequence[tuple[Callable, str]] = (),
    hints: Sequence[str],
) -> None:
    """Check a function on cases; it works on copies of their arguments.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    function : callable
        The learner's.
    cases : sequence of (tuple, object)
        Arguments and the expected result. Numbers may be rounded, see above.
    wrong : sequence of (callable, str)
        Typical wrong functions, each with its own hint. A learner's function that gives the
        results of a wrong one on all cases gets that hint.
    hints : sequence of str
        From gentle to plain; each further wrong attempt prints the next.

    Raises
    ------
    ValueError
        If the id, the cases, the hints or the wrong functions are not of this form.
    """
    record = record_of(id, hints, wrong)
    if not cases or not all(_is_case(case) for case in cases):
        raise ValueError(
            f"Exercise {id}: cases are (arguments, expected) pairs, arguments being a tuple."
        )
    if is_blank(function) or function is None:
        return record.blank()
    if not callable(function):
        return record.wrong(None, type_mismatch(function, len))
    results = _limited(record, lambda: _results(function, cases))
    if results is None:
        return None
    expected = [result for _, result in cases]
    pairs = list(zip(results, expected, strict=True))
    is_stub = all(result is None or is_blank(result) for result in results)
    if is_stub and any(goal is not None for goal in expected):
        return record.blank("the function returns nothing yet")
    if agree(results, expected):
        return record.solved()
    own_hints = [own_hint for typical, own_hint in wrong if _gives(typical, cases, results)]
    mismatches = [type_mismatch(result, goal) for result, goal in pairs if not agree(result, goal)]
    return record.wrong(_first(own_hints), mismatches[0])


def condition(
    id: str,
    answer: object,
    *,
    test: Callable[[object], bool | None],
    wrong: Sequence[tuple] = (),
    hints: Sequence[str],
) -> None:
    """Check an answer of which many are right, by a test of it.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    answer : object
        The learner's.
    test : callable
        A function of the answer, true if it is right; None if the answer is a function that
        returns nothing yet.
    wrong : sequence of (object, str) or (object, callable, str)
        Typical wrong answers, each with its own hint. A rule between them, a function of the
        answer, recognises all answers that deserve the hint.
    hints : sequence of str
        From gentle to plain; each further wrong attempt prints the next.

    Raises
    ------
    ValueError
        If the id, the hints or the wrong answers are not of this form.
    """
    _condition(id, answer, test, wrong, hints, {})


def last() -> Verdict:
    """Return the verdict of the last check of this session; LookupError before the first."""
    if not _verdicts.verdicts:
        raise LookupError("No exercise has been checked in this session; run a check cell first.")
    return _verdicts.verdicts[-1]


def progress() -> Progress:
    """Return rows (id, attempts, solved) of all exercises checked, in earlier sessions as well.

    They are kept in the cache folder; the environment variable ``MEDLEARN_PROGRESS=off`` keeps
    them in this session only.
    """
    records = _verdicts.records
    session = {id: (record.attempts, record.is_solved) for id, record in records.items()}
    scores = _scores.merged(_scores.read(), session)
    return Progress((id, attempts, is_solved) for id, (attempts, is_solved) in scores.items())


def _condition(
    id: str,
    answer: object,
    test: Callable[..., bool | None],
    wrong: Sequence[tuple],
    hints: Sequence[str],
    data: dict[str, object],
) -> None:
    record = record_of(id, hints, wrong)
    if is_blank(answer) or answer is None:
        return record.blank()
    outcomes = _limited(record, lambda: [test(answer, **data)])
    if outcomes is None:
        return None
    if outcomes[0] is None:
        return record.blank("the function returns nothing yet")
    if outcomes[0]:
        return record.solved()
    return record.wrong(_first([entry[-1] for entry in wrong if _deserves(answer, entry, data)]))


def _limited(record: Record, work: Callable[[], list]) -> list | None:
    """The result of a learner's code, or None after its verdict if it fails or takes too long."""
    try:
        return _limits.run(work)
    except KeyboardInterrupt:
        raise
    except _limits.TooLong:
        record.stopped(_limits.SECONDS)
    except BaseException as error:  # exit() as well
        record.raised(error)
    return None


def _of_data(answer: object, data: dict[str, object]) -> object:
    """An answer, or what a function of the lesson's data says it is."""
    return answer(**data) if callable(answer) else answer


def _is_case(case: object) -> bool:
    return isinstance(case, tuple) and isinstance(case[0], tuple)


def _first(hints: list[str]) -> str | None:
    return hints[0] if hints else None


def _is_per_cent(answer: Any, expected: object) -> bool:
    try:
        number = np.asarray(answer)
    except Exception:  # an object that refuses
        return False
    is_number = number.ndim == 0 and is_numeric(number)
    return is_number and bool(abs(number) > 1) and agree(answer / 100, expected)


def _is_no_choice(answer: object, choices: Sequence[str]) -> bool:
    if not choices or not isinstance(answer, str):
        return False
    return not any(plain(answer).startswith(plain(choice)) for choice in choices)


def _results(function: Callable, cases: Sequence[tuple[tuple, object]]) -> list:
    return [function(*copy.deepcopy(arguments)) for arguments, _ in cases]


def _gives(function: Callable, cases: Sequence, results: list) -> bool:
    """Whether a typical wrong function gives these results; one that cannot does not."""
    try:
        return agree(results, _results(function, cases))
    except Exception:
        return False


def _deserves(answer: object, entry: tuple, data: dict[str, object]) -> bool:
    """Whether an answer is the example of an entry of `wrong`, or fits its rule."""
    example, *rule, _ = entry
    try:
        return bool(rule[0](answer, **data)) if rule else agree(answer, example)
    except Exception:  # a rule made for numbers need not understand text
        return False
