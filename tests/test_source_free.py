"""SHOT: the head stays, the target's classes are found again, and it needs no source."""

import numpy as np
import pytest

from medlearn._keras import keras
from medlearn.adaptation import source_free

CENTRES = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])


def drawn(seed, shift=0.0, count=90):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    features = CENTRES[labels] + random.normal(size=(count, 3)) * 0.7 + shift
    return features.astype(np.float32), labels


@pytest.fixture(scope="module")
def model():
    features, labels = drawn(0, count=300)
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(8, activation="tanh", name="bottleneck")(inputs)
    outputs = keras.layers.Dense(3, activation="softmax", name="classes")(hidden)
    network = keras.Model(inputs, outputs)
    network.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    network.fit(features, labels, epochs=20, verbose=0)
    return network


def accuracy(model, features, labels):
    return (model.predict(features, verbose=0).argmax(1) == labels).mean()


def test_the_bottleneck_learns_and_the_head_and_the_model_stay(model):
    target, labels = drawn(2, shift=[1.6, -1.0, 0.4])
    before = model.get_weights()
    adapted = source_free.shot(model, target, epochs=10, learning_rate=0.02)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    heads = [net.get_layer("classes").get_weights() for net in (model, adapted)]
    assert all(np.array_equal(a, b) for a, b in zip(*heads, strict=True))
    bottlenecks = [net.get_layer("bottleneck").get_weights()[0] for net in (model, adapted)]
    assert not np.allclose(*bottlenecks)
    assert accuracy(adapted, target, labels) > accuracy(model, target, labels) + 0.05


def test_the_same_seed_gives_the_same_model(model):
    target, _ = drawn(3, shift=1.0)
    first, second = (source_free.shot(model, target, epochs=2, seed=4) for _ in range(2))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_spread_of_shares_is_the_entropy_of_their_mean():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7]], np.float32)
    expected = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    assert float(source_free._entropy_of_shares(probabilities)) == pytest.approx(expected, abs=1e-5)


def test_models_it_cannot_adapt_are_refused(model):
    target, _ = drawn(2)
    inputs = keras.Input((3,))
    softmax = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(3)(inputs)))
    with pytest.raises(ValueError, match="needs a Dense layer"):
        source_free.shot(softmax, target)
    probe = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    with pytest.raises(ValueError, match="Nothing but the last layer"):
        source_free.shot(probe, target)
    with pytest.raises(ValueError, match="learning_rate=0"):
        source_free.shot(model, target, learning_rate=0)
