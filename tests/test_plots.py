import itertools
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from figures import house_style, texts  # noqa: F401
from skimage.color import rgb2lab

from medlearn import plots
from medlearn.teaching import widgets
from tools import lessons
from tools.site import charts

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 255, (5, 16, 16, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1])
CLASSES = ("neutrophil", "lymphocyte", "monocyte")


def test_the_house_colours_are_those_of_the_figure_style():
    style = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [matplotlib.colors.to_hex(colour) for colour in plots.COLOURS[:3]] == [
        matplotlib.colors.to_hex(colour) for colour in style[:3]
    ]


# What is left of red, green and blue light to protanopes, deuteranopes and tritanopes: Machado, Oliveira, Fernandes,
# A physiologically-based model for simulation of color vision deficiency, IEEE TVCG 15, 2009, table 1, severity 1.
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


def least_difference(colours, sight):
    """The smallest distance in CIELAB between two of the colours, as such a reader sees them (about 2 is just seen)."""
    values = np.array([matplotlib.colors.to_rgb(colour) for colour in colours])
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ np.array(SIGHT[sight]).T, 0, 1)
    seen = rgb2lab(
        np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)[None]
    )[0]
    return min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2))


@pytest.mark.parametrize("sight", SIGHT)
def test_colour_blind_readers_tell_the_house_colours_apart(sight):
    assert least_difference(plots.COLOURS[:7], sight) > 10
    assert least_difference([charts.SIMULATED, charts.REAL], sight) > 50


def test_colours_that_are_confused_would_be_found():
    assert least_difference(["#a0522d", "#5b7b22"], "deutan") < 10


def test_no_figure_leaves_the_house_colours_for_confusing_ones():
    mixed = re.compile(
        r"""(?:color|colour|c|cmap)=\\?['"](?:red|green|r|g|jet|hsv|rainbow|turbo|RdYlGn\w*|nipy_spectral)\\?['"]"""
    )
    files = [
        *lessons.FOLDER.glob("*.ipynb"),
        *Path(plots.__file__).parent.glob("*.py"),
        Path(charts.__file__),
        Path(widgets.__file__),
    ]
    assert len(files) > 20 and not [
        (path.name, mixed.findall(path.read_text(encoding="utf-8")))
        for path in files
        if mixed.search(path.read_text(encoding="utf-8"))
    ]
    assert mixed.search('ax.plot(x, color="red")') and mixed.search("cmap=\\'jet\\'")


def test_images_shows_each_picture_with_its_title():
    figure = plots.images(PICTURES, list("abcde"), columns=3)
    shown = [ax for ax in figure.axes if ax.images]
    assert len(shown) == 5 and set("abcde") <= set(texts(figure))
    np.testing.assert_array_equal(shown[4].images[0].get_array(), PICTURES[4])


def test_outlined_names_only_the_regions_that_are_there():
    mask = np.zeros((16, 16), int)
    mask[4:9, 4:9] = 2
    figure = plots.mask_outline(PICTURES[0], mask, ("background", "cytoplasm", "nucleus"))
    assert "nucleus" in texts(figure) and "cytoplasm" not in texts(figure)


def test_intervals_puts_each_dot_and_whisker_where_the_numbers_say():
    figure = plots.intervals(
        {"pixels": (0.6, 0.5, 0.7), "features": (0.9, 0.8, 0.95)}, label="accuracy", chance=0.3
    )
    data = [
        line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else list(line.get_xdata())
        for line in figure.axes[0].lines
    ]
    assert [0.5, 0.7] in data and [0.9] in data and "0.60" in texts(figure)


def test_curves_draws_mean_and_extremes():
    figure = plots.curves(
        [2, 5], {"a": [[0.2, 0.4], [0.4, 0.8]]}, xlabel="labels", ylabel="accuracy"
    )
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [0.3, 0.6])
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx(0.2) and band.max() == pytest.approx(0.8)


def test_layers_rings_the_chosen_one():
    figure = plots.layer_scores(
        ["block_0", "block_1"], [[0.1, 0.3], [0.2, 0.4]], chosen="block_1", ylabel="macro-F1"
    )
    ring = [line for line in figure.axes[0].lines if line.get_markersize() > 10]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in ring] == [
        (1, pytest.approx(0.35))
    ]


def test_clouds_names_every_class_once():
    figure = plots.scatter_by_class(
        {"left": RANDOM.normal(size=(5, 2)), "right": RANDOM.normal(size=(5, 2))}, LABELS, CLASSES
    )
    assert [texts(figure).count(name) for name in CLASSES] == [1, 1, 1]


def test_parameters_writes_the_numbers():
    assert any(
        "18,882" in text
        for text in texts(plots.parameter_counts({"head": (18882, True), "backbone": (3, False)}))
    )


def test_neighbours_frames_tell_same_from_other_class():
    figure = plots.neighbours(PICTURES, LABELS, CLASSES, 0, [3, 1])
    colours = [ax.spines["top"].get_edgecolor()[:3] for ax in figure.axes]
    assert colours[1] == pytest.approx(plots.RIGHT) and colours[2] == pytest.approx(plots.WRONG)


def test_feature_maps_shows_the_liveliest_channels():
    maps = np.zeros((4, 4, 6))
    maps[0, 0, 5] = 9
    figure = plots.feature_maps(PICTURES[0], {"block_1": maps}, channels=2)
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), maps[..., 5])


def test_grid_names_its_rows_and_columns():
    figure = plots.grid({"cell 1": PICTURES[:2], "cell 2": PICTURES[2:4]}, ["lab-a", "lab-b"])
    assert [ax.get_ylabel() for ax in figure.axes] == ["cell 1", "", "cell 2", ""]
    assert [ax.get_title() for ax in figure.axes] == ["lab-a", "lab-b", "", ""]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), PICTURES[3])


def test_grey_pictures_in_a_grid_are_not_stretched():
    dim = np.array([[10, 20]], np.uint8)
    assert plots.grid({"slice": [dim]}, ["3 T"]).axes[0].images[0].get_clim() == (0, 255)


def test_signals_draws_each_curve_and_marks_the_protocol():
    figure = plots.curves_over_time(
        [0, 50, 100],
        {"grey matter": [3, 2, 1], "fluid": [1, 1, 1]},
        xlabel="TE (ms)",
        ylabel="signal",
        marks={"T2w": 95},
    )
    grey, fluid, mark = figure.axes[0].lines
    assert (grey.get_label(), list(grey.get_ydata())) == ("grey matter", [3, 2, 1])
    assert set(mark.get_xdata()) == {95} and "T2w" in texts(figure)
    assert grey.get_linestyle() != fluid.get_linestyle()  # told apart without colour, too


def test_rankings_shows_each_candidate_over_each_score_by_family():
    panels = {"LogME": [1, 2, 3], "H-score": [3, 2, 1]}
    figure = plots.transferability_scores(
        panels, [0.5, 0.6, 0.7], ["lite", "lite", "random"], ylabel="accuracy"
    )
    assert [ax.get_title() for ax in figure.axes] == list(panels)
    lite, random = figure.axes[1].collections
    assert (lite.get_label(), lite.get_offsets().tolist()) == ("lite", [[3, 0.5], [2, 0.6]])
    assert random.get_offsets().tolist() == [[1, 0.7]]


def test_costs_joins_and_names_the_best_in_the_order_of_speed():
    figure = plots.pareto_front(
        [100, 20, 50],
        [0.6, 0.9, 0.5],
        [1, 4, 2],
        ["a", "b", "c"],
        ["x", "x", "y"],
        best=[0, 1],
        chosen=2,
        xlabel="images/s",
        ylabel="accuracy",
    )
    [ax] = figure.axes
    assert ax.lines[0].get_xydata().tolist() == [[20, 0.9], [100, 0.6]]
    assert {"a", "b"} <= set(texts(figure)) and "c" not in texts(figure)
    first, second = ax.collections[0].get_sizes()
    assert second > first and ax.get_xscale() == "log"
    assert ax.collections[-1].get_offsets().tolist() == [[50, 0.5]]


def test_training_shows_each_loss_and_how_far_each_block_moved():
    figure = plots.training_curves(
        {"training": [2, 1, 0.5], "validation": [2, 1.5, 1.6]},
        {"block_1": 0.01, "block_2": 0.3},
        title="lambda = 0",
    )
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.lines] == [[2, 1, 0.5], [2, 1.5, 1.6]]
    assert [bar.get_width() for bar in right.patches] == [0.01, 0.3]
    figure.canvas.draw()  # names of blocks are written then
    assert {"training", "validation", "block_1", "lambda = 0"} <= set(texts(figure))


def test_training_marks_the_epoch_shown_and_holds_its_axis():
    figure = plots.training_curves(
        {"validation": [3, 2, 1]}, {"block_1": 0.05}, epoch=2, max_distance=0.4
    )
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.lines[:2]] == [[3, 2], [2, 1]]
    assert left.lines[1].get_alpha() < 1 and list(left.lines[2].get_xdata()) == [2, 2]
    assert right.get_xlim()[1] == pytest.approx(0.44)
