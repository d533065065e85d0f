"""Group normalisation against Keras' own layer: results, gradients, precision, shapes."""

import numpy as np
import pytest

from medlearn import networks
from medlearn._keras import keras, tf
from medlearn.networks._normalisation import GroupNormalization

NOISE = np.random.default_rng(0)


def pair(channels, groups, **options):
    """Keras' layer and ours, with the same weights."""
    layers = [
        cls(groups, **options) for cls in (keras.layers.GroupNormalization, GroupNormalization)
    ]
    for layer in layers:
        layer.build((None, None, None, channels))
        layer.set_weights([np.linspace(0.5, 2, channels), np.linspace(-1, 1, channels)])
    return layers


def result_and_gradients(layer, maps, above, **options):
    maps = tf.constant(maps)
    weights = [weight.value for weight in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(maps)
        result = layer(maps, **options)
    return [result, *tape.gradient(result, [maps, *weights], output_gradients=tf.constant(above))]


@pytest.mark.parametrize("groups", [1, 3, 12])
@pytest.mark.parametrize("mean", [0, -20])
@pytest.mark.parametrize("training", [True, False])
def test_results_and_gradients_are_those_of_keras(groups, mean, training):
    maps = NOISE.normal(mean, 3, (2, 7, 5, 12)).astype("float32")
    above = NOISE.normal(0, 1, maps.shape).astype("float32")
    keras_layer, ours = pair(12, groups)
    expected = result_and_gradients(keras_layer, maps, above)
    values = result_and_gradients(ours, maps, above, training=training)
    for value, right in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, right, rtol=1e-3, atol=1e-3)


def test_volumes_and_constant_maps_are_normalised():
    keras_layer, ours = (cls(2) for cls in (keras.layers.GroupNormalization, GroupNormalization))
    volumes = NOISE.normal(2, 1, (2, 3, 4, 5, 8)).astype("float32")
    np.testing.assert_allclose(ours(volumes), keras_layer(volumes), atol=1e-4)
    assert np.abs(ours(np.full_like(volumes, 7.0))).max() < 1e-3


def test_half_precision_is_computed_in_full():
    maps = NOISE.normal(300, 30, (2, 40, 40, 8)).astype("float16")  # squares overflow float16
    above = NOISE.normal(0, 1, maps.shape).astype("float16")
    keras_layer, ours = pair(8, 2, dtype="mixed_float16")
    result = np.asarray(ours(maps))
    assert result.dtype == np.float16
    np.testing.assert_allclose(result, keras_layer(maps), atol=1e-2)
    expected = result_and_gradients(keras_layer, maps, above)
    values = result_and_gradients(ours, maps, above, training=True)
    for value, right in zip(values, expected, strict=True):
        assert value.dtype == right.dtype
        np.testing.assert_allclose(value, right, rtol=2e-2, atol=5e-2)


def test_a_model_of_any_size_takes_batches_of_several_sizes():
    image = keras.Input((None, None, 8))
    model = keras.Model(image, GroupNormalization(2)(image))
    model.compile("sgd", "mse", jit_compile=False)
    for side in (4, 6):
        maps = NOISE.normal(0, 1, (3, side, side, 8)).astype("float32")
        assert model.predict(maps, verbose=0).shape == maps.shape
        assert np.isfinite(model.train_on_batch(maps, maps))


def test_segmenters_use_it():
    image = keras.Input((32, 32, 3))
    encoder = keras.Model(image, keras.layers.Conv2D(8, 3, 2, "same", name="block_0")(image))
    for model in (networks.segmenter(encoder, 2), networks.volumes.unet(2, size=8, steps=1)):
        norms = [layer for layer in model.layers if layer.name.endswith("_norm")]
        assert norms and all(isinstance(layer, GroupNormalization) for layer in norms)
