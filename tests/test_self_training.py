"""Balanced pseudo-labels, self-training and class prototypes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.adaptation import self_training

# ---- balanced pseudo-labels --------------------------------------------------------------------


@given(st.integers(0, 1000), st.sampled_from([0.1, 0.5, 1.0]))
def test_each_predicted_class_gives_the_same_share_its_most_confident(seed, share):
    probabilities = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), 50)
    chosen = self_training.balanced_pseudo_labels(probabilities, share)
    labels, confidence = probabilities.argmax(1), probabilities.max(1)
    np.testing.assert_array_equal(chosen.labels, labels[chosen.indices])
    assert (np.diff(chosen.indices) > 0).all()
    left = np.setdiff1d(np.arange(50), chosen.indices)
    for label in np.unique(labels):
        taken = confidence[chosen.indices[chosen.labels == label]]
        remaining = confidence[left[labels[left] == label]]
        assert len(taken) == max(1, round(share * (labels == label).sum()))
        assert not len(remaining) or remaining.max() <= taken.min()


def test_an_uncertain_class_is_not_starved_by_a_certain_one():
    probabilities = np.array([[0.99, 0.01]] * 40 + [[0.45, 0.55]] * 10)
    labels = self_training.balanced_pseudo_labels(probabilities, 0.5).labels
    assert np.bincount(labels).tolist() == [20, 5]


# ---- self-training -----------------------------------------------------------------------------


def drifted(seed=0, gap=2.2):
    """Two clusters that moved: the boundary of the source cuts one of them."""
    random = np.random.default_rng(seed)
    labels = np.arange(200) % 2
    centres = np.c_[np.where(labels, 2.0, -2.0), np.zeros(200)]
    source = centres + 0.5 * random.normal(size=(200, 2))
    target = centres + [gap - 0.6, 0] + 0.5 * random.normal(size=(200, 2))
    return source, labels, target


def test_it_follows_clusters_that_moved():
    source, labels, target = drifted()
    before = LogisticRegression().fit(source, labels).score(target, labels)
    model = self_training.self_train(LogisticRegression(), source, labels, target, rounds=8)
    assert before < 0.9 < model.score(target, labels)


def test_a_pipeline_will_do_and_the_one_given_stays_unfitted():
    source, labels, target = drifted()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    fitted = self_training.self_train(pipeline, source, labels + 5, target)
    assert set(fitted.classes_) == {5, 6} and not hasattr(pipeline[-1], "classes_")


def test_each_option_matters():
    source, labels, target = drifted()
    options = ({}, {"rounds": 1}, {"share": 0.1}, {"source_weight": 0.99})
    coefficients = []
    for option in options:
        model = self_training.self_train(LogisticRegression(), source, labels, target, **option)
        coefficients.append(tuple(model.coef_.ravel().round(6)))
    assert len(set(coefficients)) == len(options)


def test_self_training_refuses_what_does_not_fit():
    cases = [
        (np.zeros(200, int), {}, "of one class"),
        (np.zeros(3, int), {}, "one whole number for each of the 200"),
        (np.arange(200) % 2, {"rounds": 0}, "rounds must be"),
        (np.arange(200) % 2, {"source_weight": 1}, "source_weight=1"),
        (np.arange(200) % 2, {"share": 0}, "share=0"),
    ]
    for labels, options, message in cases:
        source, _, target = drifted()
        with pytest.raises(ValueError, match=message):
            self_training.self_train(LogisticRegression(), source, labels, target, **options)


# ---- prototypes --------------------------------------------------------------------------------


def test_prototypes_correct_uncertain_predictions_of_clear_clusters():
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    target = 5 * np.eye(3)[labels] + random.normal(size=(90, 3))
    uncertain = 0.5 * np.eye(3)[labels] + 0.5 * random.dirichlet([1, 1, 1], 90)
    uncertain[:15] = np.roll(uncertain[:15], 1, axis=1)
    corrected = self_training.prototypes(target, uncertain)
    np.testing.assert_allclose(corrected.sum(1), 1)
    assert (uncertain.argmax(1) == labels).mean() < 0.9 < (corrected.argmax(1) == labels).mean()
    soft = self_training.prototypes(target, uncertain, temperature=1.0)
    assert soft.max(1).mean() < corrected.max(1).mean()
    with pytest.raises(ValueError, match="89 probabilities"):
        self_training.prototypes(target, uncertain[:89])


def test_a_class_that_is_nearest_to_no_image_keeps_its_prototype():
    target = np.random.default_rng(0).normal(size=(20, 4))
    probabilities = np.c_[np.full((20, 2), 0.5), np.zeros(20)]
    assert np.isfinite(self_training.prototypes(target, probabilities)).all()
