"""Compare a learner's answer with another: numbers within a tolerance, text without regard to case."""

from collections.abc import Mapping

import numpy as np


def same(answer: object, other: object, tolerance: float) -> bool:
    """Whether two answers agree.

    Numbers and arrays: equal shapes, and a difference of at most tolerance * (1 + |other|); NaN equals NaN. Text:
    equal but for case and surrounding space. Lists, tuples and mappings: each part. Anything else: `==`.
    """
    if isinstance(answer, str) and isinstance(other, str):
        return answer.strip().casefold() == other.strip().casefold()
    if isinstance(answer, Mapping) and isinstance(other, Mapping):
        return answer.keys() == other.keys() and all(
            same(answer[key], other[key], tolerance) for key in other
        )
    if isinstance(answer, list | tuple) and isinstance(other, list | tuple):
        return len(answer) == len(other) and all(map(same, answer, other, [tolerance] * len(other)))
    try:
        one, two = np.asarray(answer), np.asarray(other)
        if one.shape != two.shape:
            return False
        if _numeric(one) and _numeric(two):
            return np.allclose(one, two, rtol=tolerance, atol=tolerance, equal_nan=True)
        return bool(np.all(answer == other))
    except Exception:  # an answer of an unforeseen kind is simply not the one asked for
        return False


def blank(answer: object) -> bool:
    """Whether an answer still is, or holds, the `...` of the stub."""
    if isinstance(answer, Mapping):
        return any(blank(part) for part in answer.values())
    if isinstance(answer, np.ndarray) and answer.dtype == object:
        return any(map(blank, answer.ravel()))
    if isinstance(answer, list | tuple):
        return any(map(blank, answer))
    return answer is ...


def mismatch(answer: object, expected: object) -> str:
    """What kind of thing the answer is, if another kind was asked for; else an empty string."""
    given, wanted = _kind(answer), _kind(expected)
    return "" if given == wanted else f"This is {given}; {wanted} is asked for. "


def _numeric(array: np.ndarray) -> bool:
    return array.dtype.kind in "biufc"


def _kind(answer: object) -> str:
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
    if _numeric(array):
        return f"an array of shape {array.shape}" if array.ndim else "a number"
    return (
        "a list" if isinstance(answer, list | tuple | np.ndarray) else f"a {type(answer).__name__}"
    )
