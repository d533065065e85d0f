"""Check an exercise: a friendly verdict and a hint, never the answer and never a stack trace.

An exercise is three cells: a stub tagged `exercise` that leaves `...` to fill in, a collapsed
solution tagged `solution`, and a cell tagged `check` that calls one of `value`, `function` and
`condition`. Each of them prints one verdict. A mistake of the learner never raises; a mistake of
the author, such as a malformed id or no hint, raises ValueError.
"""

import copy
from collections.abc import Callable, Sequence

from medlearn.teaching import _verdicts
from medlearn.teaching._answers import agree, is_blank, type_mismatch
from medlearn.teaching._verdicts import RIGHT, Progress, Verdict, record_of

__all__ = ["RIGHT", "Progress", "Verdict", "condition", "function", "last", "progress", "value"]


def value(
    id: str,
    answer: object,
    *,
    expected: object,
    wrong: Sequence[tuple[object, str]] = (),
    hints: Sequence[str],
    tolerance: float = 1e-6,
) -> None:
    """Check a number, text, array, list or mapping against the expected one.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    answer : object
        The learner's.
    expected : object
        The right answer. Text may differ in case and surrounding space.
    wrong : sequence of (object, str)
        Typical wrong answers, each with its own hint.
    hints : sequence of str
        From gentle to plain; each further wrong attempt prints the next.
    tolerance : float
        Of numbers: relative above 1, absolute below.

    Raises
    ------
    ValueError
        If the id, the hints or the wrong answers are not of this form.
    """
    record = record_of(id, hints, wrong)
    if is_blank(answer):
        record.blank()
    elif agree(answer, expected, tolerance):
        record.solved()
    else:
        own_hints = [hint for typical, hint in wrong if agree(answer, typical, tolerance)]
        record.wrong(_first(own_hints), type_mismatch(answer, expected))


def function(
    id: str,
    function: Callable,
    *,
    cases: Sequence[tuple[tuple, object]],
    wrong: Sequence[tuple[Callable, str]] = (),
    hints: Sequence[str],
    tolerance: float = 1e-6,
) -> None:
    """Check a function on cases; it works on copies of their arguments.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    function : callable
        The learner's.
    cases : sequence of (tuple, object)
        Arguments and the expected result.
    wrong : sequence of (callable, str)
        Typical wrong functions, each with its own hint. A learner's function that gives the
        results of a wrong one on all cases gets that hint.
    hints : sequence of str
        From gentle to plain; each further wrong attempt prints the next.
    tolerance : float
        Of numbers: relative above 1, absolute below.

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
    if is_blank(function):
        return record.blank()
    if not callable(function):
        return record.wrong(None, type_mismatch(function, len))
    try:
        results = _results(function, cases)
    except Exception as error:
        return record.raised(error)
    expected = [result for _, result in cases]
    pairs = list(zip(results, expected, strict=True))
    if all(is_blank(result) or (result is None and goal is not None) for result, goal in pairs):
        return record.blank("the function returns nothing yet")
    if agree(results, expected, tolerance):
        return record.solved()
    own_hints = [hint for typical, hint in wrong if _gives(typical, cases, results, tolerance)]
    mismatches = [
        type_mismatch(result, goal) for result, goal in pairs if not agree(result, goal, tolerance)
    ]
    return record.wrong(_first(own_hints), mismatches[0])


def condition(
    id: str,
    answer: object,
    *,
    test: Callable[[object], bool],
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
        A function of the answer, true if it is right.
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
    record = record_of(id, hints, wrong)
    if is_blank(answer):
        return record.blank()
    try:
        is_right = bool(test(answer))
    except Exception as error:
        return record.raised(error)
    if is_right:
        return record.solved()
    return record.wrong(_first([entry[-1] for entry in wrong if _deserves(answer, entry)]))


def last() -> Verdict:
    """Return the verdict of the last check of this session; LookupError before the first."""
    if not _verdicts.verdicts:
        raise LookupError("No exercise has been checked in this session; run a check cell first.")
    return _verdicts.verdicts[-1]


def progress() -> Progress:
    """Return rows (id, attempts, solved) of the exercises checked in this session."""
    records = sorted(_verdicts.records.items())
    return Progress((id, record.attempts, record.is_solved) for id, record in records)


def _is_case(case: object) -> bool:
    return isinstance(case, tuple) and isinstance(case[0], tuple)


def _first(hints: list[str]) -> str | None:
    return hints[0] if hints else None


def _results(function: Callable, cases: Sequence[tuple[tuple, object]]) -> list:
    return [function(*copy.deepcopy(arguments)) for arguments, _ in cases]


def _gives(function: Callable, cases: Sequence, results: list, tolerance: float) -> bool:
    """Whether a typical wrong function gives these results; one that cannot does not."""
    try:
        return agree(results, _results(function, cases), tolerance)
    except Exception:
        return False


def _deserves(answer: object, entry: tuple) -> bool:
    """Whether an answer is the example of an entry of `wrong`, or fits its rule."""
    example, *rule, _ = entry
    try:
        return bool(rule[0](answer)) if rule else agree(answer, example, 1e-6)
    except Exception:  # a rule made for numbers need not understand text
        return False
