"""Heat maps over pictures, and stacks with weights: what is drawn is what was given."""

import numpy as np
import pytest
from figures import house_style  # noqa: F401

from medlearn import plots

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 16, 12, 3), np.uint8)
MAPS = np.zeros((3, 16, 12))
MAPS[0, 4, 7], MAPS[0, 4, 6], MAPS[1, 9, 2] = 5, 2, 0.1


def test_each_map_is_scaled_to_itself_and_its_hottest_point_is_crossed():
    figure = plots.heat_maps(PICTURES, {"picture": None, "ours": MAPS}, ["a", "b", "c"], alpha=0.6)
    plain, laid = np.reshape(figure.axes, (2, 3))
    assert [ax.get_title(loc="center") for ax in plain] == ["a", "b", "c"] and laid[
        0
    ].get_ylabel() == "ours"
    assert all(len(ax.images) == 1 and not ax.lines for ax in plain)
    for ax, (x, y) in zip(laid[:2], [(7, 4), (2, 9)]):
        heat = ax.images[1]
        assert (
            heat.get_array().max() == 1
            and heat.get_alpha().max() == pytest.approx(0.6)
            and heat.get_alpha().min() == 0
        )
        assert (ax.lines[0].get_xdata()[0], ax.lines[0].get_ydata()[0]) == (x, y)
    assert len(laid[2].images) == 1 and not laid[2].lines  # a map of zeros shows nothing


def test_masks_are_outlined_where_there_are_any():
    masks = np.zeros((3, 16, 12), int)
    masks[1, 3:8, 3:8] = 4
    bare, outlined = (
        plots.heat_maps(PICTURES, {"": None}, masks=given).axes for given in (None, masks)
    )
    assert [len(ax.collections) for ax in bare] == [0, 0, 0]
    assert [len(ax.collections) for ax in outlined] == [0, 1, 0]


def test_wide_figures_are_wide():
    assert plots.heat_maps(PICTURES, {"": None}, width=5).get_size_inches()[0] == 5


def test_a_stack_shows_weights_and_which_pictures_show_it():
    figure = plots.slice_weights(
        PICTURES, [0.1, 0.7, 0.2], [False, True, False], title="stroke", label="attention"
    )
    tops, bottoms = figure.axes[:3], figure.axes[3:]
    assert [ax.patches[0].get_height() for ax in bottoms] == [0.1, 0.7, 0.2]
    colours = [ax.patches[0].get_facecolor() for ax in bottoms]
    assert colours[0] == colours[2] != colours[1]
    assert tops[1].spines["top"].get_edgecolor() == colours[1]
    assert figure._suptitle.get_text() == "stroke" and bottoms[0].get_ylabel() == "attention"
    np.testing.assert_array_equal(tops[2].images[0].get_array(), PICTURES[2])
