"""Scores without training held to brute force, to textbook formulas in loops, and to what must not change them."""

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
ON_FEATURES = [selection.logme, selection.h_score]
ON_PROBABILITIES = [
    selection.leep,
    lambda probabilities, labels: selection.nce(probabilities.argmax(1), labels),
]


def problem(seed=0, count=40, width=7, classes=3, signal=1.0):
    """Features (count, width) whose first columns know a little of the labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    features = random.normal(size=(count, width))
    features[:, 0] += signal * labels
    return features, labels


def guesses(seed=0, count=60, source=8, classes=3):
    """Probabilities of source classes (count, source) that lean towards the label."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    raw = random.gamma(0.5, size=(count, source)) + 1e-6
    raw[np.arange(count), labels] += random.random(count)
    return raw / raw.sum(1, keepdims=True), labels


# ---- LogME ---------------------------------------------------------------------------------------------------


def brute_evidence(features, target):
    """The largest log density of the target under N(0, F F' / alpha + I / beta), by a general optimiser."""
    count = len(target)

    def minus(logs):
        covariance = np.exp(logs[0]) * features @ features.T + np.exp(logs[1]) * np.eye(count)
        return -multivariate_normal(np.zeros(count), covariance).logpdf(target)

    starts = [(0, 0), (-4, -1), (3, -3), (-12, -1)]
    return -min(
        minimize(minus, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).fun
        for start in starts
    )


@pytest.mark.parametrize(
    "count, width, signal", [(40, 7, 1.0), (30, 50, 1.0), (24, 24, 2.0), (40, 3, 0.0)]
)
def test_logme_is_the_largest_marginal_likelihood(count, width, signal):
    features, labels = problem(1, count, width, signal=signal)
    expected = (
        np.mean([brute_evidence(features, (labels == value) * 1.0) for value in range(3)]) / count
    )
    assert selection.logme(features, labels) == pytest.approx(expected, abs=1e-5)


def test_logme_with_mackays_fixed_point():
    """The published algorithm: update alpha and beta from the effective number of parameters until they stand still."""
    features, labels = problem(2, 80, 12)
    values, vectors = np.linalg.eigh(features.T @ features)
    evidences = []
    for value in range(3):
        target, alpha, beta = (labels == value) * 1.0, 1.0, 1.0
        for _ in range(500):
            inverse = (vectors / (alpha + beta * values)) @ vectors.T
            mean = beta * inverse @ features.T @ target
            used = (beta * values / (alpha + beta * values)).sum()
            error = ((features @ mean - target) ** 2).sum()
            alpha, beta = used / (mean @ mean), (80 - used) / error
        logs = (
            12 * np.log(alpha)
            + 80 * np.log(beta)
            - 80 * np.log(2 * np.pi)
            - np.log(alpha + beta * values).sum()
        )
        evidences.append(0.5 * (logs - beta * error - alpha * mean @ mean) / 80)
    assert selection.logme(features, labels) == pytest.approx(np.mean(evidences), abs=1e-6)


def test_logme_of_useless_features_is_that_of_noise_alone():
    labels = np.arange(30) % 3
    noise = -0.5 * (np.log(2 * np.pi / 3) + 1)  # each class is a third: mean square 1 / 3
    assert selection.logme(np.zeros((30, 4)), labels) == pytest.approx(noise, abs=1e-9)


def test_logme_is_not_fooled_by_width():
    features, labels = problem(3, 60, 10)
    noise = np.random.default_rng(4).normal(size=(60, 300))
    assert selection.logme(np.hstack([features, noise]), labels) < selection.logme(features, labels)


# ---- H-score ---------------------------------------------------------------------------------------------------


def trace_formula(covariance, features, labels, share=1.0):
    means = np.stack([features[labels == value].mean(0) for value in labels])
    return np.trace(
        np.linalg.pinv(covariance, hermitian=True) @ (share * np.cov(means.T, bias=True))
    )


@pytest.mark.parametrize("count, width", [(40, 7), (200, 30)])
def test_h_score_is_the_trace_formula(count, width):
    features, labels = problem(5, count, width)
    expected = trace_formula(np.cov(features.T, bias=True), features, labels)
    assert selection.h_score(features, labels, shrinkage=0) == pytest.approx(expected)


@pytest.mark.parametrize("count, width", [(40, 7), (30, 50)])
def test_shrunk_h_score_is_the_trace_formula_with_ledoit_wolf(count, width):
    features, labels = problem(6, count, width)
    fit = LedoitWolf().fit(features)
    expected = trace_formula(fit.covariance_, features, labels, 1 - fit.shrinkage_)
    assert selection.h_score(features, labels) == pytest.approx(expected)
    assert selection.h_score(features, labels, shrinkage=fit.shrinkage_) == pytest.approx(expected)


def test_full_shrinkage_leaves_nothing():
    assert selection.h_score(*problem(), shrinkage=1) == pytest.approx(0)


@given(SEEDS)
def test_original_h_score_reaches_its_maximum_on_any_features_wider_than_the_data(seed):
    features, labels = problem(seed, 20, 30, signal=0)
    assert selection.h_score(features, labels, shrinkage=0) == pytest.approx(2)
    assert selection.h_score(features, labels) < 1.9


@given(SEEDS)
def test_original_h_score_forgets_any_linear_map(seed):
    features, labels = problem(seed)
    mixed = features @ np.random.default_rng(seed).normal(size=(7, 7)) + 3
    expected = selection.h_score(features, labels, shrinkage=0)
    assert selection.h_score(mixed, labels, shrinkage=0) == pytest.approx(expected, rel=1e-4)


def test_constant_features_have_no_h_score():
    assert selection.h_score(np.ones((10, 3)), np.arange(10) % 2) == 0


# ---- LEEP and NCE ----------------------------------------------------------------------------------------------


def leep_in_loops(probabilities, labels):
    count, source = probabilities.shape
    joint = {}
    for row, label in zip(probabilities, labels):
        for z in range(source):
            joint[label, z] = joint.get((label, z), 0) + row[z] / count
    total = 0.0
    for row, label in zip(probabilities, labels):
        expected = 0.0
        for z in range(source):
            marginal = sum(joint[other, z] for other in set(labels))
            expected += row[z] * joint[label, z] / marginal if marginal else 0
        total += np.log(expected)
    return total / count


def test_leep_in_loops():
    probabilities, labels = guesses()
    probabilities[:, 5] = 0  # a source class that is never thought of
    probabilities /= probabilities.sum(1, keepdims=True)
    assert selection.leep(probabilities, labels) == pytest.approx(
        leep_in_loops(probabilities, labels.tolist())
    )


@given(SEEDS)
def test_nce_is_mutual_information_less_the_labels_entropy(seed):
    probabilities, labels = guesses(seed)
    source = probabilities.argmax(1)
    entropy = mutual_info_score(labels, labels)
    assert selection.nce(source, labels) == pytest.approx(
        mutual_info_score(source, labels) - entropy, abs=1e-9
    )


@given(SEEDS)
def test_leep_is_nce_when_the_network_is_certain(seed):
    probabilities, labels = guesses(seed)
    certain = np.eye(8)[probabilities.argmax(1)]
    assert selection.leep(certain, labels) == pytest.approx(
        selection.nce(certain.argmax(1), labels)
    )


@given(SEEDS)
def test_leep_is_bounded_by_nce_and_confidence(seed):
    """Property 1 of Nguyen et al. 2020."""
    probabilities, labels = guesses(seed)
    bound = selection.nce(probabilities.argmax(1), labels) + np.log(probabilities.max(1)).mean()
    assert bound - 1e-12 <= selection.leep(probabilities, labels) <= 0


# ---- what must not matter, and what must -------------------------------------------------------------------------


@pytest.mark.parametrize("score", ON_FEATURES)
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_rotation_scale_and_order_do_not_matter(score, seed, scale):
    features, labels = problem(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    turned = scale * features @ ortho_group.rvs(7, random_state=seed)
    assert score(turned[order], labels[order]) == pytest.approx(
        score(features, labels), rel=1e-6, abs=1e-8
    )


@pytest.mark.parametrize("score", [*ON_FEATURES, *ON_PROBABILITIES])
@given(seed=SEEDS)
def test_names_of_classes_do_not_matter(score, seed):
    data, labels = guesses(seed)
    names = np.array([7, 0, 3])  # permuted, and with gaps
    assert score(data, names[labels]) == pytest.approx(score(data, labels))


@pytest.mark.parametrize("score", [*ON_FEATURES, *ON_PROBABILITIES])
def test_true_labels_score_above_shuffled_ones(score):
    data, labels = guesses(1, 200)
    shuffled = np.random.default_rng(0).permutation(labels)
    assert score(data, labels) > score(data, shuffled)


@pytest.mark.parametrize("score", ON_FEATURES)
def test_more_signal_scores_higher(score):
    values = [score(*problem(9, signal=signal)) for signal in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values)


@pytest.mark.parametrize("score", [*ON_FEATURES, selection.leep])
def test_arguments_stay_as_they_were(score):
    data, labels = guesses()
    before = data.copy()
    score(data, labels)
    np.testing.assert_array_equal(data, before)


# ---- agreement -------------------------------------------------------------------------------------------------


@given(SEEDS)
def test_agreement_is_scipys_correlation_within_its_interval(seed):
    random = np.random.default_rng(seed)
    scores, performance = random.normal(size=12), random.normal(size=12)
    for name, correlation in [("weighted tau", weightedtau), ("Kendall", kendalltau)]:
        found = selection.agreement(scores, performance, correlation=name, repeats=30, seed=seed)
        assert found.value == pytest.approx(correlation(scores, performance).statistic)
        assert -1 <= found.low <= found.high <= 1


@given(SEEDS, st.integers(3, 60), st.integers(2, 15))
def test_each_row_is_scipys_correlation_with_ties_too(seed, count, kinds):
    random = np.random.default_rng(seed)
    x, y = random.integers(kinds, size=(2, 4, count)).astype(float)
    x[0], y[1] = 1, random.normal(size=count)  # nothing is ranked, and no ties
    pairs = [
        (_correlations.weighted_tau, weightedtau),
        (_correlations.kendall, kendalltau),
        (_correlations.spearman, spearmanr),
    ]
    for ours, theirs in pairs:
        found = ours(x, y)
        assert found.shape == (4,) and np.isnan(found[0])
        for value, one, other in zip(found[1:], x[1:], y[1:]):
            if np.ptp(one) and np.ptp(other):
                assert value == pytest.approx(theirs(one, other).statistic, abs=1e-12)


def test_rows_beyond_one_block_are_the_same_rows(monkeypatch):
    x, y = np.random.default_rng(0).integers(5, size=(2, 50, 10)).astype(float)
    whole = _correlations.weighted_tau(x, y)
    monkeypatch.setattr(_correlations, "_COMPARISONS_AT_ONCE", 300)
    np.testing.assert_array_equal(_correlations.weighted_tau(x, y), whole)


def test_agreement_of_equal_and_opposite_rankings():
    ranks = np.arange(10.0)
    assert selection.agreement(ranks, 2 * ranks) == pytest.approx((1, 1, 1))
    assert selection.agreement(ranks, -ranks, correlation="Spearman") == pytest.approx((-1, -1, -1))


def test_agreement_averages_repeats_and_doubts_them():
    random = np.random.default_rng(0)
    truth = np.arange(8.0)
    columns = truth[:, None] + random.normal(scale=3, size=(8, 5))
    found, plain = selection.agreement(truth, columns), selection.agreement(truth, columns.mean(1))
    assert found.value == plain.value
    assert found != plain


def test_agreement_hears_level_and_seed():
    random = np.random.default_rng(1)
    scores, performance = random.normal(size=12), random.normal(size=12)
    wide, narrow = (selection.agreement(scores, performance, level=level) for level in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert selection.agreement(scores, performance, repeats=50, seed=1) != selection.agreement(
        scores, performance, repeats=50, seed=2
    )


# ---- bad input ---------------------------------------------------------------------------------------------------

FEATURES, LABELS = problem()
BROKEN = np.where(np.arange(40)[:, None] == 3, np.nan, FEATURES)


@pytest.mark.parametrize("score", ON_FEATURES)
@pytest.mark.parametrize(
    "features, labels, sentence",
    [
        (BROKEN, LABELS, "1 of 40 rows of features hold NaN"),
        (FEATURES[:, 0], LABELS, "one vector an image"),
        (FEATURES.reshape(40, 7, 1, 1), LABELS, "features.extract"),
        (FEATURES[:0], LABELS[:0], "whole number"),
        (FEATURES[:30], LABELS, "30 rows of features, 40 labels"),
        (FEATURES, np.zeros(40, int), "one class"),
        (FEATURES, LABELS * 1.0, "float64"),
        (FEATURES, np.where(LABELS, 1, np.nan), "drop the images without a label"),
        (FEATURES, np.eye(3, dtype=int)[LABELS], "shape (40, 3)"),
    ],
)
def test_bad_features_and_labels_get_a_sentence(score, features, labels, sentence):
    with pytest.raises(ValueError) as caught:
        score(features, labels)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("shrinkage", [-0.1, 1.1, np.nan])
def test_bad_shrinkage(shrinkage):
    with pytest.raises(ValueError, match="share from 0 to 1"):
        selection.h_score(FEATURES, LABELS, shrinkage=shrinkage)


def test_leep_wants_probabilities():
    probabilities, labels = guesses()
    for wrong in (probabilities * 2, np.log(probabilities), probabilities - 0.5):
        with pytest.raises(ValueError, match="head=True"):
            selection.leep(wrong, labels)
    with pytest.raises(ValueError, match="rows of probabilities hold NaN"):
        selection.leep(np.where(probabilities > 0.5, np.nan, probabilities), labels)


def test_nce_wants_classes():
    probabilities, labels = guesses()
    with pytest.raises(ValueError, match="source_labels should be one whole number"):
        selection.nce(probabilities, labels)
    with pytest.raises(ValueError, match="60 labels"):
        selection.nce(probabilities.argmax(1)[:50], labels)
    with pytest.raises(ValueError, match="one class"):
        selection.nce(probabilities.argmax(1), labels * 0)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (([1, 2], [1, 2]), "at least three"),
        (([1, 2, 3], [1, 2]), "(3,) and (2,)"),
        (([[1, 2, 3]], [1, 2, 3]), "(1, 3)"),
        (([1, 2, np.nan], [1, 2, 3]), "finite"),
        (([1, 2, 3], [1, 2, np.inf]), "finite"),
        (([1, 2, 3], [1, 2, 3], "Pearson"), "Spearman"),
    ],
)
def test_bad_agreement_gets_a_sentence(arguments, sentence):
    scores, performance, *name = arguments
    with pytest.raises(ValueError) as caught:
        selection.agreement(scores, performance, **({"correlation": name[0]} if name else {}))
    assert sentence in str(caught.value)
