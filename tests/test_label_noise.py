"""Wrong labels made on purpose, and the score that ranks them."""

import numpy as np
import pytest

from medlearn.curation import label_noise

LABELS = np.array([0, 1, 2, 4] * 50)  # class 3 is missing


def test_flip_makes_the_share_wrong_and_returns_which():
    noisy, wrong = label_noise.flip(LABELS, 0.15)
    np.testing.assert_array_equal(noisy != LABELS, wrong)
    assert wrong.sum() == 30 and wrong.dtype == bool and noisy.dtype == LABELS.dtype
    assert set(noisy) == {0, 1, 2, 4}  # never a class that does not occur
    assert LABELS.tolist() == [0, 1, 2, 4] * 50
    same, none_wrong = label_noise.flip(LABELS, 0)
    np.testing.assert_array_equal(same, LABELS)
    assert not none_wrong.any()


def test_every_other_class_is_equally_likely():
    noisy, wrong = label_noise.flip(np.zeros(40_000, int).tolist() + [1, 2, 3], 0.9)
    counts = np.bincount(noisy[:40_000][wrong[:40_000]], minlength=4)
    assert counts[0] == 0 and counts[1:] == pytest.approx(np.full(3, 12_000), rel=0.03)


def test_the_seed_decides():
    first, again, other = (label_noise.flip(LABELS, 0.3, seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    "labels, share, sentence",
    [
        (LABELS, 1.0, "share=1.0 is the share"),
        (LABELS, -0.1, "share=-0.1 is the share"),
        (np.ones(9, int), 0.1, "All labels are 1"),
        (["a", "b"], 0.1, "whole numbers"),
    ],
)
def test_flip_refuses_in_one_sentence(labels, share, sentence):
    with pytest.raises(ValueError, match=sentence):
        label_noise.flip(labels, share)


def test_the_score_is_the_best_other_class_minus_the_label():
    probabilities = [[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    scores = label_noise.mislabel_score([0, 1, 2, 0], probabilities)
    np.testing.assert_allclose(scores, [-0.5, 0.5, -1.0, 1.0])
    np.testing.assert_allclose(label_noise.mislabel_score([1, 0], [0.9, 0.9]), [-0.8, 0.8])


def test_the_score_is_positive_exactly_where_the_model_predicts_another_class():
    generator = np.random.default_rng(0)
    probabilities, labels = generator.dirichlet(np.ones(4), 500), generator.integers(0, 4, 500)
    scores = label_noise.mislabel_score(labels, probabilities)
    np.testing.assert_array_equal(scores > 0, probabilities.argmax(1) != labels)


def test_the_score_refuses_what_the_shared_check_refuses():
    with pytest.raises(ValueError, match="from 0 to 1"):
        label_noise.mislabel_score([0, 2], [[0.5, 0.5], [0.5, 0.5]])
