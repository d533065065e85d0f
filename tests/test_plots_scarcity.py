"""Figures of lesson 05: what they draw is what they were given."""

import numpy as np
import pytest
from figures import house_style, texts  # noqa: F401

from medlearn import plots

PICTURES = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3), dtype=np.uint8)
CLASSES = ("neutrophil", "lymphocyte", "monocyte")


def test_label_curves_draw_mean_band_and_star_of_ragged_draws():
    results = {"frozen": {2: [0.2, 0.4], 20: [0.9]}, "scratch": {2: [0.1, 0.3], 5: [0.5]}}
    figure = plots.learning_curves(
        results, highlights={"scratch": (5, 0.6)}, xlabel="labels", ylabel="macro-F1"
    )
    frozen, scratch, star = figure.axes[0].lines
    np.testing.assert_allclose(frozen.get_xydata(), [[2, 0.3], [20, 0.9]])
    np.testing.assert_allclose(scratch.get_xydata(), [[2, 0.2], [5, 0.5]])
    np.testing.assert_allclose(star.get_xydata(), [[5, 0.6]])
    assert star.get_color() == scratch.get_color() != frozen.get_color()
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert band[band[:, 0] == 2, 1].min() == pytest.approx(0.2) and band[
        band[:, 0] == 2, 1
    ].max() == pytest.approx(0.4)
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["2", "5", "20"]


def test_remedies_put_dots_and_whiskers_in_their_panel_and_a_line_at_the_first():
    found, balance = (
        {"untreated": (0.5, 0.4, 0.6), "weights": (0.8, 0.7, 0.9)},
        {"untreated": (0.9, 0.8, 0.95), "weights": (0.7, 0.6, 0.8)},
    )
    figure = plots.intervals_by_metric({"found": found, "macro-F1": balance})
    left, right = (
        [list(map(float, np.ravel(line.get_xdata()))) for line in ax.lines] for ax in figure.axes
    )
    assert [0.7, 0.9] in left and [0.8] in left and [0.5, 0.5] in left
    assert [0.6, 0.8] in right and [0.7] in right and [0.9, 0.9] in right
    assert {"untreated", "weights", "found", "macro-F1"} <= set(texts(figure))


def test_severities_draw_each_model_and_the_share_of_alarms():
    panels = {
        "blur (px)": ((0.5, 2), {"plain": [0.9, 0.6], "robust": [0.9, 0.8]}, [0.1, 0.7]),
        "jpeg": ((50, 6), {"plain": [0.9, 0.5], "robust": [0.9, 0.8]}, [0, 1]),
    }
    figure = plots.robustness_curves(panels, ylabel="macro-F1")
    assert len(figure.axes) == 2
    np.testing.assert_allclose(
        [line.get_ydata() for line in figure.axes[0].lines], [[0.9, 0.6], [0.9, 0.8]]
    )
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0.1, 0.7]
    assert {"0.5", "2", "50", "6", "blur (px)", "jpeg", "robust"} <= set(texts(figure))


@pytest.mark.parametrize(
    "alarms, said", [((), "no alarm"), (("sharpness", "density"), "alarm: sharpness, density")]
)
def test_opinions_show_both_pictures_the_probabilities_and_the_alarms(alarms, said):
    figure = plots.perturbed_predictions(
        PICTURES[0],
        PICTURES[1],
        {"plain": [0.1, 0.7, 0.2], "robust": [0.0, 1.0, 0.0]},
        CLASSES,
        1,
        failed_checks=alarms,
    )
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), PICTURES[0])
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), PICTURES[1])
    assert [bar.get_width() for bar in figure.axes[2].patches] == [0.1, 0.7, 0.2, 0.0, 1.0, 0.0]
    assert said in texts(figure)
    assert [label.get_fontweight() for label in figure.axes[2].get_yticklabels()] == [
        "normal",
        "bold",
        "normal",
    ]


def test_suspects_frame_true_mistakes_blue_and_others_orange_red():
    figure = plots.suspect_labels(
        PICTURES,
        [0, 1, 2, 0, 1],
        [1, 1, 0, 0, 2],
        CLASSES,
        [True, False, True, False, True],
        columns=3,
    )
    shown = [ax for ax in figure.axes if ax.images]
    colours = [ax.spines["left"].get_edgecolor()[:3] for ax in shown]
    assert colours == [plots.RIGHT, plots.WRONG, plots.RIGHT, plots.WRONG, plots.RIGHT]
    assert "labelled monocyte\npredicted neutrophil" in texts(figure) and len(figure.axes) == 6
    unknown = plots.suspect_labels(PICTURES[:2], [0, 1], [1, 0], CLASSES)
    assert not any(ax.axison for ax in unknown.axes)
