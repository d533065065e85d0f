import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from medlearn import metrics


def overconfident(count=4000, strength=3.0, seed=0):
    """Labels drawn from probabilities, too extreme probabilities, and the true ones."""
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
    labels, probabilities, _ = overconfident(500)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=7, strategy=strategy)
    ours = metrics.reliability(labels, probabilities, bins=7, adaptive=adaptive)
    np.testing.assert_allclose(ours.observed, observed)
    np.testing.assert_allclose(ours.predicted, predicted)
    assert ours.counts.sum() == 500
    if adaptive:
        assert ours.counts.max() - ours.counts.min() <= 1


def test_calibration_error_by_hand():
    labels, probabilities = (
        [0, 1, 1, 1],
        [0.1, 0.3, 0.9, 0.9],
    )  # two bins: .2 probabilities, .5 seen; .9 probabilities, 1 seen
    assert metrics.calibration_error(labels, probabilities, bins=2) == pytest.approx(
        0.3 / 2 + 0.1 / 2
    )
    assert metrics.calibration_error(labels, probabilities, bins=10) == pytest.approx(
        (0.1 + 0.7 + 2 * 0.1) / 4
    )


def test_a_probability_on_an_edge_belongs_to_the_bin_below():
    assert metrics.reliability([1, 1, 0], [0.2, 0.5, 0.9], bins=2).counts.tolist() == [2, 1]
    assert metrics.reliability(
        [1, 1, 0], [0.2, 0.2, 0.9], bins=3, adaptive=True
    ).counts.tolist() == [2, 1]


def test_calibration_error_averages_the_gaps_of_its_own_bins():
    labels, probabilities, _ = overconfident(300)
    for options in ({"bins": 5}, {"bins": 5, "adaptive": True}):
        predicted, observed, count = metrics.reliability(labels, probabilities, **options)
        assert metrics.calibration_error(labels, probabilities, **options) == pytest.approx(
            np.average(abs(predicted - observed), weights=count)
        )


def test_of_many_classes_the_largest_probability_is_judged():
    labels, probabilities = three_classes()
    right = (probabilities.argmax(1) == labels).astype(int)
    assert metrics.calibration_error(labels, probabilities) == pytest.approx(
        metrics.calibration_error(right, probabilities.max(1))
    )


@given(
    st.integers(1, 12),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=30),
)
def test_every_image_is_in_one_bin(bins, adaptive, rows):
    labels, probabilities = np.transpose(rows)
    curve = metrics.reliability(labels, probabilities, bins=bins, adaptive=adaptive)
    assert (
        curve.counts.sum() == len(rows) and (curve.counts > 0).all() and len(curve.counts) <= bins
    )
    assert (curve.observed * curve.counts).sum() == pytest.approx(labels.sum())
    assert (curve.predicted * curve.counts).sum() == pytest.approx(probabilities.sum())
    assert 0 <= metrics.calibration_error(labels, probabilities, bins=bins, adaptive=adaptive) <= 1


def test_brier_and_log_loss_equal_scikit_learn():
    labels, probabilities, _ = overconfident(300)
    assert metrics.brier(labels, probabilities) == pytest.approx(
        sk.brier_score_loss(labels, probabilities)
    )
    assert metrics.log_loss(labels, probabilities) == pytest.approx(
        sk.log_loss(labels, probabilities)
    )
    labels, probabilities = three_classes()
    assert metrics.log_loss(labels, probabilities) == pytest.approx(
        sk.log_loss(labels, probabilities)
    )
    assert metrics.brier(labels, probabilities) == pytest.approx(
        np.mean(((probabilities - np.eye(3)[labels]) ** 2).sum(1))
    )


def test_temperature_undoes_overconfidence():
    labels, probabilities, true = overconfident()
    temperature = metrics.fit_temperature(labels, probabilities)
    assert temperature == pytest.approx(3, rel=0.1)
    calm = metrics.apply_temperature(probabilities, temperature)
    np.testing.assert_allclose(calm, true, atol=0.05)
    assert (
        metrics.calibration_error(labels, calm)
        < metrics.calibration_error(labels, probabilities) / 3
    )
    assert metrics.fit_temperature(labels, metrics.apply_temperature(true, 2)) == pytest.approx(
        0.5, rel=0.1
    )


def test_temperature_minimises_log_loss_of_the_logits():
    labels, probabilities = three_classes()
    logits = np.log(probabilities)
    best = optimize.minimize_scalar(
        lambda t: sk.log_loss(labels, softmax(logits / t)), bounds=(0.1, 20), method="bounded"
    ).x
    assert metrics.fit_temperature(labels, probabilities) == pytest.approx(best, rel=1e-3)
    np.testing.assert_allclose(metrics.apply_temperature(probabilities, 2.5), softmax(logits / 2.5))


def test_temperature_changes_no_order_and_one_is_no_change():
    _, probabilities = three_classes()
    for temperature in (0.3, 4.0):
        scaled = metrics.apply_temperature(probabilities, temperature)
        np.testing.assert_allclose(scaled.sum(1), 1)
        np.testing.assert_array_equal(scaled.argmax(1), probabilities.argmax(1))
    np.testing.assert_allclose(metrics.apply_temperature(probabilities, 1), probabilities)
    np.testing.assert_allclose(
        metrics.apply_temperature(probabilities[:, 0], 3),
        metrics.apply_temperature(np.stack([probabilities[:, 0], 1 - probabilities[:, 0]], 1), 3)[
            :, 0
        ],
    )


def test_certainties_are_survived():
    assert np.isfinite(metrics.fit_temperature([0, 1, 1, 0], [0.0, 1.0, 0.0, 0.2]))
    np.testing.assert_allclose(metrics.apply_temperature([0.0, 1.0], 1), [0, 1], atol=1e-9)
    assert np.isfinite(metrics.log_loss([1], [0.0]))


def test_inputs_are_checked():
    for function in (
        metrics.reliability,
        metrics.calibration_error,
        metrics.brier,
        metrics.log_loss,
        metrics.fit_temperature,
    ):
        with pytest.raises(ValueError, match="NaN or infinite values for 1 of 2 images"):
            function([0, 1], [0.2, np.nan])


def test_bins_and_temperatures_are_checked():
    with pytest.raises(ValueError, match="bins must be a whole number of at least 1"):
        metrics.calibration_error([0, 1], [0.2, 0.7], bins=0)
    with pytest.raises(ValueError, match="All 2 images have the same label"):
        metrics.fit_temperature([1, 1], [0.2, 0.7])
    with pytest.raises(ValueError, match="a number above 0"):
        metrics.apply_temperature([0.2], 0)
    with pytest.raises(ValueError, match="not from 0 to 1"):
        metrics.apply_temperature([0.2, 3], 2)
