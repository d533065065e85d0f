"""Stages, rates, L2-SP and contracts, on a network small enough to train in a second."""

import numpy as np
import pytest

from medlearn import networks, transfer
from medlearn._keras import keras

NOISE = np.random.default_rng(0)
IMAGES = NOISE.uniform(0, 255, (16, 8, 8, 3)).astype("float32")
LABELS = np.arange(16) % 2


def small_encoder():
    image = x = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255)(x)
    for number in range(3):
        x = keras.layers.Conv2D(
            4,
            3,
            padding="same",
            name=f"block_{number}_conv",
            kernel_initializer=keras.initializers.HeNormal(number),
        )(x)
        x = keras.layers.BatchNormalization(name=f"block_{number}_bn")(x)
        x = keras.layers.Identity(name=f"block_{number}")(x)
    return keras.Model(image, x, name="encoder")


@pytest.fixture
def model():
    return networks.classifier(small_encoder(), 2, dropout=0.0)


def nested_model():
    """A classifier whose encoder lies two models deep, behind augmentation."""
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.RandomFlip(), small_encoder()], name="wrapped"
    )
    return networks.classifier(inner, 2, dropout=0.0)


def time_distributed_model():
    """A classifier of stacks of slices, whose encoder lies in a wrapper."""
    encoder = small_encoder()
    slices = keras.Input((3, 8, 8, 3))
    maps = keras.layers.TimeDistributed(encoder, name="every_slice")(slices)
    vector = keras.layers.GlobalAveragePooling3D()(maps)
    return keras.Model(slices, keras.layers.Dense(2, "softmax", name="head")(vector))


def train(model, optimizer=None, batch_size=8, images=IMAGES, **options):
    model.compile(
        optimizer or keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True
    )
    return model.fit(images, LABELS, batch_size=batch_size, shuffle=False, verbose=0, **options)


def layers_of(paths):
    return {path.split("/")[-2] for path in paths}


# ---- stages --------------------------------------------------------------------------------------


def test_a_frozen_encoder_stays_still_while_a_head_on_top_learns(model):
    encoder = transfer.freeze(model.get_layer("encoder"))
    before, before_all = transfer.snapshot(encoder), transfer.snapshot(model)
    train(model)
    transfer.assert_frozen(encoder, before)
    transfer.assert_moved(model, before_all)
    assert layers_of(transfer.moved(model, before_all)) == {"head"}


@pytest.mark.parametrize(
    "from_, learning",
    [
        ("block_2", {"block_2_conv", "head"}),
        ("block_1", {"block_1_conv", "block_2_conv", "head"}),
        ("block_1_bn", {"block_2_conv", "head"}),
        ("encoder", {"block_0_conv", "block_1_conv", "block_2_conv", "head"}),
    ],
)
def test_unfreezing_moves_what_lies_above_and_no_batchnorm(model, from_, learning):
    transfer.freeze(model)
    before = transfer.snapshot(model)
    train(transfer.unfreeze(model, from_))
    transfer.assert_moved(model, before)
    transfer.assert_bn_still(model, before)
    assert layers_of(transfer.moved(model, before)) == learning


def test_unfreezing_less_than_before_freezes_again(model):
    transfer.unfreeze(model, "encoder")
    transfer.unfreeze(model, "block_2")
    before = transfer.snapshot(model)
    train(model)
    assert layers_of(transfer.moved(model, before)) == {"block_2_conv", "head"}


def test_a_layer_that_was_set_by_itself_is_frozen_and_unfrozen_with_the_rest(model):
    """`model.trainable = value` alone would skip it where the model has that value already."""
    head, conv = model.get_layer("head"), model.get_layer("encoder").get_layer("block_2_conv")
    head.trainable = False
    transfer.unfreeze(model, "block_2")
    assert head.trainable and conv.trainable
    transfer.freeze(model)
    conv.trainable = True
    assert not transfer.freeze(model).get_layer("encoder").get_layer("block_2_conv").trainable


def test_a_block_name_is_not_taken_for_the_beginning_of_another():
    names = ["block_1_conv", "block_12_conv", "block_2_conv"]
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), *(keras.layers.Conv2D(2, 1, name=name) for name in names)]
    )
    assert [layer.trainable for layer in transfer.unfreeze(model, "block_12").layers] == [
        False,
        True,
        True,
    ]


def test_a_batchnorm_of_the_head_learns_and_one_of_the_encoder_does_not():
    encoder = small_encoder()
    image = keras.Input((8, 8, 3))
    norm = keras.layers.BatchNormalization(name="own_bn")
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(norm(encoder(image))))
    transfer.unfreeze(model, "block_1")
    assert norm.trainable and not encoder.get_layer("block_2_bn").trainable


@pytest.mark.parametrize("from_, first", [("wrapped", 0), ("encoder", 0), ("block_1", 1)])
def test_an_encoder_inside_models_is_unfrozen_at_any_depth(from_, first):
    model = nested_model()
    transfer.freeze(model)
    before = transfer.snapshot(model)
    train(transfer.unfreeze(model, from_))
    transfer.assert_moved(model, before)
    transfer.assert_bn_still(model, before)
    blocks = {f"block_{number}_conv" for number in range(first, 3)}
    assert layers_of(transfer.moved(model, before)) == blocks | {"head"}


def test_an_encoder_inside_a_wrapper_is_unfrozen_and_its_batchnorm_stays_still():
    model = time_distributed_model()
    before = transfer.snapshot(model)
    train(transfer.unfreeze(transfer.freeze(model), "block_2"), images=np.stack([IMAGES] * 3, 1))
    transfer.assert_bn_still(model, before)
    assert layers_of(transfer.moved(model, before)) == {"block_2_conv", "head"}


def test_an_unknown_block_gets_the_nearest_names(model):
    for owner in (model, nested_model()):
        with pytest.raises(ValueError, match="no block or layer 'blok_2'; do you mean 'block_2"):
            transfer.unfreeze(owner, "blok_2")


def test_a_model_without_an_encoder_learns_how_to_get_one():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"no encoder either: networks.classifier"):
        transfer.unfreeze(model, "block_12")
    with pytest.raises(ValueError, match=r"no encoder.*networks.classifier"):
        transfer.l2_sp(model)


# ---- contracts -----------------------------------------------------------------------------------


def test_training_false_in_the_call_does_not_keep_batchnorm_still_and_the_contract_says_so():
    encoder = small_encoder()
    image = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(encoder(image, training=False))
    model = keras.Model(image, keras.layers.Dense(2, "softmax")(pooled))
    before = transfer.snapshot(model)
    train(model)
    with pytest.raises(
        AssertionError,
        match=r"12 of 12 BatchNorm weights moved, first '.*bn/gamma'.*trainable = False",
    ):
        transfer.assert_bn_still(model, before)


def test_assert_bn_still_looks_at_batchnorm_only(model):
    transfer.unfreeze(model, "encoder")
    before = transfer.snapshot(model)
    train(model)
    transfer.assert_bn_still(model, before)
    model.get_layer("encoder").get_layer("block_1_bn").moving_mean.assign(np.ones(4))
    with pytest.raises(
        AssertionError, match=r"1 of 12 BatchNorm weights moved, first '.*block_1_bn/moving_mean'"
    ):
        transfer.assert_bn_still(model, before)


def test_assert_bn_still_finds_layers_at_any_depth():
    for model, images in ((nested_model(), IMAGES), (time_distributed_model(), [IMAGES] * 3)):
        before = transfer.snapshot(model)
        train(model, images=images if images is IMAGES else np.stack(images, 1))
        with pytest.raises(AssertionError, match="12 of 12 BatchNorm weights moved"):
            transfer.assert_bn_still(model, before)


def test_assert_bn_still_wants_a_batchnorm():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(AssertionError, match="nothing to hold still"):
        transfer.assert_bn_still(model, transfer.snapshot(model))


def test_a_forgotten_compile_is_caught(model):
    """Keras goes on with the function that it traced at the first fit, and says nothing."""
    transfer.unfreeze(model, "block_2").compile("sgd", "sparse_categorical_crossentropy")
    model.fit(IMAGES, LABELS, verbose=0)
    transfer.unfreeze(model, "block_1")
    before = transfer.snapshot(model)
    model.fit(IMAGES, LABELS, verbose=0)
    with pytest.raises(
        AssertionError,
        match=r"trainable weights did not move, first '.*block_1_conv/kernel'.*compile",
    ):
        transfer.assert_moved(model, before)


def test_assert_frozen_names_the_weight_that_moved(model):
    before = transfer.snapshot(model)
    train(model)
    with pytest.raises(AssertionError, match=r"20 of 20 weights moved, first '.+'; freeze"):
        transfer.assert_frozen(model, before)


def test_assert_moved_separates_a_forgotten_fit_from_drifting_statistics(model):
    before = transfer.snapshot(model)
    with pytest.raises(AssertionError, match="did not move"):
        transfer.assert_moved(model, before)
    train(model)
    with pytest.raises(AssertionError, match=r"frozen weights moved.*BatchNorm"):
        transfer.assert_moved(model, before)


def test_assert_moved_wants_something_to_train(model):
    before = transfer.snapshot(transfer.freeze(model))
    with pytest.raises(AssertionError, match="No weight of this model is trainable"):
        transfer.assert_moved(model, before)


def test_images_that_were_scaled_or_have_another_size_are_refused(model):
    """The rules of a single array are those of medlearn._checks.images."""
    transfer.check_preprocessing(IMAGES, model)
    transfer.check_preprocessing(np.zeros((2, 4, 4, 3), "uint8"))
    with pytest.raises(ValueError, match="run from 0 to 1, but 0 to 255 is expected"):
        transfer.check_preprocessing(np.eye(4)[None, ..., None].repeat(3, -1))
    with pytest.raises(ValueError, match=r"\(16, 8, 6, 3\), but encoder_classifier was built for"):
        transfer.check_preprocessing(IMAGES[:, :, :6], model)
    any_size = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 1)])
    transfer.check_preprocessing(IMAGES[:, :, :6], any_size)


def test_labels_that_do_not_fit_the_outputs_are_refused(model):
    for labels, message in [
        (np.eye(2)[LABELS], r"one entry per image.*\(16, 2\).*take labels\.argmax\(axis=1\)"),
        (np.ones((16, 2)), "multi-label.*one sigmoid per class.*'binary_crossentropy'"),
        (np.eye(2)[LABELS] + 1, r"one entry per image.*\(16, 2\)\.$"),
        (None, "labels is missing"),
        (np.array(["b", "a"])[LABELS], "labels such as 'b' are no whole numbers; np.unique"),
        ([*LABELS[:-1], 0.25], "labels such as 0.25 are no whole numbers"),
        (LABELS + 1, "run from 1 to 2, but encoder_classifier has the classes 0 to 1"),
        (-LABELS, "run from -1 to 0"),
        (0 * LABELS, "No image is of class 1, but encoder_classifier has 2 classes"),
    ]:
        with pytest.raises(ValueError, match=message):
            transfer.check_labels(labels, model)


def test_proper_labels_pass(model):
    for labels in (LABELS, LABELS.astype(float), LABELS.astype(bool), LABELS.tolist()):
        transfer.check_labels(labels, model)
    one_sigmoid = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    transfer.check_labels(LABELS, one_sigmoid)


MASKS = np.zeros((16, 8, 8), np.uint8)


def test_masks_that_do_not_fit_are_refused():
    transfer.check_masks(MASKS, 2, IMAGES)
    for masks, message in [
        (None, "no masks"),
        (MASKS[:4], "one mask for each image"),
        (MASKS[:, :4], "one mask for each image"),
        (MASKS + 0.5, "whole numbers"),
        (MASKS - 1, "beyond the classes 0 to 1, such as 255 in number 0; 16 of 16"),
        (np.eye(8, dtype=int) * 255 + MASKS, "such as 255 in number 0.*: take masks > 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            transfer.check_masks(masks, 2, IMAGES)


def test_what_is_no_model_is_named():
    for call in (
        transfer.snapshot,
        transfer.freeze,
        transfer.layerwise_rates,
        transfer.l2_sp,
        lambda model: transfer.unfreeze(model, "block_1"),
        lambda model: transfer.assert_moved(model, ()),
        lambda model: transfer.assert_bn_still(model, ()),
        lambda model: transfer.check_labels(LABELS, model),
        lambda model: transfer.check_preprocessing(IMAGES, model),
    ):
        with pytest.raises(ValueError, match="model is str, but a Keras model is needed"):
            call("encoder")


def test_what_is_no_snapshot_is_named(model):
    for before in (None, [np.zeros(2)], (("x", "0", "1"),)):
        with pytest.raises(ValueError, match="not a snapshot; take before ="):
            transfer.assert_frozen(model, before)
    with pytest.raises(ValueError, match="another model"):
        transfer.assert_frozen(model, (("x", "0"),))


def test_a_model_that_scales_twice_is_found_at_any_depth():
    rescaling = keras.layers.Rescaling(1 / 255)
    wrapped = keras.Sequential([keras.Input((8, 8, 3)), rescaling, small_encoder()])
    for model in (
        networks.classifier(small_encoder(), 2, augment=keras.layers.Rescaling(1 / 255)),
        networks.classifier(small_encoder(), 2, augment=keras.Sequential([rescaling])),
        networks.classifier(wrapped, 2),
    ):
        with pytest.raises(ValueError, match=r"scales its images more than once.*'rescaling"):
            transfer.check_preprocessing(IMAGES, model)


def test_a_scaling_beside_or_after_the_encoder_is_no_second_one():
    """A segmenter scales the image for its detail branch, a detector the sides that it gives."""
    image = x = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255)(x)
    for number in range(4):
        x = keras.layers.Conv2D(4, 3, 2, "same", name=f"block_{number}")(x)
    encoder = keras.Model(image, x, name="encoder")
    images = NOISE.uniform(0, 255, (1, 32, 32, 3))
    for model in (
        networks.segmenter(encoder, 2),
        networks.detector(encoder, 2),
        networks.classifier(encoder, 2, augment=keras.layers.RandomFlip()),
    ):
        transfer.check_preprocessing(images, model)


# ---- rates ---------------------------------------------------------------------------------------


def test_rates_fall_from_the_head_down_by_block(model):
    transfer.unfreeze(model, "block_1")
    assert transfer.layerwise_rates(model, 0.5) == {"head": 1.0, "block_2": 0.5, "block_1": 0.25}


def test_layers_of_every_family_fall_into_blocks_at_any_depth():
    for names, blocks in [
        (["block_12_expand_conv", "block_12_project_conv"], ["block_12"]),
        (["block5a_expand_conv", "block5b_expand_conv"], ["block5b", "block5a"]),
        (["conv5_block1_1_conv", "conv5_block2_1_conv"], ["conv5"]),
        (["block5_conv1", "top_conv"], ["top_conv", "block5"]),
    ]:
        layers = [keras.layers.Conv2D(2, 1, name=name) for name in names]
        inner = keras.Sequential([keras.Input((4, 4, 3)), *layers])
        outer = keras.Sequential([keras.Input((4, 4, 3)), inner])
        assert list(transfer.layerwise_rates(inner)) == blocks
        assert list(transfer.layerwise_rates(outer)) == blocks


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.Adam(0.01)]
)
def test_the_first_step_of_a_block_is_its_factor_times_the_plain_step(model, optimizer):
    transfer.unfreeze(model, "block_1")
    start = model.get_weights()

    def step(optimizer):
        model.set_weights(start)
        train(model, optimizer, steps_per_epoch=1)
        return [after - was for after, was in zip(model.get_weights(), start)]

    scaled = step(transfer.layerwise_optimizer(optimizer, model, 0.5))
    plain = step(type(optimizer).from_config(optimizer.get_config()))
    factors = {"block_1_conv": 0.25, "block_2_conv": 0.5, "head": 1.0}
    for weight, small, large in zip(model.weights, scaled, plain):
        factor = factors.get(weight.path.split("/")[-2], 0)
        np.testing.assert_allclose(small, factor * large, atol=1e-6)
        assert np.abs(small).max() > 1e-5 or not factor


def test_rates_go_with_a_schedule_and_survive_a_file(model, tmp_path):
    transfer.unfreeze(model, "block_2")
    cosine = keras.optimizers.schedules.CosineDecay(0.1, 4)
    train(model, transfer.layerwise_optimizer(keras.optimizers.Adam(cosine), model), epochs=2)
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-6
    )
    assert type(loaded.optimizer) is keras.optimizers.Adam


def test_a_decay_that_is_none_is_refused(model):
    for decay in (0, 1.5, "half", float("nan")):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            transfer.layerwise_rates(model, decay)


def test_rates_of_a_frozen_model_and_a_named_optimizer_are_refused(model):
    with pytest.raises(ValueError, match="an Optimizer object is needed"):
        transfer.layerwise_optimizer("adam", model)
    with pytest.raises(ValueError, match=r"transfer\.unfreeze first"):
        transfer.layerwise_optimizer(keras.optimizers.SGD(), transfer.freeze(model))


# ---- L2-SP ---------------------------------------------------------------------------------------


def shift(layer, by):
    layer.kernel.assign(layer.kernel + by)


@pytest.mark.parametrize("build", [None, nested_model])
def test_the_penalty_is_half_the_squared_distance_from_the_start(model, build):
    model = build() if build else model
    encoder = model.get_layer("wrapped").get_layer("encoder") if build else model.layers[1]
    assert transfer.l2_sp(model, alpha=0.3, beta=0.2) is None
    transfer.unfreeze(model, "block_1")
    kernel = model.get_layer("head").kernel.numpy()
    of_head = 0.1 * (kernel**2).sum()
    assert float(sum(model.losses)) == pytest.approx(of_head, rel=1e-5)
    shift(encoder.get_layer("block_2_conv"), 0.5)
    of_encoder = 0.15 * 0.25 * 3 * 3 * 4 * 4
    assert float(sum(model.losses)) == pytest.approx(of_head + of_encoder, rel=1e-5)


@pytest.mark.parametrize("build", [None, nested_model])
def test_frozen_weights_and_batchnorm_cost_nothing(model, build):
    model = build() if build else model
    encoder = model.get_layer("wrapped").get_layer("encoder") if build else model.layers[1]
    transfer.l2_sp(model, alpha=1.0, beta=0.0)
    transfer.unfreeze(model, "block_2")
    shift(encoder.get_layer("block_0_conv"), 1.0)
    encoder.get_layer("block_2_bn").trainable = True
    encoder.get_layer("block_2_bn").gamma.assign(np.full(4, 9.0))
    assert float(sum(model.losses)) == 0


def test_fit_feels_the_pull_and_zero_removes_it(model):
    def wandered(alpha):
        model.set_weights(start)
        transfer.l2_sp(model, alpha, beta=0.0)
        train(model, keras.optimizers.SGD(0.001), batch_size=16, epochs=4)
        return np.abs(kernel.numpy() - kernel_start).sum()

    transfer.unfreeze(model, "block_1")
    kernel = model.get_layer("encoder").get_layer("block_2_conv").kernel
    start, kernel_start = model.get_weights(), kernel.numpy()
    free, held = wandered(0.0), wandered(500.0)
    assert 0 < held < 0.7 * free
    assert wandered(0.0) == pytest.approx(free)
    assert float(sum(model.losses)) == 0


def test_calling_again_starts_from_the_weights_of_that_moment(model):
    transfer.unfreeze(model, "block_1")
    transfer.l2_sp(model, beta=0.0)
    shift(model.get_layer("encoder").get_layer("block_2_conv"), 1.0)
    assert float(sum(model.losses)) > 0
    transfer.l2_sp(model, beta=0.0)
    assert float(sum(model.losses)) == 0


def test_a_strength_that_is_none_is_refused(model):
    for strengths in ({"alpha": -1}, {"beta": None}, {"beta": float("nan")}):
        with pytest.raises(ValueError, match="0 or more"):
            transfer.l2_sp(model, **strengths)


# ---- Keras' own interrupt and resume -------------------------------------------------------------


def test_a_run_with_all_of_it_resumes_where_it_was_interrupted(tmp_path):
    """A crash in the third epoch and a new model: the same weights as a run without a crash."""

    def run(*callbacks, epochs=4):
        model = networks.classifier(small_encoder(), 2, dropout=0.0)
        transfer.l2_sp(model)
        transfer.unfreeze(model, "block_1")
        adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 8))
        adam = transfer.layerwise_optimizer(adam, model)
        history = train(model, adam, epochs=epochs, callbacks=list(callbacks))
        return model, history

    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    folder = str(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        run(keras.callbacks.BackupAndRestore(folder), Crash())
    resumed, history = run(keras.callbacks.BackupAndRestore(folder))
    assert history.epoch == [2, 3]
    for a, b in zip(resumed.get_weights(), run()[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# ---- how far the blocks moved --------------------------------------------------------------------


def test_the_distance_of_a_block_is_relative_to_its_weights(model):
    transfer.unfreeze(model, from_="block_1")
    start = model.get_weights()
    assert transfer.distance_by_block(model, start) == {"block_2": 0.0, "block_1": 0.0}
    layer = model.get_layer("encoder").get_layer("block_1_conv")
    layer.set_weights([1.5 * weight for weight in layer.get_weights()])
    distances = transfer.distance_by_block(model, start)
    assert distances == {"block_2": 0.0, "block_1": pytest.approx(0.5)}
    with pytest.raises(ValueError, match="are not the weights of encoder_classifier"):
        transfer.distance_by_block(model, start[1:])
