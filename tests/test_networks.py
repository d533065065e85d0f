import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from medlearn import networks
from medlearn._keras import keras

NOISE = np.random.default_rng(0)
IMAGES = NOISE.uniform(0, 255, (12, 16, 16, 3)).astype("float32")


@pytest.fixture(scope="module")
def encoder():
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, activation="relu", name="block_0")(x)
    x = keras.layers.Conv2D(6, 3, name="block_1")(x)
    return keras.Model(image, x, name="tiny")


def by_hand(encoder, layer, model):
    maps = keras.Model(encoder.input, encoder.get_layer(layer).output).predict(IMAGES, verbose=0)
    scores = (
        maps.mean((1, 2)) @ model.layers[-1].get_weights()[0] + model.layers[-1].get_weights()[1]
    )
    return np.exp(scores) / np.exp(scores).sum(1, keepdims=True)


@pytest.mark.parametrize("layer", ["block_0", "block_1"])
def test_a_classifier_is_the_encoder_cut_pooled_and_a_softmax(encoder, layer):
    model = networks.classifier(encoder, 3, layer=layer)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), by_hand(encoder, layer, model), atol=1e-5
    )


def test_without_a_layer_the_whole_encoder_is_used_and_its_weights_are_shared(encoder):
    model = networks.classifier(encoder, 3)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), by_hand(encoder, "block_1", model), atol=1e-5
    )
    inside = model.get_layer("tiny")
    assert [id(weight) for weight in inside.weights] == [id(weight) for weight in encoder.weights]


def test_dropout_and_augmentation_act_in_training_only(encoder):
    def outputs(training, **options):
        return np.asarray(networks.classifier(encoder, 3, **options)(IMAGES, training=training))

    flip = keras.layers.RandomFlip("horizontal", seed=1)
    plain = outputs(True, dropout=0.0)
    assert np.abs(outputs(True, dropout=0.5) - plain).max() > 1e-3
    assert np.abs(outputs(True, dropout=0.0, augment=flip) - plain).max() > 1e-6
    np.testing.assert_allclose(outputs(False, dropout=0.5, augment=flip), plain, atol=1e-6)


def test_the_seed_decides_the_head(encoder):
    kernels = [
        networks.classifier(encoder, 3, seed=seed).layers[-1].kernel.numpy() for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01


@pytest.mark.parametrize("classes", [2, 3])
def test_a_probe_of_scikit_learn_and_the_model_with_its_head_agree(encoder, classes):
    vectors = keras.Model(encoder.input, encoder.output).predict(IMAGES, verbose=0).mean((1, 2))
    probe = LogisticRegression(C=100).fit(vectors, np.arange(len(IMAGES)) % classes)
    model = networks.set_head(networks.classifier(encoder, classes), probe.coef_, probe.intercept_)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), probe.predict_proba(vectors), atol=1e-4
    )


def test_a_head_of_another_shape_is_refused(encoder):
    with pytest.raises(ValueError, match=r"weights \(3, 4\).*3 classes on vectors of 6"):
        networks.set_head(networks.classifier(encoder, 3), np.zeros((3, 4)), np.zeros(3))
    with pytest.raises(ValueError, match="bias"):
        networks.set_head(networks.classifier(encoder, 3), np.zeros((3, 6)), np.zeros(2))


@pytest.mark.parametrize(
    "weights, bias, message",
    [
        (None, np.zeros(3), "coef_ and intercept_.*NoneType and ndarray"),
        (np.zeros((3, 6)), None, "coef_ and intercept_"),
        (np.full((3, 6), np.nan), np.zeros(3), "NaN"),
        (np.zeros((3, 6)), np.full(3, np.inf), "infinite"),
    ],
)
def test_what_is_no_probe_is_refused(encoder, weights, bias, message):
    with pytest.raises(ValueError, match=message):
        networks.set_head(networks.classifier(encoder, 3), weights, bias)


def test_only_a_dense_head_can_be_set(encoder):
    with pytest.raises(ValueError, match="tiny ends in Conv2D"):
        networks.set_head(encoder, np.zeros((3, 6)), np.zeros(3))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"classes": 1}, "at least 2"),
        ({"classes": 2.5}, "at least 2"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"dropout": None}, "dropout=None"),
        ({"augment": "flip"}, "augment='flip' is not a Keras layer"),
        ({"layer": "blok_1"}, "no layer 'blok_1'; do you mean block_1"),
    ],
)
def test_bad_arguments_get_one_sentence(encoder, arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.classifier(encoder, **({"classes": 3} | arguments))


def test_only_a_model_with_a_map_can_carry_a_head(encoder):
    with pytest.raises(ValueError, match="backbones.load gives one"):
        networks.classifier("efficientnet_lite0", 3)
    image = keras.Input((16, 16, 3))
    with pytest.raises(ValueError, match=r"gives \(None, 768\) there, but a map"):
        networks.classifier(keras.Model(image, keras.layers.Flatten()(image)), 3)


# ---- a small network of one's own ------------------------------------------------------------------


def test_small_sees_the_same_in_any_range_of_grey_values():
    images = np.random.default_rng(0).uniform(0, 255, (3, 64, 48, 1)).astype(np.float32)
    model = networks.small_cnn((64, 48, 1), 4)
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(model.predict(40 + images / 3, verbose=0), expected, atol=1e-4)


def test_small_is_drawn_by_its_seed_and_stays_small():
    first, again, other = (networks.small_cnn((64, 64, 3), 5, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(first.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first.get_weights(), other.get_weights()))
    assert first.count_params() < 100_000


def test_small_crops_with_the_layers_it_is_given():
    model = networks.small_cnn((64, 64, 1), 2, augment=keras.layers.CenterCrop(48, 32))
    images = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 1)).astype(np.float32)
    cut = next(layer for layer in model.layers if isinstance(layer, keras.layers.CenterCrop))
    assert cut.output.shape[1:3] == (48, 32)
    assert model.predict(images, verbose=0).shape == (1, 2)


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((16, 64, 3), 2, "at least 32 pixels"),
        ((64, 64), 2, "height, width"),
        ((64, 64, 3), 1, "at least 2"),
        ((64, 64, 1), 2.5, "at least 2"),
        (64, 2, "shape=<int>"),
        ((None, None, 3), 2, "at least 32"),
        (IMAGES, 2, "shape=<ndarray>.*images.shape"),
        ((64, 64, 0), 2, "channels"),
    ],
)
def test_small_says_what_is_wrong(shape, classes, message):
    with pytest.raises(ValueError, match=message):
        networks.small_cnn(shape, classes)


def test_small_wants_a_share_of_dropout_and_32_pixels_after_the_crop():
    with pytest.raises(ValueError, match="dropout=1.5"):
        networks.small_cnn((64, 64, 1), 2, dropout=1.5)
    with pytest.raises(ValueError, match=r"After augment the images are \(16, 16, 1\): crop less"):
        networks.small_cnn((64, 64, 1), 2, augment=keras.layers.CenterCrop(16, 16))
