"""The house colours, and what all figures share."""

import itertools
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from figures import house_style  # noqa: F401
from skimage.color import rgb2lab

from medlearn import plots
from medlearn.plots import _style
from medlearn.teaching import widgets
from tools import lessons
from tools.site import charts

# What is left of red, green and blue light to protanopes, deuteranopes and tritanopes: Machado,
# Oliveira, Fernandes, A physiologically-based model for simulation of color vision deficiency,
# IEEE TVCG 15, 2009, table 1, severity 1.
SIGHT = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
CONFUSING = re.compile(
    r"""(?:color|colour|c|cmap)=\\?['"]"""
    r"""(?:red|green|r|g|jet|hsv|rainbow|turbo|RdYlGn\w*|nipy_spectral)\\?['"]"""
)


def least_difference(colours, sight):
    """The smallest distance in CIELAB of two colours to such a reader; about 2 is visible."""
    values = np.array([matplotlib.colors.to_rgb(colour) for colour in colours])
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ np.array(SIGHT[sight]).T, 0, 1)
    display = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    pairs = itertools.combinations(rgb2lab(display[None])[0], 2)
    return min(np.linalg.norm(a - b) for a, b in pairs)


def test_the_house_colours_are_those_of_the_figure_style():
    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    for ours, of_style in zip(plots.COLOURS[:3], cycle):
        assert matplotlib.colors.to_hex(ours) == matplotlib.colors.to_hex(of_style)


@pytest.mark.parametrize("sight", SIGHT)
def test_colour_blind_readers_tell_the_house_colours_apart(sight):
    assert least_difference(plots.COLOURS[:7], sight) > 10
    assert least_difference([charts.SIMULATED, charts.REAL], sight) > 50


def test_colours_that_are_confused_would_be_noticed():
    assert least_difference(["#a0522d", "#5b7b22"], "deutan") < 10


def test_no_figure_leaves_the_house_colours_for_confusing_ones():
    files = [
        *lessons.FOLDER.glob("*.ipynb"),
        *Path(plots.__file__).parent.glob("*.py"),
        Path(charts.__file__),
        Path(widgets.__file__),
    ]
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert len(texts) > 20
    assert not {
        name: CONFUSING.findall(text) for name, text in texts.items() if CONFUSING.search(text)
    }
    assert CONFUSING.search('ax.plot(x, color="red")') and CONFUSING.search("cmap=\\'jet\\'")


def test_series_beyond_the_palette_are_not_dropped():
    results = {str(number): [number, number] for number in range(12)}
    figure = plots.curves_over_time([0, 1], results, xlabel="s", ylabel="signal")
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == list(results)
    looks = {(line.get_color(), line.get_linestyle()) for line in lines}
    assert len(looks) == 12
    assert [entry.marker for entry in _style.series(results)][:6] == [*"osD^vo"]


def test_a_name_of_the_last_release_warns():
    with pytest.warns(
        DeprecationWarning, match=r"rivals is now medlearn.plots.intervals_by_target"
    ):
        assert plots.rivals is plots.intervals_by_target
