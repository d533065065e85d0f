"""The recipe of fine-tuning: what learns, what is kept, and which rate is chosen."""

import numpy as np
import pytest

from medlearn import keras, networks, transfer


def factory(classes=2):
    image = keras.Input((16, 16, 3))
    scaled = keras.layers.Rescaling(1 / 255)(image)
    start = keras.initializers.GlorotUniform(seed=1)
    maps = keras.layers.Conv2D(4, 3, name="block_1_conv", kernel_initializer=start)(scaled)
    maps = keras.layers.BatchNormalization(name="block_1_bn")(maps)
    maps = keras.layers.Conv2D(4, 3, name="block_2_conv", kernel_initializer=start)(maps)
    encoder = keras.Model(image, maps, name="tiny")
    return networks.classifier(encoder, classes, dropout=0.0, seed=0)


def data(count=32, seed=0):
    """Dark images and bright ones."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.integers(0, 80, (count, 16, 16, 3)) + 150 * labels[:, None, None, None]
    return images.astype(np.uint8), labels


def test_the_better_rate_is_kept_with_its_best_epoch():
    tuned = transfer.fine_tune(
        factory, data(), data(seed=1), from_="block_2", rates=(1e-6, 0.05), epochs=4
    )
    assert tuned.rate == 0.05 and tuned.epoch > 0
    assert set(tuned.losses) == {1e-6, 0.05}
    assert tuned.losses[0.05][0] == pytest.approx(tuned.losses[1e-6][0])  # one start
    images, labels = data(seed=1)
    probabilities = tuned.model.predict(images, verbose=0)[np.arange(len(labels)), labels]
    best = min(tuned.losses[0.05])
    assert -np.log(probabilities).mean() == pytest.approx(best, rel=1e-3)


def test_if_no_epoch_is_better_the_start_is_kept():
    images, labels = data()
    tuned = transfer.fine_tune(
        factory, (images, labels), (images, 1 - labels), from_="block_2", rates=(0.05,), epochs=2
    )
    assert tuned.epoch == 0 and tuned.losses[0.05][0] == min(tuned.losses[0.05])
    for weights, start in zip(tuned.model.get_weights(), factory().get_weights(), strict=True):
        np.testing.assert_array_equal(weights, start)


def test_wrong_arguments_are_refused_before_any_training():
    images, labels = data()
    for changes, sentence in (
        ({"rates": ()}, "rates are learning rates"),
        ({"rates": (2.0,)}, "rates are learning rates"),
        ({"epochs": 0}, "epochs"),
        ({"training": (images / 255, labels)}, "0 to 255"),
        ({"training": (images, labels + 1)}, "labels run from 1"),
    ):
        options = {"training": (images, labels), "validation": (images, labels)} | changes
        with pytest.raises(ValueError, match=sentence):
            transfer.fine_tune(factory, from_="block_2", **options)
