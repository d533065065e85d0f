"""The segmenter on every encoder, its losses by hand, and views that come back as they went."""

import numpy as np
import pytest

from medlearn import backbones, networks, transfer
from medlearn._keras import keras, tf
from medlearn.networks import losses, views

NOISE = np.random.default_rng(0)
IMAGES = NOISE.uniform(0, 255, (6, 32, 32, 3)).astype("float32")
MASKS = NOISE.integers(0, 3, (6, 32, 32)).astype("uint8")
IN_EVERY_RUN = ("efficientnet_lite0", "vgg16")


def tiny_encoder(side=32, batchnorm=True):
    """Three resolutions: 1/2, 1/4 and 1/8 of the side."""
    image = keras.Input((side, side, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for number, channels in enumerate((4, 6, 8)):
        x = keras.layers.Conv2D(channels, 3, 2, "same", name=f"block_{number}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"block_{number}_bn")(x) if batchnorm else x
        x = keras.layers.ReLU(name=f"block_{number}")(x)
    return keras.Model(image, x, name="tiny")


def predict(model, images=IMAGES):
    return np.asarray(model(images, training=False))


# ---- which layers --------------------------------------------------------------------------------


def test_the_last_layer_of_each_resolution_is_found():
    for side in (32, None, 50):  # 50 pixels become 25, 13 and 7
        assert networks.skip_layers(tiny_encoder(side)) == ("block_0", "block_1", "block_2")


def marked_if_slow(name):
    marks = () if name in IN_EVERY_RUN else pytest.mark.slow
    return pytest.param(name, marks=marks)


CONVOLUTIONAL = [name for name in backbones.NAMES if name != "dinov2_small"]


@pytest.mark.parametrize("name", map(marked_if_slow, CONVOLUTIONAL))
def test_it_builds_on_every_backbone_and_sees_strides_2_to_32(name):
    encoder = backbones.load(name, weights=None, size=64)
    names = networks.skip_layers(encoder)
    sides = [encoder.get_layer(layer).output.shape[1] for layer in names]
    assert sides == ([64] if name == "vgg16" else []) + [32, 16, 8, 4, 2]
    last_of_side = {layer.output.shape[1:2]: layer.name for layer in encoder.layers}
    assert set(names) <= set(last_of_side.values())
    model = networks.segmenter(encoder, 4)
    assert model.output_shape == (None, 64, 64, 4)
    transfer.freeze(model.get_layer(name))
    assert name not in {weight.path.split("/")[0] for weight in model.trainable_weights}


def check_odd_sides(encoder):
    model = networks.segmenter(encoder, 2, size=(50, 70))
    probabilities = predict(model, NOISE.uniform(0, 255, (1, 50, 70, 3)))
    assert probabilities.shape == (1, 50, 70, 2)
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)


def test_an_encoder_for_any_size_and_sides_that_its_stride_does_not_divide():
    check_odd_sides(tiny_encoder(None))


@pytest.mark.parametrize("detail", [True, False])
def test_without_a_size_one_model_takes_images_of_every_size(detail):
    """It gives what models of fixed sizes give with its weights."""
    model = networks.segmenter(tiny_encoder(None), 2, detail=detail)
    assert model.output_shape == (None, None, None, 2)
    for sides in [(64, 96), (50, 70)]:
        of_one_size = networks.segmenter(tiny_encoder(None), 2, size=sides, detail=detail, seed=7)
        of_one_size.set_weights(model.get_weights())
        images = NOISE.uniform(0, 255, (1, *sides, 3)).astype("float32")
        np.testing.assert_allclose(predict(model, images), predict(of_one_size, images), atol=1e-6)


def test_a_model_for_any_size_trains_on_two_sizes():
    model = networks.segmenter(tiny_encoder(None, batchnorm=False), 2)
    before = transfer.snapshot(model)
    model.compile(keras.optimizers.Adam(1e-2), losses.cross_entropy, jit_compile=False)
    for side in (32, 64):
        images = NOISE.uniform(0, 255, (2, side, side, 3)).astype("float32")
        model.train_on_batch(images, np.zeros((2, side, side), "uint8"))
    transfer.assert_moved(model, before)


def test_weights_move_between_sizes_through_a_file(tmp_path):
    path = tmp_path / "small.weights.h5"
    small = networks.segmenter(tiny_encoder(128), 2)
    small.save_weights(path)
    for size in (192, 341, None):
        model = networks.segmenter(tiny_encoder(size), 2, seed=1)
        model.load_weights(path)
        for expected, loaded in zip(small.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(loaded, expected)


def test_the_channels_of_usual_sizes_are_those_of_the_first_release():
    for size in (64, 96, 128, 224, 256, None):
        model = networks.segmenter(tiny_encoder(size), 2)
        names = ["step_1_decode_conv", "step_2_decode_conv", "step_3_decode_conv"]
        assert [model.get_layer(name).filters for name in names] == [36, 24, 16]
    model = networks.segmenter(tiny_encoder(112), 2, size=96)  # shown enlarged
    names = ["step_1_decode_conv", "step_2_decode_conv", "step_3_decode_conv"]
    assert [model.get_layer(name).filters for name in names] == [32, 20, 16]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite0", "densenet121", "mobilenet_v2"])
def test_real_encoders_for_any_size_too(name):
    encoder = backbones.load(name, weights=None)
    of_one_size = backbones.load(name, weights=None, size=64)
    assert networks.skip_layers(encoder) == networks.skip_layers(of_one_size)
    check_odd_sides(encoder)


def test_named_layers_are_taken_in_the_order_of_their_resolution():
    model = networks.segmenter(tiny_encoder(), 3, layers=["block_2", "block_0"])
    assert [output.shape[1] for output in model.get_layer("tiny").outputs] == [16, 4]
    assert [layer.name for layer in model.layers if layer.name.endswith("_join")] == [
        "step_1_join",
        "step_2_join",
    ]


def test_a_part_of_an_encoder_and_one_with_a_head_work_too():
    encoder = backbones.load("efficientnet_lite0", weights=None, size=64, head=True)
    assert networks.segmenter(encoder, 2).output_shape == (None, 64, 64, 2)
    part = keras.Model(encoder.input, encoder.get_layer("block_4").output, name="part")
    assert len(networks.skip_layers(part)) == 3


# ---- what is built -------------------------------------------------------------------------------


def test_probabilities_a_pixel_and_the_encoders_own_weights():
    encoder = tiny_encoder()
    model = networks.segmenter(encoder, 3)
    probabilities = predict(model)
    assert probabilities.shape == (6, 32, 32, 3) and probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)
    assert {id(weight) for weight in encoder.weights} <= {id(weight) for weight in model.weights}
    assert not any(isinstance(x, keras.layers.BatchNormalization) for x in model.layers)


def test_every_resolution_of_the_encoder_reaches_the_pixels():
    model = networks.segmenter(tiny_encoder(), 3, detail=False)
    whole = predict(model)
    for number in range(3):
        layer = model.get_layer("tiny").get_layer(f"block_{number}_conv")
        kept = layer.get_weights()
        shifted_bias = kept[1] + NOISE.normal(size=kept[1].shape) * 9
        layer.set_weights([kept[0], shifted_bias])  # of the maps, this level's changes first
        assert np.abs(predict(model) - whole).max() > 1e-3
        layer.set_weights(kept)


def test_the_detail_branch_draws_finer_than_the_finest_map_of_the_encoder():
    roughness = {}
    for detail in (True, False):
        model = networks.segmenter(tiny_encoder(), 2, detail=detail)
        drawn = predict(model)[..., 0]
        roughness[detail] = np.abs(np.diff(drawn, 2, axis=1)).mean() / drawn.std()
    assert roughness[True] > 1.5 * roughness[False]


def test_channels_and_seed_are_used():
    narrow, wide = (networks.segmenter(tiny_encoder(), 3, channels=count) for count in (8, 16))
    assert wide.get_layer("step_3_decode_conv").kernel.shape[-1] == 16
    assert wide.count_params() > narrow.count_params()
    first, again, other = (
        networks.segmenter(tiny_encoder(), 3, seed=seed).get_layer("head").kernel.numpy()
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_an_encoder_for_larger_images_is_shown_them_enlarged():
    model = networks.segmenter(tiny_encoder(64), 3, size=32)
    assert model.input_shape == (None, 32, 32, 3) and model.output_shape == (None, 32, 32, 3)
    assert model.get_layer("tiny").outputs[0].shape[1] == 32
    assert "detail_conv" not in [
        layer.name for layer in model.layers
    ]  # the encoder has full resolution itself
    model = networks.segmenter(tiny_encoder(48), 3, size=32)
    assert model.output_shape == (None, 32, 32, 3) and model.get_layer("detail_conv")


def test_a_saved_model_with_its_loss_opens_and_predicts_the_same(tmp_path):
    model = networks.segmenter(tiny_encoder(), 3)
    loss = losses.Combined(losses.cross_entropy, losses.Focal(1.5), losses.Tversky(0.6, 0.2))
    model.compile("adam", loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(loaded), predict(model), atol=1e-6)
    copy = keras.models.clone_model(model)  # as AdaBN does
    expected = float(loss(TRUTH, PROBABILITIES))
    for other in (loaded.loss, copy.loss):
        assert float(other(TRUTH, PROBABILITIES)) == pytest.approx(expected)


def test_freezing_unfreezing_and_the_contracts_of_transfer_hold():
    encoder = tiny_encoder()
    model = networks.segmenter(encoder, 3)
    transfer.freeze(encoder)
    before, still = transfer.snapshot(model), transfer.snapshot(encoder)
    fit(model)
    transfer.assert_frozen(encoder, still)
    transfer.assert_moved(model, before)
    transfer.unfreeze(model, from_="block_2")
    before = transfer.snapshot(model)
    fit(model)
    transfer.assert_moved(model, before)
    transfer.assert_bn_still(model, before)
    changed = transfer.moved(encoder, still)
    assert changed and all("block_2_conv" in path for path in changed)


def fit(model, epochs=1, loss=losses.cross_entropy):
    model.compile(keras.optimizers.Adam(1e-2), loss, run_eagerly=True)
    return model.fit(IMAGES, MASKS, batch_size=6, epochs=epochs, verbose=0)


@pytest.mark.slow
def test_it_learns_a_square():
    masks = np.zeros((6, 32, 32), "uint8")
    images = np.full((6, 32, 32, 3), 60.0, "float32")
    for number in range(6):
        masks[number, number : number + 14, 2 * number : 2 * number + 12] = 1
    images[masks == 1] = 190
    model = networks.segmenter(tiny_encoder(batchnorm=False), 2)
    model.compile(
        keras.optimizers.Adam(1e-2),
        losses.Combined(losses.cross_entropy, losses.dice),
        jit_compile=False,
    )
    model.fit(images, masks, batch_size=3, epochs=15, verbose=0)
    assert (model.predict(images, verbose=0).argmax(-1) == masks).mean() > 0.97


@pytest.mark.parametrize(
    "options, message",
    [
        ({"classes": 1}, "classes must be"),
        ({"channels": 2}, "channels must be"),
        ({"layers": ["block_7"]}, "no map 'block_7'; do you mean 'block_"),
        ({"layers": ["block_1", "block_1_conv"]}, "one layer for each resolution"),
        ({"layers": []}, "one layer for each resolution"),
        ({"size": 64}, "load it with size=64"),
        ({"size": 16}, "at least 32"),
        ({"size": (32, 32, 3)}, r"\(height, width\)"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        networks.segmenter(tiny_encoder(), **{"classes": 3} | options)


def test_encoders_without_maps_are_refused():
    flat = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()])
    wrapped = keras.Sequential([keras.Input((32, 32, 3)), tiny_encoder()])
    for encoder, message in [
        ("efficientnet_lite0", "model of images is needed"),
        (flat, "no layer that gives maps"),
        (wrapped, "no layer that gives maps"),
    ]:
        with pytest.raises(ValueError, match=message):
            networks.segmenter(encoder, 3)


# ---- losses --------------------------------------------------------------------------------------

PROBABILITIES = NOISE.dirichlet(np.ones(3), (2, 4, 5)).astype("float32")
TRUTH = NOISE.integers(0, 3, (2, 4, 5))
ONE_HOT = np.eye(3)[TRUTH]


def by_hand(name):
    p = (ONE_HOT * PROBABILITIES).sum(-1)
    hits = (ONE_HOT * PROBABILITIES).sum((0, 1, 2))
    missed = (ONE_HOT * (1 - PROBABILITIES)).sum((0, 1, 2))
    claimed = ((1 - ONE_HOT) * PROBABILITIES).sum((0, 1, 2))
    return {
        "cross_entropy": -np.log(p).mean(),
        "focal": -((1 - p) ** 2 * np.log(p)).mean(),
        "dice": 1 - np.mean(2 * hits / (2 * hits + missed + claimed)),
        "tversky": 1 - np.mean(hits / (hits + 0.8 * missed + 0.1 * claimed)),
    }[name]


@pytest.mark.parametrize(
    "name, loss",
    [
        ("cross_entropy", losses.cross_entropy),
        ("dice", losses.dice),
        ("focal", losses.Focal(2)),
        ("tversky", losses.Tversky(false_negatives=0.8, false_positives=0.1)),
    ],
)
def test_a_loss_is_its_formula(name, loss):
    assert float(loss(TRUTH, PROBABILITIES)) == pytest.approx(by_hand(name), rel=1e-4)
    assert float(loss(TRUTH[..., None].astype("uint8"), PROBABILITIES)) == pytest.approx(
        by_hand(name), rel=1e-4
    )


def test_relations_between_losses():
    def at(loss):
        return float(loss(TRUTH, PROBABILITIES))

    assert at(losses.Focal(0)) == pytest.approx(at(losses.cross_entropy), rel=1e-4)
    assert at(losses.Focal(4)) < at(losses.Focal(1)) < at(losses.cross_entropy)
    assert at(losses.Tversky(0.5, 0.5)) == pytest.approx(at(losses.dice), rel=1e-4)
    assert at(losses.Combined(losses.cross_entropy, losses.dice)) == pytest.approx(
        at(losses.cross_entropy) + at(losses.dice)
    )


def test_perfect_predictions_cost_nothing_and_missing_is_dearer_than_claiming_in_tversky():
    for loss in (losses.cross_entropy, losses.dice, losses.Focal(), losses.Tversky()):
        assert float(loss(TRUTH, ONE_HOT.astype("float32"))) == pytest.approx(0, abs=1e-5)
    truth = np.zeros((1, 8, 8), int)
    truth[0, :2] = 1
    more, less = truth.copy(), truth.copy()
    more[0, 2], less[0, 1] = 1, 0  # one row too many, one too few
    costs = {
        name: float(losses.Tversky(0.9, 0.1)(truth, np.eye(2, dtype="float32")[mask]))
        for name, mask in {"more": more, "less": less}.items()
    }
    assert costs["less"] > costs["more"]  # of the small class; both classes count


def test_a_class_that_the_batch_lacks_plays_no_part_in_dice():
    truth = np.zeros((1, 4, 4), int)
    truth[0, :2] = 1
    four = np.zeros((1, 4, 4, 4), "float32")
    four[..., 0], four[..., 1], four[..., 3] = 0.5, 0.3, 0.2
    present = [
        2 * four[0, ..., k][truth[0] == k].sum() / (four[..., k].sum() + (truth == k).sum())
        for k in (0, 1)
    ]
    for loss in (losses.dice, losses.Tversky(0.5, 0.5)):
        assert float(loss(truth, four)) == pytest.approx(1 - np.mean(present), rel=1e-4)


def test_masks_of_another_size_are_refused():
    for loss in (losses.cross_entropy, losses.dice, losses.Focal(), losses.Tversky()):
        with pytest.raises(ValueError, match="do not belong together"):
            loss(TRUTH[:, :3], PROBABILITIES)


def test_bad_options_of_losses_are_refused():
    with pytest.raises(ValueError, match="at least 0"):
        losses.Focal(-1)
    with pytest.raises(ValueError, match="at least 0"):
        losses.Tversky(-1, 0.5)
    with pytest.raises(ValueError, match="both 0"):
        losses.Tversky(0, 0)
    with pytest.raises(ValueError, match="at least one"):
        losses.Combined()


# ---- weights of pixels ---------------------------------------------------------------------------

WEIGHTS = np.where(TRUTH == 0, 10.0, 1.0)  # the background counts ten times


def weighted_by_hand(name, probabilities):
    weights = WEIGHTS[..., None]
    p = (ONE_HOT * probabilities).sum(-1)
    hits = (weights * ONE_HOT * probabilities).sum((0, 1, 2))
    missed = (weights * ONE_HOT * (1 - probabilities)).sum((0, 1, 2))
    claimed = (weights * (1 - ONE_HOT) * probabilities).sum((0, 1, 2))
    return {
        "cross_entropy": lambda: (-WEIGHTS * np.log(p)).mean(),
        "focal": lambda: (-WEIGHTS * (1 - p) ** 2 * np.log(p)).mean(),
        "dice": lambda: 1 - np.mean(2 * hits / (2 * hits + missed + claimed)),
        "tversky": lambda: 1 - np.mean(hits / (hits + 0.8 * missed + 0.1 * claimed)),
    }[name]()


WEIGHTED_LOSSES = {
    "cross_entropy": losses.cross_entropy,
    "focal": losses.Focal(2),
    "dice": losses.dice,
    "tversky": losses.Tversky(false_negatives=0.8, false_positives=0.1),
}


@pytest.mark.parametrize("name", WEIGHTED_LOSSES)
def test_weights_of_pixels_change_the_loss_and_its_gradient_as_by_hand(name):
    """The gradient is that of one output of a softmax, by central differences in NumPy."""
    loss = WEIGHTED_LOSSES[name]
    weighted = float(loss(TRUTH, PROBABILITIES, WEIGHTS))
    assert weighted == pytest.approx(weighted_by_hand(name, PROBABILITIES), rel=1e-4)
    assert abs(weighted - float(loss(TRUTH, PROBABILITIES))) > 0.01

    def softmax(bias):
        scores = np.log(PROBABILITIES.astype(float)) + bias
        return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)

    bias = keras.Variable(np.zeros(3, "float32"))
    with tf.GradientTape() as tape:
        scores = np.log(PROBABILITIES) + bias.value
        value = loss(TRUTH, keras.ops.softmax(scores), WEIGHTS)
    steps = 1e-5 * np.eye(3)
    expected = [
        (weighted_by_hand(name, softmax(step)) - weighted_by_hand(name, softmax(-step))) / 2e-5
        for step in steps
    ]
    np.testing.assert_allclose(tape.gradient(value, bias.value), expected, rtol=1e-3, atol=1e-5)


def test_weights_reach_the_losses_in_fit_and_in_a_sum():
    combined = losses.Combined(
        losses.cross_entropy, losses.dice, keras.losses.sparse_categorical_crossentropy
    )
    expected = 2 * weighted_by_hand("cross_entropy", PROBABILITIES)
    expected += weighted_by_hand("dice", PROBABILITIES)
    assert float(combined(TRUTH, PROBABILITIES, WEIGHTS)) == pytest.approx(expected, rel=1e-4)
    image = keras.Input((4, 5, 3))
    model = keras.Model(image, keras.layers.Activation("linear")(image))
    model.compile("sgd", combined)
    score = model.evaluate(PROBABILITIES, TRUTH, sample_weight=WEIGHTS, verbose=0)
    assert score == pytest.approx(expected, rel=1e-4)
    own = losses.Combined(keras.losses.SparseCategoricalCrossentropy())
    weighted = float(own(TRUTH, PROBABILITIES, WEIGHTS[..., None]))
    assert weighted == pytest.approx(weighted_by_hand("cross_entropy", PROBABILITIES), rel=1e-4)


def test_pixels_of_weight_zero_are_left_out_and_a_weight_per_image_holds_for_its_pixels():
    unlabelled = WEIGHTS > 1
    changed = np.where(unlabelled[..., None], np.float32([0.2, 0.3, 0.5]), PROBABILITIES)
    per_image = np.array([2.0, 0.5])
    for loss in WEIGHTED_LOSSES.values():
        values = [float(loss(TRUTH, p, ~unlabelled)) for p in (PROBABILITIES, changed)]
        assert values[0] == pytest.approx(values[1], rel=1e-6)
        per_pixel = np.ones(TRUTH.shape) * per_image[:, None, None]
        values = [float(loss(TRUTH, PROBABILITIES, w)) for w in (per_image, per_pixel)]
        assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_weights_that_cannot_act_are_refused():
    for loss in WEIGHTED_LOSSES.values():
        with pytest.raises(
            ValueError, match=r"one weight per pixel, \(N, H, W\), or one per image"
        ):
            loss(TRUTH, PROBABILITIES, WEIGHTS[:, :2])

    def one_number(masks, probabilities):
        return keras.ops.mean(probabilities)

    with pytest.raises(ValueError, match="one_number returns the shape"):
        losses.Combined(one_number)(TRUTH, PROBABILITIES, WEIGHTS)


# ---- views and predictions -----------------------------------------------------------------------


def test_eight_views_are_all_different_and_the_first_is_the_image():
    eight = views.apply(MASKS)
    assert eight.shape == (48, 32, 32)
    np.testing.assert_array_equal(eight[:6], MASKS)
    assert len({view.tobytes() for view in eight[::6]}) == 8
    pairs = views.apply(np.stack([IMAGES[..., 0], IMAGES[..., 0]], -1))
    np.testing.assert_array_equal(pairs[..., 0], pairs[..., 1])
    np.testing.assert_array_equal(views.apply(IMAGES, views.MIRROR)[6:], IMAGES[:, :, ::-1])


class Brightness:
    """A model that answers with the image: what goes in must come out where it was."""

    name, input_shape = "brightness", (None, None, None, 3)

    def __init__(self, lean=0.0):
        self.lean, self.batch_sizes = lean, set()

    def predict(self, images, batch_size, verbose):
        starts = range(0, len(images), batch_size)
        self.batch_sizes |= {len(images[start : start + batch_size]) for start in starts}
        return images / 255 + np.linspace(0, 1, 32)[None, :, None, None] * self.lean


def test_views_are_turned_back_and_averaged():
    for chosen in (views.DIHEDRAL, views.MIRROR, views.DIHEDRAL[1:3]):
        answer = networks.segment(Brightness(), IMAGES, chosen)
        np.testing.assert_allclose(answer, IMAGES / 255, atol=1e-6)
    leaning = Brightness(lean=1.0)  # towards the lower rows: the mean of all turns undoes it
    averaged = networks.segment(leaning, IMAGES, views.DIHEDRAL) - IMAGES / 255
    np.testing.assert_allclose(averaged, 0.5, atol=1e-6)
    assert np.ptp(networks.segment(leaning, IMAGES) - IMAGES / 255) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("count, batch_size, size", [(6, 32, 6), (6, 4, 3), (6, 1, 1), (5, 2, 2)])
def test_batches_have_one_size_and_no_image_is_lost(count, batch_size, size):
    model = Brightness()
    answer = networks.segment(model, IMAGES[:count], batch_size=batch_size)
    np.testing.assert_allclose(answer, IMAGES[:count] / 255, atol=1e-6)
    assert model.batch_sizes == {size}


def test_images_that_a_segmenter_would_swallow_are_refused():
    """The rules are those of medlearn._checks.images; the size is the model's."""
    with pytest.raises(ValueError, match=r"run from \S+ to 1, but 0 to 255 is expected"):
        networks.segment(Brightness(), IMAGES / IMAGES.max())
    encoder = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 3)], name="tiny")
    with pytest.raises(ValueError, match=r"\(6, 32, 20, 3\), but tiny was built for"):
        networks.segment(encoder, IMAGES[:, :, :20])


def test_views_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="MIRROR"):
        views.apply(MASKS[:, :20])
    with pytest.raises(ValueError, match="shape"):
        views.apply(MASKS[0, 0])
    with pytest.raises(ValueError, match="empty"):
        networks.segment(Brightness(), IMAGES, ())
