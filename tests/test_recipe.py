"""The recipe of fine-tuning: what learns, what is kept, and which rate is chosen."""

import numpy as np
import pytest

from medlearn import keras, networks, transfer
from medlearn.transfer import _boundary


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


def test_maps_that_are_computed_once_give_the_losses_of_the_whole_network(monkeypatch):
    options = {"from_": "block_2", "rates": (0.05,), "epochs": 2}
    once = transfer.fine_tune(factory, data(), data(seed=1), **options)
    monkeypatch.setattr(_boundary, "divided", lambda model, from_: None)
    anew = transfer.fine_tune(factory, data(), data(seed=1), **options)
    np.testing.assert_allclose(once.losses[0.05], anew.losses[0.05], rtol=1e-3)
    for weights, expected in zip(once.model.get_weights(), anew.model.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, atol=1e-3)


def test_a_network_is_divided_only_where_one_tensor_and_no_chance_crosses():
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="block_1_conv")(image)
    dropped = keras.layers.Dropout(0.5, name="block_2_drop")(first)
    second = keras.layers.Conv2D(4, 3, padding="same", name="block_2_conv")(dropped)
    across = keras.layers.Add(name="block_3_add")([second, first])
    third = keras.layers.Conv2D(4, 3, name="block_4_conv")(across)
    model = networks.classifier(keras.Model(image, third, name="forked"), 2, dropout=0.5)
    images, _ = data(4)
    lower, upper = _boundary.divided(model, "block_2")
    maps = _boundary.maps_of(lower, images)
    assert maps.shape == (4, 16, 16, 4)
    np.testing.assert_allclose(upper(maps), model(images.astype("float32")), atol=1e-5)
    assert _boundary.divided(model, "block_2_conv") is None  # chance before it
    assert _boundary.divided(model, "block_1") is None  # nothing before it
    assert _boundary.divided(model, "block_3_add") is None
    assert not _boundary.fits(lower, 10**9)


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
