"""Classifiers of bags: sorting slices, what each pool may notice, attention by its equation."""

import numpy as np
import pytest

from medlearn import networks
from medlearn._keras import keras

POOLS = ("mean", "max", "attention", "recurrent")
CHANNELS, CLASSES = 5, 3


@pytest.fixture(scope="module", params=POOLS)
def pool(request):
    return request.param


@pytest.fixture(scope="module")
def bags():
    return np.random.default_rng(0).normal(size=(4, 6, CHANNELS)).astype(np.float32)


@pytest.fixture(scope="module")
def present():
    return np.arange(6) < np.array([6, 4, 1, 3])[:, None]


@pytest.fixture(scope="module")
def models():
    return {
        name: networks.bag_classifier(CHANNELS, CLASSES, name, hidden=8, seed=1) for name in POOLS
    }


def predict(model, bags, present):
    return np.asarray(model([bags, present], training=False))


def weights_of(model, *names):
    return [model.get_layer(name).get_weights() for name in names]


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(1, keepdims=True)


def test_slices_are_sorted_into_bags():
    vectors = np.arange(10.0).reshape(5, 2)
    bags, present, patient_ids = networks.into_bags(vectors, ["b", "a", "b", "b", "c"])
    assert patient_ids.tolist() == ["a", "b", "c"]
    assert bags.shape == (3, 3, 2) and bags.dtype == np.float32
    assert bags[1].tolist() == [[0, 1], [4, 5], [6, 7]]
    assert bags[0].tolist() == [[2, 3], [0, 0], [0, 0]]
    assert present.tolist() == [[True, False, False], [True, True, True], [True, False, False]]


@pytest.mark.parametrize(
    "vectors, patients, message",
    [
        (np.ones((3, 2)), ["a", "b"], "with one patient each"),
        (np.ones(3), ["a", "b", "c"], "with one patient each"),
        (np.ones((0, 2)), [], "with one patient each"),
        (np.ones((3, 2)), None, "patients is missing"),
    ],
)
def test_slices_without_their_patients_are_refused(vectors, patients, message):
    with pytest.raises(ValueError, match=message):
        networks.into_bags(vectors, patients)


def test_absent_slices_do_not_count(models, pool, bags, present):
    spoiled = np.where(present[..., None], bags, 77).astype(np.float32)
    longer = np.pad(spoiled, ((0, 0), (0, 3), (0, 0)), constant_values=5.0)
    longer_present = np.pad(present, ((0, 0), (0, 3)))
    expected = predict(models[pool], bags, present)
    assert expected.shape == (4, CLASSES)
    np.testing.assert_allclose(expected.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(predict(models[pool], spoiled, present), expected, atol=1e-5)
    np.testing.assert_allclose(predict(models[pool], longer, longer_present), expected, atol=1e-5)
    one = predict(models[pool], bags[1:2, :4], present[1:2, :4])
    np.testing.assert_allclose(one, expected[1:2], atol=1e-5)


def test_every_slice_that_is_present_can_count(models, pool, bags, present):
    changed = bags.copy()
    changed[0, 2] += 3
    difference = np.abs(
        predict(models[pool], changed, present) - predict(models[pool], bags, present)
    )
    assert difference[0].max() > 1e-3 and difference[1:].max() < 1e-6


def test_only_the_recurrent_reader_notices_the_order(models, pool, bags):
    everything = np.ones((4, 6), bool)
    difference = predict(models[pool], bags[:, ::-1], everything) - predict(
        models[pool], bags, everything
    )
    assert (np.abs(difference).max() > 1e-3) == (pool == "recurrent")


@pytest.mark.parametrize("name, reduce", [("mean", np.mean), ("max", np.max)])
def test_mean_and_maximum_by_hand(models, bags, name, reduce):
    (w, b), (v, c) = weights_of(models[name], "embedding", "head")
    expected = softmax(reduce(np.maximum(bags @ w + b, 0), axis=1) @ v + c)
    probabilities = predict(models[name], bags, np.ones((4, 6), bool))
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_attention_is_equation_nine(models, bags, present):
    model = models["attention"]
    (w, b), (v, bv), (u, bu), (a, ba), (o, bo) = weights_of(
        model, "embedding", "attention_v", "attention_u", "attention_w", "head"
    )
    h = np.maximum(bags @ w + b, 0)
    raw = (np.tanh(h @ v + bv) / (1 + np.exp(-(h @ u + bu)))) @ a + ba
    weights = np.where(present, np.exp(raw[..., 0]), 0)
    weights /= weights.sum(1, keepdims=True)
    np.testing.assert_allclose(networks.attention_weights(model, bags, present), weights, atol=1e-5)
    expected = softmax((weights[..., None] * h).sum(1) @ o + bo)
    np.testing.assert_allclose(predict(model, bags, present), expected, atol=1e-5)


def test_attention_finds_the_slice_that_matters():
    rng = np.random.default_rng(0)
    bags, labels = rng.normal(0, 0.3, (160, 6, 4)).astype(np.float32), np.arange(160) % 2
    index = rng.integers(0, 6, 160)
    bags[np.arange(160), index, labels] += 2  # the label decides which feature of one slice is high
    present = np.ones((160, 6), bool)
    keras.utils.set_random_seed(0)
    model = networks.bag_classifier(4, 2, hidden=8, dropout=0, seed=0)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit([bags[:120], present[:120]], labels[:120], epochs=25, batch_size=20, verbose=0)
    weights = networks.attention_weights(model, bags[120:], present[120:])
    predictions = predict(model, bags[120:], present[120:]).argmax(1)
    assert (predictions == labels[120:]).mean() > 0.9
    assert (weights.argmax(1) == index[120:]).mean() > 0.8


def test_a_seed_repeats_the_weights_and_arguments_change_the_network(bags, present):
    first, again, other = (
        networks.bag_classifier(CHANNELS, 2, "recurrent", hidden=4, seed=seed) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(predict(first, bags, present), predict(again, bags, present))
    assert not np.allclose(predict(first, bags, present), predict(other, bags, present))
    wide = networks.bag_classifier(CHANNELS, CLASSES, "mean", hidden=9, dropout=0.4)
    assert wide.get_layer("embedding").units == 9 and wide.get_layer("head").units == CLASSES
    assert wide.get_layer("dropout").rate == 0.4


def test_a_saved_model_predicts_the_same(models, pool, bags, present, tmp_path):
    models[pool].save(tmp_path / "bags.keras")
    loaded = keras.models.load_model(tmp_path / "bags.keras")
    expected = predict(models[pool], bags, present)
    np.testing.assert_allclose(predict(loaded, bags, present), expected, atol=1e-6)


def test_bad_calls_say_what_is_expected(models, bags, present):
    for change, message in [
        ({"pool": "median"}, "no pool 'median'"),
        ({"classes": 1}, "classes must be"),
        ({"channels": 0}, "channels must be"),
        ({"hidden": 0}, "hidden must be"),
        ({"dropout": 1}, "dropout must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            networks.bag_classifier(**{"channels": CHANNELS, "classes": CLASSES} | change)
    with pytest.raises(ValueError, match="mean_of_bag has no attention"):
        networks.attention_weights(models["mean"], bags, present)
