"""Distances against NumPy and scikit-learn, and the layers that minimise them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel

from medlearn.adaptation import distances

SEEDS = st.integers(0, 10_000)


def batches(seed=0, shift=0.0, n=30, m=20, width=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, width)), random.normal(size=(m, width)) + shift


@given(SEEDS)
def test_coral_is_the_formula_of_the_paper(seed):
    source, target = batches(seed)
    expected = np.linalg.norm(
        np.cov(source, rowvar=False) - np.cov(target, rowvar=False), "fro"
    ) ** 2 / (4 * 5**2)
    np.testing.assert_allclose(float(distances.coral_distance(source, target)), expected, rtol=1e-4)


@given(SEEDS)
def test_mmd_is_a_mean_of_scikit_learns_kernels(seed):
    source, target = batches(seed, shift=0.5)
    both = np.concatenate([source, target])
    scale = ((both[:, None] - both[None]) ** 2).sum(-1).mean()
    expected = 0
    for width in (0.25, 0.5, 1, 2, 4):
        kernel = [
            rbf_kernel(a, b, 1 / (width * scale)).mean()
            for a, b in ((source, source), (target, target), (source, target))
        ]
        expected += (kernel[0] + kernel[1] - 2 * kernel[2]) / 5
    np.testing.assert_allclose(float(distances.mmd(source, target)), expected, rtol=1e-3, atol=1e-6)


def confusion_by_loops(told):
    """Minimum class confusion in the words of the paper, element by element."""
    entropy = [-sum(p * np.log(p) for p in row) for row in told]
    weights = [(1 + np.exp(-h)) for h in entropy]
    weights = [len(told) * w / sum(weights) for w in weights]
    classes = len(told[0])
    confused = [
        [sum(w * row[i] * row[j] for w, row in zip(weights, told)) for j in range(classes)]
        for i in range(classes)
    ]
    return (
        sum(
            confused[i][j] / sum(confused[i])
            for i in range(classes)
            for j in range(classes)
            if i != j
        )
        / classes
    )


def test_class_confusion_by_hand():
    told = np.random.default_rng(1).dirichlet([1, 1, 1], 12)
    np.testing.assert_allclose(
        float(distances.class_confusion(None, told)), confusion_by_loops(told), rtol=1e-4
    )
    assert float(distances.class_confusion(None, np.eye(3)[[0, 1, 2, 0]])) == pytest.approx(
        0, abs=1e-5
    )


@pytest.mark.parametrize("distance", [distances.coral_distance, distances.mmd])
def test_equal_batches_have_no_distance_and_far_ones_more(distance):
    source, _ = batches()
    assert float(distance(source, source)) == pytest.approx(0, abs=1e-6)
    scaled = [float(distance(source, factor * source + factor)) for factor in (1.5, 3.0)]
    assert 0 < scaled[0] < scaled[1]


def test_domains_that_are_alike_and_domains_that_are_not():
    source, target = batches(n=200, m=150)
    assert abs(distances.proxy_a_distance(source, target)) < 0.5
    assert distances.proxy_a_distance(source, target + 5) == pytest.approx(2)
    assert distances.proxy_a_distance(source, target, seed=1) != distances.proxy_a_distance(
        source, target, seed=2
    )


def test_the_same_patients_at_both_hospitals_are_kept_on_one_side():
    """Each patient has a look of his own, and the domains differ in nothing: only patients in common folds could tell."""
    random = np.random.default_rng(0)
    people = np.repeat(np.arange(30), 4)
    looks = 5 * random.normal(size=(30, 40))
    source, target = (looks[people] + random.normal(size=(120, 40)) for _ in range(2))
    ids = people.astype(str)
    assert (
        distances.proxy_a_distance(source, target, source_patients=ids, target_patients=ids) < 0.4
    )
    with pytest.raises(ValueError, match="patients of both domains"):
        distances.proxy_a_distance(source, target, source_patients=ids)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (np.zeros((9, 3)), np.zeros((9, 4)), "3 columns, target vectors 4"),
        (np.zeros((9, 3)), np.zeros((0, 3)), r"target has 0 image\(s\)"),
        (np.zeros((9, 3)), np.zeros((1, 3)), r"target has 1 image\(s\)"),
        (np.zeros((9, 3)), np.full((9, 3), np.nan), "9 of 9 target vectors hold NaN"),
        (np.zeros(9), np.zeros((9, 3)), "one vector an image"),
    ],
)
def test_what_cannot_be_compared_is_refused(source, target, message):
    with pytest.raises(ValueError, match=message):
        distances.proxy_a_distance(source, target)
