from math import comb

import numpy as np
import pytest
from scipy import stats

from medlearn import metrics


def readers(patients=40, images=3, seed=0, shared=0.0):
    """Labels by patient, two readers' scores with ties, and ids; `shared`: how alike images are."""
    random = np.random.default_rng(seed)
    ids = np.repeat(np.arange(patients), images)
    labels = (np.arange(patients) % 3 == 0).astype(int)[ids]
    of_patient, own = random.normal(size=patients)[ids], random.normal(size=(2, len(ids)))
    return labels, *np.round(labels + shared * of_patient + own, 1), ids


def delong_by_definition(labels, a, b):
    """Variance of the difference of areas from every pair of images: DeLong 1988, eq. 4-7."""
    wins = [
        np.where(
            s[labels == 1][:, None] == s[labels == 0], 0.5, s[labels == 1][:, None] > s[labels == 0]
        )
        for s in (a, b)
    ]
    ten, one = np.cov([w.mean(1) for w in wins]), np.cov([w.mean(0) for w in wins])
    covariance = ten / (labels == 1).sum() + one / (labels == 0).sum()
    return wins[0].mean() - wins[1].mean(), covariance[0, 0] + covariance[1, 1] - 2 * covariance[
        0, 1
    ]


def test_delong_equals_its_definition():
    labels, a, b, _ = readers()
    gain, variance = delong_by_definition(labels, a, b)
    ours = metrics.delong(labels, a, b, np.arange(len(labels)))
    assert (
        ours.difference.value
        == pytest.approx(gain)
        == metrics.auroc(labels, a) - metrics.auroc(labels, b)
    )
    assert ours.difference.high - gain == pytest.approx(1.959964 * variance**0.5, rel=1e-5)
    assert ours.p == pytest.approx(2 * stats.norm.cdf(-abs(gain) / variance**0.5))


def test_delong_equals_confidenceinterval():
    """Against an uninformative reader the difference is the area minus one half.

    The numbers are those of the package confidenceinterval 1.0.5.
    """
    random = np.random.default_rng(6)
    labels = np.repeat([0, 1], [40, 25])
    scores = np.round(labels * 0.9 + random.normal(size=65), 1)
    low, high = metrics.delong(labels, scores, np.zeros(65), np.arange(65)).difference[1:]
    assert (low + 0.5, high + 0.5) == pytest.approx(
        (0.5873712590681455, 0.8456287094606021), abs=1e-6
    )


def test_delong_level_and_direction():
    labels, a, b, patients = readers(seed=3)
    base, back = metrics.delong(labels, a, b, patients), metrics.delong(labels, b, a, patients)
    assert back.difference == pytest.approx(
        (-base.difference.value, -base.difference.high, -base.difference.low)
    )
    assert back.p == pytest.approx(base.p)
    wide = metrics.delong(labels, a, b, patients, level=0.99).difference
    assert wide.low < base.difference.low < base.difference.high < wide.high
    assert metrics.delong(labels, a, a, patients) == ((0, 0, 0), 1)


def test_patients_matter_and_duplicated_images_teach_nothing():
    labels, a, b, ids = readers(patients=60, images=1)
    alone = metrics.delong(labels, a, b, ids)
    copied = [np.tile(values, 4) for values in (labels, a, b, ids)]
    assert metrics.delong(*copied).p == pytest.approx(alone.p)
    naive = metrics.delong(*copied[:3], np.arange(240)).difference
    assert naive.high - naive.low < 0.6 * (alone.difference.high - alone.difference.low)


def test_clustered_delong_agrees_with_the_paired_bootstrap():
    """Also where patients have images of both classes, so that both classes' errors go together."""
    random = np.random.default_rng(0)
    ids = np.repeat(np.arange(120), 4)
    labels = (random.random(480) < 0.4).astype(int)
    a, b = (labels + random.normal(size=120)[ids] + random.normal(size=480) for _ in range(2))
    ours = metrics.delong(labels, a, b, ids).difference
    resampled = metrics.paired_difference(metrics.auroc, labels, a, b, ids, repeats=4000)
    assert ours.high - ours.low == pytest.approx(resampled.high - resampled.low, rel=0.08)


def test_false_alarms_of_delong():
    """Of 300 studies with two equally good readers, 5 % are called different; by image, more."""
    alarms = np.zeros(2)
    for seed in range(300):
        random = np.random.default_rng(seed)
        ids, labels = np.repeat(np.arange(60), 5), np.repeat(np.arange(60) % 2, 5)
        a, b = (
            labels + random.normal(size=60)[ids] + 0.5 * random.normal(size=300) for _ in range(2)
        )
        by_patient = metrics.delong(labels, a, b, ids).p
        by_image = metrics.delong(labels, a, b, np.arange(300)).p
        alarms += [by_patient < 0.05, by_image < 0.05]
    assert 0.02 <= alarms[0] / 300 <= 0.09 and alarms[1] / 300 > 0.2


def test_mcnemar_by_hand():
    """Only a right on 7 images, only b on 1: 2 * (C(8,0) + C(8,1)) / 2^8."""
    labels = np.ones(20, int)
    a, b = np.repeat([1, 0, 1, 0], [7, 1, 9, 3]), np.repeat([0, 1, 1, 0], [7, 1, 9, 3])
    assert metrics.mcnemar(labels, a, b) == pytest.approx(2 * (comb(8, 0) + comb(8, 1)) / 2**8)
    assert metrics.mcnemar(labels, b, a) == metrics.mcnemar(labels, a, b)
    assert metrics.mcnemar(labels, a, a) == 1
    assert metrics.mcnemar(["x", "y", "z"], ["x", "y", "x"], ["y", "x", "z"]) == 1


def test_two_points_on_105_images_are_never_significant():
    labels = np.ones(105, int)
    a = np.repeat([1, 0], [92, 13])
    b = np.where(np.arange(105) < 2, 0, a)  # the luckiest case: b is right nowhere that a is wrong
    assert metrics.accuracy(labels, a) - metrics.accuracy(labels, b) > 0.019
    assert metrics.mcnemar(labels, a, b) == 0.5


def test_both_classes_need_two_patients():
    with pytest.raises(ValueError, match="come from a single patient"):
        metrics.delong([0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 1, 0], [0, 1, 2, 2])


def test_inputs_are_checked():
    with pytest.raises(ValueError, match="2 labels, 3 scores"):
        metrics.delong([0, 1], [0, 1], [0, 1, 2], [0, 1])
    with pytest.raises(ValueError, match="2 labels, 1 patients"):
        metrics.delong([0, 1], [0, 1], [0, 1], [0])
    with pytest.raises(ValueError, match="level is"):
        metrics.delong([0, 1], [0, 1], [0, 1], [0, 1], level=95)
    with pytest.raises(ValueError, match="2 labels, 1 predictions"):
        metrics.mcnemar([0, 1], [0, 1], [0])


def test_a_comparison_reads_well():
    assert (
        str(metrics.Comparison(metrics.Interval(0.02, -0.05, 0.09), 0.5612))
        == ".02 [-.05, .09], p = 0.561"
    )
    assert (
        str(metrics.Comparison(metrics.Interval(0.2, 0.15, 0.29), 1e-9))
        == ".20 [.15, .29], p < 0.001"
    )
