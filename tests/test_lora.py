"""LoRA on a transformer small enough to train in a second, beside the sum computed by hand."""

import numpy as np
import pytest

from medlearn import networks, transfer
from medlearn._keras import keras

IMAGES = np.random.default_rng(0).uniform(0, 255, (8, 8, 8, 3)).astype("float32")
LABELS = np.arange(8) % 2


def small_encoder():
    """Two "blocks" of dense layers on a map, named as those of a vision transformer."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 4, strides=4, name="patches")(image)
    for block in range(2):
        for part in ("query", "key", "value"):
            x = keras.layers.Dense(6, name=f"block_{block}_{part}")(x)
    return keras.Model(image, x, name="encoder")


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return networks.classifier(small_encoder(), 2, dropout=0.0)


def train(model):
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", run_eagerly=True)
    model.fit(IMAGES / 255, LABELS, batch_size=2, epochs=2, verbose=0)


def test_adapters_change_nothing_before_they_learn_and_are_counted(model):
    before = model.predict(IMAGES, verbose=0)
    assert transfer.add_lora(model, rank=3) == 4 * (6 * 3 + 3 * 6)
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), before)


def test_only_adapters_and_head_learn(model):
    transfer.add_lora(model)
    before = transfer.snapshot(model)
    train(model)
    transfer.assert_moved(model, before)
    names = {path.rsplit("/", 1)[-1] for path in transfer.moved(model, before)}
    layers = {path.split("/")[-2] for path in transfer.moved(model, before)}
    assert names == {"lora_kernel_a", "lora_kernel_b", "kernel", "bias"}
    assert layers == {"head", *(f"block_{b}_{p}" for b in (0, 1) for p in ("query", "value"))}


def test_the_kernel_in_use_is_the_frozen_one_plus_a_product_of_low_rank(model):
    layer = model.get_layer("encoder").get_layer("block_1_value")
    pretrained = layer.kernel.numpy()
    transfer.add_lora(model, rank=2)
    train(model)
    product = layer.lora_kernel_a.numpy() @ layer.lora_kernel_b.numpy()
    assert np.linalg.matrix_rank(product) == 2
    np.testing.assert_allclose(np.asarray(layer.kernel), pretrained + product, atol=1e-6)


def test_chosen_layers_and_seed():
    first, second, other = (networks.classifier(small_encoder(), 2) for _ in range(3))
    assert transfer.add_lora(first, rank=1, layers=["key"]) == 2 * 12
    transfer.add_lora(second, rank=1, layers=["key"])
    transfer.add_lora(other, rank=1, layers=["key"], seed=5)

    def start(model):
        return model.get_layer("encoder").get_layer("block_0_key").lora_kernel_a.numpy()

    np.testing.assert_array_equal(start(first), start(second))
    assert not np.array_equal(start(first), start(other))


def test_an_encoder_alone_may_have_adapters():
    encoder = small_encoder()
    transfer.add_lora(encoder)
    assert len(encoder.trainable_weights) == 8


def test_refusals(model):
    with pytest.raises(ValueError, match="no dense layer whose name ends in gate"):
        transfer.add_lora(model, layers=["gate"])
    with pytest.raises(ValueError, match="rank"):
        transfer.add_lora(model, rank=0)
    transfer.add_lora(model)
    with pytest.raises(ValueError, match="adapters already"):
        transfer.add_lora(model)
