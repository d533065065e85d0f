"""Re-estimated BatchNorm statistics beside NumPy."""

import numpy as np
import pytest

from medlearn import _folding
from medlearn._keras import keras
from medlearn.adaptation import statistics

layers = keras.layers


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(100.0, 20.0, (10, 6, 5, 3)).astype(np.float32)


@pytest.fixture
def model():
    """Two BatchNorms with a pointwise convolution, a ReLU and a Dropout between them."""
    image = keras.Input((None, None, 3))
    normal = keras.initializers.RandomNormal(stddev=1.0, seed=1)
    x = layers.BatchNormalization(name="first", epsilon=1e-3)(image)
    x = layers.Conv2D(4, 1, name="mix", kernel_initializer=normal)(x)
    x = layers.Dropout(0.5)(layers.ReLU()(x))
    return keras.Model(image, layers.BatchNormalization(name="second")(x), name="small")


def by_numpy(model, images):
    """Mean and variance at both BatchNorms when all images form one batch."""
    x = images.reshape(-1, 3).astype(float)
    first = x.mean(0), x.var(0)
    kernel, bias = model.get_layer("mix").get_weights()
    x = np.maximum((x - first[0]) / np.sqrt(first[1] + 1e-3) @ kernel[0, 0] + bias, 0)
    return {"first": first, "second": (x.mean(0), x.var(0))}


def statistics_of(model, name):
    layer = model.get_layer(name)
    return layer.moving_mean.numpy(), layer.moving_variance.numpy()


def test_one_batch_gives_what_numpy_computes_and_standardises(model, images):
    adapted = statistics.reestimate_batchnorm(model, images)
    for name, expected in by_numpy(model, images).items():
        np.testing.assert_allclose(statistics_of(adapted, name), expected, rtol=1e-4, atol=1e-6)
    outputs = adapted.predict(images, verbose=0)
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.var((0, 1, 2)), 1, atol=0.02)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_batches_of_uneven_size_are_pooled_exactly_at_the_first_norm(model, images, batch_size):
    steps = np.arange(10, dtype=np.float32)[:, None, None, None]  # batches differ in their mean
    adapted = statistics.reestimate_batchnorm(model, images + steps, batch_size=batch_size)
    expected = by_numpy(model, images + steps)["first"]
    np.testing.assert_allclose(statistics_of(adapted, "first"), expected, rtol=1e-4)


def test_the_given_model_and_images_stay_as_they_are(model, images):
    before, before_images = model.get_weights(), images.copy()
    adapted = statistics.reestimate_batchnorm(model, images)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    np.testing.assert_array_equal(images, before_images)
    pairs = zip(adapted.weights, before, strict=True)
    changed = {w.path.split("/")[-1] for w, old in pairs if not np.array_equal(w, old)}
    assert changed == {"moving_mean", "moving_variance"}


def test_a_frozen_model_is_re_estimated_too(model, images):
    model.trainable = False
    model(images, training=True)
    assert not statistics_of(model, "first")[0].any()  # Keras changed nothing, without a warning
    adapted = statistics.reestimate_batchnorm(model, images)
    expected = by_numpy(model, images)["second"]
    np.testing.assert_allclose(statistics_of(adapted, "second"), expected, rtol=1e-4, atol=1e-6)
    assert not any(layer.trainable for layer in adapted.layers if layer.weights)


def test_norms_of_a_nested_encoder_are_found_and_the_copy_is_saved(model, images, tmp_path):
    augment = layers.RandomBrightness(0.9, value_range=(0, 255))
    outer = keras.Sequential(
        [keras.Input((6, 5, 3)), augment, model, layers.GlobalAveragePooling2D()]
    )
    adapted = statistics.reestimate_batchnorm(outer, images)
    nested = adapted.get_layer("small")
    expected = by_numpy(model, images)["first"]
    np.testing.assert_allclose(statistics_of(nested, "first"), expected, rtol=1e-4)
    assert type(nested.get_layer("first")) is layers.BatchNormalization
    adapted.save(tmp_path / "adapted.keras")
    loaded = keras.models.load_model(tmp_path / "adapted.keras")
    expected = adapted(images, training=False)
    np.testing.assert_array_equal(loaded(images, training=False), expected)


def test_uint8_images_and_features_are_taken(model):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4, 6, 5, 3)).astype(np.uint8)
    adapted = statistics.reestimate_batchnorm(model, images)
    mean, _ = statistics_of(adapted, "first")
    np.testing.assert_allclose(mean, images.mean((0, 1, 2)), rtol=1e-5)
    norm = layers.BatchNormalization(name="norm")
    perceptron = keras.Sequential([keras.Input((3,)), norm])
    features = random.normal(size=(20, 3))
    mean, _ = statistics_of(statistics.reestimate_batchnorm(perceptron, features), "norm")
    np.testing.assert_allclose(mean, features.mean(0), atol=1e-6)
    with pytest.raises(ValueError, match=r"takes \(N, 3\)"):
        statistics.reestimate_batchnorm(perceptron, features[:, :2])


@pytest.mark.parametrize(
    ("shape", "batch_size", "message"),
    [
        ((10, 6, 5, 4), 64, r"shape \(10, 6, 5, 4\), but small takes"),
        ((0, 6, 5, 3), 64, "no image"),
        ((4, 6, 5, 3), 0, "batch_size must be"),
    ],
)
def test_what_does_not_fit_is_refused(model, shape, batch_size, message):
    with pytest.raises(ValueError, match=message):
        statistics.reestimate_batchnorm(model, np.zeros(shape, np.float32), batch_size)


def test_layers_right_inside_a_model_and_nested_ones_are_measured_alike(model, images, monkeypatch):
    assert statistics._is_plain(model) and _folding.graph_runner(model)
    quick = statistics.reestimate_batchnorm(model, images, batch_size=5).get_weights()
    monkeypatch.setattr(statistics, "_is_plain", lambda model: False)
    slow = statistics.reestimate_batchnorm(model, images, batch_size=5).get_weights()
    for one, other in zip(quick, slow, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
