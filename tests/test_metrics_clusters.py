"""Correlation within patients, the power of a comparison, and subgroups."""

import copy
import pickle

import numpy as np
import pytest
from scipy import stats

from medlearn import metrics


def test_correlation_within_patients_equals_the_table_of_shrout_and_fleiss():
    """Their six targets with four ratings each: form (1,1) is .17."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    ours = metrics.intraclass_correlation(np.ravel(ratings), np.repeat(list("abcdef"), 4))
    assert ours == pytest.approx(0.166, abs=0.001)


def test_correlation_finds_that_of_a_known_world_with_unequal_patients():
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(2000), random.integers(1, 6, 2000))
    values = 0.3**0.5 * random.normal(size=2000)[patients]
    values = values + 0.7**0.5 * random.normal(size=len(patients))
    assert metrics.intraclass_correlation(values, patients) == pytest.approx(0.3, abs=0.04)
    shuffled = random.permutation(patients)
    assert metrics.intraclass_correlation(values, shuffled) == pytest.approx(0, abs=0.04)
    assert metrics.intraclass_correlation(patients, patients) == 1
    assert metrics.intraclass_correlation(np.ones(len(patients)), patients) == 0


@pytest.mark.parametrize(
    "values, patients, sentence",
    [
        ([1, 0, 1], ["a", "b", "c"], "several images"),
        ([1, 0, 1], ["a", "a", "a"], "two patients"),
        ([1, np.nan, 1], ["a", "a", "b"], "NaN"),
        ([1, 0], ["a", "a", "b"], "2"),
    ],
)
def test_correlation_refuses(values, patients, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.intraclass_correlation(values, patients)


def exact_power(number, gain, disagreement, is_significant):
    """Over all numbers of images on which only a, or only b, is right, by their probabilities."""
    outcomes = [(disagreement + gain) / 2, (disagreement - gain) / 2, 1 - disagreement]
    power = 0.0
    for only_a in range(number + 1):
        for only_b in range(number - only_a + 1):
            counts = [only_a, only_b, number - only_a - only_b]
            chance = stats.multinomial.pmf(counts, number, outcomes)
            if chance > 1e-7 and only_a > only_b and is_significant(*counts):
                power += chance
    return power


def by_students_t(only_a, only_b, same):
    values = np.repeat([1, -1, 0], [only_a, only_b, same])
    if values.std() == 0:  # all images say the same: Wilson's share of what was not seen
        square = stats.t.ppf(0.975, len(values) - 1) ** 2
        return 2 * square / (len(values) + square) < 1
    return stats.ttest_1samp(values, 0).pvalue < 0.05


def by_mcnemar(only_a, only_b, same):
    return stats.binomtest(only_a, only_a + only_b).pvalue < 0.05


@pytest.mark.parametrize("number, gain, disagreement", [(25, 0.2, 0.3), (8, 0.9, 0.95)])
def test_power_without_clusters_is_the_exact_one(number, gain, disagreement):
    expected = exact_power(number, gain, disagreement, by_students_t)
    ours = metrics.power_of_difference(number, gain=gain, disagreement=disagreement, studies=20000)
    assert ours == pytest.approx(expected, abs=0.012)


def test_power_is_a_little_above_that_of_the_exact_mcnemar_test():
    """Which keeps below its five per cent of false alarms because it counts whole images."""
    expected = exact_power(60, 0.15, 0.25, by_mcnemar)
    ours = metrics.power_of_difference(60, gain=0.15, disagreement=0.25, studies=10000)
    assert expected < ours < expected + 0.13


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_power_with_clusters_agrees_with_the_design_effect(correlation):
    patients, images, gain, disagreement = 300, 4, 0.05, 0.15
    effective = patients * images / (1 + (images - 1) * correlation)
    error = np.sqrt((disagreement - gain**2) / effective)
    expected = stats.norm.sf(1.96 - gain / error)
    ours = metrics.power_of_difference(
        patients,
        gain=gain,
        disagreement=disagreement,
        images_per_patient=images,
        correlation=correlation,
    )
    assert ours == pytest.approx(expected, abs=0.04)


def test_power_is_the_share_of_intervals_of_paired_difference_above_zero():
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 3)
    hits = 0
    for study in range(300):
        chances = random.dirichlet(np.array([0.3, 0.1, 0.6]), 30)  # correlation 1 / (1 + 1)
        outcomes = [random.choice(3, 3, p=chance) for chance in chances]
        outcome = np.ravel(outcomes)
        ones = np.ones(90, int)
        gain = metrics.paired_difference(
            metrics.accuracy, ones, ones * (outcome != 1), ones * (outcome != 0), patients,
            repeats=200, seed=study,
        )  # fmt: skip
        hits += gain.low > 0
    power = metrics.power_of_difference(
        30, gain=0.2, disagreement=0.4, images_per_patient=3, correlation=0.5
    )
    assert hits / 300 == pytest.approx(power, abs=0.08)


def test_without_a_gain_worth_the_name_few_studies_are_significant():
    """One side of five per cent."""
    power = metrics.power_of_difference(60, gain=1e-9, disagreement=0.3)
    assert power == pytest.approx(0.025, abs=0.012)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"patients": 1}, "patients"),
        ({"gain": 0.3}, "gain"),
        ({"gain": 0}, "gain"),
        ({"disagreement": 1.2}, "disagreement"),
        ({"correlation": 1}, "correlation"),
        ({"correlation": -0.1}, "taken for 0"),
        ({"level": 95}, "level"),
        ({"images_per_patient": 0}, "images_per_patient"),
    ],
)
def test_power_refuses(changes, sentence):
    arguments = {"patients": 30, "gain": 0.1, "disagreement": 0.2} | changes
    with pytest.raises(ValueError, match=sentence):
        metrics.power_of_difference(arguments.pop("patients"), **arguments)


# ---- what an interval rests on -------------------------------------------------------------------


def test_an_interval_says_what_it_rests_on():
    labels, answers = np.array([0, 1] * 20), np.array([0, 1, 1, 1] * 10)
    by_patient = metrics.interval(metrics.accuracy, labels, answers, np.repeat(range(20), 2))
    by_image = metrics.interval(metrics.accuracy, labels, answers, range(40))
    sensitivity = metrics.interval(metrics.sensitivity, labels, answers, range(40))
    assert by_patient.rests_on == "20 patients"
    assert by_image.rests_on == "40 images"
    assert sensitivity.rests_on == "20 images"
    gain = metrics.paired_difference(metrics.accuracy, labels, answers, labels, range(40))
    assert gain.rests_on == "40 images"
    area = metrics.delong(labels, labels * 0.5, answers, range(40)).difference
    assert area.rests_on == "20 images"


def test_what_an_interval_rests_on_survives_copies_and_leaves_three_numbers():
    interval = metrics.Interval(0.5, 0.4, 0.6, rests_on="20 patients")
    assert interval == (0.5, 0.4, 0.6) and len(interval) == 3
    assert metrics.Interval(0.5, 0.4, 0.6).rests_on == ""
    for twin in (copy.deepcopy(interval), pickle.loads(pickle.dumps(interval))):
        assert twin == interval and twin.rests_on == "20 patients"


# ---- subgroups -----------------------------------------------------------------------------------


def test_a_subgroup_has_the_interval_of_its_rows_or_too_few_patients():
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(40), 3)
    ages = np.where(patients < 4, "child", np.where(patients < 25, "adult", "senior"))
    labels = np.where(patients % 2 == 0, 1, 0)
    answers = random.integers(0, 2, 120)
    scores = metrics.per_subgroup(metrics.sensitivity, labels, answers, patients, ages, fewest=5)
    assert list(scores) == ["adult", "child", "senior"]
    rows = ages == "adult"
    expected = metrics.interval(metrics.sensitivity, labels[rows], answers[rows], patients[rows])
    assert scores["adult"].interval == expected
    assert scores["adult"].patients == 11 and scores["adult"].images == rows.sum()
    assert scores["child"].interval is None and scores["child"].patients == 2
    assert str(scores["child"]) == "too few to say (2 patients)"
    by_image = metrics.per_subgroup(metrics.accuracy, labels, answers, range(120), ages, fewest=50)
    assert str(by_image["child"]) == "too few to say (12 images)"
    assert str(scores["adult"]) == f"{expected}, 11 patients"


def test_a_subgroup_without_the_class_has_no_patients_and_raises_nothing():
    labels, patients = [1] * 12 + [0] * 12, range(24)
    wards = ["north"] * 12 + ["south"] * 12
    scores = metrics.per_subgroup(metrics.sensitivity, labels, labels, patients, wards)
    assert scores["south"].patients == 0 and "too few" in str(scores["south"])
    assert scores["north"].interval.high == 1


def test_subgroups_are_checked():
    with pytest.raises(ValueError, match="subgroups"):
        metrics.per_subgroup(metrics.accuracy, [0, 1], [0, 1], ["a", "b"], ["north"])
    with pytest.raises(ValueError, match="fewest"):
        metrics.per_subgroup(metrics.accuracy, [0, 1], [0, 1], ["a", "b"], ["n", "s"], fewest=1)
