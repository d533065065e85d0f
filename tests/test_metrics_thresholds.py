import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlearn import metrics


@st.composite
def questions(draw):
    count = draw(st.integers(2, 25))
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), min_size=count - 2, max_size=count - 2))]
    return np.array(labels), np.array(
        draw(st.lists(st.integers(-4, 4), min_size=count, max_size=count))
    ) / 4


def test_cost_by_hand():
    labels, scores = [1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.3, 0.2]
    assert metrics.mean_cost(
        labels, scores, 0.5, false_negative_cost=10, false_positive_cost=2
    ) == pytest.approx((10 + 2) / 5)  # 0.5 itself means yes
    assert metrics.mean_cost(
        labels, scores, 0.35, false_negative_cost=10, false_positive_cost=2
    ) == pytest.approx(2 / 5)
    assert (
        metrics.mean_cost([0, 0], [0.1, 0.9], 0.5, false_negative_cost=1, false_positive_cost=3)
        == 1.5
    )


@given(questions(), st.floats(0.1, 20), st.floats(0.1, 20))
def test_costs_lists_what_each_threshold_costs(question, miss, alarm):
    thresholds, costs = metrics.cost_curve(
        *question, false_negative_cost=miss, false_positive_cost=alarm
    )
    assert (np.diff(thresholds) > 0).all() and thresholds[-1] == np.inf
    for threshold, expected in zip(thresholds, costs):
        assert metrics.mean_cost(
            *question, threshold, false_negative_cost=miss, false_positive_cost=alarm
        ) == pytest.approx(expected)


@given(questions(), st.floats(0.1, 20), st.floats(0.1, 20))
def test_no_threshold_is_cheaper_than_the_cheapest(question, miss, alarm):
    labels, scores = question
    costs = {"false_negative_cost": miss, "false_positive_cost": alarm}
    best = metrics.cheapest_threshold(labels, scores, **costs)
    least = metrics.mean_cost(labels, scores, best, **costs)
    for threshold in [*np.unique(scores), np.inf]:
        assert least <= metrics.mean_cost(labels, scores, threshold, **costs) + 1e-12


def test_the_cheapest_lies_between_two_scores():
    assert metrics.cheapest_threshold(
        [0, 1, 0, 1], [0.1, 0.3, 0.5, 0.7], false_negative_cost=1, false_positive_cost=1
    ) == pytest.approx(0.2)  # of equals, the lowest
    assert metrics.cheapest_threshold(
        [0, 0, 1], [0.1, 0.2, 0.8], false_negative_cost=1, false_positive_cost=1
    ) == pytest.approx(0.5)
    assert (
        metrics.cheapest_threshold(
            [1, 0], [0.1, 0.8], false_negative_cost=100, false_positive_cost=1
        )
        == 0.1
    )
    alone = metrics.cheapest_threshold(
        [1, 0], [0.1, 0.8], false_negative_cost=1, false_positive_cost=100
    )
    assert 0.8 < alone < 0.8 + 1e-9


@given(questions(), st.sampled_from([0, 0.5, 0.8, 0.9, 1]))
def test_threshold_at_specificity_keeps_it_and_is_the_most_sensitive(question, specificity):
    labels, scores = question
    threshold = metrics.threshold_at_specificity(labels, scores, specificity)
    assert metrics.specificity(labels, scores >= threshold) >= specificity - 1e-12
    assert metrics.sensitivity(labels, scores >= threshold) == pytest.approx(
        metrics.sensitivity_at_specificity(labels, scores, specificity)
    )


def test_theory_agrees_with_search_on_calibrated_probabilities():
    random = np.random.default_rng(0)
    probabilities = random.random(100_000)
    labels = (random.random(100_000) < probabilities).astype(int)
    assert metrics.bayes_threshold(4, 1) == pytest.approx(0.2)
    assert metrics.bayes_threshold(1, 4) == pytest.approx(0.8)
    assert metrics.cheapest_threshold(
        labels, probabilities, false_negative_cost=4, false_positive_cost=1
    ) == pytest.approx(0.2, abs=0.03)


def test_costs_are_above_zero():
    for costs in [(0, 1), (1, -1), (np.inf, 1)]:
        with pytest.raises(ValueError, match=r"each cost something above 0.*false_positive_cost="):
            metrics.bayes_threshold(*costs)


def test_labels_scores_and_shares_are_checked():
    costs = {"false_negative_cost": 1, "false_positive_cost": 1}
    with pytest.raises(ValueError, match="scores holds 1 NaN"):
        metrics.mean_cost([0, 1], [0, np.nan], 0.5, **costs)
    with pytest.raises(ValueError, match="2 labels, 1 scores"):
        metrics.mean_cost([0, 1], [0], 0.5, **costs)
    with pytest.raises(ValueError, match="none is 0"):
        metrics.cost_curve([1, 1], [0, 1], **costs)
    with pytest.raises(ValueError, match="specificity is a share from 0 to 1"):
        metrics.threshold_at_specificity([0, 1], [0, 1], 1.2)
