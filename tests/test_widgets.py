import io

import ipywidgets
import matplotlib.pyplot as plt
import pytest
from PIL import Image

from medlearn import widgets


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
