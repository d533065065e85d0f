import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from medlearn import metrics
from medlearn.metrics import _limits, _resamples

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
@settings(max_examples=20)
@given(reading=readings(), seed=st.integers(0, 100))
def test_the_fast_way_equals_scoring_every_resample(score, reading, seed):
    """Also where a resample lacks a class."""
    labels, predictions, patients = reading
    patient = np.unique(patients, return_inverse=True)[1]
    number = patient.max() + 1
    chances = np.full(number, 1 / number)
    counts = np.random.default_rng(seed).multinomial(number, chances, size=10)
    fast, slow = (
        _resamples.resampled_scores(metric, labels, predictions, patient, counts)
        for metric in (score, lambda *arguments: score(*arguments))
    )
    assert fast == pytest.approx(slow)


def test_unclustered_interval_agrees_with_wilson():
    labels, predictions, _ = study()
    ours = metrics.interval(
        metrics.accuracy, labels, predictions, np.arange(len(labels)), repeats=4000
    )
    right = stats.binomtest(int((labels == predictions).sum()), len(labels))
    expected = right.proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_clustered_interval_agrees_with_students_t_of_the_patients():
    """A function of one's own too, up to the skewness that the corrected percentiles allow for."""
    labels, predictions, patients = study()
    hits = np.array([np.mean((labels == predictions)[patients == p]) for p in np.unique(patients)])
    expected = stats.t.interval(0.95, len(hits) - 1, hits.mean(), stats.sem(hits))
    for metric in (metrics.accuracy, lambda a, b: np.mean(a == b)):
        ours = metrics.interval(metric, labels, predictions, patients, repeats=4000)
        assert (ours.low, ours.high) == pytest.approx(expected, abs=0.025)
        assert ours.high - ours.low == pytest.approx(expected[1] - expected[0], rel=0.08)


def test_corrected_percentiles_agree_with_scipy():
    """A skewed score: BCa, with the acceleration from the resamples instead of the jackknife."""
    errors = np.random.default_rng(0).exponential(size=200)
    ours = metrics.interval(lambda _, e: e.mean(), errors, errors, np.arange(200), repeats=9000)
    expected = stats.bootstrap(
        (errors,), np.mean, n_resamples=9000, random_state=np.random.default_rng(1)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=0.012)


@pytest.mark.parametrize(
    "metric", [*SCORES, lambda a, b: np.mean(a == b)], ids=[*"abm", "own function"]
)
def test_no_interval_is_without_width_where_every_image_is_right_or_wrong(metric):
    labels, _, patients = study(patients=20)
    right = metrics.interval(metric, labels, labels, patients)
    assert right.value == right.high == 1
    assert right.low == pytest.approx(_limits.of_share(1.0, np.ones(9), 20, 0.95)[0])
    wilson = stats.binomtest(20, 20).proportion_ci(method="wilson").low
    assert wilson - 0.04 < right.low < wilson  # Student's t is a little wider
    wrong = metrics.interval(metric, labels, (labels + 1) % 3, patients)
    assert wrong.value == wrong.low == 0 and wrong.high == pytest.approx(1 - right.low)


def test_models_that_agree_on_every_image_may_differ_on_other_patients():
    labels, a, patients = study(patients=20)
    same = metrics.paired_difference(metrics.accuracy, labels, a, a, patients)
    assert same.value == 0 and same.high == -same.low and 0.1 < same.high < 0.25
    more = study(patients=200)
    wide = metrics.paired_difference(metrics.accuracy, more[0], more[1], more[1], more[2])
    assert wide.high < 0.03


def test_few_patients_are_warned_of(recwarn):
    labels, predictions, patients = study(patients=10)
    metrics.interval(metrics.accuracy, labels, predictions, patients)
    assert not recwarn.list
    few = [values[:72] for values in (labels, predictions, patients)]
    with pytest.warns(UserWarning, match="rests on 9 patients: with fewer than 10"):
        metrics.interval(metrics.accuracy, *few)
    ill = (patients < 4).astype(int)  # sensitivity rests on the patients who have it
    with pytest.warns(UserWarning, match="rests on 4 patients"):
        metrics.paired_difference(metrics.sensitivity, ill, ill, 1 - ill, patients)


def test_patients_matter_and_duplicated_images_teach_nothing():
    labels, predictions, patients = study(patients=40, images=1)
    alone = metrics.interval(metrics.macro_f1, labels, predictions, patients)
    copied = [np.tile(values, 5) for values in (labels, predictions, patients)]
    assert metrics.interval(metrics.macro_f1, *copied) == pytest.approx(alone)
    naive = metrics.interval(metrics.macro_f1, *copied[:2], np.arange(200))
    assert naive.high - naive.low < 0.6 * (alone.high - alone.low)


def test_coverage():
    """Of 300 studies with hard and easy patients, about 95 % of the intervals hold the truth."""
    hits = {"accuracy": 0, "near 1": 0, "by image": 0}
    for seed in range(300):
        random = np.random.default_rng(seed)
        patients, images = np.repeat(np.arange(20), 6), np.arange(120)
        easy = random.beta(2, 1, 20)[patients]  # true accuracy 2/3
        easier = random.beta(6, 0.15, 20)[patients]
        for name, share, truth, ids in [
            ("accuracy", easy, 2 / 3, patients),
            ("near 1", easier, 6 / 6.15, patients),
            ("by image", easy, 2 / 3, images),
        ]:
            right = random.random(120) < share
            ends = metrics.interval(
                metrics.accuracy, np.ones(120), right, ids, repeats=200, seed=seed
            )
            hits[name] += ends.low <= truth <= ends.high
    assert 0.92 <= hits["accuracy"] / 300 <= 0.98 and hits["near 1"] / 300 >= 0.92
    assert hits["by image"] / 300 < 0.87


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
    alone = metrics.interval(metrics.accuracy, labels, a, patients)
    assert gain.high - gain.low < 0.7 * (alone.high - alone.low)


def test_paired_difference_of_any_metric():
    labels, a, patients = study(seed=1)
    b = study(seed=2)[1]
    slow = metrics.paired_difference(
        lambda x, y: np.mean(x == y), labels, a, b, patients, repeats=50
    )  # both are Student's t
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
