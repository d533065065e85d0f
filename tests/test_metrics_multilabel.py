"""Scores per label of a multi-label task, against scikit-learn on resamples made one by one."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from medlearn import metrics
from medlearn.metrics import _limits, _resamples

RANDOM = np.random.default_rng(0)
PATIENTS = np.repeat(np.arange(30), 3)
LABELS = (RANDOM.random((90, 3)) < (0.5, 0.3, 0.6)).astype(int)
SCORES = (LABELS + RANDOM.normal(0, 1, LABELS.shape)).clip(-2, 3)
REPEATS = 60


def one_by_one(score, labels, predictions):
    """Macro mean per resample, as scikit-learn scores the images that each resample draws."""
    counts = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=REPEATS)
    means = []
    for count in counts:
        rows = np.repeat(np.arange(90), count[PATIENTS])
        values = []
        for column in range(labels.shape[1]):
            known = rows[~np.isnan(labels[rows, column])]
            values.append(score(labels[known, column], predictions[known, column]))
        means.append(values)
    return np.array(means)


@pytest.mark.parametrize(
    ("metric", "score", "decide"),
    [
        (metrics.auroc, sk.roc_auc_score, False),
        (metrics.average_precision, sk.average_precision_score, False),
        (metrics.f1, sk.f1_score, True),
        (metrics.balanced_accuracy, sk.balanced_accuracy_score, True),
    ],
)
@pytest.mark.parametrize("unknown", [0.0, 0.2])
def test_scores_equal_scikit_learn(metric, score, decide, unknown):
    labels = np.where(np.random.default_rng(1).random(LABELS.shape) < unknown, np.nan, LABELS)
    predictions = (SCORES > 0.5).astype(int) if decide else SCORES
    ours = metrics.per_label(metric, labels, predictions, PATIENTS, repeats=REPEATS)
    resamples = one_by_one(score, labels, predictions)
    known = ~np.isnan(labels)
    values = [score(labels[k, c], predictions[k, c]) for c, k in enumerate(known.T)]
    numbers = [
        _resamples.patients_that_count(metric, labels[k, c], predictions[k, c], PATIENTS[k])
        for c, k in enumerate(known.T)
    ]
    resampled = zip(ours.labels, values, resamples.T, numbers, strict=True)
    for interval, value, column, number in resampled:
        ends = _limits.of_share(value, column, number, 0.95)
        np.testing.assert_allclose(interval, [value, *ends])
    mean = np.mean(values)
    ends = _limits.of_share(mean, resamples.mean(1), max(numbers), 0.95)
    np.testing.assert_allclose(ours.mean, [mean, *ends])
    if not unknown:
        macro = {"average": "macro"} if metric in (metrics.auroc, metrics.f1) else None
        assert macro is None or np.isclose(ours.mean.value, score(LABELS, predictions, **macro))


def test_a_single_label_is_an_interval():
    ours = metrics.per_label(metrics.auroc, LABELS[:, :1], SCORES[:, :1], PATIENTS, repeats=50)
    alone = metrics.interval(metrics.auroc, LABELS[:, 0], SCORES[:, 0], PATIENTS, repeats=50)
    assert ours.labels == (alone,) and ours.mean == alone


def test_any_function_is_a_metric():
    def hits(labels, predictions):
        return float((labels == predictions).mean())

    decisions = (SCORES > 0.5).astype(int)
    labels = LABELS.astype(float)
    labels[3:, 1] = np.nan  # known for the images of one patient only: most resamples lack them
    labels[:, 2] = np.nan
    with pytest.warns(UserWarning, match="no interval for columns? (1, )?2"):
        ours = metrics.per_label(hits, labels, decisions, PATIENTS, repeats=50)
    plain = metrics.interval(hits, LABELS[:, 0], decisions[:, 0], PATIENTS, repeats=50)
    assert ours.labels[0] == plain
    assert np.isnan(ours.labels[2]).all()


def test_a_label_with_one_class_is_named_and_left_out():
    labels = LABELS.copy()
    labels[:, 1] = 0
    with pytest.warns(UserWarning, match="no interval for column 1, which the mean leaves out"):
        ours = metrics.per_label(metrics.auroc, labels, SCORES, PATIENTS, repeats=50)
    assert np.isnan(ours.labels[1]).all()
    others = metrics.per_label(metrics.auroc, LABELS[:, ::2], SCORES[:, ::2], PATIENTS, repeats=50)
    assert ours.mean == others.mean and ours.labels[::2] == others.labels
    with pytest.raises(ValueError, match="undefined for every label"):
        metrics.per_label(metrics.auroc, LABELS * 0, SCORES, PATIENTS, repeats=50)


def test_a_class_of_one_patient_is_a_warning():
    labels = LABELS.copy()
    labels[:, 2] = PATIENTS == 4
    with pytest.warns(UserWarning, match="Only one patient has a class in column 2"):
        metrics.per_label(metrics.auroc, labels, SCORES, PATIENTS, repeats=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.per_label(metrics.accuracy, labels, labels, PATIENTS, repeats=50)


def test_tables_of_pandas_are_labels_too():
    labels = pd.DataFrame(LABELS, dtype="Int64")
    labels.iloc[5, 0] = pd.NA
    scores = pd.DataFrame(SCORES)
    expected = LABELS.astype(float)
    expected[5, 0] = np.nan
    ours = metrics.per_label(metrics.auroc, labels, scores, PATIENTS, repeats=50)
    assert ours == metrics.per_label(metrics.auroc, expected, SCORES, PATIENTS, repeats=50)
    as_bool = metrics.per_label(metrics.auroc, LABELS > 0, SCORES, PATIENTS, repeats=50)
    assert as_bool == metrics.per_label(metrics.auroc, LABELS, SCORES, PATIENTS, repeats=50)


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        (LABELS[:, 0], SCORES[:, 0], "metrics.interval"),
        (LABELS, SCORES[:, :2], "must both have the shape"),
        (LABELS - 1, SCORES, "-1 for uncertain"),
        (LABELS.astype(str), SCORES, "0 or 1"),
        (np.full((90, 3), "ill", object), SCORES, "0 or 1"),
        (LABELS[:80], SCORES[:80], "90 patients, 80 labels"),
    ],
)
def test_what_is_refused(labels, predictions, words):
    with pytest.raises(ValueError, match=words):
        metrics.per_label(metrics.auroc, labels, predictions, PATIENTS)
