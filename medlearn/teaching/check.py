"""Check an exercise: a friendly verdict and a hint, never the answer and never a stack trace.

An exercise is three cells: a stub tagged `exercise` that leaves `...` to fill in, a collapsed solution tagged
`solution`, and a cell tagged `check` that calls one of `value`, `function` and `condition`. Each prints one
verdict. A mistake of the learner never raises; one of the author (a malformed id, no hint) raises ValueError.
"""

import copy
import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medlearn.teaching._answers import blank, mismatch, same

RIGHT = "right, well done!"  # `course.py collect` looks for it in what students hand in


@dataclass(frozen=True)
class Verdict:
    """What the last check said: the exercise's id, its state and the printed message.

    state: "blank" (not answered yet), "wrong", "error" (the learner's code raised) or "solved".
    """

    id: str
    state: str
    message: str


@dataclass
class _Record:
    """How an exercise went in this session."""

    attempts: int = 0
    hints_shown: int = 0
    solved: bool = False


class Progress(list):
    """Rows (id, attempts, solved), in the order of the ids; shown as a small table."""

    def __repr__(self) -> str:
        if not self:
            return "No exercise checked yet."
        lines = [
            f"{id}   {'solved' if solved else 'open  '}   attempts: {tries}"
            for id, tries, solved in self
        ]
        return "\n".join([*lines, f"{sum(solved for *_, solved in self)} of {len(self)} solved"])

    def save(self, path: str | Path = "progress.csv") -> None:
        """Write the rows to a table that a teacher's `course.py collect` reads."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "attempts", "solved"), *self])


_records: dict[str, _Record] = {}
_verdicts: list[Verdict] = []


def value(
    id: str,
    answer: object,
    *,
    expected: object,
    wrong: Sequence[tuple[object, str]] = (),
    hints: Sequence[str],
    tolerance: float = 1e-6,
) -> None:
    """Check a number, text, array, list or mapping against the expected one, and print the verdict.

    id: lesson and number, such as "02.1". wrong: (typical wrong answer, its own hint) pairs. hints: from gentle to
    plain; each further wrong attempt shows the next. tolerance: relative above 1, absolute below. Raises ValueError
    if the id, the hints or the wrong answers are not of this form.
    """
    record = _record(id, hints, wrong)
    if blank(answer):
        return _blank(id, record, hints)
    if same(answer, expected, tolerance):
        return _solved(id, record)
    own = next((hint for other, hint in wrong if same(answer, other, tolerance)), None)
    _wrong(id, record, hints, own, mismatch(answer, expected))


def function(
    id: str,
    function: Callable,
    *,
    cases: Sequence[tuple[tuple, object]],
    wrong: Sequence[tuple[Callable, str]] = (),
    hints: Sequence[str],
    tolerance: float = 1e-6,
) -> None:
    """Check a function on cases, (arguments, expected result) pairs, and print the verdict.

    wrong: (typical wrong function, its own hint) pairs; a learner's function that gives the results of a wrong one
    on all cases gets that hint. The function works on copies of the arguments. The rest is as in `value`.
    """
    record = _record(id, hints, wrong)
    if not cases or not all(
        isinstance(case, tuple) and isinstance(case[0], tuple) for case in cases
    ):
        raise ValueError(
            f"Exercise {id}: cases are (arguments, expected) pairs, arguments being a tuple."
        )
    if blank(function):
        return _blank(id, record, hints)
    if not callable(function):
        return _wrong(id, record, hints, None, mismatch(function, len))
    try:
        results = [function(*copy.deepcopy(arguments)) for arguments, _ in cases]
    except Exception as error:
        return _raised(id, record, hints, error)
    wanted = [expected for _, expected in cases]
    unfilled = [
        blank(result) or (result is None and goal is not None)
        for result, goal in zip(results, wanted)
    ]
    if all(unfilled):
        return _blank(id, record, hints, "the function returns nothing yet")
    if same(results, wanted, tolerance):
        return _solved(id, record)
    own = next(
        (hint for other, hint in wrong if same(results, _results(other, cases), tolerance)), None
    )
    first = next(i for i, pair in enumerate(zip(results, wanted)) if not same(*pair, tolerance))
    _wrong(id, record, hints, own, mismatch(results[first], wanted[first]))


def condition(
    id: str,
    answer: object,
    *,
    test: Callable[[object], bool],
    wrong: Sequence[tuple] = (),
    hints: Sequence[str],
) -> None:
    """Check an answer of which many are right, by a test of it, and print the verdict.

    test: a function of the answer, true if it is right. wrong: (typical wrong answer, its own hint), or (typical
    wrong answer, rule, hint) where the rule is a function of the answer that recognises all answers of that kind.
    The rest is as in `value`.
    """
    record = _record(id, hints, wrong)
    if blank(answer):
        return _blank(id, record, hints)
    try:
        if test(answer):
            return _solved(id, record)
    except Exception as error:
        return _raised(id, record, hints, error)
    _wrong(
        id, record, hints, next((entry[-1] for entry in wrong if _is_of_kind(answer, entry)), None)
    )


def last() -> Verdict:
    """The verdict of the last check of this session; raises LookupError before the first."""
    if not _verdicts:
        raise LookupError("No exercise has been checked in this session; run a check cell first.")
    return _verdicts[-1]


def progress() -> Progress:
    """The exercises met in this session: rows (id, attempts, solved), shown as a small table."""
    return Progress((id, record.attempts, record.solved) for id, record in sorted(_records.items()))


def _record(id: str, hints: Sequence[str], wrong: Sequence[tuple]) -> _Record:
    """The exercise's record, after a look at what its author wrote."""
    if not isinstance(id, str) or not re.fullmatch(r"\d\d\.\d{1,2}", id):
        raise ValueError(f'An exercise id is lesson and number, such as "02.1", not {id!r}.')
    if (
        isinstance(hints, str)
        or not hints
        or not all(isinstance(hint, str) and hint for hint in hints)
    ):
        raise ValueError(
            f"Exercise {id}: hints is a list of at least one sentence, from gentle to plain."
        )
    if not all(
        isinstance(entry, tuple) and len(entry) in (2, 3) and isinstance(entry[-1], str)
        for entry in wrong
    ):
        raise ValueError(
            f"Exercise {id}: wrong is a list of (typical wrong answer, its hint) pairs."
        )
    return _records.setdefault(id, _Record())


def _results(function: Callable, cases: Sequence[tuple[tuple, object]]) -> list | None:
    try:
        return [function(*copy.deepcopy(arguments)) for arguments, _ in cases]
    except (
        Exception
    ):  # a wrong function that cannot digest these cases is not what the learner wrote
        return None


def _is_of_kind(answer: object, entry: tuple) -> bool:
    example, *rule, _ = entry
    try:
        return bool(rule[0](answer)) if rule else same(answer, example, 1e-6)
    except Exception:  # a rule made for numbers need not understand text
        return False


def _blank(id: str, record: _Record, hints: Sequence[str], why: str = "not answered yet") -> None:
    record.hints_shown = max(record.hints_shown, 1)
    _say(id, "blank", f"{why}. Hint: {hints[0]}")


def _solved(id: str, record: _Record) -> None:
    record.attempts += not record.solved
    record.solved = True
    _say(id, "solved", RIGHT)


def _wrong(id: str, record: _Record, hints: Sequence[str], own: str | None, kind: str = "") -> None:
    record.attempts += 1
    if own is None:
        own = hints[min(record.hints_shown, len(hints) - 1)]
        record.hints_shown += 1
    _say(id, "wrong", f"not yet. {kind}Hint: {own}")


def _raised(id: str, record: _Record, hints: Sequence[str], error: Exception) -> None:
    if "ellipsis" in str(error):  # a stub with some lines filled in computes with its own `...`
        return _blank(id, record, hints)
    record.attempts += 1
    said = (str(error).splitlines() or [""])[0]
    _say(id, "error", f"your answer stops with an error, {type(error).__name__}: {said}")


def _say(id: str, state: str, message: str) -> None:
    _verdicts.append(Verdict(id, state, f"{id}: {message}"))
    print(_verdicts[-1].message)
