"""Between laboratories: a severity dial, one factor at a time, single parameters."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from numbers import Real
from typing import Any

from medlearn.instruments.smear._laboratories import FACTORS, Laboratory, between
from medlearn.instruments.smear._presets import find, unknown


def mix(
    lab_a: Laboratory | str,
    lab_b: Laboratory | str,
    severity: float,
    factors: Collection[str] | None = None,
) -> Laboratory:
    """A laboratory on the way from `lab_a` (severity 0) to `lab_b` (severity 1), in all or only in some
    factors.

    `factors` is a subset of `smear.FACTORS`; the others stay as in `lab_a`. Numbers are interpolated evenly.
    Raises ValueError for an unknown laboratory or factor and for a severity outside 0..1.
    """
    lab_a, lab_b = find(lab_a), find(lab_b)
    chosen = (
        FACTORS if factors is None else tuple([factors] if isinstance(factors, str) else factors)
    )
    for name in chosen:
        if name not in FACTORS:
            raise ValueError(unknown("factor", name, FACTORS))
    if isinstance(severity, bool) or not isinstance(severity, Real) or not 0 <= severity <= 1:
        raise ValueError(
            f"severity must be a number from 0 (the first laboratory) to 1, not {severity!r}."
        )
    changed = {
        name: between(getattr(lab_a, name), getattr(lab_b, name), float(severity))
        for name in chosen
    }
    only = "" if factors is None else f" ({', '.join(chosen)})"
    return replace(
        lab_a,
        name=f"{lab_a.name} > {lab_b.name} at {severity:g}{only}",
        calibrated=lab_a.calibrated or lab_b.calibrated,
        **changed,
    )


def adjust(laboratory: Laboratory | str, **changes: Any) -> Laboratory:
    """The laboratory with single parameters changed by name, as in `adjust("lab-a", blur_um=0.5,
    jpeg_quality=20)`.

    Parameter names are unique over the seven factors; an unknown one raises ValueError with the nearest name.
    """
    laboratory = find(laboratory)
    owner = {f.name: factor for factor in FACTORS for f in fields(getattr(laboratory, factor))}
    for name, value in changes.items():
        if name not in owner:
            raise ValueError(unknown("laboratory parameter", name, owner))
        factor = owner[name]
        # NumPy floats would drag the images to double precision.
        value = tuple(map(float, value)) if isinstance(value, Sequence) else float(value)
        laboratory = replace(
            laboratory, **{factor: replace(getattr(laboratory, factor), **{name: value})}
        )
    return laboratory
