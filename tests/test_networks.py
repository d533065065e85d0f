"""Classifiers: an encoder with a head, a small network, half precision, names of version 0.1."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import explain, networks, transfer
from medlearn._keras import keras, tf

NOISE = np.random.default_rng(0)
IMAGES = NOISE.uniform(0, 255, (12, 16, 16, 3)).astype("float32")


@pytest.fixture(scope="module")
def encoder():
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, activation="relu", name="block_0")(x)
    x = keras.layers.Conv2D(6, 3, name="block_1")(x)
    return keras.Model(image, x, name="tiny")


def predict(model, images=IMAGES, training=False):
    return np.asarray(model(images, training=training))


def vectors_at(encoder, layer):
    return predict(keras.Model(encoder.input, encoder.get_layer(layer).output)).mean((1, 2))


# ---- a classifier on an encoder ------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["block_0", "block_1", None])
def test_a_classifier_is_the_encoder_cut_pooled_and_a_softmax(encoder, layer):
    model = networks.classifier(encoder, 3, layer=layer)
    kernel, bias = model.layers[-1].get_weights()
    scores = vectors_at(encoder, layer or "block_1") @ kernel + bias
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(predict(model), expected, atol=1e-5)


def test_the_encoder_keeps_its_name_and_its_weights_are_shared(encoder):
    inside = networks.classifier(encoder, 3).get_layer("tiny")
    assert [id(weight) for weight in inside.weights] == [id(weight) for weight in encoder.weights]


def test_a_sequential_encoder_with_a_model_inside_is_taken(encoder):
    """Such as augmentation in front of a backbone; the layers of the inner model cannot be cut."""
    wrapped = keras.Sequential(
        [keras.Input((16, 16, 3)), keras.layers.RandomFlip(), encoder], name="wrapped"
    )
    model = networks.classifier(wrapped, 3)
    plain = networks.classifier(encoder, 3)
    np.testing.assert_allclose(predict(model), predict(plain), atol=1e-6)
    assert model.get_layer("wrapped")
    with pytest.raises(ValueError, match="'block_0' belongs to the model 'tiny' inside wrapped"):
        networks.classifier(wrapped, 3, layer="block_0")


def test_dropout_and_augmentation_act_in_training_only(encoder):
    def outputs(training, **options):
        return predict(networks.classifier(encoder, 3, **options), training=training)

    flip = keras.layers.RandomFlip("horizontal", seed=1)
    plain = outputs(True, dropout=0.0)
    assert np.abs(outputs(True, dropout=0.5) - plain).max() > 1e-3
    assert np.abs(outputs(True, dropout=0.0, augment=flip) - plain).max() > 1e-6
    np.testing.assert_allclose(outputs(False, dropout=0.5, augment=flip), plain, atol=1e-6)


def test_the_seed_decides_the_head(encoder):
    first, again, other = (
        networks.classifier(encoder, 3, seed=seed).layers[-1].kernel.numpy() for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


@pytest.mark.parametrize("classes", [2, 3])
def test_a_probe_of_scikit_learn_and_the_model_with_its_head_agree(encoder, classes):
    vectors = vectors_at(encoder, "block_1")
    probe = LogisticRegression(C=100).fit(vectors, np.arange(len(IMAGES)) % classes)
    model = networks.classifier(encoder, classes)
    assert networks.set_head(model, probe.coef_, probe.intercept_) is None
    np.testing.assert_allclose(predict(model), probe.predict_proba(vectors), atol=1e-4)


@pytest.mark.parametrize("scaler", [StandardScaler(), StandardScaler(with_mean=False)])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_probe_with_a_scaler_becomes_a_head(encoder, classes, scaler):
    vectors = 5 + vectors_at(encoder, "block_1").astype(float)
    probe = make_pipeline(scaler, LogisticRegression(C=100))
    probe.fit(vectors, np.arange(len(IMAGES)) % classes)
    weights, bias = networks.as_head(probe)
    scores = vectors @ weights.T + bias
    expected = probe.decision_function(vectors)
    np.testing.assert_allclose(scores[:, 0] if classes == 2 else scores, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "probe, message",
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), "no coef_ and intercept_"),
        (PCA(), "PCA has no coef_"),
        (make_pipeline(PCA(1), LogisticRegression()), "step PCA cannot"),
        (make_pipeline(PCA(1), StandardScaler(), LogisticRegression()), "step PCA cannot"),
    ],
)
def test_what_is_no_fitted_linear_probe_becomes_no_head(probe, message):
    if "step" in message:
        probe.fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1])
    with pytest.raises(ValueError, match=message):
        networks.as_head(probe)


def test_a_copy_of_an_encoder_has_weights_of_its_own(encoder):
    copy = networks.copy_up_to(encoder, "block_0")
    inside = keras.Model(encoder.input, encoder.get_layer("block_0").output)
    np.testing.assert_allclose(predict(copy), predict(inside), atol=1e-6)
    assert copy.name == "tiny" and copy.layers[-1].name == "block_0"
    before = transfer.snapshot(encoder)
    copy.set_weights([1 + weight for weight in copy.get_weights()])
    transfer.assert_frozen(encoder, before)
    with pytest.raises(ValueError, match="block_7"):
        networks.copy_up_to(encoder, "block_7")


def test_a_binary_probe_fits_a_single_sigmoid(encoder):
    vectors = vectors_at(encoder, "block_1")
    probe = LogisticRegression(C=100).fit(vectors, np.arange(len(IMAGES)) % 2)
    pooled = keras.layers.GlobalAveragePooling2D()(encoder.output)
    model = keras.Model(encoder.input, keras.layers.Dense(1, "sigmoid")(pooled))
    networks.set_head(model, probe.coef_, probe.intercept_)
    np.testing.assert_allclose(predict(model)[:, 0], probe.predict_proba(vectors)[:, 1], atol=1e-4)


@pytest.mark.parametrize(
    "weights, bias, message",
    [
        (np.zeros((3, 4)), np.zeros(3), r"weights \(3, 4\).*3 classes on vectors of 6"),
        (np.zeros((3, 6)), np.zeros(2), "bias"),
        (np.zeros((3, 6)), None, "coef_ and intercept_"),
        (np.full((3, 6), np.nan), np.zeros(3), "NaN"),
    ],
)
def test_what_is_no_probe_of_this_layer_is_refused(encoder, weights, bias, message):
    with pytest.raises(ValueError, match=message):
        networks.set_head(networks.classifier(encoder, 3), weights, bias)


def test_only_a_dense_head_can_be_set(encoder):
    with pytest.raises(ValueError, match="tiny ends in Conv2D"):
        networks.set_head(encoder, np.zeros((3, 6)), np.zeros(3))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"classes": 1}, "classes must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"augment": "flip"}, "augment='flip' is not a Keras layer"),
        ({"layer": "blok_1"}, "no layer 'blok_1'; do you mean 'block_1'"),
    ],
)
def test_bad_arguments_are_refused(encoder, arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.classifier(encoder, **({"classes": 3} | arguments))


def test_only_a_model_from_images_to_a_map_can_carry_a_head():
    flat = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten()])
    unbuilt = keras.Sequential([keras.layers.Conv2D(2, 3)])
    vectors = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    for encoder, message in [
        ("efficientnet_lite0", "backbones.load gives one"),
        (flat, r"gives \(None, 768\) there, but a map"),
        (unbuilt, "does not say what goes in"),
        (vectors, r"takes \(None, 4\), but a model of images"),
    ]:
        with pytest.raises(ValueError, match=message):
            networks.classifier(encoder, 3)


# ---- a small network of one's own ----------------------------------------------------------------


def test_a_small_cnn_sees_the_same_in_any_range_of_grey_values():
    images = np.random.default_rng(0).uniform(0, 255, (3, 64, 48, 1)).astype(np.float32)
    model = networks.small_cnn((64, 48, 1), 4)
    expected = predict(model, images)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(predict(model, 40 + images / 3), expected, atol=1e-4)


def test_a_small_cnn_is_drawn_by_its_seed_and_stays_small():
    first, again, other = (networks.small_cnn((64, 64, 3), 5, seed=seed) for seed in (1, 1, 2))
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    pairs = zip(first.get_weights(), other.get_weights(), strict=True)
    assert any((a != b).any() for a, b in pairs)
    assert first.count_params() < 100_000


def test_a_small_cnn_crops_with_the_layers_it_is_given():
    crop = keras.layers.CenterCrop(48, 32)
    model = networks.small_cnn((64, 64, 1), 2, augment=crop)
    assert crop.output.shape[1:3] == (48, 32) and model.output_shape == (None, 2)
    with pytest.raises(ValueError, match=r"After augment the images are \(16, 16, 1\): crop less"):
        networks.small_cnn((64, 64, 1), 2, augment=keras.layers.CenterCrop(16, 16))


@pytest.mark.parametrize(
    "shape, message",
    [
        ((16, 64, 3), "at least 32 pixels"),
        ((64, 64), "height, width"),
        ((None, None, 3), "at least 32"),
        (IMAGES, "shape=<ndarray>.*images.shape"),
        ((64, 64, 0), "channels"),
    ],
)
def test_a_small_cnn_wants_the_shape_of_its_images(shape, message):
    with pytest.raises(ValueError, match=message):
        networks.small_cnn(shape, 2)


# ---- half precision ------------------------------------------------------------------------------


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def test_half_precision_ends_in_float32_and_a_sure_mistake_is_learned_from(half_precision):
    image = x = keras.Input((64, 64, 3))
    for number in range(4):
        x = keras.layers.Conv2D(4, 3, 2, "same", activation="relu", name=f"block_{number}")(x)
    encoder = keras.Model(image, x, name="half")
    images = NOISE.uniform(0, 255, (2, 64, 64, 3))
    assert x.dtype == "float16"
    models = {
        "classifier": networks.classifier(encoder, 3),
        "small": networks.small_cnn((64, 64, 3), 3),
        "segmenter": networks.segmenter(encoder, 2),
    }
    for name, model in models.items():
        assert predict(model, images).dtype == np.float32, name
    outputs = networks.detector(encoder, 2)(images, training=False)
    assert {np.asarray(output).dtype for output in outputs.values()} == {np.dtype("float32")}
    bags = networks.bag_classifier(5, 2, "max")([np.ones((2, 4, 5)), np.ones((2, 4), bool)])
    assert np.asarray(bags).dtype == np.float32
    model, bias = models["classifier"], models["classifier"].layers[-1].bias
    bias.assign([0.0, -12.0, 12.0])  # the true class lies 24 logits below another
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy()(np.array([1, 1]), model(images))
    assert np.abs(tape.gradient(loss, bias)).max() == pytest.approx(1, abs=1e-3)


def test_losses_compute_in_float32(half_precision):
    masks = np.zeros((1, 300, 300), int)
    probabilities = np.full((1, 300, 300, 2), 0.5, np.float16)  # sums of 45,000 overflow float16
    for loss in (
        networks.losses.cross_entropy,
        networks.losses.dice,
        networks.losses.Focal(),
        networks.losses.Tversky(),
        networks.losses.Combined(networks.losses.dice),
    ):
        value = loss(masks, probabilities)
        assert value.dtype == "float32" and np.isfinite(float(value))


# ---- names of version 0.1 ------------------------------------------------------------------------


def test_old_names_still_work_and_name_the_new_ones():
    for room, old, new in [
        (networks, "centre_loss", networks.detection.heatmap_loss),
        (networks, "sides_loss", networks.detection.box_loss),
        (networks, "targets", networks.detection.encode_targets),
        (networks, "assign", networks.detection.assign),
        (networks, "decode", networks.detection.decode),
        (transfer, "by_depth", transfer.layerwise_optimizer),
        (explain, "randomised", explain.randomise_weights),
    ]:
        sentence = rf"{old} is now medlearn\.\S*{new.__name__}"
        with pytest.warns(DeprecationWarning, match=sentence):
            assert getattr(room, old) is new
        assert old not in dir(room)
        with pytest.raises(AttributeError):
            getattr(room, "never_a_name")  # noqa: B009 - the attribute, and not its absence
