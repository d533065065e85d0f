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


@pytest.fixture
def panel():
    calls = []

    def draw(layer, cell):
        calls.append((layer, cell))
        figure, ax = plt.subplots(figsize=(1, 1))
        ax.bar(layer, cell)
        return figure

    return widgets.explore(draw, layer={"first": "a", "second": "b"}, cell=[3, 5, 8]), calls


def test_a_panel_draws_at_once_and_after_each_move(panel):
    box, calls = panel
    menu, slider, picture = box.children
    before = picture.value
    slider.value = 8
    menu.value = "b"
    assert calls == [("a", 3), ("a", 8), ("b", 8)]
    assert picture.value != before
    assert Image.open(io.BytesIO(picture.value)).format == "PNG"


def test_no_figure_stays_open(panel):
    assert plt.get_fignums() == []


def test_a_control_of_ones_own_is_used_as_it_is():
    mine = ipywidgets.IntSlider(2, 0, 4)
    box = widgets.explore(lambda count: plt.figure(figsize=(1, 1)), count=mine)
    assert box.children[0] is mine


# ---- consoles ------------------------------------------------------------------------------------------------


def parts(console):
    """The dials by their description, the picture and the text of a console."""
    dials, (picture, text) = (column.children for column in console.children)
    return {dial.description: dial for dial in dials}, picture, text


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.value)))


@pytest.fixture
def plain():
    """A console whose picture is as bright as its dial, which must not go beyond 9."""
    seen = []

    def shoot(light, sides):
        seen.append((light, sides))
        if light > 9:
            raise ValueError("light <is> too bright")
        return np.full((4, 4, 3), light, np.uint8), [f"light = {light} & more"]

    dials = {
        "light": ipywidgets.IntSlider(3, 0, 12, description="light"),
        "sides": ipywidgets.IntSlider(1, 0, 9, description="sides"),
    }
    return widgets.console(
        shoot, dials, {"dark": {"light": 1, "sides": 2}, "bright": {"light": 8, "sides": 5}}
    ), seen


def test_a_console_answers_each_move(plain):
    dials, picture, text = parts(plain[0])
    dials["light"].value = 7
    assert plain[1] == [(3, 1), (7, 1)]
    assert (pixels(picture) == 7).all() and ">light = 7 &amp; more</code>" in text.value
    assert all(dial.continuous_update for name, dial in dials.items() if name != "start from")


def test_the_impossible_is_said_and_the_picture_stays(plain):
    dials, picture, text = parts(plain[0])
    dials["light"].value = 11
    assert (pixels(picture) == 3).all() and "light &lt;is&gt; too bright" in text.value
    dials["light"].value = 4
    assert (pixels(picture) == 4).all() and "bright" not in text.value


def test_a_preset_sets_all_dials_and_takes_one_picture(plain):
    dials, _, _ = parts(plain[0])
    dials["start from"].label = "bright"
    assert (dials["light"].value, dials["sides"].value) == (8, 5)
    assert plain[1] == [(3, 1), (8, 5)]


def test_pace_counts_pictures_and_leaves_the_dial_where_it_was(plain):
    moved = []
    parts(plain[0])[0]["light"].observe(lambda change: moved.append(change.new), names="value")
    assert widgets.pace(plain[0], "light", moves=13) > 0
    assert moved == [*range(13), 3] and parts(plain[0])[0]["light"].value == 3
    assert widgets.pace(plain[0], "sides") == 0  # the dial moved, the picture did not
    with pytest.raises(LookupError, match="no slider 'shade'; choose one of light, sides"):
        widgets.pace(plain[0], "shade")


def test_pace_sets_only_values_that_a_browser_can_show():
    microscope = widgets.microscope(size=32)
    moved = []
    parts(microscope)[0]["defocus um"].observe(
        lambda change: moved.append(change.new), names="value"
    )
    widgets.pace(microscope, "defocus um", moves=8)
    assert moved == [round(value, 2) for value in moved] and (max(moved), moved[-1]) == (1.5, 0)


def code_of(text):
    """What the learner copies from below the picture, run: its last value."""
    lines = [html.unescape(line) for line in re.findall("<code.*?>(.*?)</code>", text.value)]
    names = {"mri": mri, "smear": smear}
    *before, last = [line for line in lines if re.match(r"(base = )?(mri|smear)\.", line)]
    exec("\n".join(before), names)
    return eval(last, names)


def test_the_scanner_shows_the_picture_that_its_code_makes():
    console = widgets.scanner("stroke", subject=2, size=64)
    dials, picture, text = parts(console)
    dials["TE ms"].value = 80
    slice_ = mri.prepare("stroke", 0, 2, size=64)
    np.testing.assert_array_equal(pixels(picture)[..., :3], mri.scan(slice_, code_of(text)))
    assert "white matter" in text.value


@pytest.mark.parametrize("site", mri.SITES.values(), ids=lambda site: site.name)
def test_the_scanner_starts_from_the_named_sites(site):
    console = widgets.scanner(size=64)
    dials, _, text = parts(console)
    dials["start from"].label = site.name
    shown = code_of(text)
    assert (shown.sequence, shown.tr_ms, shown.te_ms, shown.field_tesla) == (
        site.sequence,
        site.tr_ms,
        site.te_ms,
        site.field_tesla,
    )
    assert dials["TI ms"].disabled == (site.ti_ms == 0) and dials["flip deg"].disabled == (
        site.sequence != "T1w"
    )


def test_late_echoes_and_weak_fields_are_noisier():
    console = widgets.scanner(size=64)
    dials, _, text = parts(console)
    dials["start from"].label = "3T-T2w"
    noise = {"now": code_of(text).noise}
    dials["TE ms"].value = 200
    noise["late"] = code_of(text).noise
    dials["TE ms"].value, dials["field T"].value = 95, 1.5
    noise["weak"] = code_of(text).noise
    assert noise["late"] > 3 * noise["now"] and noise["weak"] > 1.7 * noise["now"]


def test_an_impossible_protocol_is_said_in_a_sentence():
    dials, _, text = parts(widgets.scanner(size=64))
    dials["TI ms"].value = 0
    assert "Not possible" in text.value and "ti_ms" in text.value


def test_the_microscope_shows_the_picture_that_its_code_makes():
    dials, picture, text = parts(widgets.microscope(size=64))
    dials["cell"].value, dials["number"].value = "monocyte", 3
    dials["severity"].value, dials["of"].value = 0.5, "stain"
    dials["defocus um"].value, dials["lamp"].value, dials["uneven"].value = 0.4, 0.5, 0.2
    made = smear.one_cell(code_of(text), "monocyte", seed=3, patient=3, size=64)
    np.testing.assert_array_equal(pixels(picture), made.images[0])


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
        before = picture.value
        dials[name].value = value
        assert picture.value != before, name


def test_a_reader_sees_what_the_microscope_shows():
    dials, picture, text = parts(
        widgets.microscope(lambda image: f"mean {image.mean():.3f}", size=64)
    )
    dials["lamp"].value = 0.5
    assert f">mean {pixels(picture).mean():.3f}</code>" in text.value.split("<br>")[0]


def test_explore_draws_a_figure_that_no_other_thread_can_find(monkeypatch):
    figure, found = plt.figure(), []
    save = figure.savefig
    monkeypatch.setattr(
        figure,
        "savefig",
        lambda *args, **options: (found.append(plt.get_fignums()), save(*args, **options)),
    )
    widgets.explore(lambda side: figure, side=[1, 2])
    assert found == [[]]


def test_long_names_stand_beside_their_slider_because_its_readout_would_cut_them_off():
    short, long = ["a", "b" * 20], ["a", "b" * 21]
    first, row, _ = widgets.explore(
        lambda short, long: plt.figure(), short=short, long=long
    ).children
    slider, name = row.children
    assert first.readout and not slider.readout and name.value == "a"
    slider.value = long[1]
    assert name.value == long[1]
