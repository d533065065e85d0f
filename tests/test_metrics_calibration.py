import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from medlearn import metrics


def boaster(count=4000, strength=3.0, seed=0):
    """Labels drawn from probabilities, and the same probabilities said `strength` times too surely."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=count)
    labels = (random.random(count) < 1 / (1 + np.exp(-logits))).astype(int)
    return labels, 1 / (1 + np.exp(-strength * logits)), 1 / (1 + np.exp(-logits))


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def three_classes(count=300, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    return labels, softmax(2 * np.eye(3)[labels] + 3 * random.normal(size=(count, 3)))


@pytest.mark.parametrize("adaptive, strategy", [(False, "uniform"), (True, "quantile")])
def test_reliability_equals_scikit_learn(adaptive, strategy):
    labels, said, _ = boaster(500)
    observed, predicted = calibration_curve(labels, said, n_bins=7, strategy=strategy)
    ours = metrics.reliability(labels, said, bins=7, adaptive=adaptive)
    np.testing.assert_allclose(ours.observed, observed)
    np.testing.assert_allclose(ours.predicted, predicted)
    assert ours.count.sum() == 500
    if adaptive:
        assert ours.count.max() - ours.count.min() <= 1


def test_calibration_error_by_hand():
    labels, said = [0, 1, 1, 1], [0.1, 0.3, 0.9, 0.9]  # two bins: .2 said, .5 seen; .9 said, 1 seen
    assert metrics.calibration_error(labels, said, bins=2) == pytest.approx(0.3 / 2 + 0.1 / 2)
    assert metrics.calibration_error(labels, said, bins=10) == pytest.approx(
        (0.1 + 0.7 + 2 * 0.1) / 4
    )


def test_a_probability_on_an_edge_belongs_to_the_bin_below():
    assert metrics.reliability([1, 1, 0], [0.2, 0.5, 0.9], bins=2).count.tolist() == [2, 1]
    assert metrics.reliability(
        [1, 1, 0], [0.2, 0.2, 0.9], bins=3, adaptive=True
    ).count.tolist() == [2, 1]


def test_calibration_error_averages_the_gaps_of_its_own_bins():
    labels, said, _ = boaster(300)
    for options in ({"bins": 5}, {"bins": 5, "adaptive": True}):
        predicted, observed, count = metrics.reliability(labels, said, **options)
        assert metrics.calibration_error(labels, said, **options) == pytest.approx(
            np.average(abs(predicted - observed), weights=count)
        )


def test_of_many_classes_the_largest_probability_is_judged():
    labels, shares = three_classes()
    right = (shares.argmax(1) == labels).astype(int)
    assert metrics.calibration_error(labels, shares) == pytest.approx(
        metrics.calibration_error(right, shares.max(1))
    )


@given(
    st.integers(1, 12),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=30),
)
def test_every_image_is_in_one_bin(bins, adaptive, rows):
    labels, said = np.transpose(rows)
    curve = metrics.reliability(labels, said, bins=bins, adaptive=adaptive)
    assert curve.count.sum() == len(rows) and (curve.count > 0).all() and len(curve.count) <= bins
    assert (curve.observed * curve.count).sum() == pytest.approx(labels.sum())
    assert (curve.predicted * curve.count).sum() == pytest.approx(said.sum())
    assert 0 <= metrics.calibration_error(labels, said, bins=bins, adaptive=adaptive) <= 1


def test_brier_and_log_loss_equal_scikit_learn():
    labels, said, _ = boaster(300)
    assert metrics.brier(labels, said) == pytest.approx(sk.brier_score_loss(labels, said))
    assert metrics.log_loss(labels, said) == pytest.approx(sk.log_loss(labels, said))
    labels, shares = three_classes()
    assert metrics.log_loss(labels, shares) == pytest.approx(sk.log_loss(labels, shares))
    assert metrics.brier(labels, shares) == pytest.approx(
        np.mean(((shares - np.eye(3)[labels]) ** 2).sum(1))
    )


def test_temperature_undoes_boasting():
    labels, said, true = boaster()
    temperature = metrics.fit_temperature(labels, said)
    assert temperature == pytest.approx(3, rel=0.1)
    calm = metrics.apply_temperature(said, temperature)
    np.testing.assert_allclose(calm, true, atol=0.05)
    assert metrics.calibration_error(labels, calm) < metrics.calibration_error(labels, said) / 3
    assert metrics.fit_temperature(labels, metrics.apply_temperature(true, 2)) == pytest.approx(
        0.5, rel=0.1
    )


def test_temperature_minimises_log_loss_of_the_logits():
    labels, shares = three_classes()
    logits = np.log(shares)
    best = optimize.minimize_scalar(
        lambda t: sk.log_loss(labels, softmax(logits / t)), bounds=(0.1, 20), method="bounded"
    ).x
    assert metrics.fit_temperature(labels, shares) == pytest.approx(best, rel=1e-3)
    np.testing.assert_allclose(metrics.apply_temperature(shares, 2.5), softmax(logits / 2.5))


def test_temperature_changes_no_order_and_one_is_no_change():
    labels, shares = three_classes()
    for temperature in (0.3, 4.0):
        scaled = metrics.apply_temperature(shares, temperature)
        np.testing.assert_allclose(scaled.sum(1), 1)
        np.testing.assert_array_equal(scaled.argmax(1), shares.argmax(1))
    np.testing.assert_allclose(metrics.apply_temperature(shares, 1), shares)
    np.testing.assert_allclose(
        metrics.apply_temperature(shares[:, 0], 3),
        metrics.apply_temperature(np.stack([shares[:, 0], 1 - shares[:, 0]], 1), 3)[:, 0],
    )


def test_certainties_are_survived():
    assert np.isfinite(metrics.fit_temperature([0, 1, 1, 0], [0.0, 1.0, 0.0, 0.2]))
    np.testing.assert_allclose(metrics.apply_temperature([0.0, 1.0], 1), [0, 1], atol=1e-9)
    assert np.isfinite(metrics.log_loss([1], [0.0]))


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: metrics.reliability([0, 1], [0.2, np.nan]), "NaN for 1 of 2 images"),
        (lambda: metrics.reliability([0, 1], [0.2, 1.7]), "run from 0.2 to 1.7"),
        (
            lambda: metrics.reliability([0, 1], [[0.2, 0.7], [0, 1]]),
            "must sum to one; those of image 0 sum to 0.9",
        ),
        (lambda: metrics.reliability([0, 1, 1], [0.2, 0.7]), "3 labels, 2 probabilities"),
        (lambda: metrics.reliability([0, 2], [0.2, 0.7]), "labels are 0"),
        (lambda: metrics.reliability([0, 2], [[0.2, 0.8], [0, 1]]), "whole numbers from 0 to 1"),
        (lambda: metrics.reliability([0, 1], [0.2, 0.7], bins=0), "a number of bins of at least 1"),
        (lambda: metrics.brier([], []), "probabilities have the shape"),
        (lambda: metrics.fit_temperature([1, 1], [0.2, 0.7]), "All 2 images have the same label"),
        (lambda: metrics.apply_temperature([0.2], 0), "a number above 0"),
        (lambda: metrics.apply_temperature([0.2, np.nan], 2), "NaN for 1 of 2"),
    ],
)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
