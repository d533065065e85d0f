"""Validators of adapted models beside loops and textbook formulas."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from medlearn.selection import validators

SEEDS = st.integers(0, 1000)


@given(SEEDS)
def test_certainty_is_the_negative_mean_entropy(seed):
    probabilities = np.random.default_rng(seed).dirichlet(np.full(3, 0.7), 40)
    expected = (probabilities * np.log(probabilities)).sum() / 40
    assert validators.certainty(probabilities) == pytest.approx(expected)
    assert -np.log(3) <= expected <= 0


@given(SEEDS)
def test_mutual_information_of_certain_predictions_is_their_entropy(seed):
    labels = np.random.default_rng(seed).integers(4, size=30)
    expected = mutual_info_score(labels, labels)
    assert validators.mutual_information(np.eye(4)[labels]) == pytest.approx(expected)


def test_one_class_for_all_fools_certainty_and_not_mutual_information():
    single = np.tile([1.0, 0, 0], (30, 1))
    spread = 0.9 * np.eye(3)[np.arange(30) % 3] + 0.1 / 3
    assert validators.certainty(single) > validators.certainty(spread)
    assert validators.mutual_information(single) == pytest.approx(0)
    assert validators.mutual_information(spread) > 0.5


def density_by_loops(vectors, temperature):
    unit, total = [vector / np.linalg.norm(vector) for vector in vectors], 0.0
    for i, vector in enumerate(unit):
        neighbours = unit[:i] + unit[i + 1 :]
        weights = np.array([np.exp(vector @ near / temperature) for near in neighbours])
        shares = weights / weights.sum()
        total += -(shares * np.log(shares)).sum()
    return total / len(unit)


@given(SEEDS, st.sampled_from([0.05, 0.5]))
def test_soft_neighbourhood_density_by_loops(seed, temperature):
    vectors = np.random.default_rng(seed).normal(size=(9, 4))
    expected = density_by_loops(vectors, temperature)
    actual = validators.soft_neighbourhood_density(vectors, temperature)
    assert actual == pytest.approx(expected, rel=1e-6)


def shifted(n=4000, shift=1.0):
    """One feature; the model is right where it is above 0; the target lies further to the right."""
    random = np.random.default_rng(0)
    source, target = random.normal(size=(n, 1)), random.normal(size=(n, 1)) + shift
    correct = [random.random(n) < 1 / (1 + np.exp(-2 * x[:, 0])) for x in (source, target)]
    return source, target, correct[0].astype(float), correct[1].mean()


@pytest.mark.parametrize("control", [False, True])
def test_weighting_predicts_the_accuracy_on_the_target(control):
    source, target, correct, truth = shifted()
    estimate = validators.weighted_accuracy(correct, source, target, control=control)
    assert abs(estimate - truth) < 0.08 < 0.2 < abs(correct.mean() - truth)


def test_the_control_variate_removes_chance():
    source, target, correct, _ = shifted()
    estimates = {False: [], True: []}
    for seed in range(25):
        rows = np.random.default_rng(seed).permutation(len(source))[:60]
        arguments = correct[rows], source[rows], target[rows]
        for control, values in estimates.items():
            values.append(validators.weighted_accuracy(*arguments, control=control))
    assert np.std(estimates[True]) < np.std(estimates[False])


def test_density_ratio_is_that_of_two_normal_distributions():
    source, target, _, _ = shifted()
    ratio = validators.density_ratio(source, target)
    inside = np.abs(source[:, 0]) < 1.5
    expected = source[inside, 0] - 0.5
    np.testing.assert_allclose(np.log(ratio[inside]), expected, atol=0.25)
    assert ratio.mean() == pytest.approx(1, abs=0.1)
    assert validators.density_ratio(source, target[:1000]).mean() == pytest.approx(1, abs=0.1)


def sharp(labels, share):
    return share * np.eye(3)[labels] + (1 - share) / 3


def test_alarms_for_lost_information_and_for_a_starved_class():
    labels = np.arange(60) % 3
    before = sharp(labels, 0.9)
    assert validators.alarms(before, before) == []
    (sentence,) = validators.alarms(before, 0.5 * before + 0.5 / 3)
    assert "mutual information fell" in sentence
    starved = sharp(np.where(labels == 2, 0, labels), 0.98)
    sentences = validators.alarms(before, starved)
    assert any(sentence.startswith("Class 2 is predicted for 0%") for sentence in sentences)
    rare = sharp(np.where((labels == 2) & (np.arange(60) < 40), 0, labels), 0.99)
    assert not validators.alarms(before, rare, starved=0.2)
    assert validators.alarms(before, rare, starved=0.5)
    with pytest.raises(ValueError, match="same images and classes"):
        validators.alarms(before, before[:9])


@given(SEEDS)
def test_consensus_counts_agreement_with_the_majority(seed):
    predictions = np.random.default_rng(seed).integers(3, size=(5, 12))
    votes = [Counter(sorted(column)).most_common(1)[0][0] for column in predictions.T.tolist()]
    expected = [np.mean(row == np.array(votes)) for row in predictions]
    assert validators.consensus(predictions) == pytest.approx(expected)


def test_consensus_finds_the_best_of_independent_models_and_not_of_a_herd():
    random = np.random.default_rng(0)
    truth = random.integers(4, size=400)
    models = []
    for share in (0.9, 0.3, 0.7, 0.5, 0.8):
        wrong = random.random(400) < share
        models.append(np.where(wrong, random.integers(4, size=400), truth))
    assert validators.consensus(models).argmax() == 1
    herd = np.array([truth, *[(truth + 1) % 4] * 3])
    assert validators.consensus(herd).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: validators.certainty([[0.5, 0.6]]), "sum to one"),
        (lambda: validators.soft_neighbourhood_density(np.eye(3), 0), "temperature=0"),
        (lambda: validators.soft_neighbourhood_density(np.zeros((1, 3))), "at least 2"),
        (lambda: validators.weighted_accuracy(np.full(6, 2.0), np.eye(6), np.eye(6)), "0 or 1"),
        (lambda: validators.density_ratio(np.zeros((6, 2)), np.zeros((4, 2))), "target has 4"),
        (lambda: validators.consensus([[0, 1]]), "two models"),
        (lambda: validators.consensus([[0.5, 1], [0, 1]]), "whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_amounts_by_hand_and_blind_to_places():
    source = np.repeat([[0, 1, 2, 2]], 4, axis=0)[None]  # shares 1/4, 1/4, 1/2
    predicted = np.repeat([[0, 0, 0, 2]], 4, axis=0)[None]  # 3/4, 0, 1/4
    assert validators.amounts(predicted, source) == pytest.approx(-0.5)
    moved = np.random.default_rng(0).permutation(source.ravel()).reshape(source.shape)
    assert validators.amounts(moved, source) == 0
    assert validators.amounts(np.full((2, 3, 3), 3), source) == pytest.approx(-1)
    with pytest.raises(ValueError, match="predicted masks"):
        validators.amounts(source / 2, source)
