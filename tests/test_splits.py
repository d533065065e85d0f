import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlearn import splits


@st.composite
def cohorts(draw, least=2):
    """Patient ids and labels: everybody has at least one image."""
    count = draw(st.integers(least, 25))
    more = draw(st.lists(st.integers(0, count - 1), max_size=60))
    patients = np.array([f"patient {i}" for i in [*range(count), *more]])
    labels = draw(st.lists(st.integers(0, 3), min_size=len(patients), max_size=len(patients)))
    return patients, np.array(labels)


@given(cohorts(), st.floats(0.01, 0.99), st.integers(0, 1000), st.booleans())
def test_nobody_is_on_both_sides_and_nobody_is_lost(cohort, share, seed, stratified):
    patients, labels = cohort
    train, test = splits.by_patient(
        patients, test=share, seed=seed, labels=labels if stratified else None
    )
    assert not set(patients[train]) & set(patients[test])
    assert len(train) and len(test)
    assert sorted([*train, *test]) == list(range(len(patients)))
    assert list(train) == sorted(train) and list(test) == sorted(test)
    everybody = len(set(patients))
    assert len(set(patients[test])) == min(max(round(share * everybody), 1), everybody - 1)


@given(cohorts(), st.floats(0.1, 0.9), st.integers(0, 1000))
def test_each_class_has_its_share_of_the_test_patients(cohort, share, seed):
    patients, labels = cohort
    train, test = splits.by_patient(patients, test=share, seed=seed, labels=labels)
    majority = {p: np.bincount(labels[patients == p]).argmax() for p in set(patients)}
    tested = [majority[p] for p in set(patients[test])]
    for label in set(majority.values()):
        fair = list(majority.values()).count(label) * len(tested) / len(majority)
        assert abs(tested.count(label) - fair) <= 1 + 1e-9


def test_labels_matter():
    patients = np.arange(40)
    labels = np.repeat([0, 1], 20)
    unequal = 0
    for seed in range(20):
        _, plain = splits.by_patient(patients, test=0.5, seed=seed)
        _, fair = splits.by_patient(patients, test=0.5, seed=seed, labels=labels)
        unequal += labels[plain].sum() != 10
        assert labels[fair].sum() == 10
    assert unequal > 5


@pytest.mark.filterwarnings("ignore:Class . has images of")
def test_every_patient_is_equally_likely_to_be_tested():
    patients, labels = np.arange(10), np.array([0] * 7 + [1] * 2 + [2])
    tested = np.zeros(10)
    for seed in range(2000):
        tested[splits.by_patient(patients, test=0.3, seed=seed, labels=labels)[1]] += 1
    assert np.abs(tested / 2000 - 0.3).max() < 0.045  # four standard errors


def test_same_seed_same_split_and_another_seed_another():
    patients = np.arange(30)
    one, again, other = (splits.by_patient(patients, seed=seed)[1].tolist() for seed in (1, 1, 2))
    assert one == again != other


def test_order_of_the_images_does_not_matter():
    patients = np.array(list("aabbccddeeff"))
    shuffled = np.random.default_rng(0).permutation(len(patients))
    _, test = splits.by_patient(patients, seed=3)
    _, test_shuffled = splits.by_patient(patients[shuffled], seed=3)
    assert set(patients[test]) == set(patients[shuffled][test_shuffled])


@pytest.mark.filterwarnings("ignore:Class . has images of")
@given(cohorts(least=6), st.integers(2, 4), st.integers(0, 1000))
def test_folds_test_every_image_once_and_no_patient_twice(cohort, k, seed):
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
        assert len(test) and not set(patients[train]) & set(patients[test])
        assert sorted([*train, *test]) == list(range(len(patients)))


def test_folds_are_stratified_seeded_and_quiet(recwarn):
    patients = np.repeat(np.arange(50), 2)
    labels = np.repeat([0, 1], 50)
    labels[[0, 2, 4]] = 2  # rarer than the folds
    pairs = list(splits.folds(patients, labels, k=5, seed=1))
    assert all(8 <= (labels[test] == 1).sum() <= 12 for _, test in pairs)
    tests = [test.tolist() for _, test in pairs]
    assert tests == [test.tolist() for _, test in splits.folds(patients, labels, k=5, seed=1)]
    assert tests != [test.tolist() for _, test in splits.folds(patients, labels, k=5, seed=2)]
    assert not recwarn.list


def test_a_class_that_a_part_lacks_is_said():
    patients = np.repeat(np.arange(20), 2)
    labels = np.repeat([0, 1, 0, 1], 10)
    labels[:2] = 2
    sentence = "Class 2 has images of 1 patient only, too few for every part of this split"
    with pytest.warns(UserWarning, match=sentence) as said:
        list(splits.folds(patients, labels, k=4))
        splits.by_patient(patients, labels=labels)
    assert [Path(warning.filename).name for warning in said] == [Path(__file__).name] * 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        splits.by_patient(patients)  # who does not stratify is not asked about classes


def test_a_fold_of_one_class_is_said():
    patients, labels = np.arange(8), np.array([0, 0, 0, 0, 0, 0, 1, 1])
    with pytest.warns(
        UserWarning, match="of 4 tests images of class 0 only: AUROC is undefined there"
    ) as said:
        list(splits.folds(patients, labels, k=4))
    assert [Path(warning.filename).name for warning in said] == [Path(__file__).name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(splits.folds(patients, labels, k=2))
        list(
            splits.folds(patients, np.zeros(8, int), k=2)
        )  # of one class altogether, nothing else can be expected


@pytest.mark.parametrize("share", [0, 1, -0.2, 30, float("nan")])
def test_share_outside_0_to_1(share):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        splits.by_patient(["a", "b"], test=share)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: splits.by_patient(["a", "a", "a"]), "All 3 images come from one patient"),
        (lambda: splits.by_patient([]), "one id per image"),
        (lambda: splits.by_patient(None), "patients is missing: give each image its patient's id"),
        (
            lambda: splits.folds(None, [0, 1]),
            "patients is missing: give each image its patient's id",
        ),
        (
            lambda: splits.by_patient([1.0, np.nan, np.nan]),
            "patients holds 2 NaN; .* an id of their own",
        ),
        (
            lambda: splits.folds([1, 2], [np.nan, 1.0], k=2),
            "labels holds 1 NaN; leave those images out",
        ),
        (lambda: splits.by_patient([["a"], ["b"]]), "one id per image"),
        (lambda: splits.by_patient(["a", "b"], labels=[0]), "there are 2 patient ids"),
        (lambda: splits.folds(["a", "b"], [0, 1, 1]), "there are 2 patient ids"),
        (
            lambda: splits.folds(["a", "b", "b"], [0, 0, 0], k=3),
            "need at least 3 patients; there are 2",
        ),
        (lambda: splits.folds(["a", "b", "c"], [0, 0, 0], k=1), "at least k=2"),
        (lambda: splits.folds(["a", "b", "c"], [0, 1, 2], k=3), "the largest has 1"),
    ],
)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()  # also for folds: at the call, not at the first fold
    assert "\n" not in str(caught.value)


def test_an_empty_fold_is_refused(monkeypatch):
    # Which cohorts make scikit-learn leave a fold empty depends on its version, so it is made to here.
    nobody = [(np.arange(3), np.array([], int))]
    monkeypatch.setattr(splits.StratifiedGroupKFold, "split", lambda *_: nobody)
    with pytest.raises(ValueError, match="too uneven for 2 folds"):
        splits.folds(["a", "b", "c"], [0, 0, 1], k=2)


def test_patients_cannot_be_left_out():
    with pytest.raises(TypeError):
        splits.by_patient()


# ---- by domain ----------------------------------------------------------------------------------------------


def test_a_domain_is_tested_and_its_patients_train_nowhere():
    domains = ["a", "a", "b", "b", "c"]
    train, test = splits.by_domain(domains, ["p", "q", "q", "r", "s"], test="b")
    assert test.tolist() == [2, 3]
    assert train.tolist() == [0, 4]  # q was at both, so their image at a is in neither part


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=40))
def test_no_patient_is_on_both_sides_of_a_domain_split(pairs):
    domains, patients = (np.array(column) for column in zip(*pairs, strict=True))
    try:
        train, test = splits.by_domain(domains, patients, test="a")
    except ValueError:
        assert "a" not in domains or set(patients) == set(patients[domains == "a"])
        return
    assert (domains[test] == "a").all() and (domains == "a").sum() == len(test)
    assert not set(patients[train]) & set(patients[test])


@pytest.mark.parametrize(
    ("domains", "patients", "test", "words"),
    [
        (["a", "b"], ["p", "q"], "lab-c", "no image of domain 'lab-c'; there are a, b"),
        (["a", "b"], ["p"], "a", "Each image needs its domain"),
        (["a", "b"], ["p", "p"], "a", "Nobody is left"),
    ],
)
def test_a_domain_split_that_cannot_be(domains, patients, test, words):
    with pytest.raises(ValueError, match=words):
        splits.by_domain(domains, patients, test)
