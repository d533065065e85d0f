"""Candidates on frozen features: what they predict, that they repeat, and what they refuse."""

import numpy as np
import pytest

from medlearn import adaptation
from medlearn.adaptation import matching


def domains(count=90, columns=6, classes=3, shift=4.0, seed=0):
    """Source features, source labels, target features and target labels; the target is shifted."""
    random = np.random.default_rng(seed)
    means = 3 * random.normal(size=(classes, columns))
    source_labels, target_labels = random.integers(0, classes, (2, count))
    source = means[source_labels] + random.normal(size=(count, columns))
    target = means[target_labels] + random.normal(size=(count, columns)) + shift
    return source, source_labels, target, target_labels


@pytest.fixture(scope="module")
def models():
    return adaptation.candidates(*domains()[:3])


def test_source_only_is_first_and_matching_removes_a_shift(models):
    _, _, target, labels = domains()
    assert next(iter(models)) == "source only" and len(models) == 12
    accuracy = {name: np.mean(model.predict(target) == labels) for name, model in models.items()}
    assert accuracy["standardise"] > 0.9 > accuracy["source only"]
    assert all(model.name == name for name, model in models.items())


def test_probabilities_are_those_of_a_probe_on_matched_features(models):
    source, _, target, _ = domains()
    model = models["coral"]
    matched, transformed = matching.coral(source, target)
    np.testing.assert_allclose(model.transform_target(target), transformed)
    np.testing.assert_allclose(
        model.predict_proba_source(source), model.classifier.predict_proba(matched)
    )
    for candidate in models.values():
        probabilities = candidate.predict_proba(target[:5])
        assert probabilities.shape == (5, 3)
        np.testing.assert_allclose(probabilities.sum(1), 1)


def test_new_images_do_not_change_the_prediction_of_an_image(models):
    _, _, target, _ = domains()
    for model in models.values():
        np.testing.assert_allclose(
            model.predict_proba(target)[:3], model.predict_proba(target[:3]), rtol=1e-9
        )


def test_candidates_repeat_and_labels_need_not_begin_at_0(models):
    source, labels, target, _ = domains()
    again = adaptation.candidates(source, 10 * labels + 5, target)
    for name, model in models.items():
        np.testing.assert_array_equal(
            model.predict_proba(target), again[name].predict_proba(target)
        )
        np.testing.assert_array_equal(10 * model.predict(target) + 5, again[name].predict(target))


def test_the_corrected_prior_follows_the_shares_of_the_target():
    source, labels, target, target_labels = domains(300, shift=0.0)
    kept = np.flatnonzero((target_labels == 0) | (np.arange(300) % 10 == 0))
    model = adaptation.candidates(source, labels, target[kept])["prior"]
    assert model.weights[0] > 1 > model.weights[1:].max()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s, y, t: (s[:, :2], y, t), "same layer of the same encoder"),
        (lambda s, y, t: (s, y[:-1], t), "one whole number for each of the 90"),
        (lambda s, y, t: (s, 0 * y, t), "All source labels are of one class"),
        (lambda s, y, t: (s, y, t[:3]), "The target has 3 image"),
        (lambda s, y, t: (s, y, np.where(t > 4, np.nan, t)), "features"),
    ],
)
def test_errors_say_what_to_change(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        adaptation.candidates(*change(*domains()[:3]))
