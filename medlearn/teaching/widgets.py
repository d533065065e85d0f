"""Dials that teach: `explore` puts dials on a figure; `microscope` and `scanner` are consoles that answer while you drag."""

import io
import math
import threading
import time
from dataclasses import replace
from html import escape

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from medlearn.instruments import mri, smear
from medlearn.instruments.mri import physics
from medlearn.instruments.mri._site import INVERTED, SEQUENCES

_CODE = '<code style="white-space: pre-wrap">{}</code>'
_WIDE = {"description_width": "6em"}
_LONG = 20  # letters; a slider's own readout cuts longer names off
_PROTOCOL = ("sequence", "field_tesla", "tr_ms", "te_ms", "ti_ms", "flip_deg", "matrix")


def explore(draw, **controls):
    """A panel that redraws `draw(**values)`, which returns a matplotlib figure, whenever a control moves.

    A control is a sequence (a slider over its items, usable from the keyboard), a dict of text -> value (a menu), or
    any ipywidgets control of your own. Returns the panel; its last child is the picture, a PNG.
    """
    dials = {name: _dial(name, control) for name, control in controls.items()}
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})

    one_at_a_time = (
        threading.RLock()
    )  # JupyterLab lets a second thread of the kernel answer for its controls

    def redraw(_=None):
        with one_at_a_time:
            picture.value = _png(draw(**{name: dial.value for name, dial in dials.items()}))

    for dial in dials.values():
        dial.observe(redraw, names="value")
    redraw()
    return ipywidgets.VBox([*map(_row, dials.values()), picture])


def console(shoot, dials, presets=None, *, width=384):
    """A console that calls `shoot(**values)` while a dial moves; its pixels go straight to the screen, without a figure.

    `shoot` returns an image uint8 (H, W[, 3]) and lines of text to stand below it; if it raises ValueError, the last
    picture stays and the sentence is shown. `dials` maps names to ipywidgets controls; `presets`, a dict of name ->
    {dial: value}, adds a menu that sets several at once. `width` is in screen pixels.
    Returns an HBox of two columns: the dials; the picture (PNG) and the text.
    """
    picture = ipywidgets.Image(format="png", layout={"width": f"{width}px", "height": f"{width}px"})
    text = ipywidgets.HTML(layout={"max_width": f"{1.5 * width:.0f}px"})
    menu = ipywidgets.Dropdown(
        options=list((presets or {}).items()), description="start from", style=_WIDE
    )
    setting = []

    def redraw(_=None):
        if setting:
            return
        try:
            pixels, lines = shoot(**{name: dial.value for name, dial in dials.items()})
        except ValueError as impossible:
            text.value = f"<b>Not possible.</b> {escape(str(impossible))}"
            return
        picture.value = _encoded(pixels)
        text.value = "<br>".join(_CODE.format(escape(line)) for line in lines)

    def preset(change):
        setting.append(True)  # one picture for all dials, none of the mixtures in between
        for name, value in change.new.items():
            dials[name].value = value
        setting.clear()
        redraw()

    for dial in dials.values():
        dial.observe(redraw, names="value")
    menu.observe(preset, names="value")
    redraw()
    left = [menu, *dials.values()] if presets else list(dials.values())
    return ipywidgets.HBox([ipywidgets.VBox(left), ipywidgets.VBox([picture, text])])


def pace(console, dial, moves=30):
    """Pictures per second that a console makes while the slider described as `dial` runs once through its range.

    Measured here and now, without the browser's share; the slider ends where it began. Raises LookupError for a
    dial that the console does not have.
    """
    dials, (picture, _) = (column.children for column in console.children)
    sliders = {each.description: each for each in dials if hasattr(each, "max")}
    if dial not in sliders:
        raise LookupError(
            f"This console has no slider {dial!r}; choose one of {', '.join(sliders)}."
        )
    slider, pictures = sliders[dial], []
    before = slider.value
    picture.observe(pictures.append, names="value")
    start = time.perf_counter()
    with slider.hold_sync():  # the browser would answer some moves late, after the last one
        for position in np.linspace(0, (slider.max - slider.min) / slider.step, moves).round():
            slider.value = round(slider.min + slider.step * position, 6)
        seconds = time.perf_counter() - start
        picture.unobserve(pictures.append, names="value")
        slider.value = before
    return len(pictures) / seconds


def microscope(read=None, *, number=9, size=160):
    """The virtual microscope's console: a simulated cell, on its way from laboratory lab-a to lab-b, under four more dials.

    `number` (0 to 20), both the seed and the patient of `smear.one_cell`, brings other cells. `severity` leads to
    lab-b in all that differs, or in one factor; `defocus um` adds blur to the laboratory's own, `lamp` is its
    brightness, `uneven` the fall-off of light over the frame. `read`, if given, maps the image uint8
    (size, size, 3) to a line of text, such as a network's verdict. Below the picture stands the code of its laboratory.
    """
    dials = {
        "cell": ipywidgets.Dropdown(options=smear.CLASSES, description="cell", style=_WIDE),
        "number": _slider("number", number, 0, 20, 1),
        "severity": _slider("severity", 0.0, 0.0, 1.0, 0.05),
        "factor": ipywidgets.Dropdown(
            options=["everything", *smear.FACTORS], description="of", style=_WIDE
        ),
        "defocus_um": _slider("defocus um", 0.0, 0.0, 1.5, 0.01),
        "lamp": _slider("lamp", 1.0, 0.1, 1.2, 0.01),
        "gradient": _slider("uneven", 0.05, 0.0, 0.6, 0.01),
    }

    def shoot(cell, number, severity, factor, defocus_um, lamp, gradient):
        factors = None if factor == "everything" else [factor]
        mixed = smear.mix("lab-a", "lab-b", severity, factors)
        lamps = {name: getattr(mixed.illuminant, name) for name in ("rgb", "second_lot_rgb")}
        turned = {
            "blur_um": round(math.hypot(mixed.optics.blur_um, defocus_um), 2),
            "gradient": gradient,
        }
        turned |= {
            name: tuple(round(lamp * grey) for grey in colour)
            for name, colour in lamps.items()
            if lamp != 1
        }
        image = smear.one_cell(smear.adjust(mixed, **turned), cell, number, number, size).images[0]
        only = f", {factors}" if factors else ""
        code = [
            f'base = smear.mix("lab-a", "lab-b", {severity:g}{only})',
            f"smear.adjust(base, {_arguments(turned)})",
        ]
        return image, code if read is None else [read(image), *code]

    return console(shoot, dials)


def scanner(label="tumour", *, seed=0, subject=0, size=192):
    """The virtual scanner's console: a slice of a simulated subject, the protocols of the named sites, and their dials.

    `noise` is relative to white matter's full signal at 3 tesla, so that late echoes and weak fields are noisier;
    `matrix` is the number of k-space lines. Below the picture stand the code that makes the site, and how
    strong the signals of the three tissues are.
    """
    slice_ = mri.prepare(label, seed, subject, size=size)
    presets = {
        name: {dial: getattr(site, dial) for dial in _PROTOCOL} for name, site in mri.SITES.items()
    }
    first = next(iter(presets.values()))
    dials = {
        "sequence": ipywidgets.Dropdown(
            options=SEQUENCES, value=first["sequence"], description="sequence", style=_WIDE
        ),
        "field_tesla": _slider("field T", first["field_tesla"], 1.5, 3.0, 0.1),
        "tr_ms": _slider("TR ms", first["tr_ms"], 100, 10000, 50),
        "te_ms": _slider("TE ms", first["te_ms"], 2, 300, 1),
        "ti_ms": _slider("TI ms", first["ti_ms"], 0, 5000, 10),
        "flip_deg": _slider("flip deg", first["flip_deg"], 5, 90, 1),
        "matrix": _slider("matrix", first["matrix"], 16, size, 4),
        "noise": _slider("noise", 0.01, 0.0, 0.1, 0.002),
    }

    def shoot(sequence, ti_ms, flip_deg, noise, **protocol):
        protocol |= {"ti_ms": ti_ms} if sequence in INVERTED else {}
        protocol |= {"flip_deg": flip_deg} if sequence == "T1w" else {}
        dials["ti_ms"].disabled, dials["flip_deg"].disabled = (
            "ti_ms" not in protocol,
            "flip_deg" not in protocol,
        )
        site = mri.Site("console", sequence=sequence, **protocol)
        signals = dict(zip(physics.TISSUES, np.abs(physics.signals(site)).tolist()))
        site = replace(site, noise=_noise(noise, site.field_tesla, signals["white matter"]))
        told = " · ".join(f"{name} {signals[name]:.3f}" for name in physics.TISSUES[:3])
        code = f'mri.Site("console", {_arguments({"sequence": sequence, **protocol, "noise": site.noise})})'
        return mri.scan(slice_, site), [code, f"signal: {told}"]

    return console(shoot, dials, presets)


def _noise(dial, field_tesla, signal) -> float:
    """The dial's noise, which grows as the field sinks, relative to white matter's `signal` at a site: at most 1, two digits."""
    full = physics.tissue_table(field_tesla)[physics.TISSUES.index("white matter"), 2]
    return float(f"{min(1.0, dial * full * 3 / field_tesla / max(signal, 1e-9)):.2g}")


def _arguments(values) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _slider(label, value, low, high, step):
    if isinstance(step, int):
        return ipywidgets.IntSlider(
            value, min=low, max=high, step=step, description=label, style=_WIDE
        )
    digits = f".{max(1, math.ceil(-math.log10(step)))}f"  # the readout shows each step
    return ipywidgets.FloatSlider(
        value, min=low, max=high, step=step, readout_format=digits, description=label, style=_WIDE
    )


def _dial(name, control):
    label = name.replace("_", " ")
    if isinstance(control, ipywidgets.Widget):
        return control
    if isinstance(control, dict):
        return ipywidgets.Dropdown(options=list(control.items()), description=label)
    short = max(len(str(option)) for option in control) <= _LONG
    return ipywidgets.SelectionSlider(
        options=list(control), description=label, continuous_update=False, readout=short
    )


def _row(dial):
    """The dial; beside a slider whose readout would cut its names off, the whole name."""
    if getattr(dial, "readout", True):
        return dial
    name = ipywidgets.Label(dial.label)
    dial.observe(lambda _: setattr(name, "value", dial.label), names="value")
    return ipywidgets.HBox([dial, name])


def _png(figure) -> bytes:
    memory = io.BytesIO()
    plt.close(figure)  # first: an open one may be drawn by the notebook's other thread meanwhile
    figure.savefig(memory, format="png")
    return memory.getvalue()


def _encoded(pixels) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, format="png", compress_level=1)  # quick rather than small
    return memory.getvalue()
