"""Pseudo-labels, prototypes and other class shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.adaptation import prior, self_training

SEEDS = st.integers(0, 1000)


def told(seed=0, n=50, classes=3):
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), n)


# ---- balanced pseudo-labels --------------------------------------------------------------------------------


@given(SEEDS, st.sampled_from([0.1, 0.5, 1.0]))
def test_each_predicted_class_gives_the_same_share_its_surest(seed, share):
    probabilities = told(seed)
    chosen = self_training.balanced_pseudo_labels(probabilities, share)
    labels, confidence = probabilities.argmax(1), probabilities.max(1)
    np.testing.assert_array_equal(chosen.labels, labels[chosen.indices])
    assert (np.diff(chosen.indices) > 0).all()
    for label in np.unique(labels):
        kept = confidence[chosen.indices[chosen.labels == label]]
        left = np.delete(confidence, chosen.indices)[np.delete(labels, chosen.indices) == label]
        assert len(kept) == max(1, round(share * (labels == label).sum()))
        assert not len(left) or left.max() <= kept.min()


def test_a_shy_class_is_not_starved_by_a_loud_one():
    probabilities = np.array([[0.99, 0.01]] * 40 + [[0.45, 0.55]] * 10)
    assert np.bincount(self_training.balanced_pseudo_labels(probabilities, 0.5).labels).tolist() == [20, 5]


# ---- self-training -----------------------------------------------------------------------------------------


def drifted(seed=0, gap=2.2):
    """Two clusters that walked: the source's boundary cuts one of them."""
    random = np.random.default_rng(seed)
    labels = np.arange(200) % 2
    source = np.c_[np.where(labels, 2.0, -2.0), np.zeros(200)] + 0.5 * random.normal(size=(200, 2))
    target = np.c_[np.where(labels, 2.0, -2.0) + gap - 0.6, np.zeros(200)] + 0.5 * random.normal(
        size=(200, 2)
    )
    return source, labels, target, labels


def test_it_follows_clusters_that_walked():
    source, source_labels, target, truth = drifted()
    before = LogisticRegression().fit(source, source_labels).score(target, truth)
    after = self_training.self_train(
        LogisticRegression(), source, source_labels, target, rounds=8
    ).score(target, truth)
    assert before < 0.9 < after


def test_a_pipeline_will_do_and_the_one_given_stays_unfitted():
    source, source_labels, target, _ = drifted()
    given_ = make_pipeline(StandardScaler(), LogisticRegression())
    fitted = self_training.self_train(given_, source, source_labels + 5, target)
    assert set(fitted.classes_) == {5, 6} and not hasattr(given_[-1], "classes_")


@pytest.mark.parametrize("changed", [{"rounds": 1}, {"share": 0.1}, {"source_weight": 0.99}])
def test_each_setting_matters(changed):
    source, source_labels, target, _ = drifted()
    fits = [
        self_training.self_train(LogisticRegression(), source, source_labels, target, **options)
        for options in ({}, changed)
    ]
    assert not np.allclose(fits[0].coef_, fits[1].coef_)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (np.zeros(200, int), {}, "of one class"),
        (np.zeros(3, int), {}, "one whole number for each of the 200"),
        (np.arange(200) % 2, {"rounds": 0}, "rounds=0"),
        (np.arange(200) % 2, {"source_weight": 1}, "source_weight=1"),
        (np.arange(200) % 2, {"share": 0}, "share=0"),
    ],
)
def test_self_training_refuses_nonsense(labels, options, message):
    source, _, target, _ = drifted()
    with pytest.raises(ValueError, match=message):
        self_training.self_train(LogisticRegression(), source, labels, target, **options)


# ---- prototypes --------------------------------------------------------------------------------------------


def test_prototypes_mend_doubtful_answers_about_clear_clusters():
    random = np.random.default_rng(0)
    truth = np.arange(90) % 3
    target = 5 * np.eye(3)[truth] + random.normal(size=(90, 3))
    doubtful = 0.5 * np.eye(3)[truth] + 0.5 * random.dirichlet([1, 1, 1], 90)
    doubtful[:15] = np.roll(doubtful[:15], 1, axis=1)
    mended = self_training.prototypes(target, doubtful)
    np.testing.assert_allclose(mended.sum(1), 1)
    assert (doubtful.argmax(1) == truth).mean() < 0.9 < (mended.argmax(1) == truth).mean()
    assert (
        self_training.prototypes(target, doubtful, temperature=1.0).max(1).mean()
        < mended.max(1).mean()
    )


def test_a_class_nobody_is_near_keeps_its_place():
    target = np.random.default_rng(0).normal(size=(20, 4))
    probabilities = np.c_[np.full((20, 2), 0.5), np.zeros(20)]
    assert np.isfinite(self_training.prototypes(target, probabilities)).all()


# ---- class shares ------------------------------------------------------------------------------------------


def posterior(x, shares):
    """Two Gaussian classes a unit apart from 0, with these shares."""
    joint = np.exp(-0.5 * (x[:, None] - np.array([-1.5, 1.5])) ** 2) * shares
    return joint / joint.sum(1, keepdims=True)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.8)])
def test_other_shares_are_found_and_put_right(shares):
    random = np.random.default_rng(0)
    truth = (random.random(4000) < shares[1]).astype(int)
    x = np.where(truth, 1.5, -1.5) + random.normal(size=4000)
    corrected = prior.correct(posterior(x, np.array([0.5, 0.5])), [0.5, 0.5])
    np.testing.assert_allclose(corrected.prior, shares, atol=0.03)
    np.testing.assert_allclose(corrected.probabilities, posterior(x, np.array(shares)), atol=0.05)


@pytest.mark.parametrize(
    ("probabilities", "shares", "message"),
    [
        ([[0.5, 0.5]], [1.0, 0.0], "shares above 0"),
        ([[0.5, 0.5]], [0.3, 0.3, 0.4], "2 shares above 0"),
        ([[0.5, 0.6]], [0.5, 0.5], "sum to 1"),
        ([[np.nan, 0.5]], [0.5, 0.5], "hold NaN"),
        ([0.5, 0.5], [0.5, 0.5], r"\(N, classes\)"),
    ],
)
def test_prior_refuses_nonsense(probabilities, shares, message):
    with pytest.raises(ValueError, match=message):
        prior.correct(probabilities, shares)
