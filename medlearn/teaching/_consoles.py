"""The consoles of the virtual instruments: a cell under the microscope, a slice in the scanner."""

import math
from collections.abc import Callable
from dataclasses import replace

import ipywidgets
import numpy as np

from medlearn.instruments import mri, smear
from medlearn.instruments.mri import physics
from medlearn.teaching._panels import STYLE, console, slider
from medlearn.teaching.language import say

_PROTOCOL = ("sequence", "field_tesla", "tr_ms", "te_ms", "ti_ms", "flip_deg", "matrix")
_EVERYTHING = "everything"


def microscope(
    read: Callable[[np.ndarray], str] | None = None, *, number: int = 9, size: int = 160
) -> ipywidgets.HBox:
    """Make the virtual microscope's console: a simulated cell between two laboratories.

    The dial `severity` leads from lab-a to lab-b in all that differs, or in one factor; `defocus
    um` adds blur to the laboratory's own, `lamp` is its brightness, `uneven` the fall-off of light
    over the frame. Below the picture stands the code of its laboratory.

    Parameters
    ----------
    read : callable, optional
        Maps the image, uint8 (size, size, 3), to a line of text, such as a network's prediction.
    number : int
        0 to 20; another number brings another cell. It is both the seed and the patient of
        `smear.one_cell`.
    size : int
        Side of the image in pixels.

    Returns
    -------
    ipywidgets.HBox
        As from `console`.
    """
    cells = ipywidgets.Dropdown(options=smear.CLASSES, description=say("cell"), style=STYLE)
    parts = [(say("everything"), _EVERYTHING), *((name, name) for name in smear.FACTORS)]
    factors = ipywidgets.Dropdown(options=parts, description=say("of"), style=STYLE)
    dials = {
        "cell": cells,
        "number": slider(say("number"), number, 0, 20, 1),
        "severity": slider(say("severity"), 0.0, 0.0, 1.0, 0.05),
        "factor": factors,
        "defocus_um": slider(say("defocus um"), 0.0, 0.0, 1.5, 0.01),
        "lamp": slider(say("lamp"), 1.0, 0.1, 1.2, 0.01),
        "gradient": slider(say("uneven"), 0.05, 0.0, 0.6, 0.01),
    }

    def _shoot(cell, number, severity, factor, **light):
        factors = None if factor == _EVERYTHING else [factor]
        mixed = smear.mix("lab-a", "lab-b", severity, factors)
        changes = _changes(mixed, **light)
        laboratory = smear.adjust(mixed, **changes)
        image = smear.one_cell(laboratory, cell, number, number, size).images[0]
        only = f", {factors}" if factors else ""
        code = [
            f'base = smear.mix("lab-a", "lab-b", {severity:g}{only})',
            f"smear.adjust(base, {_arguments(changes)})",
        ]
        return image, code if read is None else [read(image), *code]

    return console(_shoot, dials)


def _changes(
    laboratory: smear.Laboratory, defocus_um: float, lamp: float, gradient: float
) -> dict[str, object]:
    """The parameters of a laboratory that the dials of light and focus change."""
    blur_um = math.hypot(laboratory.optics.blur_um, defocus_um)
    changes: dict[str, object] = {"blur_um": round(blur_um, 2), "gradient": gradient}
    if lamp != 1:
        for name in ("rgb", "second_lot_rgb"):
            colour = getattr(laboratory.illuminant, name)
            changes[name] = tuple(round(lamp * grey) for grey in colour)
    return changes


def scanner(
    label: int | str = "tumour", *, seed: int = 0, subject: int = 0, size: int = 192
) -> ipywidgets.HBox:
    """Make the virtual scanner's console: a slice of a simulated subject, and the protocol's dials.

    A menu starts from the protocols of the named sites. `noise` is relative to white matter's full
    signal at 3 tesla, so that late echoes and weak fields are noisier; `matrix` is the number of
    k-space lines. Below the picture stand the code that makes the site, and how strong the signals
    of the three tissues are.

    Parameters
    ----------
    label : int or str
        Class of `mri.CLASSES`, by name or index.
    seed, subject : int
        Whose slice, as in `mri.prepare`.
    size : int
        Side of the image in pixels.

    Returns
    -------
    ipywidgets.HBox
        As from `console`.
    """
    prepared = mri.prepare(label, seed, subject, size=size)
    presets = {name: _protocol(site) for name, site in mri.SITES.items()}
    dials = _scanner_dials(next(iter(presets.values())), size)

    def _shoot(sequence, ti_ms, flip_deg, noise, **protocol):
        if sequence in mri.INVERTED:
            protocol["ti_ms"] = ti_ms
        if sequence == "T1w":
            protocol["flip_deg"] = flip_deg
        for name in ("ti_ms", "flip_deg"):
            dials[name].disabled = name not in protocol
        site = mri.Site("console", sequence=sequence, **protocol)
        signals = np.abs(physics.signals(site)).tolist()
        signal_of = dict(zip(physics.TISSUES, signals, strict=True))
        protocol["noise"] = _noise(noise, site.field_tesla, signal_of["white matter"])
        image = mri.scan(prepared, replace(site, noise=protocol["noise"]))
        code = f'mri.Site("console", {_arguments({"sequence": sequence, **protocol})})'
        tissues = [f"{name} {signal_of[name]:.3f}" for name in physics.TISSUES[:3]]
        return image, [code, f"signal: {' · '.join(tissues)}"]

    return console(_shoot, dials, presets)


def _protocol(site: mri.Site) -> dict[str, object]:
    return {dial: getattr(site, dial) for dial in _PROTOCOL}


def _scanner_dials(start: dict, size: int) -> dict[str, ipywidgets.Widget]:
    """The dials of a protocol, which begin at the values of `start`."""
    sequence = ipywidgets.Dropdown(
        options=mri.SEQUENCES, value=start["sequence"], description=say("sequence"), style=STYLE
    )
    return {
        "sequence": sequence,
        "field_tesla": slider(say("field T"), start["field_tesla"], 1.5, 3.0, 0.1),
        "tr_ms": slider("TR ms", start["tr_ms"], 100, 10000, 50),
        "te_ms": slider("TE ms", start["te_ms"], 2, 300, 1),
        "ti_ms": slider("TI ms", start["ti_ms"], 0, 5000, 10),
        "flip_deg": slider(say("flip deg"), start["flip_deg"], 5, 90, 1),
        "matrix": slider(say("matrix"), start["matrix"], 16, size, 4),
        "noise": slider(say("noise"), 0.01, 0.0, 0.1, 0.002),
    }


def _noise(dial: float, field_tesla: float, signal: float) -> float:
    """The site's noise, relative to white matter's `signal` there: at most 1, two digits.

    The dial's noise grows as the field sinks.
    """
    full = physics.tissue_table(field_tesla)[physics.TISSUES.index("white matter"), 2]
    return float(f"{min(1.0, dial * full * 3 / field_tesla / max(signal, 1e-9)):.2g}")


def _arguments(values: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
