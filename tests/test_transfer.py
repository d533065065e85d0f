import numpy as np
import pytest

from medlearn import transfer
from medlearn.engine import keras


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    inside = keras.Sequential([keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()], name="encoder")
    pooled = keras.layers.GlobalAveragePooling2D()(inside(image))
    return keras.Model(image, keras.layers.Dense(2, name="head")(pooled))


def train(model):
    model.compile("sgd", "mse")
    noise = np.random.default_rng(0)
    model.fit(noise.normal(size=(8, 8, 8, 3)), noise.normal(size=(8, 2)), verbose=0)


def test_a_frozen_model_stays_still_while_a_head_on_top_learns(model):
    encoder = transfer.freeze(model.get_layer("encoder"))
    before, before_all = transfer.snapshot(encoder), transfer.snapshot(model)
    train(model)
    transfer.assert_frozen(encoder, before)
    transfer.assert_moved(model, before_all)
    assert {path.split("/")[0] for path in transfer.moved(model, before_all)} == {"head"}


def test_assert_frozen_names_the_weight_that_moved(model):
    before = transfer.snapshot(model)
    train(model)
    with pytest.raises(AssertionError, match=r"8 of 8 weights moved, first '.+'; freeze"):
        transfer.assert_frozen(model, before)


def test_assert_moved_tells_a_forgotten_fit_from_drifting_statistics(model):
    before = transfer.snapshot(model)
    with pytest.raises(AssertionError, match="did not move"):
        transfer.assert_moved(model, before)
    train(model)
    with pytest.raises(AssertionError, match="frozen weights moved.*BatchNorm"):
        transfer.assert_moved(model, before)


def test_assert_moved_wants_something_to_train(model):
    before = transfer.snapshot(transfer.freeze(model))
    with pytest.raises(AssertionError, match="No weight of this model is trainable"):
        transfer.assert_moved(model, before)


def test_a_snapshot_of_another_model_is_refused(model):
    with pytest.raises(ValueError, match="another model"):
        transfer.assert_frozen(model, (("x", "0"),))


@pytest.mark.parametrize(
    "images, message",
    [
        (np.ones((2, 4, 4, 3), "float32"), "already divided by 255"),
        (np.full((2, 4, 4, 3), -1.0), "preprocessing is inside"),
        (np.full((2, 4, 4), 9), "Expected images of shape"),
    ],
)
def test_the_classic_preprocessing_mistakes_are_named(images, message):
    with pytest.raises(ValueError, match=message):
        transfer.check_preprocessing(images)


def test_proper_images_pass():
    transfer.check_preprocessing(np.full((2, 4, 4, 3), 255, "uint8"))
