"""Dials that teach: a drawing function and its controls become a small panel in the notebook."""

import io

import ipywidgets
import matplotlib.pyplot as plt


def explore(draw, **controls):
    """A panel that redraws `draw(**values)`, which returns a matplotlib figure, whenever a control moves.

    A control is a sequence (a slider over its items, usable from the keyboard), a dict of text -> value (a menu), or
    any ipywidgets control of your own. Returns the panel; its last child is the picture, a PNG.
    """
    dials = {name: _dial(name, control) for name, control in controls.items()}
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})

    def redraw(_=None):
        picture.value = _png(draw(**{name: dial.value for name, dial in dials.items()}))

    for dial in dials.values():
        dial.observe(redraw, names="value")
    redraw()
    return ipywidgets.VBox([*dials.values(), picture])


def _dial(name, control):
    label = name.replace("_", " ")
    if isinstance(control, ipywidgets.Widget):
        return control
    if isinstance(control, dict):
        return ipywidgets.Dropdown(options=list(control.items()), description=label)
    return ipywidgets.SelectionSlider(options=list(control), description=label, continuous_update=False)


def _png(figure) -> bytes:
    memory = io.BytesIO()
    figure.savefig(memory, format="png")
    plt.close(figure)
    return memory.getvalue()
