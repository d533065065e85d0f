"""Large images in tiles: equal to the whole where the network's view allows, in bounded memory."""

import numpy as np
import pytest

from medlearn import networks
from medlearn._keras import keras

RANDOM = np.random.default_rng(0)


def local_network(size=None):
    """Two 3 x 3 convolutions: each pixel sees two pixels around it."""
    image = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for number in range(2):
        start = keras.initializers.GlorotUniform(number)
        x = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=start)(x)
    return keras.Model(image, keras.layers.Softmax()(x))


@pytest.fixture(scope="module")
def network():
    return local_network()


@pytest.mark.parametrize("shape", [(64, 64), (75, 101), (32, 90)])
def test_with_a_margin_of_the_radius_of_view_tiles_equal_the_whole(network, shape):
    image = RANDOM.integers(0, 256, (*shape, 3)).astype(np.uint8)
    whole = network.predict(image[None].astype("float32"), verbose=0)[0]
    tiled = networks.predict_tiled(network, image, tile=32, overlap=0.5, margin=2)
    np.testing.assert_allclose(tiled, whole, atol=1e-6)


def test_without_a_margin_the_seams_are_close_and_rows_still_sum_to_one(network):
    image = RANDOM.integers(0, 256, (70, 70, 3)).astype(np.uint8)
    whole = network.predict(image[None].astype("float32"), verbose=0)[0]
    tiled = networks.predict_tiled(network, image, tile=32)
    assert np.abs(tiled - whole).mean() < 0.01
    np.testing.assert_allclose(tiled.sum(-1), 1, atol=1e-5)


def test_classes_only_is_the_argmax_and_small_images_are_mirrored():
    network = local_network(32)
    image = RANDOM.integers(0, 256, (40, 20, 3)).astype(np.uint8)
    probabilities = networks.predict_tiled(network, image)
    classes = networks.predict_tiled(network, image, classes_only=True)
    assert probabilities.shape == (40, 20, 4) and classes.dtype == np.uint8
    np.testing.assert_array_equal(classes, probabilities.argmax(-1))


def test_a_segmenter_for_any_size_predicts_tiles_of_the_size_named():
    image = x = keras.Input((None, None, 3))
    for number in range(2):
        x = keras.layers.Conv2D(4, 3, 2, "same", name=f"block_{number}")(x)
    model = networks.segmenter(keras.Model(image, x, name="tiny"), 2)
    picture = RANDOM.integers(0, 256, (64, 96, 3)).astype(np.uint8)
    whole = networks.segment(model, picture[None])[0]
    np.testing.assert_allclose(
        networks.predict_tiled(model, picture, tile=(64, 96)), whole, atol=1e-5
    )
    tiled = networks.predict_tiled(model, picture, tile=32)
    assert tiled.shape == (64, 96, 2)
    np.testing.assert_allclose(tiled.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"overlap": 1.0, "tile": 32}, "share of a tile"),
        ({"margin": 9, "overlap": 0.5, "tile": 32}, "raise the overlap"),
        ({}, "name one, such as tile=256"),
    ],
)
def test_settings_out_of_range_get_one_sentence(network, options, sentence):
    image = np.full((40, 40, 3), 9, np.uint8)
    with pytest.raises(ValueError, match=sentence):
        networks.predict_tiled(network, image, **options)


@pytest.mark.slow
def test_a_mosaic_takes_the_memory_of_a_band(tmp_path):
    import tracemalloc

    mosaic = np.lib.format.open_memmap(
        tmp_path / "mosaic.npy", mode="w+", dtype=np.uint8, shape=(6000, 4000, 3)
    )
    mosaic[::7] = 200
    network = local_network(256)
    tracemalloc.start()
    classes = networks.predict_tiled(network, mosaic, overlap=0.1, classes_only=True)
    peak = tracemalloc.get_traced_memory()[1]
    assert classes.shape == (6000, 4000)
    assert peak < 24e6 + 150e6  # the result, and a band of probabilities
