"""Panels of dials: one that redraws a figure, and one whose pixels go straight to the screen."""

import io
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from medlearn.teaching.language import label, say

_CODE = '<code style="white-space: pre-wrap">{}</code>'
_LONG = 20  # letters; a slider's own readout cuts longer names off
_SHARP = 2  # pixels of a picture per pixel of the page, for displays of high resolution
STYLE = {"description_width": "6em"}


def explore(draw: Callable[..., Figure], **controls: Any) -> ipywidgets.VBox:
    """Make a panel that redraws a figure whenever a control moves.

    Parameters
    ----------
    draw : callable
        Called with the values of the controls by name; returns a matplotlib figure.
    **controls : sequence, dict or ipywidgets control
        A sequence becomes a slider over its items, usable from the keyboard; a dict of text ->
        value becomes a menu; a control of your own is used as it is.

    Returns
    -------
    ipywidgets.VBox
        The controls; the last child is the picture, a PNG.
    """
    dials = {name: _dial(name, control) for name, control in controls.items()}
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
    # JupyterLab lets a second thread of the kernel answer for its controls.
    lock = threading.RLock()

    def redraw(change: object = None) -> None:
        with lock:
            figure = draw(**_values(dials))
            picture.layout.width = f"{figure.get_figwidth() * figure.dpi:.0f}px"
            picture.value = _png(figure)

    _observe(dials, redraw)
    redraw()
    return ipywidgets.VBox([*map(_row, dials.values()), picture])


def console(
    shoot: Callable[..., tuple[np.ndarray, Sequence[str]]],
    dials: Mapping[str, ipywidgets.Widget],
    presets: Mapping[str, Mapping[str, object]] | None = None,
    *,
    width: int = 384,
) -> ipywidgets.HBox:
    """Make a console whose picture follows its dials while they move, without a figure.

    Parameters
    ----------
    shoot : callable
        Called with the values of the dials by name; returns an image uint8 (H, W[, 3]) and lines
        of text to stand below it. If it raises ValueError, the last picture stays and the
        sentence is printed.
    dials : mapping of str to ipywidgets control
        By the names that `shoot` expects.
    presets : mapping of str to mapping, optional
        Values of dials by the name of the preset; a menu sets several dials at once.
    width : int
        Of the picture, in pixels of the screen.

    Returns
    -------
    ipywidgets.HBox
        Two columns: the dials; the picture (PNG) and the text.
    """
    return _Console(shoot, dials, presets or {}, width).box


class _Console:
    """The parts of a console, and what happens when one of its dials moves."""

    def __init__(self, shoot, dials, presets, width: int):
        self.shoot, self.dials, self.is_setting = shoot, dials, False
        sides = {"width": f"{width}px", "height": f"{width}px"}
        self.picture = ipywidgets.Image(format="png", layout=sides)
        self.text = ipywidgets.HTML(layout={"max_width": f"{1.5 * width:.0f}px"})
        menu = ipywidgets.Dropdown(
            options=list(presets.items()), description=say("start from"), style=STYLE
        )
        _observe(dials, self.redraw)
        menu.observe(self.set_preset, names="value")
        self.redraw()
        controls = [menu, *dials.values()] if presets else list(dials.values())
        columns = [ipywidgets.VBox(controls), ipywidgets.VBox([self.picture, self.text])]
        self.box = ipywidgets.HBox(columns)

    def redraw(self, change: object = None) -> None:
        if self.is_setting:
            return
        try:
            pixels, lines = self.shoot(**_values(self.dials))
        except ValueError as error:
            self.text.value = f"<b>{say('Not possible.')}</b> {escape(str(error))}"
            return
        self.picture.value = _encoded(pixels)
        self.text.value = "<br>".join(_CODE.format(escape(line)) for line in lines)

    def set_preset(self, change) -> None:
        """Set all dials, then take one picture: none of the mixtures in between."""
        self.is_setting = True
        for name, value in change.new.items():
            self.dials[name].value = value
        self.is_setting = False
        self.redraw()


def pace(console: ipywidgets.HBox, dial: str, moves: int = 30) -> float:
    """Measure how many pictures per second a console makes while a slider moves.

    Measured here and now, without the browser's share. The slider runs once through its range and
    ends where it began.

    Parameters
    ----------
    console : ipywidgets.HBox
        From `console`, `microscope` or `scanner`.
    dial : str
        Description of the slider, such as ``"TE ms"``.
    moves : int
        Number of positions.

    Returns
    -------
    float
        Pictures per second.

    Raises
    ------
    LookupError
        If the console has no such slider.
    """
    dials, (picture, _) = (column.children for column in console.children)
    sliders = {control.description: control for control in dials if hasattr(control, "max")}
    dial = say(dial)
    if dial not in sliders:
        raise LookupError(
            f"This console has no slider {dial!r}; choose one of {', '.join(sliders)}."
        )
    slider = sliders[dial]
    value_before = slider.value
    pictures: list[object] = []
    picture.observe(pictures.append, names="value")
    start = time.perf_counter()
    with slider.hold_sync():  # the browser would answer some moves late, after the last one
        for position in np.linspace(0, (slider.max - slider.min) / slider.step, moves).round():
            slider.value = round(slider.min + slider.step * position, 6)
        seconds = time.perf_counter() - start
        picture.unobserve(pictures.append, names="value")
        slider.value = value_before
    return len(pictures) / seconds


def slider(
    name: str, value: float, low: float, high: float, step: float
) -> ipywidgets.IntSlider | ipywidgets.FloatSlider:
    """Make a slider whose readout shows each step.

    Parameters
    ----------
    name : str
        What stands beside it, in the reader's language.
    value, low, high : float
        Where it begins, and its range.
    step : int or float
        A whole number makes a slider over whole numbers.
    """
    options = {"min": low, "max": high, "step": step, "description": name, "style": STYLE}
    if isinstance(step, int):
        return ipywidgets.IntSlider(value, **options)
    digits = max(1, math.ceil(-math.log10(step)))
    return ipywidgets.FloatSlider(value, readout_format=f".{digits}f", **options)


def _values(dials: Mapping[str, ipywidgets.Widget]) -> dict[str, object]:
    return {name: dial.value for name, dial in dials.items()}


def _observe(dials: Mapping[str, ipywidgets.Widget], redraw: Callable) -> None:
    for dial in dials.values():
        dial.observe(redraw, names="value")


def _dial(name: str, control: Any) -> ipywidgets.Widget:
    description = label(name.replace("_", " "))
    if isinstance(control, ipywidgets.Widget):
        return control
    if isinstance(control, dict):
        options = [(label(text), value) for text, value in control.items()]
        return ipywidgets.Dropdown(options=options, description=description)
    longest = max(len(str(option)) for option in control)
    return ipywidgets.SelectionSlider(
        options=[_option(value) for value in control],
        description=description,
        continuous_update=False,
        readout=longest <= _LONG,
    )


def _option(value: Any) -> Any:
    """A value of a slider, with its name where the reader's language has another one."""
    translated = label(value) if isinstance(value, str) else value
    return value if translated is value or translated == value else (translated, value)


def _row(dial: ipywidgets.Widget) -> ipywidgets.Widget:
    """The dial; beside a slider whose readout would cut its names off, the whole name."""
    if getattr(dial, "readout", True):
        return dial
    name = ipywidgets.Label(dial.label)

    def show_name(change: object) -> None:
        name.value = dial.label

    dial.observe(show_name, names="value")
    return ipywidgets.HBox([dial, name])


def _png(figure: Figure) -> bytes:
    memory = io.BytesIO()
    plt.close(figure)  # first: an open one may be drawn by the notebook's other thread meanwhile
    figure.savefig(memory, format="png", dpi=_SHARP * figure.dpi)
    return memory.getvalue()


def _encoded(pixels: np.ndarray) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, format="png", compress_level=1)  # quick rather than small
    return memory.getvalue()
