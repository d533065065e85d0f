import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from medlearn import metrics

ONE_CLASS = [metrics.sensitivity, metrics.specificity, metrics.precision, metrics.f1]
CURVES = [metrics.auroc, metrics.average_precision, metrics.sensitivity_at_specificity]


@st.composite
def questions(draw):
    """Labels of yes and no, both present, scores with ties, and patients, at least two of each label."""
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


# 30 of 40 ill found, 20 of 60 well alarmed
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
def test_positive_says_which_class_is_looked_for(score):
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


@settings(max_examples=30)
@given(questions())
def test_curves_by_definition(question):
    labels, scores, _ = question
    ill, well = scores[labels == 1][:, None], scores[labels == 0][None]
    assert metrics.auroc(labels, scores) == pytest.approx(
        np.mean(ill > well) + np.mean(ill == well) / 2
    )
    thresholds = np.unique(scores)[::-1]
    found = [0, *(metrics.sensitivity(labels, scores >= t) for t in thresholds)]
    precise = [metrics.precision(labels, scores >= t) for t in thresholds]
    assert metrics.average_precision(labels, scores) == pytest.approx(
        np.dot(np.diff(found), precise)
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
    shares = raw / raw.sum(1, keepdims=True)
    assert metrics.auroc(labels, shares) == pytest.approx(
        sk.roc_auc_score(labels, shares, multi_class="ovr")
    )
    ours = np.mean([sk.average_precision_score(labels == k, shares[:, k]) for k in range(3)])
    assert metrics.average_precision(labels, shares) == pytest.approx(ours)


@pytest.mark.parametrize(
    "score",
    [*ONE_CLASS, metrics.kappa, metrics.auroc, metrics.average_precision],
    ids=lambda s: s.__name__,
)
@settings(max_examples=25)
@given(question=questions(), seed=st.integers(0, 100))
@pytest.mark.filterwarnings("ignore:Only one patient")
def test_the_fast_way_equals_scoring_every_resample(score, question, seed):
    labels, scores, patients = question
    given_ = scores if score in CURVES else (scores > 0).astype(int)
    if score is metrics.kappa and len(np.unique([*labels, *given_])) < 2:
        return
    fast = metrics.interval(score, labels, given_, patients, repeats=20, seed=seed)
    slow = metrics.interval(
        lambda a, b: score(a, b), labels, given_, patients, repeats=20, seed=seed
    )
    assert fast == pytest.approx(slow)


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
    from medlearn.metrics import _resamples

    random = np.random.default_rng(0)
    labels, patients = np.tile([0, 1], 50), np.arange(100) // 2
    scores = labels + random.normal(size=100)
    whole = metrics.interval(metrics.auroc, labels, scores, patients)
    monkeypatch.setattr(_resamples, "_WEIGHTS_AT_ONCE", 700)
    assert metrics.interval(metrics.auroc, labels, scores, patients) == whole


def test_a_class_in_one_patient_is_warned_of_where_it_matters(recwarn):
    labels, answers, patients = [0, 0, 0, 1, 1], [0, 0, 1, 1, 0], [0, 1, 2, 3, 3]
    metrics.interval(metrics.accuracy, labels, answers, patients)
    assert not recwarn.list
    for score in (metrics.macro_f1, metrics.auroc):
        with pytest.warns(UserWarning, match="Only one patient has class 1"):
            metrics.interval(score, labels, answers, patients)


NAN = [0.1, np.nan]
MISTAKES = [
    (lambda: metrics.auroc([0, 1], NAN), "scores holds 1 NaN among 2"),
    (lambda: metrics.auroc([0, 1], [[0.5, 0.5], [np.nan, 1]]), "hold NaN for 1 of 2 images"),
    (
        lambda: metrics.auroc([0, 1], [[0.5, 0.4], [0, 1]]),
        "must sum to one; those of image 0 sum to 0.9",
    ),
    (lambda: metrics.auroc([0, 1], [[5, -4], [0, 1]]), "not from 0 to 1; if these are logits"),
    (
        lambda: metrics.auroc([0, 0], [0.1, 0.2]),
        r"All 2 images have the same label, none is 1 \(yes\)",
    ),
    (lambda: metrics.average_precision([1, 1], [0.1, 0.2]), r"none is 0 \(no\)"),
    (
        lambda: metrics.auroc([0, 2], [0.1, 0.2]),
        "labels are 0 .no. or 1 .yes. here, not 0, 2; ask for one class: labels == 2",
    ),
    (lambda: metrics.auroc([0, 2], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]), "No image is of class 1"),
    (
        lambda: metrics.auroc([0, 3], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]),
        "whole numbers from 0 to 2",
    ),
    (lambda: metrics.auroc([0, 1, 1], [0.1, 0.2]), "3 labels, 2 scores"),
    (lambda: metrics.accuracy([0, 1, 1], [0, 1]), "3 labels, 2 predictions"),
    (lambda: metrics.accuracy([], []), "labels is one entry per image"),
    (
        lambda: metrics.macro_f1([0, 1], [[0.9, 0.1], [0.2, 0.8]]),
        r"one class an image.*\(2, 2\).*argmax\(axis=1\)",
    ),
    (
        lambda: metrics.accuracy([0, 1], [0.25, 0.8]),
        "predictions such as 0.25 are no classes; decide first",
    ),
    (
        lambda: metrics.auroc([1, 2], [[0.9, 0.1], [0.2, 0.8]]),
        "whole numbers from 0 to 1.*here they are 1 to 2",
    ),
    (
        lambda: metrics.auroc(["a", "b"], [[0.9, 0.1], [0.2, 0.8]]),
        "whole numbers from 0 to 1.*here they are text",
    ),
    (
        lambda: metrics.interval("accuracy", [0, 1], [0, 1], ["a", "b"]),
        "metric is a function.*not 'accuracy'",
    ),
    (
        lambda: metrics.paired_difference("accuracy", [0], [0], [0], ["a"]),
        "metric is a function.*not 'accuracy'",
    ),
    (lambda: metrics.accuracy(["a", "b"], [0, 1]), "both as text or as numbers"),
    (lambda: metrics.sensitivity([0, 0], [0, 1]), "None of 2 labels is 1"),
    (lambda: metrics.specificity([1, 1], [0, 1]), "All 2 labels are 1"),
    (lambda: metrics.f1([0, 0], [0, 0]), "Neither labels nor predictions hold 1"),
    (lambda: metrics.sensitivity(["a", "b"], ["a", "b"]), "positive='a'"),
    (lambda: metrics.kappa([1, 1], [1, 1]), "one and the same class"),
    (lambda: metrics.sensitivity_at_specificity([0, 1], [0, 1], 90), "a share from 0 to 1, not 90"),
    (lambda: metrics.interval(metrics.accuracy, [0, 1], [0, 1], None), "patients is missing"),
    (
        lambda: metrics.interval(metrics.accuracy, [0, 1], [0, 1], "ab"),
        "patients is one entry per image",
    ),
    (lambda: metrics.interval(metrics.accuracy, 1, [0, 1], ["a", "b"]), "2 patients, no labels"),
    (
        lambda: metrics.interval(lambda a, b: np.nan, [0, 1], [0, 1], ["a", "b"]),
        r"undefined \(NaN\) on these images",
    ),
    (
        lambda: metrics.interval(
            lambda a, b: 1 if len(set(b)) > 2 else np.nan, [0, 1, 1], [0, 1, 2], [0, 1, 2]
        ),
        "on most resamples",
    ),
]


@pytest.mark.parametrize("call, sentence", MISTAKES)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        call()
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 200
