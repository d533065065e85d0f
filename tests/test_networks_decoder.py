"""A decoder learns from stored maps as the whole segmenter would from images."""

import numpy as np
import pytest

from medlearn import networks, transfer
from medlearn._keras import keras

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
MASKS = (IMAGES[..., 0] > 128).astype(np.uint8)


def frozen_segmenter(**options):
    image = x = keras.Input((32, 32, 3))
    for number, channels in enumerate((6, 8)):
        weights = keras.initializers.HeNormal(number)
        x = keras.layers.Conv2D(
            channels, 3, 2, "same", kernel_initializer=weights, name=f"block_{number}"
        )(x)
        x = keras.layers.BatchNormalization(name=f"block_{number}_bn")(x)
    model = networks.segmenter(keras.Model(image, x, name="small"), 2, seed=3, **options)
    transfer.freeze(model.get_layer("small"))
    return model


@pytest.mark.parametrize("options", [{}, {"detail": False}, {"layers": ["block_1_bn"]}])
def test_maps_through_the_decoder_are_what_the_segmenter_predicts(options):
    model = frozen_segmenter(**options)
    maps = networks.encoder_maps(model, IMAGES, batch_size=2)
    assert np.array_equal(maps[0], IMAGES)
    expected = model.predict(IMAGES, verbose=0)
    assert np.allclose(networks.decoder(model).predict(maps, verbose=0), expected, atol=1e-5)


def test_a_step_on_maps_is_a_step_on_images():
    on_images, on_maps = frozen_segmenter(), frozen_segmenter()
    maps = networks.encoder_maps(on_maps, IMAGES)
    decoder = networks.decoder(on_maps)
    for network, inputs in ((on_images, IMAGES), (decoder, maps)):
        network.compile(keras.optimizers.SGD(0.1), networks.losses.cross_entropy)
        for _ in range(3):
            network.train_on_batch(inputs, MASKS)
    before = frozen_segmenter().predict(IMAGES, verbose=0)
    after = on_images.predict(IMAGES, verbose=0)
    assert not np.allclose(before, after, atol=1e-3)
    assert np.allclose(on_maps.predict(IMAGES, verbose=0), after, atol=1e-4)


def test_half_precision_is_close_and_a_plain_network_is_refused():
    model = frozen_segmenter()
    whole, half = (networks.encoder_maps(model, IMAGES, dtype=f"float{bits}") for bits in (32, 16))
    assert half[1].dtype == np.float16
    assert all(np.allclose(*pair, rtol=0.01, atol=0.05) for pair in zip(whole, half, strict=True))
    with pytest.raises(ValueError, match="holds 0 encoders"):
        networks.decoder(networks.small_cnn((32, 32, 3), 2))
