"""Distances beside NumPy and scikit-learn; the gradient of class confusion by differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel

from medlearn._keras import tf
from medlearn.adaptation import distances

SEEDS = st.integers(0, 10_000)


def batches(seed=0, shift=0.0, n=30, m=20, columns=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, columns)), random.normal(size=(m, columns)) + shift


@given(SEEDS)
def test_coral_distance_is_the_formula_of_the_paper(seed):
    source, target = batches(seed)
    difference = np.cov(source, rowvar=False) - np.cov(target, rowvar=False)
    expected = np.linalg.norm(difference, "fro") ** 2 / (4 * 5**2)
    np.testing.assert_allclose(float(distances.coral_distance(source, target)), expected, rtol=1e-4)


@given(SEEDS)
def test_mmd_is_a_mean_of_scikit_learns_kernels(seed):
    source, target = batches(seed, shift=0.5)
    both = np.concatenate([source, target])
    scale = ((both[:, None] - both[None]) ** 2).sum(-1).mean()
    expected = 0
    for width in (0.25, 0.5, 1, 2, 4):
        gamma = 1 / (width * scale)
        within = rbf_kernel(source, source, gamma).mean() + rbf_kernel(target, target, gamma).mean()
        expected += (within - 2 * rbf_kernel(source, target, gamma).mean()) / 5
    np.testing.assert_allclose(float(distances.mmd(source, target)), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("distance", [distances.coral_distance, distances.mmd])
def test_equal_batches_have_no_distance_and_far_ones_more(distance):
    source, _ = batches()
    assert float(distance(source, source)) == pytest.approx(0, abs=1e-6)
    near, far = (float(distance(source, factor * source + factor)) for factor in (1.5, 3.0))
    assert 0 < near < far


# ---- class confusion ---------------------------------------------------------------------------


def certainty_weights(probabilities):
    entropy = -(probabilities * np.log(probabilities)).sum(1)
    weights = 1 + np.exp(-entropy)
    return len(probabilities) * weights / weights.sum()


def confusion_by_loops(probabilities, weights):
    """Class confusion in the words of the paper, element by element."""
    classes = range(probabilities.shape[1])
    total = 0.0
    for i in classes:
        row = [(weights * probabilities[:, i] * probabilities[:, j]).sum() for j in classes]
        total += sum(row[j] / sum(row) for j in classes if j != i)
    return total / len(classes)


def differences(function, point, step=1e-6):
    """The gradient of a function at a point, by central differences."""
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        move = np.zeros_like(point)
        move[index] = step
        gradient[index] = (function(point + move) - function(point - move)) / (2 * step)
    return gradient


def test_class_confusion_by_loops():
    probabilities = np.random.default_rng(1).dirichlet([1, 1, 1], 12)
    expected = confusion_by_loops(probabilities, certainty_weights(probabilities))
    actual = float(distances.class_confusion(None, probabilities))
    np.testing.assert_allclose(actual, expected, rtol=1e-4)
    certain = np.eye(3)[[0, 1, 2, 0]]
    assert float(distances.class_confusion(None, certain)) == pytest.approx(0, abs=1e-5)


def test_the_gradient_of_class_confusion_holds_the_weights_fixed():
    probabilities = np.random.default_rng(2).dirichlet([1, 1, 1], 7)
    inputs = tf.constant(probabilities)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = distances.class_confusion(None, inputs)
    gradient = tape.gradient(loss, inputs).numpy()
    fixed = certainty_weights(probabilities)
    expected = differences(lambda point: confusion_by_loops(point, fixed), probabilities)
    moving = differences(
        lambda point: confusion_by_loops(point, certainty_weights(point)), probabilities
    )
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
    assert np.abs(gradient - moving).max() > 1e-3  # so the test tells the two apart


# ---- proxy A-distance --------------------------------------------------------------------------


def test_domains_that_are_alike_and_domains_that_are_not():
    source, target = batches(n=200, m=150)
    distance = distances.proxy_a_distance(source, target)
    assert abs(distance) < 0.5
    assert distances.proxy_a_distance(source, target + 5) == pytest.approx(2)
    assert distances.proxy_a_distance(source, target, seed=1) != distance


def test_patients_of_both_domains_are_kept_on_one_side_of_a_fold():
    """Only patients differ, not the domains: without folds by patient they would be recognised."""
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 4)
    means = 5 * random.normal(size=(30, 40))
    source, target = (means[patients] + random.normal(size=(120, 40)) for _ in range(2))
    distance = distances.proxy_a_distance(
        source, target, source_patients=patients, target_patients=patients
    )
    assert distance < 0.4
    with pytest.raises(ValueError, match="patients of both domains"):
        distances.proxy_a_distance(source, target, source_patients=patients)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (np.zeros((9, 3)), np.zeros((9, 4)), "3 columns, target features 4"),
        (np.zeros((9, 3)), np.zeros((4, 3)), r"target has 4 image\(s\)"),
        (np.zeros((9, 3)), np.full((9, 3), np.nan), "target features hold NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(source, target, message):
    with pytest.raises(ValueError, match=message):
        distances.proxy_a_distance(source, target)
