import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from medlearn import metrics

SCORES = [metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1]


@st.composite
def readings(draw):
    """Labels and predictions of up to four classes, with at least two patients."""
    count = draw(st.integers(2, 30))
    classes = st.lists(st.integers(0, 3), min_size=count, max_size=count)
    patients = [0, 1, *draw(st.lists(st.integers(0, 5), min_size=count - 2, max_size=count - 2))]
    return np.array(draw(classes)), np.array(draw(classes)), np.array(patients)


def study(patients=30, images=8, classes=3, seed=0):
    """Labels, predictions and ids where some patients are harder than others."""
    random = np.random.default_rng(seed)
    ids = np.repeat(np.arange(patients), images)
    labels = random.integers(0, classes, len(ids))
    right = random.random(len(ids)) < random.beta(3, 1, patients)[ids]
    return labels, np.where(right, labels, random.integers(0, classes, len(ids))), ids


def test_scores_by_hand():
    labels, predictions = ["a", "a", "a", "b"], ["a", "a", "b", "b"]
    assert metrics.accuracy(labels, predictions) == 3 / 4
    assert metrics.balanced_accuracy(labels, predictions) == pytest.approx((2 / 3 + 1) / 2)
    assert metrics.macro_f1(labels, predictions) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_a_class_that_is_predicted_but_never_true(recwarn):
    labels, predictions = [0, 0, 1, 1], [0, 2, 1, 1]
    assert metrics.balanced_accuracy(labels, predictions) == pytest.approx(3 / 4)
    assert metrics.macro_f1(labels, predictions) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert not recwarn.list


@settings(max_examples=40)
@given(readings())
def test_scores_equal_scikit_learn(reading):
    labels, predictions, _ = reading
    assert metrics.accuracy(labels, predictions) == pytest.approx(np.mean(labels == predictions))
    recalls = [np.mean(predictions[labels == k] == k) for k in np.unique(labels)]
    assert metrics.balanced_accuracy(labels, predictions) == pytest.approx(np.mean(recalls))
    assert metrics.macro_f1(labels, predictions) == pytest.approx(
        sk.f1_score(labels, predictions, average="macro")
    )


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.__name__)
@pytest.mark.filterwarnings("ignore:Only one patient")
@settings(max_examples=20)
@given(reading=readings(), seed=st.integers(0, 100))
def test_the_fast_way_equals_scoring_every_resample(score, reading, seed):
    """Also where a resample lacks a class."""
    fast = metrics.interval(score, *reading, repeats=10, seed=seed)
    slow = metrics.interval(
        lambda labels, predictions: score(labels, predictions), *reading, repeats=10, seed=seed
    )
    assert fast == pytest.approx(slow)


def test_unclustered_interval_agrees_with_scipy():
    labels, predictions, _ = study()
    ours = metrics.interval(
        metrics.accuracy, labels, predictions, np.arange(len(labels)), repeats=4000
    )
    expected = stats.bootstrap(
        (labels, predictions),
        lambda a, b, axis=-1: np.mean(a == b, axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=4000,
        random_state=np.random.default_rng(1),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=0.008)


def test_clustered_interval_agrees_with_resampling_patients_one_by_one():
    labels, predictions, patients = study()
    hits = np.array([np.mean((labels == predictions)[patients == p]) for p in np.unique(patients)])
    expected = stats.bootstrap(
        (hits,),
        np.mean,
        method="percentile",
        n_resamples=4000,
        random_state=np.random.default_rng(1),
    ).confidence_interval  # equal because all patients have equally many images
    ours = metrics.interval(metrics.accuracy, labels, predictions, patients, repeats=4000)
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=0.012)


def test_patients_matter_and_duplicated_images_teach_nothing():
    labels, predictions, patients = study(patients=40, images=1)
    alone = metrics.interval(metrics.macro_f1, labels, predictions, patients)
    copied = [np.tile(values, 5) for values in (labels, predictions, patients)]
    assert metrics.interval(metrics.macro_f1, *copied) == pytest.approx(alone)
    naive = metrics.interval(metrics.macro_f1, *copied[:2], np.arange(200))
    assert naive.high - naive.low < 0.6 * (alone.high - alone.low)


def test_coverage():
    """Of 200 studies with hard and easy patients, about 95 % of the intervals hold the truth."""
    clustered = naive = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        patients = np.repeat(np.arange(30), 10)
        right = random.random(300) < random.beta(2, 1, 30)[patients]  # true accuracy 2/3
        for ids in (patients, np.arange(300)):
            low, high = metrics.interval(
                metrics.accuracy, np.ones(300), right, ids, repeats=200, seed=seed
            )[1:]
            clustered += (ids is patients) and low <= 2 / 3 <= high
            naive += (ids is not patients) and low <= 2 / 3 <= high
    assert 0.89 <= clustered / 200 <= 0.98
    assert naive / 200 < 0.85


def test_paired_difference():
    labels, a, patients = study(seed=1)
    b = np.where(
        np.arange(len(labels)) % 12 == 0, (labels + 1) % 3, a
    )  # a with some answers made worse
    gain = metrics.paired_difference(metrics.accuracy, labels, a, b, patients)
    assert gain.value == pytest.approx(metrics.accuracy(labels, a) - metrics.accuracy(labels, b))
    assert 0 < gain.low < gain.value < gain.high
    back = metrics.paired_difference(metrics.accuracy, labels, b, a, patients)
    assert back == pytest.approx((-gain.value, -gain.high, -gain.low))
    assert metrics.paired_difference(metrics.macro_f1, labels, a, a, patients) == (0, 0, 0)
    alone = metrics.interval(metrics.accuracy, labels, a, patients)
    assert gain.high - gain.low < 0.7 * (alone.high - alone.low)


def test_paired_difference_of_any_metric():
    labels, a, patients = study(seed=1)
    b = study(seed=2)[1]
    slow = metrics.paired_difference(
        lambda x, y: np.mean(x == y), labels, a, b, patients, repeats=50
    )
    assert slow == pytest.approx(
        metrics.paired_difference(metrics.accuracy, labels, a, b, patients, repeats=50)
    )


def test_a_metric_of_scores():
    random = np.random.default_rng(0)
    labels, patients = np.tile([0, 1], 50), np.repeat(np.arange(25), 4)
    scores = labels + random.normal(size=100)
    area = metrics.interval(sk.roc_auc_score, labels, scores, patients, repeats=100)
    assert area.low < area.value == sk.roc_auc_score(labels, scores) < area.high


def test_level_repeats_and_seed_matter():
    data = study()
    base = metrics.interval(metrics.accuracy, *data)
    assert base == metrics.interval(metrics.accuracy, *data)
    wide, narrow = (metrics.interval(metrics.accuracy, *data, level=level) for level in (0.99, 0.5))
    assert wide.low < base.low < narrow.low < narrow.high < base.high < wide.high
    assert base != metrics.interval(metrics.accuracy, *data, seed=1)
    assert base != metrics.interval(metrics.accuracy, *data, repeats=500)


def test_an_interval_reads_well():
    for numbers, text in [
        ((0.912, 0.861, 0.95), ".91 [.86, .95]"),
        ((1, 0.999, 1), "1.00 [1.00, 1.00]"),
        ((-0.034, -0.12, 0.001), "-.03 [-.12, .00]"),
        ((-0.001, -1, 0), ".00 [-1.00, .00]"),
        ((10.5, 10.04, 20.0), "10.50 [10.04, 20.00]"),
    ]:
        assert str(metrics.Interval(*numbers)) == f"{metrics.Interval(*numbers)}" == text


@pytest.mark.parametrize(
    "arguments, options, sentence",
    [
        (([0, 1], [0, 1], ["a", "a"]), {}, "at least two patients"),
        (([0, 1], [0], ["a", "b"]), {}, "2 patients, 1 predictions"),
        ((1, [0, 1], ["a", "b"]), {}, "2 patients, no labels"),
        (([0, 1], [0, 1], None), {}, r"patients is missing.* an id of its own if unknown"),
        (([0, 1], [0, 1], ["a", "b"]), {"level": 95}, "level is"),
        (([0, 1], [0, 1], ["a", "b"]), {"repeats": 0}, "repeats is"),
    ],
)
def test_an_interval_refuses(arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.interval(metrics.accuracy, *arguments, **options)


def test_a_difference_refuses_as_an_interval_does():
    with pytest.raises(ValueError, match="1 predictions_b"):
        metrics.paired_difference(metrics.accuracy, [0, 1], [0, 1], [0], ["a", "b"])
    for function, predictions in ((metrics.interval, 1), (metrics.paired_difference, 2)):
        with pytest.raises(ValueError, match=r"metric is a function.*not 'accuracy'"):
            function("accuracy", [0, 1], *[[0, 1]] * predictions, ["a", "b"])


def nan_unless_three_classes(labels, predictions):
    return 1 if len(set(predictions)) > 2 else np.nan


@pytest.mark.parametrize(
    "metric, where",
    [
        (lambda labels, predictions: np.nan, "these images"),
        (nan_unless_three_classes, "most resamp"),
    ],
    ids=["everywhere", "on most resamples"],
)
def test_an_undefined_metric_has_no_interval(metric, where):
    with pytest.raises(ValueError, match=rf"undefined \(NaN\) on {where}"):
        metrics.interval(metric, [0, 1, 1], [0, 1, 2], [0, 1, 2])


def test_arguments_are_left_alone():
    data = study()
    copies = [values.copy() for values in data]
    metrics.interval(metrics.macro_f1, *data)
    assert all(map(np.array_equal, data, copies))


def test_a_name_of_the_last_release_warns():
    with pytest.warns(DeprecationWarning, match=r"match is now medlearn.metrics.match_boxes"):
        assert metrics.match is metrics.match_boxes
