"""Figures of scores, curves, choices and features: what is drawn is what was passed in."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figures import house_style, texts  # noqa: F401

from medlearn import metrics, plots
from medlearn.monitoring import charts

RANDOM = np.random.default_rng(0)
LABELS = np.repeat([0, 1], [60, 40])
SCORES = 1 / (1 + np.exp(-2 * (LABELS - 0.5 + RANDOM.normal(size=100))))
CLASSES = ("neutrophil", "lymphocyte", "monocyte")


def segments(ax):
    """The x-coordinates of every line of an axes."""
    return [list(map(float, np.ravel(line.get_xdata()))) for line in ax.lines]


def points(ax, size):
    """The dots of one size on an axes."""
    lines = [line for line in ax.lines if line.get_marker() == "o"]
    return {tuple(line.get_xydata()[0]) for line in lines if line.get_markersize() == size}


def row_names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# ---- intervals ---------------------------------------------------------------------------------


def test_intervals_put_each_dot_and_bar_where_the_numbers_are():
    figure = plots.intervals(
        {"pixels": (0.6, 0.5, 0.7), "features": (0.9, 0.8, 0.95)}, label="accuracy", chance=0.3
    )
    lines = segments(figure.axes[0])
    assert [0.5, 0.7] in lines and [0.9] in lines and [0.3, 0.3] in lines
    assert "0.60" in texts(figure)


def test_intervals_by_metric_have_a_line_at_the_first_method():
    sensitivity = {"untreated": (0.5, 0.4, 0.6), "weights": (0.8, 0.7, 0.9)}
    macro_f1 = {"untreated": (0.9, 0.8, 0.95), "weights": (0.7, 0.6, 0.8)}
    figure = plots.intervals_by_metric({"sensitivity": sensitivity, "macro-F1": macro_f1})
    left, right = map(segments, figure.axes)
    assert [0.7, 0.9] in left and [0.8] in left and [0.5, 0.5] in left
    assert [0.6, 0.8] in right and [0.7] in right and [0.9, 0.9] in right
    assert {"untreated", "weights", "sensitivity", "macro-F1"} <= set(texts(figure))


TARGETS = {
    "to lab-a": {
        "source only": (0.5, 0.4, 0.6),
        "adapted": (0.7, 0.6, 0.8),
        "oracle": (0.9, 0.85, 0.95),
    },
    "to lab-b": {"source only": (0.3, 0.2, 0.4), "oracle": (0.8, 0.7, 0.85)},
}


def dashed_at(ax):
    return {line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"}


def test_intervals_by_target_keep_the_row_of_a_method_that_is_missing():
    figure = plots.intervals_by_target(TARGETS, label="Dice")
    first, second = figure.axes
    assert points(first, 5) == {(0.5, 0), (0.7, 1), (0.9, 2)}
    assert points(second, 5) == {(0.3, 0), (0.8, 2)}
    assert [0.2, 0.4] in segments(second) and [0.7, 0.85] in segments(second)
    assert row_names(first) == ["source only", "adapted", "oracle"]
    assert first.get_ylim() == (2.5, -0.5)
    assert figure.get_supxlabel() == "Dice (bar: 95 % interval)"
    assert all(not dashed_at(ax) and not points(ax, 12) for ax in figure.axes)


def test_numbers_of_neighbouring_panels_do_not_read_as_one():
    """With the same limits in all four, 1.0 ends one axis and 0.2 begins the next."""
    with plt.rc_context({"figure.constrained_layout.use": True}):
        results = {str(share): {"pooled": (0.6, 0.5, 0.7)} for share in range(4)}
        figure = plots.intervals_by_target(results, label="accuracy")
    for ax in figure.axes:
        ax.set_xlim(0.2, 1)
    figure.canvas.draw()
    for left, right in zip(figure.axes, figure.axes[1:]):
        last, first = left.get_xticklabels()[-1], right.get_xticklabels()[0]
        assert (last.get_text(), first.get_text()) == ("1.0", "0.2")
        gap = first.get_window_extent().x0 - last.get_window_extent().x1
        assert gap > 0.6 * last.get_window_extent().width


def test_intervals_by_target_mark_bounds_and_choices():
    figure = plots.intervals_by_target(
        TARGETS, label="Dice", baseline="source only", oracle="oracle", chosen=("adapted",)
    )
    assert [dashed_at(ax) for ax in figure.axes] == [{0.5, 0.9}, {0.3, 0.8}]
    assert [points(ax, 12) for ax in figure.axes] == [{(0.7, 1)}, set()]


def test_scores_by_dataset_show_every_seed_and_the_mean():
    results = {"cells": {"frozen": [0.8, 0.9], "random": [0.7]}, "slices": {"frozen": [0.5]}}
    figure = plots.scores_by_dataset(results, label="Dice")
    mean, seeds = figure.axes[0].lines[:2]
    assert mean.get_xdata()[0] == pytest.approx(0.85) and list(seeds.get_xdata()) == [0.8, 0.9]
    assert {"cells", "slices", "frozen", "random", "Dice"} <= set(texts(figure))
    assert len(figure.axes) == 2


def test_scores_by_dataset_share_one_scale_where_they_are_compared():
    results = {"cells": {"frozen": [0.8, 0.9]}, "slices": {"frozen": [0.1]}}
    for share_x in (False, True):
        left, right = plots.scores_by_dataset(results, label="Dice", share_x=share_x).axes
        assert (left.get_xlim() == right.get_xlim()) is share_x


def test_interval_coverage_colours_what_misses_and_counts_all():
    intervals = [(0.5, 0.4, 0.6), (0.8, 0.7, 0.9), (0.45, 0.3, 0.55), (0.5, 0.4, 0.6)]
    results = {"by patient": intervals}
    (ax,) = plots.interval_coverage(results, 0.5, label="accuracy", max_rows=3).axes
    assert ax.get_title("left") == "by patient: 75% of 4 hold the truth"
    assert ax.get_xlabel() == "accuracy"
    bars = [line for line in ax.lines if line.get_linestyle() == "-"]
    bars = [line for line in bars if len(line.get_xdata()) == 2]
    assert [line.get_color() for line in bars] == [plots.RIGHT, plots.WRONG, plots.RIGHT]


# ---- curves ------------------------------------------------------------------------------------


def test_curves_draw_mean_and_extremes():
    results = {"a": [[0.2, 0.4], [0.4, 0.8]]}
    (ax,) = plots.curves([2, 5], results, xlabel="labels", ylabel="accuracy").axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.3, 0.6])
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (pytest.approx(0.2), pytest.approx(0.8))


def test_learning_curves_draw_mean_band_and_star_of_ragged_draws():
    results = {"frozen": {2: [0.2, 0.4], 20: [0.9]}, "scratch": {2: [0.1, 0.3], 5: [0.5]}}
    (ax,) = plots.learning_curves(
        results, xlabel="labels", ylabel="macro-F1", highlights={"scratch": (5, 0.6)}
    ).axes
    frozen, scratch, star = ax.lines
    np.testing.assert_allclose(frozen.get_xydata(), [[2, 0.3], [20, 0.9]])
    np.testing.assert_allclose(scratch.get_xydata(), [[2, 0.2], [5, 0.5]])
    np.testing.assert_allclose(star.get_xydata(), [[5, 0.6]])
    assert star.get_color() == scratch.get_color() != frozen.get_color()
    band = ax.collections[0].get_paths()[0].vertices
    at_two = band[band[:, 0] == 2, 1]
    assert (at_two.min(), at_two.max()) == (pytest.approx(0.2), pytest.approx(0.4))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "5", "20"]


def test_curves_over_time_differ_without_colour_and_mark_named_times():
    results = {"grey matter": [3, 2, 1], "fluid": [1, 1, 1]}
    figure = plots.curves_over_time(
        [0, 50, 100], results, xlabel="TE (ms)", ylabel="signal", marks={"T2w": 95}
    )
    grey, fluid, mark = figure.axes[0].lines
    assert (grey.get_label(), list(grey.get_ydata())) == ("grey matter", [3, 2, 1])
    assert set(mark.get_xdata()) == {95} and "T2w" in texts(figure)
    assert grey.get_linestyle() != fluid.get_linestyle()


def test_curve_panels_draw_values_with_or_without_intervals():
    score = [(0.9, 0.8, 1), (0.5, 0.4, 0.6), (0.3, 0.2, 0.4)]
    figure = plots.curve_panels(
        [0, 0.5, 1], {"score": score, "distance": [0, 1, 2]}, xlabel="severity"
    )
    first, second = figure.axes
    np.testing.assert_array_equal(first.lines[0].get_ydata(), [0.9, 0.5, 0.3])
    np.testing.assert_array_equal(second.lines[0].get_ydata(), [0, 1, 2])
    assert (first.get_title("left"), first.get_xlabel()) == ("score", "severity")
    assert first.collections[0].get_paths()[0].vertices[:, 1].min() == 0.2


def test_robustness_curves_draw_each_model_and_the_share_of_alarms():
    results = {
        "blur (px)": ((0.5, 2), {"plain": [0.9, 0.6], "robust": [0.9, 0.8]}, [0.1, 0.7]),
        "jpeg": ((50, 6), {"plain": [0.9, 0.5], "robust": [0.9, 0.8]}, [0, 1]),
    }
    figure = plots.robustness_curves(results, ylabel="macro-F1")
    first, _ = figure.axes
    scores = [line.get_ydata() for line in first.lines]
    np.testing.assert_allclose(scores, [[0.9, 0.6], [0.9, 0.8]])
    assert [bar.get_height() for bar in first.patches] == [0.1, 0.7]
    assert {"0.5", "2", "50", "6", "blur (px)", "jpeg", "robust"} <= set(texts(figure))


def test_training_curves_show_each_loss_and_how_far_each_block_moved():
    losses = {"training": [2, 1, 0.5], "validation": [2, 1.5, 1.6]}
    figure = plots.training_curves(losses, {"block_1": 0.01, "block_2": 0.3}, title="lambda = 0")
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.lines] == list(losses.values())
    assert [bar.get_width() for bar in right.patches] == [0.01, 0.3]
    figure.canvas.draw()  # names of blocks are written then
    assert {"training", "validation", "block_1", "lambda = 0"} <= set(texts(figure))


def test_loss_curves_begin_before_the_first_epoch_and_ring_the_lowest():
    losses = {"rate 0.1": [1, 0.5, 0.7], "rate 10": [1, 9]}
    (ax,) = plots.loss_curves(losses, rivals={"linear probe": 0.4}, highest=2).axes
    assert [list(ax.lines[index].get_xdata()) for index in (0, 2)] == [[0, 1, 2], [0, 1]]
    assert [ax.lines[index].get_xdata()[0] for index in (1, 3)] == [1, 0]
    assert ax.lines[4].get_ydata()[0] == 0.4 and ax.get_ylim() == (0, 2)
    assert {"rate 0.1", "linear probe", "log loss, validation patients"} <= set(texts(ax.figure))


def test_training_curves_mark_an_epoch_and_hold_their_axis():
    figure = plots.training_curves(
        {"validation": [3, 2, 1]}, {"block_1": 0.05}, epoch=2, max_distance=0.4
    )
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.lines[:2]] == [[3, 2], [2, 1]]
    assert left.lines[1].get_alpha() < 1 and list(left.lines[2].get_xdata()) == [2, 2]
    assert right.get_xlim()[1] == pytest.approx(0.44)


def test_a_pipeline_timeline_shows_the_share_of_computing():
    spans = [(10.0, 11.0, 13.0), (13.0, 13.5, 14.0)]  # waits 1.5 of 4 seconds
    (ax,) = plots.pipeline_timeline({"naive": spans, "prefetched": spans}).axes
    assert [text.get_text() for text in ax.texts] == ["busy 62%", "busy 62%"]
    assert row_names(ax) == ["naive", "prefetched"]
    assert plots.pipeline_timeline({"naive": spans}, end=9).axes[0].get_xlim()[1] == 9


@pytest.mark.parametrize("chosen, words", [((4, "slow"), ["8.000 s", "25%"]), (None, [])])
def test_scaling_shows_seconds_and_efficiency(chosen, words):
    links = {"slow": [8, 8, 8], "ideal link": [8, 4, 2]}
    figure = plots.scaling([1, 2, 4], links, chosen=chosen, title="a model")
    left, right = figure.axes
    np.testing.assert_allclose(right.lines[0].get_ydata(), [1, 0.5, 0.25])
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == words
    assert figure.get_suptitle() == "a model" and left.get_ylabel() == "seconds per step"
    np.testing.assert_allclose(left.lines[-1].get_ydata(), [8, 4, 2])  # dotted: the ideal


# ---- classification ----------------------------------------------------------------------------


def test_confusion_puts_counts_where_they_belong():
    (ax,) = plots.confusion([[5, 2], [1, 7]], ["well", "multiple sclerosis"]).axes
    positions = {text.get_text(): text.get_position() for text in ax.texts}
    assert positions == {"5": (0, 0), "2": (1, 0), "1": (0, 1), "7": (1, 1)}
    assert row_names(ax) == ["well", "multiple\nsclerosis"]
    np.testing.assert_allclose(ax.images[0].get_array()[1], [1 / 8, 7 / 8])


def test_roc_and_pr_curves_give_their_areas():
    figure = plots.roc_and_pr_curves({"ours": (LABELS, SCORES)})
    left, right = figure.axes
    x, y = left.lines[0].get_data()
    area, average = metrics.auroc(LABELS, SCORES), metrics.average_precision(LABELS, SCORES)
    assert np.trapezoid(y, x) == pytest.approx(area)
    assert {f"ours: {area:.2f}", f"ours: {average:.2f}"} <= set(texts(figure))
    assert right.lines[1].get_ydata()[0] == 0.4


@pytest.mark.parametrize("options", [{}, {"bins": 4, "adaptive": True}])
def test_reliability_draws_the_curve_with_bars_around_it(options):
    top, bottom = plots.reliability({"ours": (LABELS, SCORES)}, **options).axes
    curve = metrics.reliability(LABELS, SCORES, **options)
    x, y = next(line for line in top.lines if line.get_label() == "ours").get_data()
    np.testing.assert_allclose([x, y], [curve.predicted, curve.observed])
    for bar, observed in zip(top.collections[0].get_segments(), curve.observed):
        assert bar[0, 1] <= observed <= bar[1, 1] and bar[1, 1] > bar[0, 1]
    assert bottom.patches[0].get_data().values.tolist() == curve.counts.tolist()


def test_decision_threshold_shows_counts_and_costs_at_that_threshold():
    costs = {"false_negative_cost": 5, "false_positive_cost": 1}
    figure = plots.decision_threshold(LABELS, SCORES, 0.3, classes=("well", "ill"), **costs)
    matrix = metrics.confusion(LABELS, SCORES >= 0.3)
    assert [text.get_text() for text in figure.axes[1].texts] == list(map(str, matrix.ravel()))
    cost = metrics.mean_cost(LABELS, SCORES, 0.3, **costs)
    best = metrics.cost_curve(LABELS, SCORES, **costs)[1].min()
    assert f"miss 5, alarm 1: {cost:.2f}, at best {best:.2f}" in texts(figure)
    assert "truly ill" in texts(figure)
    assert sum(patch.get_height() for patch in figure.axes[0].patches) == 100


@pytest.mark.parametrize(
    "failed, words", [((), "no alarm"), (("sharpness", "density"), "alarm: sharpness, density")]
)
def test_perturbed_predictions_show_both_images_the_probabilities_and_the_alarms(failed, words):
    before, after = RANDOM.integers(0, 255, (2, 8, 8, 3), dtype=np.uint8)
    probabilities = {"plain": [0.1, 0.7, 0.2], "robust": [0.0, 1.0, 0.0]}
    figure = plots.perturbed_predictions(
        before, after, probabilities, CLASSES, 1, failed_checks=failed
    )
    first, second, bars = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array(), before)
    np.testing.assert_array_equal(second.images[0].get_array(), after)
    assert [bar.get_width() for bar in bars.patches] == [0.1, 0.7, 0.2, 0.0, 1.0, 0.0]
    assert words in texts(figure)
    weights = [label.get_fontweight() for label in bars.get_yticklabels()]
    assert weights == ["normal", "bold", "normal"]


# ---- detection and segmentation ----------------------------------------------------------------


def test_precision_recall_curve_shades_average_precision():
    (ax,) = plots.precision_recall_curve([1, 1, 0, 1, 0], 4).axes
    stairs = ax.patches[0].get_data()
    assert np.isclose((stairs.values * np.diff(stairs.edges)).sum(), 2.75 / 4)
    assert "area 0.69" in legend_of(ax)
    assert not plots.precision_recall_curve([1, 0] * 30, 40).axes[0].collections


def test_froc_curve_shows_its_points():
    curve = ([0, 0.5, 1], [0, 0.25, 0.75], [np.inf, 0.9, 0.5])
    (ax,) = plots.froc_curve({"all": curve}, xlabel="false alarms per field").axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 0.25, 0.75])
    assert ax.get_xlabel() == "false alarms per field"


def test_count_agreement_shows_a_point_per_image():
    true, predicted = np.array([[3, 0], [9, 1]]), np.array([[2, 0], [9, 4]])
    axes = plots.count_agreement(true, predicted, CLASSES[:2]).axes
    for index, ax in enumerate(axes):
        expected = np.stack([true[:, index], predicted[:, index]], axis=1)
        assert np.abs(ax.collections[0].get_offsets() - expected).max() < 0.2
    assert [ax.get_title("left") for ax in axes] == list(CLASSES[:2])


def test_score_by_size_plots_each_score_over_the_areas():
    areas, scores = np.array([10, 100, 1000]), np.array([0.2, 0.5, 0.9])
    results = {"Dice": scores, "surface Dice": 1 - scores}
    figure = plots.score_by_size(results, areas, xlabel="pixels", ylabel="score")
    offsets = figure.axes[1].collections[0].get_offsets()
    np.testing.assert_allclose(offsets, np.stack([areas, 1 - scores], axis=1))
    assert figure.axes[0].get_xscale() == "log"
    assert {"Dice", "surface Dice", "pixels", "score"} <= set(texts(figure))


# ---- candidates and their choice ---------------------------------------------------------------


def test_transferability_scores_show_each_candidate_over_each_score_by_family():
    scores, families = {"LogME": [1, 2, 3], "H-score": [3, 2, 1]}, ["lite", "lite", "random"]
    figure = plots.transferability_scores(scores, [0.5, 0.6, 0.7], families, ylabel="accuracy")
    assert [ax.get_title() for ax in figure.axes] == list(scores)
    lite, random = figure.axes[1].collections
    assert (lite.get_label(), lite.get_offsets().tolist()) == ("lite", [[3, 0.5], [2, 0.6]])
    assert random.get_offsets().tolist() == [[1, 0.7]]


def test_pareto_front_joins_and_names_the_best_in_the_order_of_speed():
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
    (ax,) = figure.axes
    assert ax.lines[0].get_xydata().tolist() == [[20, 0.9], [100, 0.6]]
    assert {"a", "b"} <= set(texts(figure)) and "c" not in texts(figure)
    first, second = ax.collections[0].get_sizes()
    assert second > first and ax.get_xscale() == "log"
    assert ax.collections[-1].get_offsets().tolist() == [[50, 0.5]]


def test_estimates_lie_beside_a_diagonal():
    results = {
        "first": {"raw": ([0.9, 0.8], [0.4, 0.6]), "live": ([0.7], [0.5])},
        "second": {"raw": ([0.5, 0.6], [0.4, 0.6]), "live": ([0.1], [0.5])},
    }
    figure = plots.estimated_and_true(results, label="accuracy")
    first, second = figure.axes
    diagonal, raw, live = first.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert raw.get_xydata().tolist() == [[0.4, 0.9], [0.6, 0.8]]
    assert second.lines[2].get_xydata().tolist() == [[0.5, 0.1]]
    assert raw.get_marker() != live.get_marker()
    assert {"raw", "live", "first", "estimated accuracy"} <= set(texts(figure))


def test_control_charts_cross_their_alarms():
    watch = charts.Ewma(weight=1.0, width=2.0).fit([0, 2] * 5).watch([1.0, 9.0, 1.0])
    figure = plots.control_charts({"a": watch, "b": watch}, ylabel="distance", change=2)
    for ax in figure.axes:
        line, alarms, change = ax.lines
        assert line.get_xydata().tolist() == [[1, 1], [2, 9], [3, 1]]
        assert alarms.get_xydata().tolist() == [[2, 9]]
        assert list(change.get_xdata()) == [1.5, 1.5]
    assert {"a", "b", "distance"} <= set(texts(figure))


def test_validator_choices_are_ringed():
    rows = [("a", 1), ("b", 2), ("c", 3)]
    index = pd.MultiIndex.from_tuples(rows)
    scores = pd.DataFrame({"entropy": [0.1, 0.9, 0.5], "spread": [3.0, 1.0, 2.0]}, index=index)
    accuracy = pd.Series([0.2, 0.4, 0.6], index=index)
    chosen = {"entropy": rows[1], "spread": rows[0]}
    figure = plots.validator_choices(scores, accuracy, chosen, ylabel="accuracy")
    for ax, point, title in zip(figure.axes, ((0.9, 0.4), (3.0, 0.2)), scores):
        dots, ring = ax.lines
        assert len(dots.get_xdata()) == 3 and tuple(ring.get_xydata()[0]) == point
        assert ax.get_title("left") == title


def test_gap_closed_marks_each_pair_by_its_group_and_clips_what_is_far_below():
    shares = pd.DataFrame(
        [[0.8, -7.0, np.nan], [0.2, 0.5, 0.9]],
        index=["by entropy", "by vote"],
        columns=["p", "q", "r"],
    )
    (ax,) = plots.gap_closed(shares, ["simulated", "simulated", "real"], floor=-1).axes
    marks = set()
    for line in ax.lines:
        finite = line.get_xydata()[np.isfinite(line.get_xdata())]
        marks.add((line.get_marker(), tuple(map(tuple, finite))))
    assert {
        ("o", ((0.8, 0), (0.2, 1), (0.5, 1))),
        ("<", ((-1, 0),)),
        ("s", ((0.9, 1),)),
        ("|", ((-1, 0), (0.5, 1))),
    } <= marks
    assert row_names(ax) == ["by entropy", "by vote"]
    assert legend_of(ax) == ["simulated", "real", "median"]


# ---- features and domains ----------------------------------------------------------------------


def test_layer_scores_ring_the_chosen_layer():
    scores = [[0.1, 0.3], [0.2, 0.4]]
    (ax,) = plots.layer_scores(["block_0", "block_1"], scores, chosen="block_1", ylabel="F1").axes
    rings = [line for line in ax.lines if line.get_markersize() > 10]
    assert [tuple(ring.get_xydata()[0]) for ring in rings] == [(1, pytest.approx(0.35))]


def test_scatter_by_class_names_every_class_once():
    panels = {"left": RANDOM.normal(size=(5, 2)), "right": RANDOM.normal(size=(5, 2))}
    words = texts(plots.scatter_by_class(panels, np.array([0, 1, 2, 0, 1]), CLASSES))
    assert [words.count(name) for name in CLASSES] == [1, 1, 1]


def test_parameter_counts_are_written():
    figure = plots.parameter_counts({"head": (18882, True), "backbone": (3, False)})
    assert any("18,882" in text for text in texts(figure))


def test_a_similarity_histogram_stacks_copies_on_other_pairs():
    figure = plots.similarity_histogram([0.1, 0.12, 0.9, 0.95], [False, False, True, False], 0.8)
    (ax,) = figure.axes
    heights = [sum(bar.get_height() for bar in container) for container in ax.containers]
    assert heights == [3, 1]
    first, second = (container[0].get_facecolor() for container in ax.containers)
    assert first != second
    assert ax.lines[0].get_xdata()[0] == 0.8 and "from 0.8 on: one picture" in texts(figure)


def test_class_proportions_fill_each_row():
    rows = {"home": [0.5, 0.3, 0.2], "away": [0.1, 0.1, 0.8]}
    (ax,) = plots.class_proportions(rows, ("a", "b", "c")).axes
    assert [round(bar.get_width(), 2) for bar in ax.patches] == [0.5, 0.1, 0.3, 0.1, 0.2, 0.8]
    assert row_names(ax) == ["home", "away"]


def test_score_over_distance_puts_each_shift_at_its_distance_and_score():
    (ax,) = plots.score_over_distance(
        {"stain": (1.2, (0.7, 0.6, 0.8)), "noise": (1.9, (0.9, 0.85, 0.95))},
        reference=(0.9, 0.86, 0.94),
        xlabel="d",
        ylabel="accuracy",
    ).axes
    marked = [line for line in ax.lines if line.get_marker() in "osD^vP"]
    assert [tuple(line.get_xydata()[0]) for line in marked] == [(1.2, 0.7), (1.9, 0.9)]
    assert legend_of(ax) == ["at home (95 %)", "stain", "noise"]


def test_wealth_ends_a_run_where_it_reaches_the_threshold():
    figure = plots.wealth({"fair": [[2, 1, 0.5]], "loaded": [[3, 9, 27], [1, 2, 25]]}, threshold=20)
    fair, loaded = figure.axes
    assert fair.get_title() == "fair"
    assert loaded.get_title() == "loaded:\n2 of 2 reach 20"
    diamonds = [line for line in loaded.lines if line.get_marker() == "D"]
    assert [tuple(line.get_xydata()[0]) for line in diamonds] == [(3, 27), (3, 25)]
    assert [1, 2, 1, 0.5] in [list(line.get_ydata()) for line in fair.lines]
