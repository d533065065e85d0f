"""Verdicts on exercises: what is printed, and how each exercise went in this session."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from medlearn import _progress
from medlearn.teaching import _scores
from medlearn.teaching.language import say

RIGHT = "right, well done!"  # `course.py collect` looks for it in what students hand in

# Of each state: a sign, and a colour of terminals and notebooks. The words say the same.
SIGNS = {"solved": "✓", "wrong": "✗", "error": "!", "stopped": "!", "stale": "!"}
_COLOURS = {"✓": "\033[1;32m", "✗": "\033[1;33m", "!": "\033[1;35m"}
_RESET = "\033[0m"


@dataclass(frozen=True)
class Verdict:
    """What a check said.

    Attributes
    ----------
    id : str
        Of the exercise, such as ``"02.1"``.
    state : {"blank", "stale", "wrong", "error", "stopped", "solved"}
        "blank": not answered yet; "stale": the cell that answers failed; "error": the learner's
        code raised; "stopped": it took too long.
    message : str
        The printed line.
    """

    id: str
    state: str
    message: str


@dataclass
class Record:
    """How an exercise went in this session; each method prints a verdict and remembers it."""

    id: str
    hints: Sequence[str] = ()
    attempts: int = 0
    hints_given: int = 0
    is_solved: bool = False

    def blank(self, reason: str = "not answered yet") -> None:
        """The learner has not begun; a hint comes only to who asks for it."""
        text = say(
            "{reason}: put your answer in place of `...` above, run that cell, then this one. "
            'Stuck? check.hint("{id}")',
            reason=say(reason),
            id=self.id,
        )
        self._print("blank", text)

    def stale(self, name: str, error: str) -> None:
        """The cell that should set the answer failed, so that the answer is an older one.

        Parameters
        ----------
        name : str
            What the cell should set.
        error : str
            The name of its error.
        """
        text = say(
            "the cell that sets `{name}` stopped with {error}, so `{name}` is still the one from "
            "before. Mend that cell and run it, then this one.",
            name=name,
            error=error,
        )
        self._print("stale", text)

    def solved(self) -> None:
        """The answer is right; a solved exercise stays solved."""
        self._count(is_solved=True)
        self._print("solved", say(RIGHT))

    def wrong(self, own_hint: str | None, mismatch: str = "") -> None:
        """The answer is wrong: its own hint, or the next one of the list.

        Parameters
        ----------
        own_hint : str or None
            Of a typical wrong answer.
        mismatch : str
            A sentence on the type of the answer, or nothing; the hint of its own says more.
        """
        self._count()
        hint = self.next_hint() if own_hint is None else say(own_hint)
        if own_hint is not None:
            mismatch = ""
        text = say("not yet. {mismatch}Hint: {hint}", mismatch=mismatch, hint=hint)
        self._print("wrong", text)

    def raised(self, error: BaseException) -> None:
        """The learner's code raised: one line of the error."""
        # A stub with some lines filled in computes with its `...`.
        if "ellipsis" in str(error) or isinstance(error, NotImplementedError):
            return self.blank()
        self._count()
        text = say(
            "your answer stops with an error, {kind}: {line}",
            kind=type(error).__name__,
            line=(str(error).splitlines() or [""])[0],
        )
        return self._print("error", text)

    def stopped(self, seconds: float) -> None:
        """The learner's code took too long."""
        self._count()
        text = say(
            "your answer took more than {seconds} s and was stopped. Look for a loop that never "
            "ends, or for work that is done again and again.",
            seconds=f"{seconds:.0f}",
        )
        self._print("stopped", text)

    def next_hint(self) -> str:
        """Return the next hint; the last one stays."""
        self.hints_given = min(self.hints_given + 1, len(self.hints))
        return say(self.hints[self.hints_given - 1])

    def _count(self, is_solved: bool = False) -> None:
        """Count an attempt, here and on disk; none counts after the exercise is solved."""
        if self.is_solved:
            return
        self.attempts += 1
        self.is_solved = is_solved
        problem = _scores.add(self.id, is_solved)
        if problem and not unkept:
            unkept.append(problem)
            print(f"Your progress cannot be kept on disk ({problem}); this session remembers it.")

    def _print(self, state: str, message: str) -> None:
        verdicts.append(Verdict(self.id, state, f"{self.id}: {message}"))
        print(with_sign(verdicts[-1]))


def with_sign(verdict: Verdict) -> str:
    """Return a verdict's line with a sign before it, coloured where that can be seen.

    A stub that is not answered yet has no sign. The environment variable ``NO_COLOR`` leaves the
    colour out.
    """
    sign = SIGNS.get(verdict.state, "")
    try:
        sign.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        sign = ""
    if not sign:
        return verdict.message
    id, _, words = verdict.message.partition(": ")
    first, stop, remainder = words.partition(". ")
    if not _is_coloured():
        return f"{sign} {verdict.message}"
    return f"{_COLOURS[sign]}{sign} {id}: {first}{stop.rstrip()}{_RESET} {remainder}".rstrip()


def _is_coloured() -> bool:
    """Whether colours are seen: by a reader of a terminal or a notebook who did not refuse them."""
    is_dumb = sys.stdout.isatty() and os.environ.get("TERM") == "dumb"
    return _progress.watched() and not is_dumb and not os.environ.get("NO_COLOR")


records: dict[str, Record] = {}
verdicts: list[Verdict] = []
unkept: list[str] = []  # why progress is not on disk; said once


def record_of(id: str, hints: Sequence[str], wrong: Sequence[tuple]) -> Record:
    """Return the exercise's record, after a check of what its author wrote.

    Parameters
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    hints : sequence of str
        At least one sentence.
    wrong : sequence of tuple
        Typical wrong answers, each with its hint at the end.
    """
    if not isinstance(id, str) or not re.fullmatch(r"\d\d\.\d{1,2}", id):
        raise ValueError(f'An exercise id is lesson and number, such as "02.1", not {id!r}.')
    are_sentences = not isinstance(hints, str) and all(
        isinstance(hint, str) and hint for hint in hints
    )
    if not hints or not are_sentences:
        raise ValueError(
            f"Exercise {id}: hints is a list of at least one sentence, from gentle to plain."
        )
    for entry in wrong:
        is_entry = isinstance(entry, tuple) and len(entry) in (2, 3) and isinstance(entry[-1], str)
        if not is_entry:
            raise ValueError(
                f"Exercise {id}: wrong is a list of (typical wrong answer, its hint) pairs."
            )
    record = records.setdefault(id, Record(id))
    record.hints = hints
    return record
