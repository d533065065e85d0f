"""Grad-CAM against closed forms, two models and tf-keras-vis; the pointing game; the control."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from skimage.transform import resize

from medlearn import backbones, explain, networks
from medlearn._keras import keras, tf

SIDE, CLASSES = 32, 3
layers = keras.layers


def strided(channels: int, name: str, seed: int) -> keras.layers.Layer:
    he = keras.initializers.HeNormal(seed)
    return layers.Conv2D(
        channels, 3, 2, "same", activation="relu", name=name, kernel_initializer=he
    )


def tiny_encoder() -> keras.Model:
    image = keras.Input((SIDE, SIDE, 3))
    x = strided(6, "first", 1)(image)
    x = layers.BatchNormalization(name="norm")(x)
    return keras.Model(image, strided(8, "second", 2)(x), name="tiny")


@pytest.fixture(scope="module")
def encoder():
    return tiny_encoder()


@pytest.fixture(scope="module")
def nested(encoder):
    return networks.classifier(encoder, CLASSES)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (5, SIDE, SIDE, 3)).astype(np.float32)


def enlarged(maps):
    options = {"order": 1, "mode": "edge", "anti_aliasing": False}
    return np.stack([resize(heat, (SIDE, SIDE), **options) for heat in maps])


def by_two_models(below, above, images, label):
    """Equations 1 and 2 of a network in two parts: `below` gives the maps, `above` the scores."""
    maps = tf.constant(below.predict(images, verbose=0))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        score = tf.reduce_sum(above(maps)[:, label])
    weights = tape.gradient(score, maps).numpy().mean((1, 2), keepdims=True)
    return enlarged(np.maximum((weights * maps.numpy()).sum(-1), 0))


# Grad-CAM against oracles


@pytest.mark.parametrize("label", range(CLASSES))
def test_before_mean_pooling_it_is_the_class_activation_map(nested, encoder, images, label):
    maps = encoder.predict(images, verbose=0)
    kernel = nested.get_layer("head").kernel.numpy()[:, label]
    expected = np.maximum(maps @ kernel, 0) / np.prod(
        maps.shape[1:3]
    )  # Selvaraju et al. 2017, section 3
    np.testing.assert_allclose(
        explain.grad_cam(nested, images, label), enlarged(expected), atol=1e-6
    )
    assert expected.max() > 1e-3


def test_a_layer_deep_in_a_nested_encoder_equals_two_models(nested, encoder, images):
    maps = encoder.get_layer("first").output
    below = keras.Model(encoder.input, maps)
    x = start = keras.Input(maps.shape[1:])
    for name in ("norm", "second"):
        x = encoder.get_layer(name)(x)
    head = nested.get_layer("head")
    scores = layers.Dense(CLASSES)
    above = keras.Model(start, scores(layers.GlobalAveragePooling2D()(x)))
    scores.set_weights(head.get_weights())
    for label in range(CLASSES):
        expected = by_two_models(below, above, images, label)
        np.testing.assert_allclose(
            explain.grad_cam(nested, images, label, layer="first"), expected, atol=1e-6
        )


def test_slopes_equal_finite_differences(nested, encoder, images):
    """The score moves as the weights of the maps say when a whole map is lifted a little."""
    kernel, bias = nested.get_layer("head").get_weights()

    def score(maps):
        return (maps.mean((1, 2)) @ kernel + bias)[:, 1]

    maps = encoder.predict(images, verbose=0).astype(np.float64)
    lifted = [score(maps + 0.01 * np.eye(8)[channel]) - score(maps) for channel in range(8)]
    weights = np.transpose(lifted) / 0.01 / np.prod(maps.shape[1:3])
    expected = np.maximum(np.einsum("nhwc,nc->nhw", maps, weights), 0)
    np.testing.assert_allclose(explain.grad_cam(nested, images, 1), enlarged(expected), atol=1e-5)


def test_it_agrees_with_tf_keras_vis(images):
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    flat = networks.small_cnn((SIDE, SIDE, 3), CLASSES, seed=4)
    peer = Gradcam(flat, model_modifier=ReplaceToLinear(), clone=True)
    options = {"expand_cam": False, "normalize_cam": False}
    heights = []
    for layer in [name for name in explain.map_layers(flat) if name.startswith("conv2d")]:
        for label in range(CLASSES):
            score = CategoricalScore([label] * len(images))
            maps = np.asarray(peer(score, images, penultimate_layer=layer, **options))
            ours = explain.grad_cam(flat, images, label, layer=layer)
            np.testing.assert_allclose(ours, enlarged(maps), atol=1e-6)
            heights.append(ours.max())
    assert np.median(heights) > 1e-4


def test_a_real_backbone_inside_a_classifier():
    encoder = backbones.load("efficientnet_lite0", weights=None, size=64)
    model = networks.classifier(encoder, CLASSES, layer="block_2")
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    assert "block_1" in explain.map_layers(model) and "block_3" not in explain.map_layers(model)
    kernel = model.get_layer("head").kernel.numpy()[:, 2]
    maps = model.get_layer("efficientnet_lite0").predict(pictures.astype(np.float32), verbose=0)
    coarse = np.maximum(maps @ kernel, 0)[..., None] / np.prod(maps.shape[1:3])
    expected = tf.image.resize(coarse, (64, 64))[..., 0]
    heatmaps = explain.grad_cam(model, pictures, 2)
    np.testing.assert_allclose(heatmaps, expected, rtol=1e-4, atol=1e-7)
    with pytest.raises(ValueError, match="run from 0 to 1, but 0 to 255 is expected"):
        explain.grad_cam(model, pictures / pictures.max(), 2)  # it scales its images itself


# each argument, and what must not change


def test_no_class_means_the_highest_score_and_each_image_may_have_its_own(nested, images):
    highest = nested.predict(images, verbose=0).argmax(1)
    own = np.array([0, 1, 2, 1, 0])
    np.testing.assert_array_equal(
        explain.grad_cam(nested, images), explain.grad_cam(nested, images, highest)
    )
    one_by_one = [
        explain.grad_cam(nested, images[[row]], int(label))[0] for row, label in enumerate(own)
    ]
    np.testing.assert_allclose(explain.grad_cam(nested, images, own), one_by_one, atol=1e-6)
    assert not np.allclose(explain.grad_cam(nested, images, 0), explain.grad_cam(nested, images, 1))


def test_layers_differ_and_batches_do_not(nested, images):
    first, last = (
        explain.grad_cam(nested, images, 1, layer=layer) for layer in ("first", "second")
    )
    assert not np.allclose(first, last)
    np.testing.assert_array_equal(last, explain.grad_cam(nested, images, 1))
    np.testing.assert_allclose(last, explain.grad_cam(nested, images, 1, batch_size=2), atol=1e-6)
    assert last.shape == (5, SIDE, SIDE) and last.dtype == np.float32 and last.min() >= 0


def test_the_model_is_as_before_even_after_an_error(nested, images, monkeypatch):
    before, head = nested.predict(images, verbose=0), nested.get_layer("head")
    inner = nested.get_layer("tiny").get_layer("first")
    explain.grad_cam(nested, images, layer="first")
    with monkeypatch.context() as patch:
        patch.setattr(type(inner), "call", None)
        with pytest.raises(TypeError):
            explain.grad_cam(nested, images, layer="first")
    assert head.activation is keras.activations.softmax and "call" not in vars(inner)
    np.testing.assert_array_equal(nested.predict(images, verbose=0), before)


def test_a_sure_softmax_does_not_flatten_the_map(encoder, images):
    model = networks.classifier(encoder, CLASSES)
    kernel, bias = model.get_layer("head").get_weights()
    mild = explain.grad_cam(model, images, 1)
    networks.set_head(model, 1000 * kernel.T, 1000 * bias)
    assert np.ptp(model.predict(images, verbose=0), axis=1).min() > 0.999
    np.testing.assert_allclose(
        explain.grad_cam(model, images, 1), 1000 * mild, rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize(
    "end", [layers.Softmax(), layers.Activation("softmax")], ids=["Softmax", "Activation"]
)
def test_a_softmax_of_its_own_is_left_out_too(nested, encoder, images, end):
    scores = layers.Dense(CLASSES)
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), encoder, layers.GlobalAveragePooling2D(), scores, end]
    )
    scores.set_weights(nested.get_layer("head").get_weights())
    np.testing.assert_allclose(
        explain.grad_cam(model, images, 1), explain.grad_cam(nested, images, 1), atol=1e-6
    )
    assert np.allclose(model.predict(images, verbose=0).sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("end", ["sigmoid", None])
def test_a_single_output_has_the_classes_0_and_1(encoder, images, end):
    image = keras.Input((SIDE, SIDE, 3))
    head = layers.Dense(1, end, kernel_initializer=keras.initializers.GlorotUniform(3))
    model = keras.Model(image, head(layers.GlobalAveragePooling2D()(encoder(image))))
    slopes = encoder.predict(images, verbose=0) @ head.kernel.numpy()[:, 0] / 64
    heatmaps = {label: enlarged(np.maximum(sign * slopes, 0)) for label, sign in ((0, -1), (1, 1))}
    for label, expected in heatmaps.items():
        assert expected.max() > 1e-3
        np.testing.assert_allclose(explain.grad_cam(model, images, label), expected, atol=1e-6)
    predictions = (model.predict(images, verbose=0)[:, 0] > (0.5 if end else 0)).astype(int)
    of_predictions = [heatmaps[label][row] for row, label in enumerate(predictions)]
    np.testing.assert_allclose(explain.grad_cam(model, images), of_predictions, atol=1e-6)
    with pytest.raises(ValueError, match=r"class_index 2 does not exist.*classes 0 to 1"):
        explain.grad_cam(model, images, 2)


def test_half_precision_does_not_lose_the_small_gradients_of_large_maps():
    """At 256 x 256 places a gradient is a 65,536th of a weight, less than float16 can hold."""
    before = keras.config.dtype_policy()
    heatmaps = {}
    pictures = np.random.default_rng(0).uniform(0, 1, (1, 256, 256, 3)).astype(np.float32)
    try:
        for policy in ("float32", "mixed_float16"):
            keras.config.set_dtype_policy(policy)
            image = keras.Input((256, 256, 3))
            he = keras.initializers.HeNormal(0)
            x = layers.Conv2D(4, 1, activation="relu", kernel_initializer=he)(image)
            model = networks.classifier(keras.Model(image, x, name="flat"), 2, seed=1)
            model.layers[-1].kernel.assign(model.layers[-1].kernel / 100)
            heatmaps[policy] = explain.grad_cam(model, pictures, 1)
    finally:
        keras.config.set_dtype_policy(before)
    expected = heatmaps["float32"]
    assert expected.max() > 0
    np.testing.assert_allclose(heatmaps["mixed_float16"], expected, atol=0.05 * expected.max())


def test_the_layers_are_listed_from_input_to_output(nested):
    assert explain.map_layers(nested) == ("first", "norm", "second", "tiny")
    assert explain.map_layers(networks.small_cnn((SIDE, SIDE, 1), 2))[-1].startswith(
        "max_pooling2d"
    )


def test_pooled_maps_are_not_the_default(images):
    flat = networks.small_cnn((SIDE, SIDE, 3), CLASSES, seed=4)
    relu = [name for name in explain.map_layers(flat) if name.startswith("re_lu")][-1]
    np.testing.assert_array_equal(
        explain.grad_cam(flat, images, 0), explain.grad_cam(flat, images, 0, layer=relu)
    )


def test_a_trained_network_points_at_what_it_was_taught():
    rng = np.random.default_rng(0)
    pictures = rng.normal(0, 0.3, (200, SIDE, SIDE, 1)).astype(np.float32)
    masks, labels = np.zeros((200, SIDE, SIDE), bool), np.arange(200) % 2
    masks[labels == 1] = squares(rng)
    pictures[masks] += 1.5
    he = keras.initializers.HeNormal
    image = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(8, 5, 2, "same", activation="relu", kernel_initializer=he(0))(image)
    x = layers.Conv2D(8, 3, 1, "same", activation="relu", kernel_initializer=he(1))(x)
    head = layers.Dense(2, "softmax", kernel_initializer=keras.initializers.GlorotUniform(2))
    model = keras.Model(image, head(layers.GlobalMaxPooling2D()(x)))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(pictures[:150], labels[:150], batch_size=25, epochs=10, verbose=0, shuffle=False)
    test = slice(150, None)
    predictions = model.predict(pictures[test], verbose=0).argmax(1)
    assert (predictions == labels[test]).mean() > 0.9
    with_square, truth = pictures[test][labels[test] == 1], masks[test][labels[test] == 1]
    heatmaps = explain.grad_cam(model, with_square, 1)
    assert explain.pointing_game(heatmaps, truth).mean() > 0.8
    assert explain.energy_inside(heatmaps, truth).mean() > 3 * truth.mean()


def squares(rng):
    masks = np.zeros((100, SIDE, SIDE), bool)
    for mask, (top, left) in zip(masks, rng.integers(0, SIDE - 8, (100, 2)), strict=True):
        mask[top : top + 8, left : left + 8] = True
    return masks


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": np.zeros((SIDE, SIDE, 3))}, r"takes \(N, 32, 32, 3\); a single image"),
        ({"images": np.full((1, SIDE, SIDE, 3), np.nan)}, "not finite"),
        ({"class_index": 3}, "class_index 3 does not exist: the model has the classes 0 to 2"),
        ({"class_index": -1}, "class_index -1 does not exist"),
        ({"class_index": [0, 1]}, "one for each of 5 images"),
        ({"class_index": 0.5}, "one whole number"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"layer": "secund"}, "no layer with maps 'secund'; do you mean 'second'"),
        ({"layer": "head"}, "no layer with maps 'head'"),
        ({"model": keras.Sequential([keras.Input((4,)), layers.Dense(2)])}, "is not one"),
        ({"model": "a path"}, "is not one"),
    ],
)
def test_bad_calls_are_refused(nested, images, change, message):
    with pytest.raises(ValueError, match=message):
        explain.grad_cam(**{"model": nested, "images": images} | change)


def test_a_network_without_maps_is_refused():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match="no layer with maps"):
        explain.grad_cam(model, np.zeros((1, 8, 8, 1)))


# the pointing game and the energy


def test_the_pointing_game_by_hand():
    maps, masks = np.zeros((3, 4, 4)), np.zeros((3, 4, 4), np.uint8)
    masks[:, 1, 1] = 4
    maps[0, 1, 1], maps[1, 1, 2], maps[2] = 0.2, 9, 5
    assert explain.pointing_game(maps, masks).tolist() == [1, 0, 1 / 16]
    assert explain.pointing_game(maps, masks, tolerance=1).tolist() == [1, 1, 5 / 16]
    maps[1, 1, 1] = 3
    assert explain.energy_inside(maps, masks).tolist() == [1, 0.25, 1 / 16]


def test_a_map_of_zeros_scores_like_guessing():
    masks = np.zeros((1, 4, 5))
    masks[0, :2] = 1
    assert (
        explain.pointing_game(np.zeros((1, 4, 5)), masks)
        == explain.energy_inside(np.zeros((1, 4, 5)), masks)
        == 0.5
    )


MAPS = hnp.arrays(np.float64, (2, 6, 5), elements=st.floats(0, 10, width=16))


@settings(max_examples=50, deadline=None)
@given(MAPS, st.integers(0, 2**20))
def test_shares_are_shares_and_neither_scale_nor_position_matters(maps, seed):
    masks = np.random.default_rng(seed).random((2, 6, 5)) < 0.4
    masks[:, 0, 0] = True
    hits, inside = explain.pointing_game(maps, masks), explain.energy_inside(maps, masks)
    assert (hits >= 0).all() and (hits <= 1).all()
    assert (inside >= 0).all() and (inside <= 1 + 1e-12).all()
    np.testing.assert_array_equal(explain.pointing_game(4 * maps, masks), hits)
    np.testing.assert_allclose(explain.energy_inside(4 * maps, masks), inside)
    np.testing.assert_array_equal(explain.pointing_game(maps[:, ::-1], masks[:, ::-1]), hits)
    np.testing.assert_allclose(explain.energy_inside(masks, masks), 1)
    assert (explain.pointing_game(maps, masks, tolerance=1) >= hits).all()
    masks[:, 5, 4] = False  # so that something lies outside as well
    total = explain.energy_inside(maps, masks) + explain.energy_inside(maps, ~masks)
    np.testing.assert_allclose(total, 1)


def test_bad_maps_and_masks_are_refused():
    ones = np.ones((2, 4, 4))
    second_is_empty = np.stack([np.ones((4, 4)), np.zeros((4, 4))])
    for maps, masks, message in [
        (ones, np.ones((2, 4, 5)), "of the same size"),
        (ones[0], ones[0], r"both \(N, H, W\)"),
        (np.full((2, 4, 4), np.nan), ones, "not finite"),
        (ones, second_is_empty, "1 of 2 masks are empty, first number 1"),
    ]:
        for score in (explain.pointing_game, explain.energy_inside):
            with pytest.raises(ValueError, match=message):
                score(maps, masks)
    with pytest.raises(ValueError, match="tolerance=-1 is not a distance"):
        explain.pointing_game(ones, ones, tolerance=-1)
    with pytest.raises(ValueError, match="Heat of -1 has no share"):
        explain.energy_inside(-ones, ones)


# the control


def changed(model, copy):
    pairs = zip(model.weights, copy.get_weights(), strict=True)
    return [weight.path for weight, new in pairs if not np.array_equal(weight.numpy(), new)]


def test_randomised_weights_are_shuffled_and_the_model_stays_as_it_is(nested, images):
    before = nested.get_weights()
    copy = explain.randomise_weights(nested)
    for old, kept, new in zip(before, nested.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(old, kept)
        np.testing.assert_array_equal(np.sort(old.ravel()), np.sort(new.ravel()))
    assert not np.allclose(copy.predict(images, verbose=0), nested.predict(images, verbose=0))
    assert explain.map_layers(copy) == explain.map_layers(nested)


def test_layers_to_randomise_are_counted_from_the_head(nested, encoder):
    head, first, second = (
        nested.get_layer("head").kernel.path,
        encoder.get_layer("first").kernel.path,
        encoder.get_layer("second").kernel.path,
    )
    assert changed(nested, explain.randomise_weights(nested, layers=1)) == [head]
    two = changed(nested, explain.randomise_weights(nested, layers=2))
    assert second in two and first not in two
    assert first in changed(nested, explain.randomise_weights(nested))
    for layers_ in (0, 5):
        with pytest.raises(ValueError, match="layers must be a whole number from 1 to 4"):
            explain.randomise_weights(nested, layers=layers_)


def test_a_seed_repeats_the_randomised_weights(nested):
    kernels = [
        explain.randomise_weights(nested, seed=seed).get_layer("head").kernel.numpy()
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_similarity_is_spearmans_correlation():
    maps, reference = np.random.default_rng(0).integers(0, 6, (2, 3, 7, 7)).astype(float)  # ties
    pairs = zip(maps, reference, strict=True)
    expected = [stats.spearmanr(a.ravel(), b.ravel()).statistic for a, b in pairs]
    np.testing.assert_allclose(explain.similarity(maps, reference), expected)
    np.testing.assert_allclose(explain.similarity(maps, maps**3), 1)
    np.testing.assert_allclose(explain.similarity(maps, -maps), -1)
    assert explain.similarity(maps, np.zeros_like(maps)).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="of the same images"):
        explain.similarity(maps, reference[:2])
