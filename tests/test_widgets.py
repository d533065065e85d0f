"""Panels of dials and the consoles of the virtual instruments, without a browser."""

import html
import io
import re

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from medlearn.instruments import mri, smear
from medlearn.teaching import widgets


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.value)))


# ---- explore ----


def test_a_panel_draws_at_once_and_after_each_move():
    calls = []

    def draw(layer, cell):
        calls.append((layer, cell))
        figure, ax = plt.subplots(figsize=(1, 1))
        ax.bar(layer, cell)
        return figure

    panel = widgets.explore(draw, layer={"first": "a", "second": "b"}, cell=[3, 5, 8])
    menu, slider, picture = panel.children
    first_picture = picture.value
    slider.value = 8
    menu.value = "b"
    assert calls == [("a", 3), ("a", 8), ("b", 8)]
    assert picture.value != first_picture and pixels(picture).ndim == 3
    assert plt.get_fignums() == []  # no figure stays open
    shown_width = round(plt.rcParams["figure.dpi"])  # of an inch, in pixels of the page
    assert picture.layout.width == f"{shown_width}px"
    assert pixels(picture).shape[1] == 2 * shown_width  # sharp on a display of high resolution


def test_a_control_of_ones_own_is_used_as_it_is():
    control = ipywidgets.IntSlider(2, 0, 4)
    panel = widgets.explore(lambda count: plt.figure(figsize=(1, 1)), count=control)
    assert panel.children[0] is control


def test_a_figure_is_closed_before_it_is_saved_so_that_no_other_thread_finds_it(monkeypatch):
    figure = plt.figure()
    save, open_figures = figure.savefig, []

    def save_and_look(*args, **options):
        open_figures.append(plt.get_fignums())
        save(*args, **options)

    monkeypatch.setattr(figure, "savefig", save_and_look)
    widgets.explore(lambda side: figure, side=[1, 2])
    assert open_figures == [[]]


def test_long_names_stand_beside_their_slider_because_its_readout_would_cut_them_off():
    names = {"short": ["a", "b" * 20], "long": ["a", "b" * 21]}
    panel = widgets.explore(lambda short, long: plt.figure(), **names)
    first, row, _ = panel.children
    slider, name = row.children
    assert first.readout and not slider.readout and name.value == "a"
    slider.value = "b" * 21
    assert name.value == "b" * 21


# ---- consoles ----


def parts(console):
    """The dials by their description, the picture and the text of a console."""
    dials, (picture, text) = (column.children for column in console.children)
    return {dial.description: dial for dial in dials}, picture, text


class Lamp:
    """A console whose picture is as bright as its dial, which must not go beyond 9."""

    def __init__(self):
        self.calls = []
        dials = {
            "light": ipywidgets.IntSlider(3, 0, 12, description="light"),
            "sides": ipywidgets.IntSlider(1, 0, 9, description="sides"),
        }
        presets = {"dark": {"light": 1, "sides": 2}, "bright": {"light": 8, "sides": 5}}
        self.console = widgets.console(self.shoot, dials, presets)
        self.dials, self.picture, self.text = parts(self.console)

    def shoot(self, light, sides):
        self.calls.append((light, sides))
        if light > 9:
            raise ValueError("light <is> too bright")
        return np.full((4, 4, 3), light, np.uint8), [f"light = {light} & more"]


@pytest.fixture
def lamp():
    return Lamp()


def test_a_console_answers_each_move(lamp):
    lamp.dials["light"].value = 7
    assert lamp.calls == [(3, 1), (7, 1)] and (pixels(lamp.picture) == 7).all()
    assert ">light = 7 &amp; more</code>" in lamp.text.value
    assert lamp.dials["light"].continuous_update and lamp.dials["sides"].continuous_update


def test_the_impossible_is_printed_and_the_picture_stays(lamp):
    lamp.dials["light"].value = 11
    assert (pixels(lamp.picture) == 3).all() and "light &lt;is&gt; too bright" in lamp.text.value
    lamp.dials["light"].value = 4
    assert (pixels(lamp.picture) == 4).all() and "bright" not in lamp.text.value


def test_a_preset_sets_all_dials_and_takes_one_picture(lamp):
    lamp.dials["start from"].label = "bright"
    assert (lamp.dials["light"].value, lamp.dials["sides"].value) == (8, 5)
    assert lamp.calls == [(3, 1), (8, 5)]


def values_of(slider):
    """All values that a slider takes from now on, in a list that grows."""
    values = []
    slider.observe(lambda change: values.append(change.new), names="value")
    return values


def test_pace_counts_pictures_and_leaves_the_dial_where_it_was(lamp):
    values = values_of(lamp.dials["light"])
    assert widgets.pace(lamp.console, "light", moves=13) > 0
    assert values == [*range(13), 3] and lamp.dials["light"].value == 3
    assert widgets.pace(lamp.console, "sides") == 0  # the dial moved, the picture did not
    with pytest.raises(LookupError, match="no slider 'shade'; choose one of light, sides"):
        widgets.pace(lamp.console, "shade")


def test_pace_sets_only_values_that_a_browser_can_show():
    microscope = widgets.microscope(size=32)
    values = values_of(parts(microscope)[0]["defocus um"])
    widgets.pace(microscope, "defocus um", moves=8)
    assert values == [round(value, 2) for value in values]
    assert max(values) == 1.5 and values[-1] == 0


# ---- the instruments ----


def code_of(text):
    """What the learner copies from below the picture, run: its last value."""
    lines = [html.unescape(line) for line in re.findall("<code.*?>(.*?)</code>", text.value)]
    *before, last = [line for line in lines if re.match(r"(base = )?(mri|smear)\.", line)]
    names = {"mri": mri, "smear": smear}
    exec("\n".join(before), names)
    return eval(last, names)


def test_the_scanner_shows_the_picture_that_its_code_makes():
    dials, picture, text = parts(widgets.scanner("stroke", subject=2, size=64))
    dials["TE ms"].value = 80
    prepared = mri.prepare("stroke", 0, 2, size=64)
    np.testing.assert_array_equal(pixels(picture)[..., :3], mri.scan(prepared, code_of(text)))
    assert "white matter" in text.value


def test_the_scanner_starts_from_the_named_sites():
    dials, _, text = parts(widgets.scanner(size=64))
    for site in [*mri.SITES.values()][::-1]:
        dials["start from"].label = site.name
        copied = code_of(text)
        for field in ("sequence", "tr_ms", "te_ms", "field_tesla"):
            assert getattr(copied, field) == getattr(site, field), (site.name, field)
        assert dials["TI ms"].disabled == (site.ti_ms == 0)
        assert dials["flip deg"].disabled == (site.sequence != "T1w")


def test_late_echoes_and_weak_fields_are_noisier():
    dials, _, text = parts(widgets.scanner(size=64))
    dials["start from"].label = "3T-T2w"
    usual = code_of(text).noise
    dials["TE ms"].value = 200
    assert code_of(text).noise > 3 * usual
    dials["TE ms"].value = 95
    dials["field T"].value = 1.5
    assert code_of(text).noise > 1.7 * usual


def test_an_impossible_protocol_is_one_sentence():
    dials, _, text = parts(widgets.scanner(size=64))
    dials["TI ms"].value = 0
    assert "Not possible" in text.value and "ti_ms" in text.value


def test_the_microscope_shows_the_picture_that_its_code_makes():
    dials, picture, text = parts(widgets.microscope(size=64))
    moves = {
        "cell": "monocyte",
        "number": 3,
        "severity": 0.5,
        "of": "stain",
        "defocus um": 0.4,
        "lamp": 0.5,
        "uneven": 0.2,
    }
    for name, value in moves.items():
        dials[name].value = value
    cell = smear.one_cell(code_of(text), "monocyte", seed=3, patient=3, size=64)
    np.testing.assert_array_equal(pixels(picture), cell.images[0])


def test_every_dial_of_the_microscope_changes_the_picture():
    dials, picture, _ = parts(widgets.microscope(size=64))
    moves = {
        "cell": "basophil",
        "number": 2,
        "severity": 0.6,
        "of": "optics",
        "defocus um": 0.5,
        "lamp": 0.7,
        "uneven": 0.4,
    }
    assert moves.keys() == dials.keys()
    for name, value in moves.items():
        picture_before = picture.value
        dials[name].value = value
        assert picture.value != picture_before, name


def test_a_reader_gets_the_image_that_the_microscope_shows():
    console = widgets.microscope(lambda image: f"mean {image.mean():.3f}", size=64)
    dials, picture, text = parts(console)
    dials["lamp"].value = 0.5
    assert f">mean {pixels(picture).mean():.3f}</code>" in text.value.split("<br>")[0]
