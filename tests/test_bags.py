"""Classifiers of bags: sorting slices into bags, what each pool may notice, attention by its equation."""

import numpy as np
import pytest

from medlearn import networks
from medlearn._keras import keras

POOLS = ("mean", "max", "attention", "recurrent")
UNORDERED = POOLS[:3]
WIDTH, CLASSES = 5, 3


@pytest.fixture(scope="module", params=POOLS)
def pool(request):
    return request.param


@pytest.fixture(scope="module")
def bags():
    return np.random.default_rng(0).normal(size=(4, 6, WIDTH)).astype(np.float32)


@pytest.fixture(scope="module")
def present():
    return np.arange(6) < np.array([6, 4, 1, 3])[:, None]


@pytest.fixture(scope="module")
def models():
    return {name: networks.bag_classifier(WIDTH, CLASSES, name, hidden=8, seed=1) for name in POOLS}


def said(model, bags, present):
    return model.predict([bags, present], verbose=0)


def test_slices_are_sorted_into_bags():
    vectors = np.arange(10.0).reshape(5, 2)
    bags, present, names = networks.into_bags(vectors, ["b", "a", "b", "b", "c"])
    assert (
        names.tolist() == ["a", "b", "c"] and bags.shape == (3, 3, 2) and bags.dtype == np.float32
    )
    assert bags[1].tolist() == [[0, 1], [4, 5], [6, 7]] and present.sum(1).tolist() == [1, 3, 1]
    assert bags[0].tolist() == [[2, 3], [0, 0], [0, 0]] and present[0].tolist() == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "vectors, patients",
    [
        (np.ones((3, 2)), ["a", "b"]),
        (np.ones(3), ["a", "b", "c"]),
        (np.ones((0, 2)), []),
        (np.ones((2, 2)), [["a"], ["b"]]),
    ],
)
def test_bad_slices(vectors, patients):
    with pytest.raises(ValueError, match="with one patient each"):
        networks.into_bags(vectors, patients)


def test_forgotten_patients_are_named():
    with pytest.raises(ValueError, match="patients is missing: whose slice is which"):
        networks.into_bags(np.ones((3, 2)), None)


def test_probabilities_come_out_for_bags_of_any_length(models, pool, bags, present):
    for length in (6, 2):
        probabilities = said(models[pool], bags[:, :length], present[:, :length])
        assert probabilities.shape == (4, CLASSES)
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_absent_slices_do_not_count(models, pool, bags, present):
    spoiled = np.where(present[..., None], bags, 77).astype(np.float32)
    longer = (
        np.pad(spoiled, ((0, 0), (0, 3), (0, 0)), constant_values=5.0),
        np.pad(present, ((0, 0), (0, 3))),
    )
    expected = said(models[pool], bags, present)
    np.testing.assert_allclose(said(models[pool], spoiled, present), expected, atol=1e-5)
    np.testing.assert_allclose(said(models[pool], *longer), expected, atol=1e-5)
    np.testing.assert_allclose(
        said(models[pool], bags[1:2, :4], present[1:2, :4]), expected[1:2], atol=1e-5
    )


def test_only_the_recurrent_one_notices_the_order(models, pool, bags):
    everything = np.ones((4, 6), bool)
    there, back = (
        said(models[pool], bags, everything),
        said(models[pool], bags[:, ::-1], everything),
    )
    assert np.allclose(there, back, atol=1e-5) == (pool in UNORDERED)


def test_every_slice_that_is_present_can_count(models, pool, bags, present):
    changed = bags.copy()
    changed[0, 2] += 3
    difference = np.abs(said(models[pool], changed, present) - said(models[pool], bags, present))
    assert difference[0].max() > 1e-3 and difference[1:].max() < 1e-6


@pytest.mark.parametrize("name, reduce", [("mean", np.mean), ("max", np.max)])
def test_mean_and_maximum_by_hand(models, bags, name, reduce):
    (w, b), (v, c) = (
        models[name].get_layer(layer).get_weights() for layer in ("embedding", "head")
    )
    scores = reduce(np.maximum(bags @ w + b, 0), axis=1) @ v + c
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(said(models[name], bags, np.ones((4, 6), bool)), expected, atol=1e-5)


def test_attention_is_equation_nine(models, bags, present):
    model = models["attention"]
    (w, b), (v, bv), (u, bu), (a, ba), (o, bo) = (
        model.get_layer(layer).get_weights()
        for layer in ("embedding", "attention_v", "attention_u", "attention_w", "head")
    )
    h = np.maximum(bags @ w + b, 0)
    raw = (np.tanh(h @ v + bv) / (1 + np.exp(-(h @ u + bu)))) @ a + ba
    weights = np.where(present, np.exp(raw[..., 0]), 0)
    weights /= weights.sum(1, keepdims=True)
    np.testing.assert_allclose(networks.attention_weights(model, bags, present), weights, atol=1e-5)
    scores = (weights[..., None] * h).sum(1) @ o + bo
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(said(model, bags, present), expected, atol=1e-5)


def test_attention_finds_the_slice_that_matters():
    rng = np.random.default_rng(0)
    bags, labels = rng.normal(0, 0.3, (160, 6, 4)).astype(np.float32), np.arange(160) % 2
    place = rng.integers(0, 6, 160)
    bags[np.arange(160), place, labels] += 2  # one slice tells, by which of two features is lit
    present = np.ones((160, 6), bool)
    keras.utils.set_random_seed(0)
    model = networks.bag_classifier(4, 2, hidden=8, dropout=0, seed=0)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit([bags[:120], present[:120]], labels[:120], epochs=25, batch_size=20, verbose=0)
    weights = networks.attention_weights(model, bags[120:], present[120:])
    assert (said(model, bags[120:], present[120:]).argmax(1) == labels[120:]).mean() > 0.9
    assert (weights.argmax(1) == place[120:]).mean() > 0.8


def test_a_seed_repeats_the_weights_and_arguments_change_the_network(pool, bags, present):
    one, same, other = (
        networks.bag_classifier(WIDTH, 2, pool, hidden=4, seed=seed) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(said(one, bags, present), said(same, bags, present))
    assert not np.allclose(said(one, bags, present), said(other, bags, present))
    wide = networks.bag_classifier(WIDTH, CLASSES, pool, hidden=9, dropout=0.4)
    assert wide.get_layer("embedding").units == 9 and wide.get_layer("head").units == CLASSES
    assert wide.get_layer("dropout").rate == 0.4


def test_a_saved_model_says_the_same(models, pool, bags, present, tmp_path):
    models[pool].save(tmp_path / "bags.keras")
    again = keras.models.load_model(tmp_path / "bags.keras")
    np.testing.assert_allclose(
        said(again, bags, present), said(models[pool], bags, present), atol=1e-6
    )


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(pool="median"), "no pool 'median'; choose one of mean, max, attention, recurrent"),
        (dict(classes=1), "classes=1 at least 2"),
        (dict(channels=0), "width=0"),
        (dict(hidden=0), "hidden=0"),
        (dict(dropout=1), "dropout=1 is a share"),
    ],
)
def test_bad_calls_say_what_is_expected(change, words):
    with pytest.raises(ValueError, match=words):
        networks.bag_classifier(**dict(channels=WIDTH, classes=CLASSES) | change)


def test_only_attention_has_weights(models, bags, present):
    with pytest.raises(ValueError, match="mean_of_bag has no attention"):
        networks.attention_weights(models["mean"], bags, present)
