"""The choice without target labels: when it changes, when it abstains, and what it never sees."""

import builtins
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lessons import ROOT
from PIL import Image

from medlearn import adaptation, datasets, selection
from medlearn.instruments import smear
from medlearn.selection import _choose, _evidence, _rule

DOCUMENT = ROOT / "docs" / "two_sites.md"


def domains(count=90, columns=12, classes=3, shift=2.0, seed=0):
    """Source features, source labels, target features and target labels; the target is shifted."""
    random = np.random.default_rng(seed)
    means = 2 * random.normal(size=(classes, columns))
    source_labels, target_labels = random.integers(0, classes, (2, count))
    source = means[source_labels] + random.normal(size=(count, columns))
    target = means[target_labels] + random.normal(size=(count, columns)) + shift
    return source, source_labels, target, target_labels


@pytest.fixture(scope="module")
def task():
    source, labels, target, _ = domains()
    return adaptation.candidates(source, labels, target), source, labels, target


@pytest.fixture(scope="module")
def choice(task):
    return selection.choose(*task)


# ---- what it returns -----------------------------------------------------------------------------


def test_the_table_holds_every_candidate_and_the_gain_is_that_of_the_best(task, choice):
    assert list(choice.table.index) == list(task[0])
    assert choice.table.predicted_gain["source only"] == 0
    assert set(_evidence.OF_CANDIDATE) < set(choice.table.columns)
    assert choice.gain.value == choice.table.predicted_gain[choice.best]
    assert choice.gain.low < choice.gain.value
    assert choice.name == ("source only" if choice.abstained else choice.best)
    assert not choice.table.isna().any().any()


def test_it_repeats_and_takes_probabilities_in_place_of_models(task, choice):
    models, source, labels, target = task
    tables = {name: model.predict_proba(target) for name, model in models.items()}
    again = selection.choose(tables, source, 7 * labels - 7, target)
    pd.testing.assert_frame_equal(again.table, choice.table)
    assert (again.name, again.reason) == (choice.name, choice.reason)


def test_permuted_labels_of_the_target_change_no_choice_and_no_prediction():
    source = smear.single_cells("lab-a", 60, size=32, seed=1)
    target = smear.single_cells("lab-b", 60, size=32, seed=2)
    order = np.random.default_rng(0).permutation(60)
    permuted = datasets.from_arrays(
        target.images, labels=target.labels[order], classes=target.classes, patients=target.patients
    )
    results = []
    for data in (target, permuted):
        vectors = [
            np.asarray(images)[:, ::8, ::8].reshape(60, -1)
            for images in (source.images, data.images)
        ]
        models = adaptation.candidates(vectors[0], source.labels, vectors[1])
        choice = selection.choose(models, vectors[0], source.labels, vectors[1])
        predictions = {name: model.predict(vectors[1]) for name, model in models.items()}
        results.append((choice, pd.DataFrame(predictions)))
    (before, predicted_before), (after, predicted_after) = results
    assert (before.name, before.reason, before.gain) == (after.name, after.reason, after.gain)
    pd.testing.assert_frame_equal(before.table, after.table)
    pd.testing.assert_frame_equal(predicted_before, predicted_after)


# ---- when it abstains ----------------------------------------------------------------------------


class Constant:
    """A regression that predicts what it is made with."""

    def __init__(self, *gains):
        self.gains = gains

    def predict(self, columns):
        return np.array(self.gains, float)


RANGES = dict.fromkeys((*_evidence.OF_PAIR, *_evidence.OF_CANDIDATE), (0.0, 3.0))
PAIR = dict.fromkeys(_evidence.OF_PAIR, 1.0)


def evidence(**changed):
    """Quantities of source only and two candidates; `changed` are those of the second candidate."""
    rows = [dict.fromkeys(_evidence.OF_CANDIDATE, 0.5) for _ in range(3)]
    rows[2] |= changed
    return pd.DataFrame(rows, index=["source only", "a", "b"])


def decide(gains=(9, 0.1, 0.3), pair=PAIR, far=np.inf, **changed):
    pairs = _rule.neighbours(np.array([_rule.point(PAIR, evidence())] * 2) + np.eye(2, 17))
    rule = _rule.Rule(Constant(*gains), RANGES, replace(pairs, farthest=far), 0.2, 0.0)
    return _choose.decide(rule, pair, evidence(**changed))


def test_a_clear_gain_inside_the_range_is_taken():
    choice = decide()
    assert (choice.name, choice.best, choice.abstained) == ("b", "b", False)
    assert choice.gain == pytest.approx((0.3, 0.1))
    assert "'b' has a predicted gain" in choice.reason and "simulated" in choice.reason


@pytest.mark.parametrize(
    ("options", "best", "words"),
    [
        ({"gains": (9, 0.1, 0.2)}, "b", "is not clear: predicted +0.20 (lower bound +0.00)"),
        (
            {"pair": PAIR | {"gap": 3.5}},
            "b",
            "means of the features (in standard deviations) is 3.50",
        ),
        ({"pair": PAIR | {"home": -0.5}}, "b", "cross-validated"),
        ({"far": 0.1}, "b", "they resemble none of its pairs"),
        ({"imbalance": 4.0}, "a", "'a', is not clear"),
    ],
)
def test_source_only_is_kept_and_the_reason_says_why(options, best, words):
    choice = decide(**options)
    assert (choice.name, choice.best, choice.abstained) == ("source only", best, True)
    assert words in choice.reason and "selection.duel" in choice.reason


def test_what_is_better_than_the_range_does_not_count_as_outside():
    favourable = PAIR | {"home": 9.0, "source_images": 9.0, "gap": -1.0}
    assert not decide(pair=favourable, imbalance=-1.0).abstained


def test_features_far_from_the_calibration_are_not_adapted():
    source, labels, target, _ = domains(shift=60.0)
    models = adaptation.candidates(source, labels, target)
    choice = selection.choose(models, source, labels, target)
    assert choice.abstained and "outside the range of the calibration" in choice.reason


# ---- the calibration -----------------------------------------------------------------------------


def test_the_calibration_is_the_development_half_of_the_arena_and_nothing_else():
    table = pd.read_csv(_rule._PATH, comment="#")
    arena = pd.read_csv(ROOT / "benchmarks" / "results" / "arena.csv", comment="#")
    arena = arena[arena.method != "oracle"]
    development = arena[arena.half == "development"]
    keys = set(zip(table.pair, table.candidate))
    assert keys == set(zip(development.pair, development.method))
    assert not set(table.pair) & set(arena.pair[arena.half == "test"])
    expected = development.set_index(["pair", "method"]).loc[list(zip(table.pair, table.candidate))]
    for name in (*_evidence.OF_PAIR, *_evidence.OF_CANDIDATE):
        np.testing.assert_allclose(table[name], expected[name], err_msg=name)


def test_the_rule_is_the_same_whenever_it_is_fitted():
    table = pd.read_csv(_rule._PATH, comment="#")
    rule, again = _rule.load(), _rule.fit(table, 0.0, 0.0)
    rows = table[table.pair == table.pair[0]]
    pair = rows.iloc[0][list(_evidence.OF_PAIR)].astype(float)
    np.testing.assert_array_equal(rule.predict(pair, rows), again.predict(pair, rows))


def test_a_quantity_is_the_same_for_shifted_and_scaled_features():
    source, labels, target, _ = domains()
    before = _evidence.of_pair(source, labels, target, 0)
    after = _evidence.of_pair(5 * source - 3, labels, 5 * target - 3, 0)
    assert before == pytest.approx(after, abs=1e-6)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m, s, y, t: ({"source only": m["source only"]}, s, y, t), "two models or more"),
        (
            lambda m, s, y, t: (m | {"mine": np.full((90, 2), 0.5)}, s, y, t),
            r"of 'mine' have the sh",
        ),
        (lambda m, s, y, t: (m, s, y[:-1], t), "one whole number for each of the 90"),
        (lambda m, s, y, t: (m, s, 0 * y, t), "at least two classes"),
        (lambda m, s, y, t: (m, s[:, :3], y, t), "same layer of the same encoder"),
        (lambda m, s, y, t: (m, s, y, t[:4]), "The target has 4 image"),
    ],
)
def test_errors_say_what_to_change(task, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        selection.choose(*change(*task))


# ---- the documented way --------------------------------------------------------------------------


def save(cells, folder, by_class):
    for index in range(len(cells)):
        name = cells.classes[cells.labels[index]] if by_class else ""
        path = folder / name / cells.patients[index] / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cells.images[index]).save(path)


@pytest.mark.slow
def test_the_documented_lines_run_from_two_folders(tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S).group(1)
    assert len([line for line in code.splitlines() if line.strip()]) < 30
    source = smear.single_cells("lab-a", 60, size=96, seed=1)
    target = smear.single_cells("lab-b", 60, size=96, seed=2)
    save(source, tmp_path / "hospital-a", True)
    save(target, tmp_path / "hospital-b", False)

    def expert(question):
        index = int(re.search(r"(\d{3})\.png", question).group(1))
        return target.classes[target.labels[index]]

    monkeypatch.setattr(builtins, "input", expert)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    printed = capsys.readouterr().out
    assert names["choice"].reason in printed
    assert str(names["verdict"]) in printed and names["in_use"] in names["models"]
    assert len(names["models"]) == 12
