"""Verdicts on exercises: what is printed, and how each exercise went in this session."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RIGHT = "right, well done!"  # `course.py collect` looks for it in what students hand in


@dataclass(frozen=True)
class Verdict:
    """What a check said.

    Attributes
    ----------
    id : str
        Of the exercise, such as ``"02.1"``.
    state : {"blank", "wrong", "error", "solved"}
        "blank": not answered yet; "error": the learner's code raised.
    message : str
        The printed line.
    """

    id: str
    state: str
    message: str


class Progress(list):
    """Rows (id, attempts, solved), in the order of the ids; shown as a small table."""

    def __repr__(self) -> str:
        if not self:
            return "No exercise checked yet."
        lines = []
        for id, attempts, solved in self:
            lines.append(f"{id}   {'solved' if solved else 'open  '}   attempts: {attempts}")
        solved_count = sum(solved for _, _, solved in self)
        return "\n".join([*lines, f"{solved_count} of {len(self)} solved"])

    def save(self, path: str | Path = "progress.csv") -> None:
        """Write the rows to a table that a teacher's `course.py collect` reads."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "attempts", "solved"), *self])


@dataclass
class Record:
    """How an exercise went in this session; each method prints a verdict and remembers it."""

    id: str
    hints: Sequence[str] = ()
    attempts: int = 0
    hints_given: int = 0
    is_solved: bool = False

    def blank(self, reason: str = "not answered yet") -> None:
        """The learner has not begun: the first hint."""
        self.hints_given = max(self.hints_given, 1)
        self._print("blank", f"{reason}. Hint: {self.hints[0]}")

    def solved(self) -> None:
        """The answer is right; a solved exercise stays solved."""
        self.attempts += not self.is_solved
        self.is_solved = True
        self._print("solved", RIGHT)

    def wrong(self, own_hint: str | None, mismatch: str = "") -> None:
        """The answer is wrong: its own hint, or the next one of the list.

        Parameters
        ----------
        own_hint : str or None
            Of a typical wrong answer.
        mismatch : str
            A sentence on the type of the answer, or nothing.
        """
        self.attempts += 1
        hint = own_hint
        if hint is None:
            hint = self.hints[min(self.hints_given, len(self.hints) - 1)]
            self.hints_given += 1
        self._print("wrong", f"not yet. {mismatch}Hint: {hint}")

    def raised(self, error: Exception) -> None:
        """The learner's code raised: one line of the error."""
        if "ellipsis" in str(error):  # a stub with some lines filled in computes with its `...`
            return self.blank()
        self.attempts += 1
        first_line = (str(error).splitlines() or [""])[0]
        text = f"your answer stops with an error, {type(error).__name__}: {first_line}"
        return self._print("error", text)

    def _print(self, state: str, message: str) -> None:
        verdicts.append(Verdict(self.id, state, f"{self.id}: {message}"))
        print(verdicts[-1].message)


records: dict[str, Record] = {}
verdicts: list[Verdict] = []


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
