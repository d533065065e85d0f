"""Query strategies beside their definitions, written in another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from medlearn.curation import labelling

SEEDS = st.integers(0, 10_000)


@given(SEEDS)
def test_the_most_uncertain_have_the_smallest_margins(seed):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(4), 30)
    margins = []
    for row in probabilities:
        first, second = sorted(row)[::-1][:2]
        margins.append(first - second)
    chosen = labelling.most_uncertain(probabilities, 7)
    assert chosen.tolist() == sorted(range(30), key=margins.__getitem__)[:7]


def test_of_equal_margins_the_earlier_row_comes_first():
    assert labelling.most_uncertain([[0.5, 0.5]] * 3, 2).tolist() == [0, 1]


@given(SEEDS)
def test_each_diverse_image_is_the_farthest_from_all_before_it(seed):
    random = np.random.default_rng(seed)
    features, labelled = random.normal(size=(25, 3)), random.normal(size=(4, 3))
    chosen = labelling.most_diverse(features, labelled, 6)
    for step, index in enumerate(chosen):
        before = np.concatenate([labelled, features[chosen[:step]]])
        nearest = cdist(features, before).min(axis=1)
        assert nearest[index] == pytest.approx(nearest.max())
    assert len(set(chosen.tolist())) == 6


def test_copies_are_taken_last_and_none_twice():
    features = [[0.0], [9.0], [9.0], [4.0]]
    assert labelling.most_diverse(features, [[0.0]], 4).tolist()[:2] == [1, 3]
    assert sorted(labelling.most_diverse(features, [[0.0]], 4).tolist()) == [0, 1, 2, 3]


def test_without_a_label_it_begins_with_the_farthest_from_the_mean():
    assert labelling.most_diverse([[1.0], [2.0], [9.0]], [], 1).tolist() == [2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: labelling.most_uncertain([[0.5, 0.5]], 2), "count"),
        (lambda: labelling.most_uncertain([[0.5, 0.9]], 1), "probabilit"),
        (lambda: labelling.most_uncertain([0.5, 0.4], 1), "two classes or more"),
        (lambda: labelling.most_diverse([[0.0]], [[0.0]], 0), "count"),
        (lambda: labelling.most_diverse([[0.0]], [[0.0, 1.0]], 1), "same layer"),
        (lambda: labelling.most_diverse([0.0], [[0.0]], 1), "one vector per image"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
