"""Prediction sets, accuracy estimates, outlier scores and charts, beside independent oracles."""

import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial import distance

from medlearn import metrics
from medlearn.monitoring import charts, conformal, estimates, outliers

SHARES = np.array([0.6, 0.3, 0.1])


def drawn(count, shares, seed, noise=1.0):
    """Labels with these shares and the Bayes probabilities of a one-dimensional measurement."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(len(shares), count, p=shares)
    values = labels + noise * generator.normal(size=count)
    likelihoods = stats.norm.pdf(values[:, None], np.arange(len(shares)), noise)
    joint = likelihoods * SHARES
    return labels, joint / joint.sum(1, keepdims=True)


def covered(calibration, new, **options):
    limits = conformal.thresholds(*calibration, **options)
    return metrics.coverage(new[0], conformal.prediction_sets(new[1], limits))


def mean_coverage(new_shares, calibrated=SHARES, runs=300, **options):
    """Mean and standard error over fresh calibration sets of 60 and 40 new images each."""
    pairs = [
        (drawn(60, calibrated, run), drawn(40, new_shares, 10_000 + run)) for run in range(runs)
    ]
    values = [covered(*pair, **options) for pair in pairs]
    return np.mean(values), np.std(values) / np.sqrt(runs)


# ---- prediction sets -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [0.1, 0.25])
def test_sets_hold_the_true_class_as_often_as_promised(error):
    mean, standard_error = mean_coverage(SHARES, error=error)
    assert 1 - error - 3 * standard_error < mean < 1 - error + 1 / 61 + 3 * standard_error


def test_coverage_over_calibration_sets_has_its_beta_distribution():
    """Vovk 2012, arXiv:1209.2673: of one calibration set, given as good as all new images."""
    new = drawn(20_000, SHARES, 5)
    values = [covered(drawn(39, SHARES, run), new) for run in range(200)]
    assert stats.kstest(values, stats.beta(36, 4).cdf).pvalue > 0.01


def test_the_threshold_counts_the_new_image():
    """Of nine surprises the ninth: ceil(10 * 0.9); of eight images none is enough."""
    right = np.arange(0.1, 1, 0.1)
    probabilities = np.stack([right, 1 - right], 1)
    assert conformal.thresholds([0] * 9, probabilities) == pytest.approx([0.9, 0.9])
    assert np.isinf(conformal.thresholds([0] * 8, probabilities[:8])).all()
    assert conformal.thresholds([0] * 9, probabilities, error=0.2) == pytest.approx([0.8, 0.8])


def test_known_shares_restore_the_promise_where_the_plain_sets_break_it():
    rare_is_frequent = np.array([0.1, 0.3, 0.6])
    plain, _ = mean_coverage(rare_is_frequent)
    weighted, standard_error = mean_coverage(rare_is_frequent, target_shares=rare_is_frequent)
    assert plain < 0.8
    assert 0.9 - 3 * standard_error < weighted < 0.97


def test_weights_by_hand():
    """Class 1 counts three times in the target: weights 2/3 (class 0) and 2 (class 1)."""
    probabilities = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]]
    labels = [0, 0, 0, 1]  # surprises .1, .2, .3 and .6; weights 1/3 each and 3
    limits = conformal.thresholds(labels, probabilities, error=0.3, target_shares=[0.25, 0.75])
    # Class 0: sums 1/3, 2/3, 1, 4 of 4 + 1/3: .92 at the fourth. Class 1: at most 4 of 7.
    assert limits == pytest.approx([0.6, np.inf])


def test_shares_as_in_the_calibration_change_nothing():
    labels, probabilities = drawn(50, SHARES, 0)
    shares = np.bincount(labels, minlength=3) / 50
    weighted = conformal.thresholds(labels, probabilities, target_shares=shares)
    assert weighted == pytest.approx(conformal.thresholds(labels, probabilities))


def test_coverage_by_hand_and_its_interval():
    sets = np.array([[True, False], [True, True], [False, False], [False, True]])
    assert metrics.coverage([0, 1, 1, 0], sets) == 0.5
    many = np.tile(sets, (10, 1))
    interval = metrics.interval(metrics.coverage, [0, 1, 1, 0] * 10, many, range(40))
    means = metrics.interval(metrics.accuracy, [1] * 40, [1, 1, 0, 0] * 10, range(40))
    assert interval == pytest.approx(means)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: conformal.thresholds([0, 1], p, error=90), "0.1 promises 90 %"),
        (lambda p: conformal.thresholds([0, 2], p), "labels must be whole numbers from 0 to 1"),
        (lambda p: conformal.thresholds([0, 1], p, target_shares=[0.5, 0.6]), "sum to 1"),
        (lambda p: conformal.thresholds([0, 0], p, target_shares=[0.5, 0.5]), "class 1, which"),
        (lambda p: conformal.prediction_sets(p, 0.4), "one number per class"),
        (lambda p: conformal.prediction_sets(p, [0.4, np.nan]), "one number per class"),
        (lambda p: metrics.coverage([0, 1], p), "sets are booleans"),
        (lambda p: metrics.coverage([0, 2], np.array(p) > 0.5), "from 0 to 1"),
    ],
)
def test_sets_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call([[0.7, 0.3], [0.2, 0.8]])


# ---- estimates -----------------------------------------------------------------------------------

SOURCE = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.05, 0.95]])
TRUE = np.array([0, 1, 0, 1, 1])  # the second is wrong: accuracy 4/5
TARGET = np.array([[0.62, 0.38], [0.58, 0.42], [0.9, 0.1], [0.3, 0.7]])
ALL = [
    estimates.difference_of_confidences,
    estimates.thresholded_confidence,
    estimates.from_confusion_matrix,
]


def test_estimates_by_hand():
    # Confidence .79 at home, .70 on the target: .09 less than .80.
    assert estimates.difference_of_confidences(TRUE, SOURCE, TARGET) == pytest.approx(0.71)
    # One of five is wrong, and one confidence lies below .7: two of four targets do not.
    assert estimates.thresholded_confidence(TRUE, SOURCE, TARGET) == 0.5
    # Predicted 0: all of class 0, 1/3 of class 1. 3/4 = a + (1 - a) / 3, so a = 5/8.
    expected = 5 / 8 + 3 / 8 * 2 / 3
    assert estimates.from_confusion_matrix(TRUE, SOURCE, TARGET) == pytest.approx(expected)


@pytest.mark.parametrize("estimate", ALL)
def test_without_a_shift_each_estimate_is_the_accuracy(estimate):
    labels, probabilities = drawn(2000, SHARES, 0)
    new_labels, new = drawn(2000, SHARES, 1)
    truth = metrics.accuracy(new_labels, new.argmax(1))
    assert estimate(labels, probabilities, new) == pytest.approx(truth, abs=0.04)
    assert estimate(labels, probabilities, probabilities) == pytest.approx(
        metrics.accuracy(labels, probabilities.argmax(1)), abs=1e-3
    )


def test_only_the_confusion_matrix_withstands_other_shares():
    labels, probabilities = drawn(4000, SHARES, 0, noise=0.6)
    new_labels, new = drawn(4000, [0.05, 0.9, 0.05], 1, noise=0.6)
    truth = metrics.accuracy(new_labels, new.argmax(1))
    errors = [abs(estimate(labels, probabilities, new) - truth) for estimate in ALL]
    assert errors[2] < 0.03 < min(errors[:2])


def test_a_model_that_is_always_wrong_is_estimated_so():
    assert estimates.thresholded_confidence([1, 1], [[0.9, 0.1], [0.8, 0.2]], TARGET) == 0


def test_the_interval_resamples_whole_patients_of_both_domains():
    labels, probabilities = drawn(400, SHARES, 0)
    new = drawn(300, SHARES, 1)[1]
    options = {"repeats": 300, "seed": 1}
    arguments = estimates.difference_of_confidences, labels, probabilities, new
    by_image = estimates.interval(*arguments, np.arange(400), np.arange(300), **options)
    twins = estimates.interval(*arguments, np.arange(400) // 20, np.arange(300) // 20, **options)
    assert by_image.value == twins.value == arguments[0](*arguments[1:])
    assert by_image.low < by_image.value < by_image.high
    assert twins.rests_on == "20 and 15 patients"
    # The estimate is a difference of two independent means.
    at_home = (probabilities.argmax(1) == labels) - probabilities.max(1)
    expected = 1.96 * np.sqrt(at_home.var() / 400 + new.max(1).var() / 300)
    assert (by_image.high - by_image.low) / 2 == pytest.approx(expected, rel=0.15)
    narrow = estimates.interval(*arguments, np.arange(400), np.arange(300), level=0.5, **options)
    assert narrow.high - narrow.low < 0.6 * (by_image.high - by_image.low)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimates.thresholded_confidence(TRUE, SOURCE, [[0.2, 0.3, 0.5]]), "same model"),
        (lambda: estimates.from_confusion_matrix([0] * 5, SOURCE, TARGET), "has class 1"),
        (lambda: estimates.difference_of_confidences(TRUE[:4], SOURCE, TARGET), "one of each"),
        (
            lambda: estimates.interval(ALL[0], TRUE, SOURCE, TARGET, range(4), range(4)),
            "source_patients should be one id per image: there are 4 ids and 5 images",
        ),
    ],
)
def test_estimates_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- outlier scores ------------------------------------------------------------------------------


def test_scores_by_hand():
    assert outliers.max_probability(SOURCE).tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.05])
    logits = np.random.default_rng(0).normal(size=(6, 4))
    expected = -2 * np.log(np.exp(logits / 2).sum(1))
    assert outliers.energy(logits, temperature=2) == pytest.approx(expected)
    assert outliers.energy(logits) == pytest.approx(-special.logsumexp(logits, axis=1))


def test_mahalanobis_beside_scipy():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 2000)
    mixing = np.array([[2.0, 0.5], [0.0, 0.3]])
    means = np.array([[0.0, 0.0], [5.0, 5.0], [-5.0, 5.0]])
    source = generator.normal(size=(6000, 2)) @ mixing + means[labels]
    new = 10 * generator.normal(size=(5, 2))
    inverse = np.linalg.inv(mixing.T @ mixing)
    expected = [min(distance.mahalanobis(row, mean, inverse) ** 2 for mean in means) for row in new]
    scores = outliers.Mahalanobis().fit(source, np.array(list("abc"))[labels]).score(new)
    assert scores == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: outliers.Mahalanobis().score([[1.0]]), "call fit"),
        (lambda: outliers.Mahalanobis().fit([[1.0], [2.0]], [0]), "one of each"),
        (lambda: outliers.Mahalanobis().fit([[1.0], [2.0]], [0, 0]).score([[1, 2]]), "same layer"),
        (lambda: outliers.energy([[np.inf, 0]]), "logits hold NaN or infinite"),
        (lambda: outliers.energy([[1.0, 0]], temperature=0), "above 0"),
    ],
)
def test_outlier_scores_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- charts --------------------------------------------------------------------------------------


def test_a_chart_by_hand():
    """Mean 1 and variance 8/7; averages 1, 2 and 1.5; limits after one, two and three weeks."""
    chart = charts.Ewma(weight=0.5, width=2).fit([0, 2] * 4)
    watch = chart.watch([1.0, 3.0, 1.0])
    assert watch.averages.tolist() == [1, 2, 1.5]
    spread = np.sqrt(8 / 7) * np.sqrt(np.array([1, 1 + 1 / 4, 1 + 1 / 4 + 1 / 16]) / 4)
    assert watch.high == pytest.approx(1 + 2 * spread)
    assert watch.low == pytest.approx(1 - 2 * spread)
    assert not watch.alarms.any()
    assert chart.watch([1.0, 9.0]).alarms.tolist() == [False, True]
    assert chart.watch([-9.0]).alarms.tolist() == [True]


def weeks_to_alarm(weight, width, runs=300, weeks=4000):
    """Mean weeks to the first alarm of normal numbers, with limits from very many quiet weeks."""
    chart = charts.Ewma(weight, width).fit(np.random.default_rng(0).normal(size=200_000))
    numbers = np.random.default_rng(1).normal(size=(runs, weeks))
    return np.mean([chart.watch(run).alarms.argmax() + 1 for run in numbers])


@pytest.mark.parametrize(("weight", "width", "published"), [(1.0, 3.0, 370.4), (0.2, 2.962, 500.0)])
def test_false_alarms_come_as_rarely_as_published(weight, width, published):
    """Shewhart's chart: 1 / .0027; Lucas & Saccucci 1990 chose 2.962 for 500 weeks."""
    assert weeks_to_alarm(weight, width) == pytest.approx(published, rel=0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: charts.Ewma(weight=0), "share of the newest week"),
        (lambda: charts.Ewma(width=-3), "counts standard deviations"),
        (lambda: charts.Ewma().fit([1, 2, 3]), "at least 8"),
        (lambda: charts.Ewma().fit([1.0] * 9), "same number"),
        (lambda: charts.Ewma().fit([1, 2] * 5).watch([np.nan]), "1 are not finite"),
        (lambda: charts.Ewma().watch([1.0]), "call fit"),
    ],
)
def test_charts_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
