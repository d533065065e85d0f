"""TENT: only gamma and beta of BatchNorm learn, entropy falls, and the given model stays."""

import numpy as np
import pytest

from medlearn import networks
from medlearn._keras import keras
from medlearn.adaptation import entropy, statistics

layers = keras.layers


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    """An encoder inside a model, with what must stay off while adapting: augmentation, dropout."""
    image = keras.Input((32, 32, 3))
    glorot = keras.initializers.GlorotUniform(1)
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(6, 3, strides=2, use_bias=False, kernel_initializer=glorot)(x)
    encoder = keras.Model(image, layers.ReLU()(layers.BatchNormalization()(x)), name="encoder")
    brightness = layers.RandomBrightness(0.5)
    return networks.classifier(encoder, 3, dropout=0.5, augment=brightness, seed=0)


def kinds(weights):
    return {weight.path.split("/")[-1] for weight in weights}


def weights_named(model, *names):
    return [w.numpy() for w in model.weights if w.path.split("/")[-1] in names]


def test_only_batchnorm_moves_and_its_statistics_are_those_of_adabn(model, images):
    before = model.get_weights()
    adapted = entropy.tent(model, images, epochs=3, learning_rate=0.05)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    pairs = zip(adapted.weights, before, strict=True)
    moved = [weight for weight, old in pairs if not np.array_equal(weight, old)]
    assert kinds(moved) == {"gamma", "beta", "moving_mean", "moving_variance"}
    assert kinds(adapted.trainable_weights) == {"gamma", "beta"}
    adabn = statistics.reestimate_batchnorm(model, images, 32)
    predictions = [net.predict(images, verbose=0) for net in (adapted, adabn)]
    assert entropy.mean_entropy(predictions[0]) < entropy.mean_entropy(predictions[1])
    moving = "moving_mean", "moving_variance"
    for actual, expected in zip(
        weights_named(adapted, *moving), weights_named(adabn, *moving), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.slow
def test_entropy_falls_with_each_epoch(model, images):
    models = [statistics.reestimate_batchnorm(model, images)]
    for epochs in (1, 4):
        models.append(entropy.tent(model, images, epochs=epochs, learning_rate=0.02))
    entropies = [float(entropy.mean_entropy(net.predict(images, verbose=0))) for net in models]
    assert entropies == sorted(entropies, reverse=True) and len(set(entropies)) == 3


@pytest.mark.slow
def test_seed_and_batch_size_matter_and_repeats_agree(model, images):
    def gamma(**options):
        options = {"batch_size": 8, "learning_rate": 0.05} | options
        return weights_named(entropy.tent(model, images, **options), "gamma")[0]

    reference = gamma()
    np.testing.assert_array_equal(reference, gamma())
    assert not np.allclose(reference, gamma(seed=1), atol=1e-7)
    assert not np.allclose(reference, gamma(batch_size=24), atol=1e-4)


def test_mean_entropy_is_that_of_the_textbook_also_for_maps():
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (4, 5)).astype(np.float32)
    expected = -(probabilities * np.log(probabilities)).sum(-1).mean()
    assert float(entropy.mean_entropy(probabilities)) == pytest.approx(expected, rel=1e-4)


def test_a_model_of_features_without_batchnorm_is_refused():
    plain = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="has no BatchNormalization"):
        entropy.tent(plain, np.zeros((2, 4), np.float32))
