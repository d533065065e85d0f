"""Re-estimated BatchNorm against NumPy."""

import numpy as np
import pytest

from medlearn._keras import keras
from medlearn.adaptation import statistics

layers = keras.layers


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(3.0, 2.0, (10, 6, 5, 3)).astype(np.float32)


@pytest.fixture
def model():
    """Two BatchNorms with a pointwise convolution, a ReLU and a Dropout between them."""
    given = keras.Input((None, None, 3))
    x = layers.BatchNormalization(name="first", epsilon=1e-3)(given)
    x = layers.Conv2D(
        4, 1, name="mix", kernel_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=1)
    )(x)
    x = layers.Dropout(0.5)(layers.ReLU()(x))
    return keras.Model(given, layers.BatchNormalization(name="second")(x), name="small")


def by_numpy(model, images):
    """Mean and variance at both BatchNorms when all images form one batch."""
    x = images.reshape(-1, 3).astype(float)
    first = x.mean(0), x.var(0)
    kernel, bias = model.get_layer("mix").get_weights()
    x = np.maximum((x - first[0]) / np.sqrt(first[1] + 1e-3) @ kernel[0, 0] + bias, 0)
    return first, (x.mean(0), x.var(0))


def statistics_of(model, name):
    layer = model.get_layer(name)
    return layer.moving_mean.numpy(), layer.moving_variance.numpy()


def test_one_batch_gives_what_numpy_computes(model, images):
    adapted = statistics.reestimate_batchnorm(model, images)
    for name, expected in zip(("first", "second"), by_numpy(model, images)):
        np.testing.assert_allclose(statistics_of(adapted, name), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10])
def test_batches_of_uneven_size_are_pooled_exactly_at_the_first_norm(model, images, batch_size):
    images = (
        images + np.arange(10, dtype=np.float32)[:, None, None, None]
    )  # batches differ in their mean
    adapted = statistics.reestimate_batchnorm(model, images, batch_size=batch_size)
    np.testing.assert_allclose(
        statistics_of(adapted, "first"), by_numpy(model, images)[0], rtol=1e-4
    )


def test_the_result_standardises_these_images(model, images):
    x = statistics.reestimate_batchnorm(model, images).predict(images, verbose=0)
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(x.var((0, 1, 2)), 1, atol=0.02)


def test_the_given_model_stays_as_it_is(model, images):
    before, given = model.get_weights(), images.copy()
    adapted = statistics.reestimate_batchnorm(model, images)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    np.testing.assert_array_equal(images, given)
    changed = [
        w.path for w, old in zip(adapted.weights, before, strict=True) if not np.array_equal(w, old)
    ]
    assert (
        sorted(path.split("/")[-1] for path in changed)
        == ["moving_mean"] * 2 + ["moving_variance"] * 2
    )


def test_a_frozen_model_is_no_silent_no_op(model, images):
    model.trainable = False
    model(images, training=True)
    assert not statistics_of(model, "first")[
        0
    ].any()  # the trap: Keras changed nothing, without a word
    adapted = statistics.reestimate_batchnorm(model, images)
    np.testing.assert_allclose(
        statistics_of(adapted, "second"), by_numpy(model, images)[1], rtol=1e-4, atol=1e-6
    )
    assert not any(layer.trainable for layer in adapted.layers if layer.weights)


def test_norms_of_a_nested_encoder_are_found(model, images):
    outer = keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            layers.RandomBrightness(0.9, value_range=(0, 1)),
            model,
            layers.GlobalAveragePooling2D(),
        ]
    )
    nested = statistics.reestimate_batchnorm(outer, images).get_layer("small")
    np.testing.assert_allclose(
        statistics_of(nested, "first"), by_numpy(model, images)[0], rtol=1e-4
    )


def test_the_copy_predicts_trains_and_saves_like_any_model(model, images, tmp_path):
    adapted = statistics.reestimate_batchnorm(model, images)
    adapted.save(tmp_path / "adapted.keras")
    again = keras.models.load_model(tmp_path / "adapted.keras")
    np.testing.assert_array_equal(again(images), adapted(images))
    assert all(
        type(layer) in (layers.BatchNormalization,)
        for layer in adapted.layers
        if layer.name == "first"
    )


def test_whole_number_images_are_taken(model):
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3)).astype(np.uint8)
    adapted = statistics.reestimate_batchnorm(model, images)
    np.testing.assert_allclose(
        statistics_of(adapted, "first")[0], images.mean((0, 1, 2)), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("shape", "batch_size", "message"),
    [
        ((10, 6, 5, 4), 64, r"shape \(10, 6, 5, 4\), but small takes"),
        ((6, 5, 3), 64, "but small takes"),
        ((0, 6, 5, 3), 64, "0 images in batches of 64"),
        ((4, 6, 5, 3), 0, "4 images in batches of 0"),
    ],
)
def test_what_does_not_fit_is_refused(model, shape, batch_size, message):
    with pytest.raises(ValueError, match=message):
        statistics.reestimate_batchnorm(model, np.zeros(shape, np.float32), batch_size)


def test_a_model_without_batchnorm_is_refused():
    plain = keras.Sequential([keras.Input((4,)), layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match="plain has no BatchNormalization"):
        statistics.reestimate_batchnorm(plain, np.zeros((2, 4), np.float32))
