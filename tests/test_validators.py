"""Validators of adapted models against loops and textbook formulas."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from medlearn.selection import validators

SEEDS = st.integers(0, 1000)


def told(seed=0, n=40, classes=3):
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.7), n)


@given(SEEDS)
def test_certainty_is_minus_the_mean_entropy(seed):
    p = told(seed)
    assert validators.certainty(p) == pytest.approx(
        sum((row * np.log(row)).sum() for row in p) / len(p)
    )
    assert -np.log(3) <= validators.certainty(p) <= 0


@given(SEEDS)
def test_information_of_sure_answers_is_their_entropy(seed):
    labels = np.random.default_rng(seed).integers(4, size=30)
    assert validators.mutual_information(np.eye(4)[labels]) == pytest.approx(
        mutual_info_score(labels, labels)
    )


def test_one_class_for_all_fools_certainty_and_not_information():
    one, spread = np.tile([1.0, 0, 0], (30, 1)), 0.9 * np.eye(3)[np.arange(30) % 3] + 0.1 / 3
    assert validators.certainty(one) > validators.certainty(spread)
    assert validators.mutual_information(one) == pytest.approx(0) and validators.mutual_information(spread) > 0.5


def neighbourhood_by_loops(vectors, temperature):
    unit, total = [v / np.linalg.norm(v) for v in vectors], 0.0
    for i, one in enumerate(unit):
        weights = np.array(
            [np.exp(one @ other / temperature) for j, other in enumerate(unit) if j != i]
        )
        share = weights / weights.sum()
        total += -(share * np.log(share)).sum()
    return total / len(unit)


@given(SEEDS, st.sampled_from([0.05, 0.5]))
def test_neighbourhood_by_loops(seed, temperature):
    vectors = np.random.default_rng(seed).normal(size=(9, 4))
    assert validators.soft_neighbourhood_density(vectors, temperature) == pytest.approx(
        neighbourhood_by_loops(vectors, temperature), rel=1e-6
    )


def shifted(n=4000, shift=1.0):
    """One feature; the model is right where it is above 0; the target lies further to the right."""
    random = np.random.default_rng(0)
    source, target = random.normal(size=(n, 1)), random.normal(size=(n, 1)) + shift
    right = lambda x: (random.random(len(x)) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    return source, target, right(source), right(target).mean()


@pytest.mark.parametrize("control", [False, True])
def test_weighting_foretells_the_accuracy_at_the_target(control):
    source, target, correct, truth = shifted()
    estimate = validators.weighted_accuracy(correct, source, target, control=control)
    assert abs(estimate - truth) < 0.08 < 0.2 < abs(correct.mean() - truth)


def test_the_control_takes_out_chance():
    errors = {control: [] for control in (False, True)}
    for seed in range(25):
        source, target, correct, truth = shifted()
        rows = np.random.default_rng(seed).permutation(len(source))[:60]
        for control, found in errors.items():
            found.append(
                validators.weighted_accuracy(
                    correct[rows], source[rows], target[rows], control=control
                )
                - truth
            )
    assert np.std(errors[True]) < np.std(errors[False])


def test_density_ratio_is_that_of_two_gaussians():
    source, target, _, _ = shifted()
    inside = np.abs(source[:, 0]) < 1.5
    np.testing.assert_allclose(
        np.log(validators.density_ratio(source, target))[inside],
        (source[:, 0] - 0.5)[inside],
        atol=0.25,
    )
    assert validators.density_ratio(source, target).mean() == pytest.approx(1, abs=0.1)
    assert validators.density_ratio(source, target[:1000]).mean() == pytest.approx(1, abs=0.1)


def test_alarms_for_lost_information_and_for_a_starved_class():
    before = 0.9 * np.eye(3)[np.arange(60) % 3] + 0.1 / 3
    assert validators.alarms(before, before) == []
    flat = 0.5 * before + 0.5 / 3
    assert (
        len(validators.alarms(before, flat)) == 1
        and "information fell" in validators.alarms(before, flat)[0]
    )
    starved = 0.98 * np.eye(3)[np.where(np.arange(60) % 3 == 2, 0, np.arange(60) % 3)] + 0.02 / 3
    assert any(
        sentence.startswith("Class 2 is called for 0%")
        for sentence in validators.alarms(before, starved)
    )
    shy = (
        0.99
        * np.eye(3)[np.where((np.arange(60) % 3 == 2) & (np.arange(60) < 40), 0, np.arange(60) % 3)]
        + 0.01 / 3
    )
    assert not validators.alarms(before, shy, starved=0.2) and validators.alarms(
        before, shy, starved=0.5
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: validators.certainty([[0.5, 0.6]]), "sum to 1"),
        (lambda: validators.mutual_information([[np.nan, 1]]), "hold NaN"),
        (lambda: validators.soft_neighbourhood_density(np.eye(3), 0), "temperature=0"),
        (lambda: validators.soft_neighbourhood_density(np.zeros((1, 3))), "at least 2"),
        (
            lambda: validators.weighted_accuracy([1, 0], np.zeros((6, 2)), np.zeros((6, 2))),
            "each of the 6 source images",
        ),
        (
            lambda: validators.weighted_accuracy(
                np.full(6, 2.0), np.zeros((6, 2)), np.zeros((6, 2))
            ),
            "correct should be 0 or 1",
        ),
        (lambda: validators.density_ratio(np.zeros((6, 2)), np.zeros((0, 2))), "target has 0"),
        (lambda: validators.alarms(told(n=3), told(n=4)), "same images and classes"),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(SEEDS)
def test_consensus_counts_agreement_with_the_vote(seed):
    predicted = np.random.default_rng(seed).integers(3, size=(5, 12))
    voted = [Counter(sorted(column)).most_common(1)[0][0] for column in predicted.T]
    expected = [sum(a == b for a, b in zip(row, voted)) / 12 for row in predicted.tolist()]
    assert validators.consensus(predicted) == pytest.approx(expected)


def test_consensus_finds_the_best_of_models_that_err_apart_and_not_of_a_herd():
    random = np.random.default_rng(0)
    truth = random.integers(4, size=400)
    spoiled = lambda share: np.where(
        random.random(400) < share, random.integers(4, size=400), truth
    )
    apart = np.array([spoiled(share) for share in (0.9, 0.3, 0.7, 0.5, 0.8)])
    assert validators.consensus(apart).argmax() == 1
    herd = np.array([truth, *[(truth + 1) % 4] * 3])
    assert validators.consensus(herd).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    "predicted", [[[0, 1]], [0, 1], [[0.5, 1], [0, 1]], [[-1, 0], [0, 0]], np.zeros((2, 0), int)]
)
def test_consensus_of_something_else_is_refused(predicted):
    with pytest.raises(ValueError, match="one row for each of two candidates or more"):
        validators.consensus(predicted)
