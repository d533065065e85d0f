"""Compare a learner's answer: numbers within a tolerance, text without regard to case."""

from collections.abc import Mapping

import numpy as np


def agree(answer: object, expected: object, tolerance: float) -> bool:
    """Return whether two answers agree.

    Parameters
    ----------
    answer, expected : object
        Numbers and arrays agree if their shapes are equal and they differ by at most
        ``tolerance * (1 + |expected|)``; NaN agrees with NaN. Text: equal but for case and
        surrounding space. Lists, tuples and mappings: each part. Anything else: ``==``.
    tolerance : float
        Relative above 1, absolute below.
    """
    if isinstance(answer, str) and isinstance(expected, str):
        return answer.strip().casefold() == expected.strip().casefold()
    if isinstance(answer, Mapping) and isinstance(expected, Mapping):
        same_keys = answer.keys() == expected.keys()
        return same_keys and all(agree(answer[key], expected[key], tolerance) for key in expected)
    if isinstance(answer, list | tuple) and isinstance(expected, list | tuple):
        pairs = zip(answer, expected, strict=False)
        same_length = len(answer) == len(expected)
        return same_length and all(agree(part, goal, tolerance) for part, goal in pairs)
    try:
        return _arrays_agree(answer, expected, tolerance)
    except Exception:  # an answer of an unforeseen type is simply not the expected one
        return False


def _arrays_agree(answer: object, expected: object, tolerance: float) -> bool:
    values, goals = np.asarray(answer), np.asarray(expected)
    if values.shape != goals.shape:
        return False
    if _is_numeric(values) and _is_numeric(goals):
        return np.allclose(values, goals, rtol=tolerance, atol=tolerance, equal_nan=True)
    return bool(np.all(answer == expected))


def is_blank(answer: object) -> bool:
    """Return whether an answer still is, or holds, the ``...`` of the stub."""
    if isinstance(answer, Mapping):
        return any(is_blank(part) for part in answer.values())
    if isinstance(answer, np.ndarray) and answer.dtype == object:
        return any(map(is_blank, answer.ravel()))
    if isinstance(answer, list | tuple):
        return any(map(is_blank, answer))
    return answer is ...


def type_mismatch(answer: object, expected: object) -> str:
    """Return a sentence if the answer is of another type than expected, else an empty string.

    Parameters
    ----------
    answer, expected : object
        The sentence says what they are, such as "a number", and never their values.
    """
    actual_type, expected_type = _type_name(answer), _type_name(expected)
    if actual_type == expected_type:
        return ""
    return f"This is {actual_type}; {expected_type} is asked for. "


def _is_numeric(array: np.ndarray) -> bool:
    return array.dtype.kind in "biufc"


def _type_name(answer: object) -> str:
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
    if _is_numeric(array):
        return f"an array of shape {array.shape}" if array.ndim else "a number"
    is_list = isinstance(answer, list | tuple | np.ndarray)
    return "a list" if is_list else f"a {type(answer).__name__}"
