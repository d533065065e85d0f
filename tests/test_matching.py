"""Features of two domains in one space: beside NumPy and POT, and what holds for every matcher."""

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression

from medlearn.adaptation import matching

CLASSES = {
    matching.standardise: matching.Standardise,
    matching.coral: matching.Coral,
    matching.subspace: matching.SubspaceAlignment,
    matching.transport: matching.OptimalTransport,
}
FUNCTIONS = list(CLASSES)


def domains(seed=0, columns=4, n=60, m=50):
    """Three classes in the source, and in a target that scales and moves every column."""
    random = np.random.default_rng(seed)
    centres = 4 * random.normal(size=(3, columns))
    source_labels, target_labels = np.arange(n) % 3, np.arange(m) % 3
    source = centres[source_labels] + random.normal(size=(n, columns))
    target = centres[target_labels] + random.normal(size=(m, columns))
    return source, source_labels, target * np.linspace(0.5, 2, columns) + 6, target_labels


@pytest.mark.parametrize("match", FUNCTIONS)
def test_a_moved_and_scaled_target_is_classified_again(match):
    source, source_labels, target, target_labels = domains()
    plain = LogisticRegression().fit(source, source_labels).score(target, target_labels)
    source, target = match(source, target)
    adapted = LogisticRegression().fit(source, source_labels).score(target, target_labels)
    assert plain < 0.7 < 0.9 < adapted


@pytest.mark.parametrize("match", FUNCTIONS)
def test_classes_and_functions_agree_keep_their_arguments_and_take_new_images(match):
    source, _, target, _ = domains()
    before = source.copy(), target.copy()
    matcher = CLASSES[match]().fit(source, target)
    matched = matcher.transform_source(source), matcher.transform_target(target)
    for actual, expected in zip(match(source, target), matched, strict=True):
        np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(source, before[0])
    np.testing.assert_array_equal(target, before[1])
    parts = [matcher.transform_target(target[:5]), matcher.transform_target(target[5:])]
    np.testing.assert_allclose(np.concatenate(parts), matched[1], atol=1e-9)
    new = matcher.transform_source(source[:7] + 1e-6)  # not among the vectors of the fit
    np.testing.assert_allclose(new, matched[0][:7], atol=1e-3)
    with pytest.raises(ValueError, match="call fit"):
        CLASSES[match]().transform_source(source)
    with pytest.raises(ValueError, match="was fitted to 4"):
        matcher.transform_source(source[:, :3])


def test_the_identity_changes_nothing():
    source, _, target, _ = domains()
    matched = matching.Identity().fit_transform(source.astype("float32"), target)
    assert matched[0].dtype == np.float32
    np.testing.assert_array_equal(matched[0], source.astype("float32"))
    np.testing.assert_array_equal(matched[1], target)


def test_standardise_has_mean_0_and_deviation_1_in_both():
    source, _, target, _ = domains()
    for matched in matching.standardise(source, target):
        np.testing.assert_allclose(matched.mean(0), 0, atol=1e-9)
        np.testing.assert_allclose(matched.std(0), 1)


def test_a_column_without_variance_becomes_0_and_not_nan():
    source, _, target, _ = domains()
    target[:, 1] = 7.0
    for match in FUNCTIONS:
        for matched in match(source, target):
            assert np.isfinite(matched).all()
    assert not matching.standardise(source, target)[1][:, 1].any()


@given(st.integers(0, 1000))
def test_coral_gives_the_source_the_covariance_of_the_target(seed):
    source, _, target, _ = domains(seed)
    matched, _ = matching.coral(source, target, strength=1e-9)
    expected = np.cov(target, rowvar=False)
    np.testing.assert_allclose(np.cov(matched, rowvar=False), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(matched.mean(0), target.mean(0))


def test_coral_is_the_algorithm_of_the_paper_with_its_ridge():
    source, _, target, _ = domains()
    ridge = 0.3 * (source.var(0).mean() + target.var(0).mean()) / 2 * np.eye(4)
    whitening = np.linalg.inv(sqrtm(np.cov(source, rowvar=False) + ridge).real)
    recolouring = sqrtm(np.cov(target, rowvar=False) + ridge).real
    expected = (source - source.mean(0)) @ whitening @ recolouring + target.mean(0)
    matched, _ = matching.coral(source, target, strength=0.3)
    np.testing.assert_allclose(matched, expected, rtol=1e-6, atol=1e-6)


def test_subspace_alignment_of_a_domain_with_itself_and_its_dimensions():
    source, _, _, _ = domains(columns=3)
    matched, target = matching.subspace(source, source, dimensions=3)
    np.testing.assert_allclose(matched, target, atol=1e-9)
    assert matching.subspace(source, source, dimensions=2)[0].shape == (60, 2)
    assert matching.subspace(source, source[:2], dimensions=20)[0].shape == (60, 2)


def test_transport_is_pots():
    source, _, target, _ = domains()
    cost = ot.dist(source, target)
    plan = ot.emd(ot.unif(60), ot.unif(50), cost / cost.max())
    exact, _ = matching.transport(source, target, entropy=0)
    np.testing.assert_allclose(exact, 60 * plan @ target, rtol=1e-5, atol=1e-6)
    soft, _ = matching.transport(source, target, entropy=0.5)
    spread = [np.linalg.norm(x - target.mean(0), axis=1).mean() for x in (soft, exact)]
    assert spread[0] < spread[1]


def test_options_out_of_range_are_refused():
    cases = [
        (matching.coral, {"strength": 0}, "strength=0 is added"),
        (matching.subspace, {"dimensions": 0}, "dimensions=0"),
        (matching.transport, {"entropy": -1}, "entropy=-1"),
    ]
    for match, options, message in cases:
        source, _, target, _ = domains()
        with pytest.raises(ValueError, match=message):
            match(source, target, **options)


def test_targets_that_cannot_be_matched_are_refused():
    source, _, target, _ = domains()
    cases = (target[:1], "at least 2"), (target[:, :3], "same layer"), (target * np.inf, "infinite")
    for match in FUNCTIONS:
        for spoiled, message in cases:
            with pytest.raises(ValueError, match=message):
                match(source, spoiled)
