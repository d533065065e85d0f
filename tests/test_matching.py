"""Vectors of two hospitals in one space: against NumPy, POT and what must hold for any of them."""

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression

from medlearn.adaptation import matching

ALL = [matching.standardise, matching.coral, matching.subspace, matching.transport]


def domains(seed=0, width=4, n=60, m=50):
    """Three classes at the source, and at a target that scales and moves every column."""
    random = np.random.default_rng(seed)
    centres = 4 * random.normal(size=(3, width))
    source_labels, target_labels = np.arange(n) % 3, np.arange(m) % 3
    source = centres[source_labels] + random.normal(size=(n, width))
    target = centres[target_labels] + random.normal(size=(m, width))
    return source, source_labels, target * np.linspace(0.5, 2, width) + 6, target_labels


@pytest.mark.parametrize("match", ALL)
def test_a_moved_and_scaled_target_is_read_again(match):
    source, source_labels, target, target_labels = domains()
    plain = LogisticRegression().fit(source, source_labels).score(target, target_labels)
    moved, bring = match(source, target)
    adapted = LogisticRegression().fit(moved, source_labels).score(bring(target), target_labels)
    assert plain < 0.7 < 0.9 < adapted


@pytest.mark.parametrize("match", ALL)
def test_new_target_images_are_brought_one_by_one_as_all_together(match):
    source, _, target, _ = domains()
    _, bring = match(source, target[:40])
    np.testing.assert_allclose(
        np.concatenate([bring(target[40:45]), bring(target[45:])]), bring(target[40:]), atol=1e-9
    )


@pytest.mark.parametrize("match", ALL)
def test_nothing_given_is_changed_and_the_result_is_the_same_again(match):
    source, _, target, _ = domains()
    before = source.copy(), target.copy()
    first, second = match(source, target)[0], match(source, target)[0]
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(source, before[0])
    np.testing.assert_array_equal(target, before[1])


def test_standardise_has_mean_0_and_deviation_1_in_both():
    source, _, target, _ = domains()
    moved, bring = matching.standardise(source, target)
    for each in (moved, bring(target)):
        np.testing.assert_allclose(each.mean(0), 0, atol=1e-9)
        np.testing.assert_allclose(each.std(0), 1)


def test_a_column_without_variance_becomes_nothing_and_not_nan():
    source, _, target, _ = domains()
    target[:, 1] = 7.0
    for match in ALL:
        moved, bring = match(source, target)
        assert np.isfinite(moved).all() and np.isfinite(bring(target)).all()
    assert not matching.standardise(source, target)[1](target)[:, 1].any()


@given(st.integers(0, 1000))
def test_coral_gives_the_source_the_targets_covariance(seed):
    source, _, target, _ = domains(seed)
    moved, _ = matching.coral(source, target, strength=1e-9)
    np.testing.assert_allclose(
        np.cov(moved, rowvar=False), np.cov(target, rowvar=False), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(moved.mean(0), target.mean(0))


def test_coral_is_the_algorithm_of_the_paper_with_its_ridge():
    source, _, target, _ = domains()
    ridge = 0.3 * (source.var(0).mean() + target.var(0).mean()) / 2 * np.eye(4)
    whiten = np.linalg.inv(sqrtm(np.cov(source, rowvar=False) + ridge).real)
    expected = (source - source.mean(0)) @ whiten @ sqrtm(
        np.cov(target, rowvar=False) + ridge
    ).real + target.mean(0)
    np.testing.assert_allclose(
        matching.coral(source, target, strength=0.3)[0], expected, rtol=1e-6, atol=1e-6
    )


def test_all_dimensions_of_a_turned_target_are_turned_back():
    """With every axis kept, subspace alignment of a rotated copy finds the copy, up to the sign of axes."""
    source, _, _, _ = domains(width=3)
    moved, bring = matching.subspace(source, source, dimensions=3)
    np.testing.assert_allclose(moved, bring(source), atol=1e-9)
    assert matching.subspace(source, source, dimensions=2)[0].shape == (60, 2)
    assert matching.subspace(source, source[:2], dimensions=20)[0].shape == (60, 2)


def test_transport_is_pots():
    source, _, target, _ = domains()
    cost = ot.dist(source, target)
    exact = ot.emd(ot.unif(60), ot.unif(50), cost / cost.max())
    np.testing.assert_allclose(
        matching.transport(source, target, entropy=0)[0], 60 * exact @ target, rtol=1e-5, atol=1e-6
    )
    soft = matching.transport(source, target, entropy=0.5)[0]
    assert (
        np.linalg.norm(soft - target.mean(0), axis=1).mean()
        < np.linalg.norm(60 * exact @ target - target.mean(0), axis=1).mean()
    )


@pytest.mark.parametrize(
    ("match", "options", "message"),
    [
        (matching.coral, {"strength": 0}, "strength=0 is added"),
        (matching.subspace, {"dimensions": 0}, "dimensions=0"),
        (matching.transport, {"entropy": -1}, "entropy=-1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(match, options, message):
    source, _, target, _ = domains()
    with pytest.raises(ValueError, match=message):
        match(source, target, **options)


@pytest.mark.parametrize("match", ALL)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.zeros((0, 4)), "at least 2"),
        (np.zeros((1, 4)), "at least 2"),
        (np.zeros((9, 5)), "5: take both from the same layer"),
        (np.full((9, 4), np.inf), "NaN or infinite"),
    ],
)
def test_targets_that_cannot_be_matched_are_refused(match, target, message):
    with pytest.raises(ValueError, match=message):
        match(domains()[0], target)
