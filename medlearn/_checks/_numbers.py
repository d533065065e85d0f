"""Checks of single numbers."""

from numbers import Integral, Real


class Undefined(ValueError):
    """A score that these images do not define, such as the sensitivity where nobody is ill."""


def whole_number(name: str, value: object, low: int, high: int | None = None) -> int:
    """Check a whole number; True and 2.0 are refused.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller gave.
    low, high : int
        The smallest and the largest number allowed; `high` None means no upper limit.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ValueError
        For anything that is not a whole number within the limits.
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
        if low <= number and (high is None or number <= high):
            return number
    limits = f"from {low:,} to {high:,}" if high is not None else f"of at least {low:,}"
    raise ValueError(f"{name} must be a whole number {limits}; it was {value!r}.")


def fraction(name: str, value: object) -> float:
    """Check a number from 0 to below 1, such as the rate of dropout.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller gave.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if 0 <= number < 1:
            return number
    raise ValueError(f"{name} must be a number from 0 to below 1, such as 0.2; it was {value!r}.")


def level(level: float) -> None:
    """Raise ValueError unless the level of an interval is above 0 and below 1."""
    if not 0 < level < 1:
        raise ValueError(
            f"level is the confidence of the interval, above 0 and below 1, not {level!r}; "
            "usual is 0.95."
        )


def share(name: str, value: float) -> None:
    """Raise ValueError unless a share is from 0 to 1.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : float
        The share.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a share from 0 to 1, not {value!r}.")
