import numpy as np
import pytest
from figures import house_style, texts  # noqa: F401

from medlearn import metrics, plots

RANDOM = np.random.default_rng(0)
LABELS = np.repeat([0, 1], [60, 40])
SCORES = 1 / (1 + np.exp(-2 * (LABELS - 0.5 + RANDOM.normal(size=100))))


def test_confusion_puts_counts_where_they_belong():
    (ax,) = plots.confusion([[5, 2], [1, 7]], ["well", "multiple sclerosis"]).axes
    assert {text.get_text(): text.get_position() for text in ax.texts} == {
        "5": (0, 0),
        "2": (1, 0),
        "1": (0, 1),
        "7": (1, 1),
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["well", "multiple\nsclerosis"]
    np.testing.assert_allclose(ax.images[0].get_array()[1], [1 / 8, 7 / 8])


def test_tradeoffs_draws_both_curves_and_their_areas():
    figure = plots.roc_and_pr_curves({"ours": (LABELS, SCORES)})
    left, right = figure.axes
    x, y = left.lines[0].get_data()
    assert np.trapezoid(y, x) == pytest.approx(metrics.auroc(LABELS, SCORES))
    assert {
        f"ours: {metrics.auroc(LABELS, SCORES):.2f}",
        f"ours: {metrics.average_precision(LABELS, SCORES):.2f}",
    } <= set(texts(figure))
    assert right.lines[1].get_ydata()[0] == 0.4


@pytest.mark.parametrize("options", [{}, {"bins": 4}, {"bins": 4, "adaptive": True}])
def test_reliability_draws_the_curve_with_bars_around_it(options):
    top, bottom = plots.reliability({"ours": (LABELS, SCORES)}, **options).axes
    curve = metrics.reliability(LABELS, SCORES, **options)
    x, y = next(line for line in top.lines if line.get_label() == "ours").get_data()
    np.testing.assert_allclose([x, y], [curve.predicted, curve.observed])
    for segment, observed in zip(top.collections[0].get_segments(), curve.observed):
        assert segment[0, 1] <= observed <= segment[1, 1] and segment[1, 1] > segment[0, 1]
    assert bottom.patches[0].get_data().values.tolist() == curve.counts.tolist()


def test_threshold_shows_people_and_costs_at_that_threshold():
    figure = plots.decision_threshold(
        LABELS, SCORES, 0.3, false_negative_cost=5, false_positive_cost=1, classes=("well", "ill")
    )
    counts = [text.get_text() for text in figure.axes[1].texts]
    assert counts == [str(count) for count in metrics.confusion(LABELS, SCORES >= 0.3).ravel()]
    now = metrics.mean_cost(LABELS, SCORES, 0.3, false_negative_cost=5, false_positive_cost=1)
    best = metrics.cost_curve(LABELS, SCORES, false_negative_cost=5, false_positive_cost=1)[1].min()
    assert f"miss 5, alarm 1: {now:.2f}, at best {best:.2f}" in texts(figure)
    assert "truly ill" in texts(figure)
    assert sum(patch.get_height() for patch in figure.axes[0].patches) == 100


def test_studies_colours_those_that_miss_and_counts_all():
    intervals = [(0.5, 0.4, 0.6), (0.8, 0.7, 0.9), (0.45, 0.3, 0.55), (0.5, 0.4, 0.6)]
    (ax,) = plots.interval_coverage(
        {"by patient": intervals}, 0.5, label="accuracy", max_rows=3
    ).axes
    assert (
        ax.get_title("left") == "by patient: 75% of 4 hold the truth"
        and ax.get_xlabel() == "accuracy"
    )
    colours = [
        line.get_color()
        for line in ax.lines
        if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"
    ]
    assert colours == [plots.RIGHT, plots.WRONG, plots.RIGHT]
