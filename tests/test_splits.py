"""Splits: no patient on both sides, no image lost, each class in its share."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlearn import splits

pytestmark = [
    pytest.mark.filterwarnings("ignore:Class . has images of"),
    pytest.mark.filterwarnings("ignore:Fold . of . tests images of class"),
]


@st.composite
def cohorts(draw, least=2):
    """Patient ids and labels; every patient has at least one image."""
    count = draw(st.integers(least, 25))
    more = draw(st.lists(st.integers(0, count - 1), max_size=60))
    patients = np.array([f"patient {number}" for number in [*range(count), *more]])
    labels = draw(st.lists(st.integers(0, 3), min_size=len(patients), max_size=len(patients)))
    return patients, np.array(labels)


def expect_split(patients, train, test):
    """Every image is on one side, no patient is on both, and the indices are sorted."""
    assert len(train) and len(test)
    assert not set(patients[train]) & set(patients[test])
    assert sorted([*train, *test]) == list(range(len(patients)))
    assert list(train) == sorted(train) and list(test) == sorted(test)


# ---- by patient ----------------------------------------------------------------------------------


@given(cohorts(), st.floats(0.01, 0.99), st.integers(0, 1000), st.booleans())
def test_no_patient_is_on_both_sides_and_no_image_is_lost(cohort, share, seed, stratified):
    patients, labels = cohort
    labels = labels if stratified else None
    train, test = splits.by_patient(patients, labels, test=share, seed=seed)
    expect_split(patients, train, test)
    count = len(set(patients))
    assert len(set(patients[test])) == min(max(round(share * count), 1), count - 1)


@given(cohorts(), st.floats(0.1, 0.9), st.integers(0, 1000))
def test_each_class_has_its_share_of_the_test_patients(cohort, share, seed):
    patients, labels = cohort
    _, test = splits.by_patient(patients, labels, test=share, seed=seed)
    majority = {name: np.bincount(labels[patients == name]).argmax() for name in set(patients)}
    tested = [majority[name] for name in set(patients[test])]
    for label in set(majority.values()):
        expected = list(majority.values()).count(label) * len(tested) / len(majority)
        assert abs(tested.count(label) - expected) <= 1 + 1e-9


def test_labels_stratify():
    patients, labels = np.arange(40), np.repeat([0, 1], 20)
    uneven = 0
    for seed in range(20):
        _, plain = splits.by_patient(patients, test=0.5, seed=seed)
        _, stratified = splits.by_patient(patients, labels, test=0.5, seed=seed)
        uneven += labels[plain].sum() != 10
        assert labels[stratified].sum() == 10
    assert uneven > 5


def test_every_patient_is_equally_likely_to_be_tested():
    patients, labels = np.arange(10), np.array([0] * 7 + [1] * 2 + [2])
    tested = np.zeros(10)
    for seed in range(2000):
        tested[splits.by_patient(patients, labels, test=0.3, seed=seed)[1]] += 1
    assert np.abs(tested / 2000 - 0.3).max() < 0.045  # four standard errors


def test_the_seed_and_the_patients_decide_and_not_the_order_of_the_images():
    patients = np.array(list("aabbccddeeff"))
    first, again, other = (splits.by_patient(patients, seed=seed)[1] for seed in (3, 3, 4))
    assert first.tolist() == again.tolist() != other.tolist()
    order = np.random.default_rng(0).permutation(len(patients))
    _, test = splits.by_patient(patients[order], seed=3)
    assert set(patients[first]) == set(patients[order][test])


# ---- folds ---------------------------------------------------------------------------------------


@given(cohorts(least=6), st.integers(2, 4), st.integers(0, 1000))
def test_folds_test_every_image_once(cohort, k, seed):
    patients, labels = cohort
    labels[:5] = 0  # a class with more images than folds
    try:
        pairs = list(splits.folds(patients, labels, k=k, seed=seed))
    except ValueError as error:
        assert "too uneven" in str(error)
        return
    assert len(pairs) == k
    assert sorted(np.concatenate([test for _, test in pairs])) == list(range(len(patients)))
    for train, test in pairs:
        expect_split(patients, train, test)


def test_folds_are_stratified_seeded_and_quiet(recwarn):
    patients, labels = np.repeat(np.arange(50), 2), np.repeat([0, 1], 50)
    labels[[0, 2, 4]] = 2  # rarer than the folds
    pairs = list(splits.folds(patients, labels, k=5, seed=1))
    assert all(8 <= (labels[test] == 1).sum() <= 12 for _, test in pairs)
    tests = [test.tolist() for _, test in pairs]
    assert tests == [test.tolist() for _, test in splits.folds(patients, labels, k=5, seed=1)]
    assert tests != [test.tolist() for _, test in splits.folds(patients, labels, k=5, seed=2)]
    assert not recwarn.list


def test_an_empty_fold_is_refused(monkeypatch):
    # Which cohorts make scikit-learn leave a fold empty depends on its version.
    empty = [(np.arange(3), np.array([], int))]
    monkeypatch.setattr(splits.StratifiedGroupKFold, "split", lambda *_: empty)
    with pytest.raises(ValueError, match="too uneven for 2 folds"):
        splits.folds(["a", "b", "c"], [0, 0, 1], k=2)


# ---- warnings ------------------------------------------------------------------------------------


def test_a_class_that_a_part_lacks_is_a_warning():
    patients, labels = np.repeat(np.arange(20), 2), np.repeat([0, 1, 0, 1], 10)
    labels[:2] = 2
    sentence = "Class 2 has images of 1 patient only, too few for every part of this split"
    with pytest.warns(UserWarning, match=sentence) as caught:
        list(splits.folds(patients, labels, k=4))
        splits.by_patient(patients, labels)
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name] * 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        splits.by_patient(patients)  # without labels there are no classes to miss


def test_a_fold_of_one_class_is_a_warning():
    patients, labels = np.arange(8), np.array([0, 0, 0, 0, 0, 0, 1, 1])
    sentence = "of 4 tests images of class 0 only: AUROC is undefined there"
    with pytest.warns(UserWarning, match=sentence) as caught:
        list(splits.folds(patients, labels, k=4))
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(splits.folds(patients, labels, k=2))
        list(splits.folds(patients, np.zeros(8, int), k=2))  # there is no other class to miss


# ---- by domain -----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=40))
def test_a_domain_is_tested_and_its_patients_train_nowhere(pairs):
    domains, patients = (np.array(column) for column in zip(*pairs, strict=True))
    try:
        train, test = splits.by_domain(domains, patients, "a")
    except ValueError:
        assert "a" not in domains or set(patients) == set(patients[domains == "a"])
        return
    assert (domains[test] == "a").all() and (domains == "a").sum() == len(test)
    tested = np.isin(patients, patients[test])
    assert train.tolist() == np.flatnonzero(~tested).tolist()


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function, arguments, options, sentence",
    [
        (splits.by_patient, (["a", "b"],), {"test": 0}, "above 0 and below 1"),
        (splits.by_patient, (["a", "b"],), {"test": 1}, "above 0 and below 1"),
        (splits.by_patient, (["a", "b"],), {"test": float("nan")}, "above 0 and below 1"),
        (splits.by_patient, (["a", "a", "a"],), {}, "All 3 images come from one patient"),
        (splits.by_patient, ([],), {}, "one entry per image"),
        (splits.by_patient, (None,), {}, "patients is missing: give each image the id of its"),
        (splits.by_patient, ([1.0, np.nan, np.nan],), {}, "2 NaN among .* an id of their own"),
        (splits.by_patient, (["a", "b"], [0]), {}, "there are 2 patient ids"),
        (splits.folds, (["a", "b"], [0, 1, 1]), {}, "there are 2 patient ids"),
        (splits.folds, ([1, 2], [np.nan, 1.0]), {"k": 2}, "1 NaN among .* leave out the images"),
        (splits.folds, (list("abb"), [0] * 3), {"k": 3}, "at least 3 patients; there are 2"),
        (splits.folds, (list("abc"), [0] * 3), {"k": 1}, "at least k=2"),
        (splits.folds, (list("abc"), [0, 1, 2]), {"k": 3}, "the largest has 1"),
        (splits.by_domain, (["a", "b"], ["p", "q"], "c"), {}, "of domain 'c'; there are a, b"),
        (splits.by_domain, (["a", "b"], ["p"], "a"), {}, "Each image needs its domain"),
        (splits.by_domain, (["a", "b"], ["p", "p"], "a"), {}, "No patient is left"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(function, arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        function(*arguments, **options)  # folds too: at the call, not at the first fold
    assert "\n" not in str(caught.value)
