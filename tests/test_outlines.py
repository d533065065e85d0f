"""The segmenter of lessons 20 and 21: it learns, repeats itself, and leaves its encoder alone."""

import numpy as np

from medlearn import networks
from medlearn._keras import keras
from medlearn.teaching import outlines


def small_encoder():
    image = x = keras.Input((32, 32, 3))
    for number, channels in enumerate((4, 6, 8)):
        x = keras.layers.Conv2D(channels, 3, 2, "same", name=f"block_{number}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"block_{number}_bn")(x)
        x = keras.layers.ReLU(name=f"block_{number}")(x)
    return keras.Model(image, x, name="small")


def test_bright_squares_are_learned_and_the_encoder_stays():
    random = np.random.default_rng(0)
    masks = np.zeros((12, 32, 32), np.uint8)
    for mask, (row, column) in zip(masks, random.integers(2, 20, (12, 2)), strict=True):
        mask[row : row + 10, column : column + 10] = 1
    images = np.repeat((40 + 160 * masks)[..., None], 3, axis=-1).astype(np.uint8)
    encoder = small_encoder()
    before = [np.array(weight) for weight in encoder.weights]
    first = outlines.train(encoder, images, masks, 2, steps=40, seed=1)
    learned = first.get_weights()
    other = outlines.train(encoder, 255 - images, masks, 2, steps=3, seed=2)  # nothing remains
    second = outlines.train(encoder, images, masks, 2, steps=40, seed=1)
    assert all(np.array_equal(*pair) for pair in zip(learned, first.get_weights(), strict=True))
    assert not np.array_equal(networks.segment(other, images), networks.segment(first, images))
    assert all(np.array_equal(old, new) for old, new in zip(before, encoder.weights, strict=True))
    predictions = [networks.segment(model, images) for model in (first, second)]
    assert np.allclose(*predictions, atol=1e-3)
    assert (predictions[0].argmax(-1) == masks).mean() > 0.97
    assert not first.get_layer("small").trainable_weights
