"""Between laboratories: a severity dial, one factor at a time, single parameters."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from numbers import Real
from typing import Any

from medlearn import _files
from medlearn.instruments.smear._laboratories import FACTORS, Laboratory, between
from medlearn.instruments.smear._presets import find_laboratory


def mix(
    lab_a: Laboratory | str,
    lab_b: Laboratory | str,
    severity: float,
    factors: Collection[str] | None = None,
) -> Laboratory:
    """Make a laboratory on the way from one laboratory to another.

    Parameters
    ----------
    lab_a, lab_b : Laboratory or str
        Laboratories, or names of `LABORATORIES`.
    severity : float
        0 gives `lab_a`, 1 gives `lab_b`; numbers between are interpolated evenly.
    factors : collection of str, optional
        Which of `FACTORS` move; the others stay as in `lab_a`. Default: all.

    Returns
    -------
    Laboratory
        Its name says how it was made.

    Raises
    ------
    ValueError
        For an unknown laboratory or factor, or a severity outside 0 to 1.

    Examples
    --------
    >>> from medlearn.instruments import smear
    >>> smear.mix("lab-a", "lab-b", 0.5, ["stain"]).name
    'lab-a > lab-b at 0.5 (stain)'
    """
    start, end = find_laboratory(lab_a), find_laboratory(lab_b)
    chosen = _chosen(factors)
    if isinstance(severity, bool) or not isinstance(severity, Real) or not 0 <= severity <= 1:
        raise ValueError(
            f"severity must be a number from 0 (the first laboratory) to 1, not {severity!r}."
        )
    changed = {
        name: between(getattr(start, name), getattr(end, name), float(severity)) for name in chosen
    }
    only = "" if factors is None else f" ({', '.join(chosen)})"
    return replace(
        start,
        name=f"{start.name} > {end.name} at {severity:g}{only}",
        calibrated=start.calibrated or end.calibrated,
        **changed,
    )


def _chosen(factors: Collection[str] | None) -> tuple[str, ...]:
    """The names of factors that were chosen; all by default."""
    if factors is None:
        return FACTORS
    chosen = (factors,) if isinstance(factors, str) else tuple(factors)
    for name in chosen:
        if name not in FACTORS:
            raise ValueError(_files.unknown("factor", name, FACTORS))
    return chosen


def adjust(laboratory: Laboratory | str, **changes: Any) -> Laboratory:
    """Change single parameters of a laboratory by name.

    Parameters
    ----------
    laboratory : Laboratory or str
        A laboratory, or the name of one of `LABORATORIES`.
    **changes : float or sequence of float
        Parameters of any of the seven factors; their names are unique over the factors.

    Returns
    -------
    Laboratory
        A changed copy of the same name.

    Raises
    ------
    ValueError
        For an unknown laboratory or parameter; the message holds the nearest name.

    Examples
    --------
    >>> from medlearn.instruments import smear
    >>> smear.adjust("lab-a", blur_um=0.5, jpeg_quality=20).optics.blur_um
    0.5
    """
    changed = find_laboratory(laboratory)
    factor_of = {}
    for factor in FACTORS:
        for parameter in fields(getattr(changed, factor)):
            factor_of[parameter.name] = factor
    for name, value in changes.items():
        if name not in factor_of:
            raise ValueError(_files.unknown("laboratory parameter", name, factor_of))
        # NumPy floats would make the images double precision.
        plain = tuple(map(float, value)) if isinstance(value, Sequence) else float(value)
        factor = factor_of[name]
        new_factor = replace(getattr(changed, factor), **{name: plain})
        changed = replace(changed, **{factor: new_factor})
    return changed
