from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from medlearn import _checks, metrics
from medlearn.metrics import _resamples

SCORES_OF_CLASSES = [metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1, metrics.kappa]
ONE_CLASS = [metrics.sensitivity, metrics.specificity, metrics.precision, metrics.f1]
CURVES = [metrics.auroc, metrics.average_precision, metrics.sensitivity_at_specificity]


@st.composite
def questions(draw):
    """Labels 0 and 1, scores with ties, and patients, at least two with each label."""
    count = draw(st.integers(6, 30))
    labels = [
        0,
        0,
        1,
        1,
        *draw(st.lists(st.integers(0, 1), min_size=count - 4, max_size=count - 4)),
    ]
    scores = draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count))
    patients = [
        0,
        1,
        2,
        3,
        *draw(st.lists(st.integers(0, 5), min_size=count - 4, max_size=count - 4)),
    ]
    return np.array(labels), np.array(scores) / 2, np.array(patients)


# 30 of 40 ill are found, 20 of 60 well are false positives
LABELS, ANSWERS = (
    np.repeat([1, 1, 0, 0], [30, 10, 20, 40]),
    np.repeat([1, 0, 1, 0], [30, 10, 20, 40]),
)


def test_one_class_by_hand():
    assert metrics.confusion(LABELS, ANSWERS).tolist() == [[40, 20], [10, 30]]
    assert metrics.sensitivity(LABELS, ANSWERS) == pytest.approx(30 / 40)
    assert metrics.specificity(LABELS, ANSWERS) == pytest.approx(40 / 60)
    assert metrics.precision(LABELS, ANSWERS) == pytest.approx(30 / 50)
    assert metrics.f1(LABELS, ANSWERS) == pytest.approx(2 / (50 / 30 + 40 / 30))
    chance = 0.4 * 0.5 + 0.6 * 0.5
    assert metrics.kappa(LABELS, ANSWERS) == pytest.approx((0.7 - chance) / (1 - chance))


@pytest.mark.parametrize("score", ONE_CLASS, ids=lambda score: score.__name__)
def test_positive_names_the_class_to_find(score):
    names = np.array(["well", "ill"])
    assert score(names[LABELS], names[ANSWERS], positive="ill") == score(LABELS, ANSWERS)
    swapped = {
        metrics.sensitivity: metrics.specificity,
        metrics.specificity: metrics.sensitivity,
    }.get(score)
    if swapped:
        assert score(LABELS, ANSWERS, positive=0) == swapped(LABELS, ANSWERS)
    assert score(LABELS, ANSWERS, positive=0) != score(LABELS, ANSWERS)


def test_nobody_called_has_no_precision_and_no_f1():
    nobody = np.zeros_like(LABELS)
    assert (
        metrics.precision(LABELS, nobody)
        == metrics.f1(LABELS, nobody)
        == metrics.sensitivity(LABELS, nobody)
        == 0
    )


@settings(max_examples=25)
@given(questions())
def test_curves_by_definition(question):
    labels, scores, _ = question
    ill, well = scores[labels == 1][:, None], scores[labels == 0][None]
    assert metrics.auroc(labels, scores) == pytest.approx(
        np.mean(ill > well) + np.mean(ill == well) / 2
    )
    thresholds = np.unique(scores)[::-1]
    sensitivities = [0, *(metrics.sensitivity(labels, scores >= t) for t in thresholds)]
    precise = [metrics.precision(labels, scores >= t) for t in thresholds]
    assert metrics.average_precision(labels, scores) == pytest.approx(
        np.dot(np.diff(sensitivities), precise)
    )
    fits = [
        metrics.sensitivity(labels, scores >= t)
        for t in [*thresholds, np.inf]
        if metrics.specificity(labels, scores >= t) >= 0.7
    ]
    assert metrics.sensitivity_at_specificity(labels, scores, 0.7) == pytest.approx(max(fits))


def test_many_classes_are_one_against_the_rest():
    random = np.random.default_rng(0)
    labels, raw = random.integers(0, 3, 60), random.random((60, 3))
    probabilities = raw / raw.sum(1, keepdims=True)
    assert metrics.auroc(labels, probabilities) == pytest.approx(
        sk.roc_auc_score(labels, probabilities, multi_class="ovr")
    )
    ours = np.mean([sk.average_precision_score(labels == k, probabilities[:, k]) for k in range(3)])
    assert metrics.average_precision(labels, probabilities) == pytest.approx(ours)


@pytest.mark.parametrize(
    "score",
    [*ONE_CLASS, metrics.kappa, metrics.auroc, metrics.average_precision],
    ids=lambda s: s.__name__,
)
@settings(max_examples=12)
@given(question=questions(), seed=st.integers(0, 100))
def test_the_fast_way_equals_scoring_every_resample(score, question, seed):
    labels, scores, patients = question
    predictions = scores if score in CURVES else (scores > 0).astype(int)
    if score is metrics.kappa and len(np.unique([*labels, *predictions])) < 2:
        return
    patient = np.unique(patients, return_inverse=True)[1]
    number = patient.max() + 1
    chances = np.full(number, 1 / number)
    counts = np.random.default_rng(seed).multinomial(number, chances, size=20)
    fast, slow = (
        _resamples.resampled_scores(metric, labels, predictions, patient, counts)
        for metric in (score, lambda a, b: score(a, b))
    )
    assert fast == pytest.approx(slow, nan_ok=True)
    if score in ONE_CLASS:
        named = partial(score, positive=0)
        try:
            value = named(labels, predictions)
        except ValueError:
            return
        everybody = np.ones((1, number), int)
        fast = _resamples.resampled_scores(named, labels, predictions, patient, everybody)
        assert fast == pytest.approx([value])


def test_paired_difference_of_areas():
    random = np.random.default_rng(0)
    labels, patients = np.tile([0, 1], 60), np.repeat(np.arange(30), 4)
    good, bad = labels + random.normal(size=120), labels + 2 * random.normal(size=120)
    gain = metrics.paired_difference(metrics.auroc, labels, good, bad, patients)
    assert gain.value == pytest.approx(metrics.auroc(labels, good) - metrics.auroc(labels, bad))
    assert gain.low < gain.value < gain.high
    slow = metrics.paired_difference(
        lambda a, b: sk.roc_auc_score(a, b), labels, good, bad, patients, repeats=50
    )
    assert slow == pytest.approx(
        metrics.paired_difference(metrics.auroc, labels, good, bad, patients, repeats=50)
    )


def test_many_images_are_scored_in_blocks(monkeypatch):
    random = np.random.default_rng(0)
    labels, patients = np.tile([0, 1], 50), np.arange(100) // 2
    scores = labels + random.normal(size=100)
    whole = metrics.interval(metrics.auroc, labels, scores, patients)
    monkeypatch.setattr(_resamples, "_WEIGHTS_AT_ONCE", 700)
    assert metrics.interval(metrics.auroc, labels, scores, patients) == whole


def test_a_class_in_one_patient_is_warned_of_where_it_matters(recwarn):
    labels, answers, patients = [0, 0, 0, 1, 1], [0, 0, 1, 1, 0], [0, 1, 2, 3, 3]
    metrics.interval(metrics.accuracy, labels, answers, patients)
    assert not [warning for warning in recwarn.list if "Only one" in str(warning.message)]
    for score in (metrics.macro_f1, metrics.auroc):
        with pytest.warns(UserWarning, match="Only one patient has class 1"):
            metrics.interval(score, labels, answers, patients)


def test_inputs_are_checked():
    for score in (*SCORES_OF_CLASSES, *ONE_CLASS, metrics.confusion):
        with pytest.raises(ValueError, match="3 labels, 2 predictions"):
            score([0, 1, 1], [0, 1])
    for score in CURVES:
        with pytest.raises(ValueError, match="scores holds 1 NaN among 2"):
            score([0, 1], [0.1, np.nan])


@pytest.mark.parametrize(
    "score, labels, predictions, sentence",
    [
        (metrics.sensitivity, [0, 0], [0, 1], "None of 2 labels is 1"),
        (metrics.specificity, [1, 1], [0, 1], "All 2 labels are 1"),
        (metrics.f1, [0, 0], [0, 0], "Neither labels nor predictions hold 1"),
        (metrics.kappa, [1, 1], [1, 1], "one and the same class"),
        (metrics.auroc, [0, 2], [[0.2, 0.3, 0.5]] * 2, "No image is of class 1"),
        (metrics.average_precision, [1, 1], [0.1, 0.2], r"none is 0 \(no\)"),
    ],
)
def test_a_score_that_these_images_do_not_define(score, labels, predictions, sentence):
    with pytest.raises(_checks.Undefined, match=sentence):
        score(labels, predictions)


def test_text_needs_the_name_of_the_class_and_a_share_its_range():
    with pytest.raises(ValueError, match="positive='a'"):
        metrics.sensitivity(["a", "b"], ["a", "b"])
    with pytest.raises(ValueError, match="a share from 0 to 1, not 90"):
        metrics.sensitivity_at_specificity([0, 1], [0, 1], 90)
    with pytest.raises(ValueError, match="must sum to one"):
        metrics.auroc([0, 1], [[0.5, 0.4], [0, 1]])
