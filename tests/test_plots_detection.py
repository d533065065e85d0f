"""Figures of boxes: what is drawn lies where the numbers say."""

import matplotlib.pyplot as plt
import numpy as np
from figures import house_style  # noqa: F401
from matplotlib.patches import Rectangle

from medlearn import metrics, networks, plots

PICTURES = np.zeros((2, 64, 96, 3), np.uint8)
BOXES = np.array([[8, 16, 40, 40, 0, 0.9], [10, 50, 30, 80, 2, 0.25]])
NAMES = ("red", "white", "speck")


def rectangles(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def drawn(ax):
    """The boxes on an axes, as they were given."""
    return [
        [
            patch.get_y() + 0.5,
            patch.get_x() + 0.5,
            patch.get_y() + 0.5 + patch.get_height(),
            patch.get_x() + 0.5 + patch.get_width(),
        ]
        for patch in rectangles(ax)
    ]


def test_boxes_are_drawn_in_place_in_their_colours_dashed_if_wrong_with_scores():
    figure = plots.images_with_boxes(
        PICTURES,
        [BOXES, BOXES[:0]],
        NAMES,
        titles=["one", "two"],
        wrong=[[False, True], []],
        scores=True,
    )
    first, second = figure.axes
    np.testing.assert_allclose(drawn(first), BOXES[:, :4])
    solid, dashed = rectangles(first)
    assert solid.get_linestyle() == "-" and dashed.get_linestyle() != "-"
    assert solid.get_edgecolor() != dashed.get_edgecolor()
    assert [text.get_text() for text in first.texts] == [".90", ".25"]
    assert not rectangles(second) and second.get_title("center") == "two"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(NAMES)
    assert not plots.images_with_boxes(PICTURES, [BOXES, BOXES], NAMES).axes[0].texts


def test_boxes_of_one_colour():
    _, ax = plt.subplots()
    plots.draw_boxes(ax, BOXES, colour="black")
    assert {patch.get_edgecolor() for patch in rectangles(ax)} == {(0, 0, 0, 1)}


def test_assignment_draws_the_four_distances_of_a_cell():
    centres, sides = networks.detection.assign(BOXES[:, :5], (64, 96), 3)
    figure = plots.detection_targets(
        PICTURES[0], BOXES, centres, sides, networks.detection.STRIDE, NAMES, cell=(2, 8)
    )
    y, x = 20, 68
    ends = {(round(arrow.xy[0]), round(arrow.xy[1])) for arrow in figure.axes[1].texts}
    assert ends == {(x, 10), (50, y), (x, 30), (80, y)}
    np.testing.assert_allclose(drawn(figure.axes[1]), BOXES[:, :4])
    overlay = figure.axes[0].images[1].get_array()
    np.testing.assert_allclose(overlay[..., 3], centres.max(-1))
    deepest = plots.detection_targets(PICTURES[0], BOXES, centres, sides, networks.detection.STRIDE, NAMES)
    assert {(round(arrow.xy[0]), round(arrow.xy[1])) for arrow in deepest.axes[1].texts} == {
        (28, 8),
        (16, 20),
        (28, 40),
        (40, 20),
    }


def test_precision_curve_shades_average_precision():
    figure = plots.precision_recall_curve([1, 1, 0, 1, 0], 4)
    (ax,) = figure.axes
    stairs = ax.patches[0].get_data()
    assert np.isclose((stairs.values * np.diff(stairs.edges)).sum(), 2.75 / 4)
    assert "area 0.69" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(plots.precision_recall_curve([1, 0] * 30, 40).axes[0].collections) == 0


def test_free_response_and_counting_show_their_points():
    objects, matches = metrics.match_boxes([BOXES[:, :5]] * 2, [BOXES, BOXES[1:]], 3)
    figure = plots.froc_curve(
        {"all": metrics.froc_curve(objects, matches)}, xlabel="alarms a field"
    )
    line = figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), [0, 0.25, 0.75])
    assert figure.axes[0].get_xlabel() == "alarms a field"
    true, counted = np.array([[3, 0], [9, 1]]), np.array([[2, 0], [9, 4]])
    panels = plots.count_agreement(true, counted, NAMES[:2]).axes
    offsets = np.stack([panel.collections[0].get_offsets() for panel in panels], axis=-1)
    assert np.abs(offsets - np.stack([true, counted], axis=1)).max() < 0.2
    assert [panel.get_title("left") for panel in panels] == list(NAMES[:2])


def test_crops_are_centred_on_their_boxes():
    figure = plots.box_crops(PICTURES, BOXES, ["a", "b"], scale=2.0)
    for ax, box in zip(figure.axes, BOXES):
        assert np.isclose(np.mean(ax.get_xlim()), (box[1] + box[3]) / 2) and np.isclose(
            np.mean(ax.get_ylim()), (box[0] + box[2]) / 2
        )
        assert np.isclose(np.ptp(ax.get_xlim()), 2 * max(box[2] - box[0], box[3] - box[1]))
    assert np.ptp(plots.box_crops(PICTURES, BOXES, scale=1.0).axes[0].get_xlim()) == 32
