"""Compare a learner's answer: one rule for rounded numbers, text in any spelling.

A number may be rounded, but to no fewer than two significant digits: it is right if it is the
expected number rounded to as many digits as it shows. More than six digits are never compared. A
whole number must be exact. So 0.67, 0.667 and 2 / 3 are two thirds; 0.7 and 0.6708 are not.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np

from medlearn.teaching.language import label, say

FEWEST_DIGITS, MOST_DIGITS = 2, 6  # significant digits of a rounded answer that are compared
ZERO = 1e-12  # what is nearer to zero comes from rounding errors
MOST_ELEMENTS = 10_000  # of an array that may be rounded


def spelling(number: float) -> str:
    """Return how a number is written if at most six significant digits count.

    Examples
    --------
    >>> spelling(2 / 3), spelling(4.0), spelling(0.6700000000001)
    ('0.666667', '4', '0.67')
    """
    number = float(number)
    if abs(number) < ZERO:
        return "0"
    if number.is_integer():
        return str(int(number))
    text = f"{number:.{MOST_DIGITS}g}"
    return str(int(float(text))) if float(text).is_integer() else text


def spellings(number: float) -> set[str]:
    """Return all spellings that count as this number.

    Examples
    --------
    >>> sorted(spellings(0.625)), spellings(150)
    (['0.62', '0.625', '0.63'], {'150'})
    """
    number = float(number)
    exact = spelling(number)
    if not np.isfinite(number) or re.fullmatch(r"-?\d+", exact):
        return {exact}
    accepted = {exact}
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        for rounding in (ROUND_HALF_UP, ROUND_HALF_DOWN):
            rounded = Context(prec=digits, rounding=rounding).create_decimal(Decimal(repr(number)))
            accepted.add(spelling(float(rounded)))
    return accepted


def plain(text: str) -> str:
    """Return a text as it is compared: letters and digits, without case, hyphens and brackets.

    Examples
    --------
    >>> plain(" The Prior-Shift. "), plain("a)"), plain("(b) one row")
    ('prior shift', 'a', 'b')
    """
    text = text.casefold().strip(" \t\n\"'`*.,;:!?")
    option = re.match(r"\(?([a-z])\)", text)  # an option with its bracket, and what it says
    if option:
        return option[1]
    words = re.sub(r"[\W_]+", " ", text).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def agree(answer: object, expected: object) -> bool:
    """Return whether two answers agree.

    Parameters
    ----------
    answer, expected : object
        Numbers and arrays of one shape agree by the rule of this module; NaN agrees with NaN.
        Text agrees in any spelling (see `plain`). Lists, tuples and mappings: each part. Anything
        else: ``==``. The expected answer may be a sealed one, which says itself what opens it.
    """
    if hasattr(expected, "opens"):
        return expected.opens(answer)
    if isinstance(answer, str) and isinstance(expected, str):
        return plain(answer) == plain(expected)
    if isinstance(answer, Mapping) and isinstance(expected, Mapping):
        same_keys = answer.keys() == expected.keys()
        return same_keys and all(agree(answer[key], expected[key]) for key in expected)
    if isinstance(answer, list | tuple) and isinstance(expected, list | tuple):
        pairs = zip(answer, expected, strict=False)
        return len(answer) == len(expected) and all(agree(part, goal) for part, goal in pairs)
    try:
        return _arrays_agree(answer, expected)
    except Exception:  # an answer of an unforeseen type is simply not the expected one
        return False


def _arrays_agree(answer: object, expected: object) -> bool:
    values, goals = np.asarray(answer), np.asarray(expected)
    if values.shape != goals.shape:
        return False
    if not (is_numeric(values) and is_numeric(goals)):
        return bool(np.all(answer == expected))
    if np.allclose(values, goals, rtol=10.0**-MOST_DIGITS / 2, atol=ZERO, equal_nan=True):
        return True
    if values.size > MOST_ELEMENTS or "c" in (values.dtype.kind, goals.dtype.kind):
        return False
    pairs = zip(values.ravel().tolist(), goals.ravel().tolist(), strict=True)
    return all(spelling(value) in spellings(goal) for value, goal in pairs)


def is_blank(answer: object) -> bool:
    """Return whether an answer still is, or holds, the ``...`` of the stub, or says "not yet"."""
    if isinstance(answer, Mapping):
        return any(is_blank(part) for part in answer.values())
    if isinstance(answer, np.ndarray) and answer.dtype == object:
        return any(map(is_blank, answer.ravel()))
    if isinstance(answer, list | tuple):
        return any(map(is_blank, answer))
    return answer is ... or answer is NotImplemented or answer is NotImplementedError


def type_mismatch(answer: object, expected: object) -> str:
    """Return a sentence if the answer is of another type than expected, else an empty string.

    Parameters
    ----------
    answer, expected : object
        The sentence says what they are, such as "a number", and never their values.
    """
    actual_type, expected_type = type_name(answer), type_name(expected)
    if actual_type == expected_type:
        return ""
    names = {"actual": label(actual_type), "expected": label(expected_type)}
    return say("This is {actual}; {expected} is asked for. ", **names)


def type_name(answer: Any) -> str:
    """Return what an answer is, such as "a number" or "a list of 2 numbers"."""
    if hasattr(answer, "opens"):
        return answer.type_name
    if isinstance(answer, str):
        return "text"
    if answer is None:
        return "None"
    if callable(answer):
        return "a function"
    try:
        array = np.asarray(answer)
    except Exception:  # ragged lists and the like
        return f"a {type(answer).__name__}"
    if not is_numeric(array):
        is_list = isinstance(answer, list | tuple | np.ndarray)
        return "a list" if is_list else f"a {type(answer).__name__}"
    if array.ndim > 1:
        return f"an array of shape {array.shape}"
    return f"a list of {len(array)} numbers" if array.ndim else "a number"


def is_numeric(array: np.ndarray) -> bool:
    """Return whether an array holds numbers or booleans."""
    return array.dtype.kind in "biufc"
