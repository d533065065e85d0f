"""The three forms of an exercise: a value, a function, and a condition that many answers meet.

`data` are the objects of the lesson that a check cell passes on, for answers that depend on what
the lesson computed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medlearn.teaching._sealed import Sealed


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What all forms have.

    Attributes
    ----------
    id : str
        Lesson and number, such as ``"02.1"``.
    name : str
        Of the variable or function that the stub sets.
    hints : sequence of str
        From gentle to plain. None of them hands over the formula.
    """

    id: str
    name: str
    hints: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Value(Exercise):
    """A number, text or list.

    Attributes
    ----------
    expected : Sealed or callable
        The right answer under seal, or a function of the lesson's data that returns it.
    wrong : sequence of (object, str)
        Typical wrong answers, or functions of the data that return them, each with its hint.
    choices : sequence of str
        If one of these texts has to be chosen; another text is told which they are.
    """

    expected: Sealed | Callable
    wrong: Sequence[tuple[object, str]]
    choices: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Function(Exercise):
    """A function.

    Attributes
    ----------
    cases : sequence of (tuple, object)
        Arguments and the expected result.
    wrong : sequence of (callable, str)
        Typical wrong functions, each with its hint.
    """

    cases: Sequence[tuple[tuple, object]]
    wrong: Sequence[tuple[Callable, str]]


@dataclass(frozen=True, kw_only=True)
class Condition(Exercise):
    """An answer of which many are right.

    Attributes
    ----------
    test : callable
        A function of the answer and the lesson's data, true if the answer is right; None if the
        answer is a function that returns nothing yet.
    wrong : sequence of (object, callable, str)
        An example of a wrong answer, a rule (as `test`) for all that deserve the hint, the hint.
    """

    test: Callable[..., bool | None]
    wrong: Sequence[tuple[object, Callable[..., bool], str]]
