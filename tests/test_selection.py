"""Scores without training beside brute force, textbook formulas, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import kendalltau, multivariate_normal, ortho_group, spearmanr, weightedtau
from sklearn.covariance import LedoitWolf
from sklearn.metrics import mutual_info_score

from medlearn import selection
from medlearn.selection import _correlations

SEEDS = st.integers(0, 10_000)


def problem(seed=0, count=40, columns=7, classes=3, signal=1.0):
    """Features (count, columns) whose first column holds a little of the labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    features = random.normal(size=(count, columns))
    features[:, 0] += signal * labels
    return features, labels


def guesses(seed=0, count=60, source=8, classes=3):
    """Probabilities of source classes (count, source) that lean towards the label."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    raw = random.gamma(0.5, size=(count, source)) + 1e-6
    raw[np.arange(count), labels] += random.random(count)
    return raw / raw.sum(1, keepdims=True), labels


def nce(probabilities, labels):
    return selection.nce(probabilities.argmax(1), labels)


ON_FEATURES = [selection.logme, selection.h_score]
EVERY_SCORE = [*ON_FEATURES, selection.leep, nce]

# ---- LogME -------------------------------------------------------------------------------------


def brute_evidence(features, target):
    """The largest log density of a target under N(0, F F' / alpha + I / beta), by an optimiser."""
    count = len(target)

    def negative(logs):
        covariance = np.exp(logs[0]) * features @ features.T + np.exp(logs[1]) * np.eye(count)
        return -multivariate_normal(np.zeros(count), covariance).logpdf(target)

    options = {"xatol": 1e-6, "fatol": 1e-9}
    starts = [(0, 0), (-4, -1), (3, -3), (-12, -1)]
    fits = [minimize(negative, x, method="Nelder-Mead", options=options) for x in starts]
    return -min(fit.fun for fit in fits)


@pytest.mark.parametrize("count, columns, signal", [(24, 7, 1.0), (20, 30, 1.0), (24, 3, 0.0)])
def test_logme_is_the_largest_marginal_likelihood(count, columns, signal):
    features, labels = problem(1, count, columns, signal=signal)
    targets = [(labels == label) * 1.0 for label in range(3)]
    expected = np.mean([brute_evidence(features, target) for target in targets]) / count
    assert selection.logme(features, labels) == pytest.approx(expected, abs=1e-5)


def test_logme_with_mackays_fixed_point():
    """The published algorithm: update alpha and beta by the effective number of parameters."""
    features, labels = problem(2, 80, 12)
    values, vectors = np.linalg.eigh(features.T @ features)
    evidences = []
    for label in range(3):
        target, alpha, beta = (labels == label) * 1.0, 1.0, 1.0
        for _ in range(500):
            inverse = (vectors / (alpha + beta * values)) @ vectors.T
            mean = beta * inverse @ features.T @ target
            effective = (beta * values / (alpha + beta * values)).sum()
            error = ((features @ mean - target) ** 2).sum()
            alpha, beta = effective / (mean @ mean), (80 - effective) / error
        logs = 12 * np.log(alpha) + 80 * np.log(beta / (2 * np.pi))
        logs -= np.log(alpha + beta * values).sum()
        evidences.append(0.5 * (logs - beta * error - alpha * mean @ mean) / 80)
    assert selection.logme(features, labels) == pytest.approx(np.mean(evidences), abs=1e-6)


def test_logme_of_useless_features_is_that_of_noise_and_width_does_not_help():
    labels = np.arange(30) % 3
    noise = -0.5 * (np.log(2 * np.pi / 3) + 1)  # each class is a third: mean square 1 / 3
    assert selection.logme(np.zeros((30, 4)), labels) == pytest.approx(noise, abs=1e-9)
    features, labels = problem(3, 60, 10)
    wide = np.hstack([features, np.random.default_rng(4).normal(size=(60, 300))])
    assert selection.logme(wide, labels) < selection.logme(features, labels)


# ---- H-score -----------------------------------------------------------------------------------


def trace_formula(covariance, features, labels, share=1.0):
    means = np.stack([features[labels == label].mean(0) for label in labels])
    between = share * np.cov(means.T, bias=True)
    return np.trace(np.linalg.pinv(covariance, hermitian=True) @ between)


@pytest.mark.parametrize("count, columns", [(40, 7), (30, 50)])
def test_h_score_is_the_trace_formula(count, columns):
    features, labels = problem(6, count, columns)
    fit = LedoitWolf().fit(features)
    expected = trace_formula(fit.covariance_, features, labels, 1 - fit.shrinkage_)
    assert selection.h_score(features, labels) == pytest.approx(expected)
    assert selection.h_score(features, labels, shrinkage=fit.shrinkage_) == pytest.approx(expected)
    assert selection.h_score(features, labels, shrinkage=1) == pytest.approx(0)
    if count > columns:
        expected = trace_formula(np.cov(features.T, bias=True), features, labels)
        assert selection.h_score(features, labels, shrinkage=0) == pytest.approx(expected)


@given(SEEDS)
def test_original_h_score_reaches_its_maximum_on_wide_features_and_forgets_linear_maps(seed):
    features, labels = problem(seed, 20, 30, signal=0)
    assert selection.h_score(features, labels, shrinkage=0) == pytest.approx(2)
    assert selection.h_score(features, labels) < 1.9
    features, labels = problem(seed)
    mixed = features @ np.random.default_rng(seed).normal(size=(7, 7)) + 3
    expected = selection.h_score(features, labels, shrinkage=0)
    assert selection.h_score(mixed, labels, shrinkage=0) == pytest.approx(expected, rel=1e-4)


def test_constant_features_have_the_h_score_0_and_shrinkage_is_a_share():
    features, labels = np.ones((10, 3)), np.arange(10) % 2
    assert selection.h_score(features, labels) == 0
    with pytest.raises(ValueError, match="share from 0 to 1"):
        selection.h_score(features, labels, shrinkage=1.1)


# ---- LEEP and NCE ------------------------------------------------------------------------------


def leep_in_loops(probabilities, labels):
    count, source = probabilities.shape
    joint = np.zeros((3, source))
    for row, label in zip(probabilities, labels, strict=True):
        joint[label] += row / count
    total = 0.0
    for row, label in zip(probabilities, labels, strict=True):
        expected = 0.0
        for z in range(source):
            marginal = joint[:, z].sum()
            expected += row[z] * joint[label, z] / marginal if marginal else 0
        total += np.log(expected)
    return total / count


def test_leep_in_loops_with_a_source_class_that_is_never_predicted():
    probabilities, labels = guesses()
    probabilities[:, 5] = 0
    probabilities /= probabilities.sum(1, keepdims=True)
    expected = leep_in_loops(probabilities, labels)
    assert selection.leep(probabilities, labels) == pytest.approx(expected)


@given(SEEDS)
def test_nce_is_mutual_information_less_entropy_and_bounds_leep(seed):
    """Property 1 of Nguyen et al. 2020, and LEEP of a certain network is NCE."""
    probabilities, labels = guesses(seed)
    source = probabilities.argmax(1)
    expected = mutual_info_score(source, labels) - mutual_info_score(labels, labels)
    assert selection.nce(source, labels) == pytest.approx(expected, abs=1e-9)
    assert selection.leep(np.eye(8)[source], labels) == pytest.approx(expected)
    bound = expected + np.log(probabilities.max(1)).mean()
    assert bound - 1e-12 <= selection.leep(probabilities, labels) <= 0


# ---- what must not matter, and what must -------------------------------------------------------


@pytest.mark.parametrize("score", ON_FEATURES)
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_rotation_scale_and_order_do_not_matter(score, seed, scale):
    features, labels = problem(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    rotated = scale * features @ ortho_group.rvs(7, random_state=seed)
    expected = score(features, labels)
    assert score(rotated[order], labels[order]) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("score", EVERY_SCORE)
def test_names_of_classes_do_not_matter_true_labels_do_and_arguments_stay(score):
    data, labels = guesses(1, 200)
    before = data.copy()
    names = np.array([7, 0, 3])  # permuted, and with gaps
    assert score(data, names[labels]) == pytest.approx(score(data, labels))
    shuffled = np.random.default_rng(0).permutation(labels)
    assert score(data, labels) > score(data, shuffled)
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize("score", ON_FEATURES)
def test_more_signal_scores_higher(score):
    values = [score(*problem(9, signal=signal)) for signal in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values)


# ---- rank correlations -------------------------------------------------------------------------

PAIRS = [
    (_correlations.weighted_tau, weightedtau),
    (_correlations.kendall, kendalltau),
    (_correlations.spearman, spearmanr),
]


@given(SEEDS, st.integers(3, 60), st.integers(2, 15))
def test_each_row_is_scipys_correlation_with_ties_too(seed, count, levels):
    random = np.random.default_rng(seed)
    x, y = random.integers(levels, size=(2, 4, count)).astype(float)
    x[0], y[1] = 1, random.normal(size=count)  # all values tied, and no ties
    for correlation, reference in PAIRS:
        values = correlation(x, y)
        assert values.shape == (4,) and np.isnan(values[0])
        for row in (1, 2, 3):
            if np.ptp(x[row]) and np.ptp(y[row]):
                expected = reference(x[row], y[row]).statistic
                assert values[row] == pytest.approx(expected, abs=1e-12)


def test_rows_beyond_one_block_are_the_same_rows(monkeypatch):
    x, y = np.random.default_rng(0).integers(5, size=(2, 50, 10)).astype(float)
    whole = _correlations.weighted_tau(x, y)
    monkeypatch.setattr(_correlations, "_COMPARISONS_AT_ONCE", 300)
    np.testing.assert_array_equal(_correlations.weighted_tau(x, y), whole)


# ---- agreement ---------------------------------------------------------------------------------


def test_agreement_of_equal_opposite_and_random_rankings():
    ranks = np.arange(10.0)
    assert selection.agreement(ranks, 2 * ranks) == pytest.approx((1, 1, 1))
    assert selection.agreement(ranks, -ranks, correlation="Spearman") == pytest.approx((-1, -1, -1))
    scores, performance = np.random.default_rng(0).normal(size=(2, 12))
    interval = selection.agreement(scores, performance, correlation="Kendall")
    assert interval.value == pytest.approx(kendalltau(scores, performance).statistic)
    assert -1 <= interval.low <= interval.value <= interval.high <= 1


def test_agreement_averages_repeats_and_resamples_them():
    ranks = np.arange(8.0)
    columns = ranks[:, None] + np.random.default_rng(0).normal(scale=3, size=(8, 5))
    repeated = selection.agreement(ranks, columns)
    averaged = selection.agreement(ranks, columns.mean(1))
    assert repeated.value == averaged.value and repeated != averaged


def test_level_and_seed_of_agreement_matter():
    scores, performance = np.random.default_rng(1).normal(size=(2, 12))
    wide, narrow = (selection.agreement(scores, performance, level=level) for level in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high
    first, second = (
        selection.agreement(scores, performance, repeats=50, seed=seed) for seed in (1, 2)
    )
    assert first != second


# ---- what does not fit -------------------------------------------------------------------------

FEATURES, LABELS = problem()


def test_features_and_labels_that_do_not_fit_are_refused():
    cases = [
        (np.where(np.arange(40)[:, None] == 3, np.nan, FEATURES), LABELS, "1 of 40"),
        (FEATURES[:0], LABELS[:0], "whole number"),
        (FEATURES[:30], LABELS, "30 features, 40 labels"),
        (FEATURES, np.zeros(40, int), "one class"),
        (FEATURES, LABELS * 1.0, "float64"),
        (FEATURES, np.eye(3, dtype=int)[LABELS], r"shape \(40, 3\)"),
    ]
    for features, labels, message in cases:
        for score in ON_FEATURES:
            with pytest.raises(ValueError, match=message):
                score(features, labels)


def test_leep_takes_probabilities_and_nce_takes_classes():
    probabilities, labels = guesses()
    for spoiled in (probabilities * 2, np.log(probabilities), probabilities - 0.5):
        with pytest.raises(ValueError, match="head=True"):
            selection.leep(spoiled, labels)
    with pytest.raises(ValueError, match="source_labels should be one whole number"):
        selection.nce(probabilities, labels)
    with pytest.raises(ValueError, match="60 labels"):
        selection.nce(probabilities.argmax(1)[:50], labels)


def test_agreement_refuses_what_does_not_fit():
    cases = [
        ([1, 2], [1, 2], {}, "at least three"),
        ([1, 2, 3], [1, 2], {}, r"\(3,\) and \(2,\)"),
        ([1, 2, np.nan], [1, 2, 3], {}, "finite"),
        ([1, 2, 3], [1, 2, 3], {"correlation": "spearmann"}, "Spearman"),
        ([1, 2, 3], [1, 2, 3], {"level": 95}, "level"),
    ]
    for scores, performance, options, message in cases:
        with pytest.raises(ValueError, match=message):
            selection.agreement(scores, performance, **options)
