"""TENT: only gamma and beta of BatchNorm learn, entropy falls, and the given model stays."""

import numpy as np
import pytest

from medlearn import networks
from medlearn._keras import keras
from medlearn.adaptation import entropy, statistics

layers = keras.layers


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3)).astype(np.uint8)


def nested():
    """A small encoder inside a model, with what must stay off while adapting: augmentation and dropout."""
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(
        6, 3, strides=2, use_bias=False, kernel_initializer=keras.initializers.GlorotUniform(1)
    )(layers.Rescaling(1 / 255)(image))
    encoder = keras.Model(image, layers.ReLU()(layers.BatchNormalization()(x)), name="encoder")
    return networks.classifier(
        encoder, 3, dropout=0.5, augment=layers.RandomBrightness(0.5), seed=0
    )


def kinds(weights):
    return {weight.path.split("/")[-1] for weight in weights}


def test_only_statistics_and_affine_parameters_of_batchnorm_move(images):
    model = nested()
    before = model.get_weights()
    adapted = entropy.tent(model, images, epochs=2, rate=0.05)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights()))
    moved = [
        weight
        for weight, old in zip(adapted.weights, before, strict=True)
        if not np.array_equal(weight, old)
    ]
    assert kinds(moved) == {"gamma", "beta", "moving_mean", "moving_variance"}
    assert kinds(adapted.trainable_weights) == {"gamma", "beta"}


def test_statistics_are_those_of_adabn_and_stay_while_it_learns(images):
    model = nested()
    by_adabn = {
        w.path: w.numpy()
        for w in statistics.reestimate_batchnorm(model, images, 32).weights
        if "moving" in w.path
    }
    adapted = entropy.tent(model, images, epochs=3, rate=0.05)
    for weight in adapted.weights:
        if "moving" in weight.path:
            np.testing.assert_allclose(
                weight,
                next(
                    v for p, v in by_adabn.items() if p.split("/")[-1] == weight.path.split("/")[-1]
                ),
                rtol=1e-5,
            )


def test_it_makes_the_model_surer(images):
    model = nested()
    start = statistics.reestimate_batchnorm(model, images)
    values = [
        float(entropy.mean_entropy(each.predict(images, verbose=0)))
        for each in (
            start,
            entropy.tent(model, images, epochs=1, rate=0.02),
            entropy.tent(model, images, epochs=6, rate=0.02),
        )
    ]
    assert values[0] > values[1] > values[2]


def test_seed_and_batch_size_matter_and_repeats_agree(images):
    model = nested()

    def gamma(**options):
        return next(
            w.numpy()
            for w in entropy.tent(model, images, rate=0.05, **{"batch_size": 8} | options).weights
            if w.path.endswith("gamma")
        )

    np.testing.assert_array_equal(gamma(seed=0), gamma(seed=0))
    assert not np.allclose(gamma(seed=0), gamma(seed=1), atol=1e-7) and not np.allclose(
        gamma(), gamma(batch_size=24), atol=1e-4
    )


def test_a_map_of_probabilities_is_adapted_as_well(images):
    image = keras.Input((32, 32, 3))
    model = keras.Model(
        image,
        layers.Conv2D(3, 1, activation="softmax")(
            layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(image))
        ),
    )
    adapted = entropy.tent(model, images, rate=0.01)
    assert adapted(images[:2]).shape == (2, 32, 32, 3)


def test_entropy_is_that_of_the_textbook():
    told = np.random.default_rng(0).dirichlet([1, 1, 1], (4, 5)).astype(np.float32)
    assert float(entropy.mean_entropy(told)) == pytest.approx(
        -(told * np.log(told)).sum(-1).mean(), rel=1e-4
    )


def test_what_does_not_fit_is_refused(images):
    with pytest.raises(ValueError, match="has no BatchNormalization"):
        entropy.tent(
            keras.Sequential([keras.Input((4,)), layers.Dense(2)]), np.zeros((2, 4), np.float32)
        )
