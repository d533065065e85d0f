"""training.fit against Keras' own `fit`, after an interruption, and on two logical devices."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from medlearn import _files, training
from medlearn._keras import keras, tf
from medlearn.adaptation import distances, layers
from medlearn.training import _folder, _setting
from medlearn.training._run_state import RunState

IMAGES = np.random.default_rng(0).normal(size=(46, 8, 8, 3)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, 46)
DATA = training.batches(IMAGES, LABELS, batch_size=16, seed=3)  # 16, 16, 14
TWO_DEVICES = Path(__file__).with_name("training_two_devices.py")


def network(dropout=0.0, dtype="float32", compiled=True):
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False, kernel_regularizer="l2", dtype=dtype)(image)
    x = keras.layers.ReLU(dtype=dtype)(keras.layers.BatchNormalization(dtype=dtype)(x))
    x = keras.layers.Dropout(dropout, seed=5, dtype=dtype)(
        keras.layers.GlobalAveragePooling2D(dtype=dtype)(x)
    )
    model = keras.Model(image, keras.layers.Dense(3, "softmax", dtype="float32")(x))
    if compiled:
        model.compile(
            keras.optimizers.AdamW(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
    return model


def dense(units, seed, **options):
    return keras.layers.Dense(
        units, kernel_initializer=keras.initializers.GlorotUniform(seed), **options
    )


def vectors():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, dense(5, seed=2)(keras.layers.Flatten()(image)))


def keras_history(model, data, epochs, validation=None):
    """The history of Keras' own `fit` with the same batches."""
    history = {}
    for epoch in range(epochs):
        run = model.fit(data(epoch), verbose=0, shuffle=False, validation_data=validation)
        for name, (value,) in run.history.items():
            history.setdefault(name, []).append(value)
    return history


def expect_same(variables, expected, tolerance=1e-5):
    for variable, reference in zip(variables, expected, strict=True):
        np.testing.assert_allclose(
            variable.numpy(), reference.numpy(), atol=tolerance, err_msg=variable.path
        )


def expect_same_history(history, expected, tolerance=1e-5):
    assert set(history) == set(expected)
    for name in history:
        np.testing.assert_allclose(history[name], expected[name], atol=tolerance, err_msg=name)


# ---- as Keras does it ----------------------------------------------------------------------------


def test_weights_statistics_history_and_validation_equal_keras():
    model, reference = network(dropout=0.3), network(dropout=0.3)
    validation = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(20)
    history = training.fit(model, DATA, 3, validation=validation)
    expect_same_history(history, keras_history(reference, DATA, 3, validation))
    expect_same(model.weights, reference.weights)
    expect_same(model.optimizer.variables, reference.optimizer.variables)


def test_a_distance_added_to_the_loss_equals_keras():
    def aligned():
        head = dense(3, seed=4, activation="softmax")
        model = layers.alignment_model(vectors(), head, distances.mmd, weight=1.0)
        model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
        return model

    def pairs(epoch):
        return layers.paired_batches(
            IMAGES, LABELS, IMAGES[::-1] + 1, batch_size=8, seed=epoch
        ).take(4)

    model, reference, without = aligned(), aligned(), aligned()
    without.get_layer("alignment").weight = 0.0
    expect_same_history(training.fit(model, pairs, 2), keras_history(reference, pairs, 2))
    expect_same(model.weights, reference.weights)
    training.fit(without, pairs, 2)
    changes = [abs(a.numpy() - b.numpy()).max() for a, b in zip(model.weights, without.weights)]
    assert max(changes) > 1e-3


def test_sample_weights_and_two_outputs_equal_keras():
    weights = np.linspace(0, 2, len(LABELS)).astype("float32")

    def two_headed():
        image = keras.Input((8, 8, 3))
        features = vectors()(image)
        heads = {name: dense(3, seed, name=name)(features) for seed, name in enumerate("ab")}
        model = keras.Model(image, heads)
        crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), {"a": crossentropy, "b": "mse"})
        return model

    def data(epoch):
        labels = {"a": LABELS, "b": np.eye(3, dtype="float32")[LABELS]}
        parts = IMAGES, labels, dict.fromkeys("ab", weights)
        return tf.data.Dataset.from_tensor_slices(parts).batch(16)

    model, reference = two_headed(), two_headed()
    expect_same_history(training.fit(model, data, 2), keras_history(reference, data, 2))
    expect_same(model.weights, reference.weights)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_equals_keras(dtype):
    def mixed():
        model, optimizer = network(dtype=dtype, compiled=False), keras.optimizers.SGD(0.05)
        if dtype == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    model, reference = mixed(), mixed()
    before = model.get_weights()
    history = training.fit(model, DATA, 2)
    expect_same_history(history, keras_history(reference, DATA, 2), tolerance=2e-3)
    expect_same(model.weights, reference.weights, tolerance=2e-3)
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert all(abs(new - old).max() > 1e-3 for new, old in zip(model.get_weights(), before))


def test_frozen_layers_stay_and_a_dataset_does_without_a_function():
    model = network()
    model.layers[1].trainable = False
    before = model.layers[1].get_weights()[0]
    history = training.fit(model, DATA(0), 2)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], before)
    assert len(history["loss"]) == 2 and history["loss"][1] < history["loss"][0]


# ---- crash and resume ----------------------------------------------------------------------------


class PowerCut(Exception):
    pass


def cut_after(steps, monkeypatch):
    """Let the power fail when a further step is done, before it is counted."""
    add_step = RunState.add_step

    def failing(state, loss, count):
        nonlocal steps
        if steps == 0:
            raise PowerCut
        steps -= 1
        add_step(state, loss, count)

    monkeypatch.setattr(RunState, "add_step", failing)


def flip(image, seed):
    flipped = tf.image.stateless_random_flip_left_right(image, seed)
    return flipped + tf.random.stateless_normal((), seed)


AUGMENTED = training.batches(IMAGES, LABELS, batch_size=16, seed=3, augment=flip)


@pytest.fixture(scope="module")
def whole_run():
    model = network(dropout=0.3)
    return model, training.fit(model, AUGMENTED, 3)


@pytest.fixture(scope="module")
def first_epoch(tmp_path_factory):
    """A network after one epoch, and the folder with its checkpoint."""
    folder, model = tmp_path_factory.mktemp("first"), network()
    training.fit(model, DATA, 1, folder=folder)
    return model, folder


@pytest.fixture
def begun(first_epoch, tmp_path):
    """A folder of its own with the checkpoint of one epoch."""
    return shutil.copytree(first_epoch[1], tmp_path / "begun")


# within an epoch, between two, in the last step of the last
@pytest.mark.parametrize("steps", [5, 3, 8])
def test_a_run_that_was_cut_ends_as_if_it_had_not_been(tmp_path, monkeypatch, whole_run, steps):
    model, history = whole_run
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_after(steps, patch)
        training.fit(network(dropout=0.3), AUGMENTED, 3, folder=tmp_path, every=1)
    resumed = network(dropout=0.3)
    resumed.set_weights([weight + 1 for weight in resumed.get_weights()])
    assert training.fit(resumed, AUGMENTED, 3, folder=tmp_path, every=1) == history
    expect_same(resumed.variables, model.variables, 0)


def test_dropout_draws_anew_in_each_step():
    """So the test above fails if the seeds of dropout are not restored."""

    def seeds_after(data):
        model = network(dropout=0.3)
        training.fit(model, data, 1)
        return [variable.numpy() for variable in model.variables if "seed" in variable.path]

    three_steps, one_step = seeds_after(DATA(0)), seeds_after(DATA(0).take(1))
    assert three_steps and (three_steps[0] != one_step[0]).any()


def test_a_finished_run_is_left_as_it_is_and_more_epochs_go_on(tmp_path):
    model, again, more, whole = (network() for _ in range(4))
    history = training.fit(model, DATA, 2, folder=tmp_path)
    assert training.fit(again, DATA, 2, folder=tmp_path) == history
    expect_same(again.weights, model.weights, 0)
    assert training.fit(more, DATA, 3, folder=tmp_path) == training.fit(whole, DATA, 3)
    expect_same(more.weights, whole.weights, 0)


@pytest.mark.parametrize("every, saved", [(None, 2), (2, 4)])
def test_checkpoints_after_every_steps_and_each_epoch(tmp_path, every, saved):
    training.fit(network(), DATA, 2, folder=tmp_path, every=every)
    names = sorted(path.name for path in tmp_path.glob("*.index"))
    assert names == [f"ckpt-{saved - 1}.index", f"ckpt-{saved}.index"]


def test_no_folder_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training.fit(network(), DATA, 1)
    assert not list(tmp_path.iterdir())


def test_a_second_training_in_the_same_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "_SECONDS_OF_SILENCE", 0.1)
    refusals = []

    def second():
        try:
            training.fit(network(), DATA, 1, folder=tmp_path)
        except OSError as refusal:
            refusals.append(str(refusal))

    def meanwhile(epoch):
        if epoch == 1:
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
        return DATA(epoch)

    history = training.fit(network(), meanwhile, 2, folder=tmp_path)
    assert len(refusals) == 1 and len(history["loss"]) == 2
    expected = rf"Another training is at work in .* \(process {os.getpid()} on .*: wait until"
    assert re.match(expected, refusals[0])
    assert training.fit(network(), meanwhile, 2, folder=tmp_path) == history


def test_the_workers_of_one_training_share_a_folder_and_a_closed_one_is_used(tmp_path):
    with _folder.alone(tmp_path, "training"), _folder.alone(tmp_path, "worker-1"):
        pass
    with _folder.alone(tmp_path / "where no lock can be kept", "training"):
        pass


def test_a_checkpoint_of_another_model_is_refused(begun):
    model = vectors()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="another model"):
        training.fit(model, DATA, 1, folder=begun)


# ---- damaged, other, or not finite ---------------------------------------------------------------


def test_a_damaged_or_missing_newest_checkpoint_falls_back_to_the_one_before(tmp_path, whole_run):
    two_epochs = tmp_path / "two epochs"
    training.fit(network(dropout=0.3), AUGMENTED, 2, folder=two_epochs)
    for number, harm in enumerate((lambda path: path.write_bytes(b"x"), Path.unlink)):
        for suffix in (".index", ".data-00000-of-00001"):
            folder = shutil.copytree(two_epochs, tmp_path / f"{number}{suffix}")
            harm(folder / f"ckpt-2{suffix}")
            resumed = network(dropout=0.3)
            with pytest.warns(UserWarning, match="damaged or missing.*epoch 2"):
                history = training.fit(resumed, AUGMENTED, 3, folder=folder)
            assert history == whole_run[1]
            expect_same(resumed.variables, whole_run[0].variables, 0)


@pytest.mark.parametrize("harm", [b"\xff\xfe\x00", b"", b"a list of the user's"])
def test_a_damaged_list_of_checkpoints_is_written_anew(begun, harm):
    (begun / "checkpoint").write_bytes(harm)
    (begun / "ckpt-best.index").write_text("of the user")
    with pytest.warns(UserWarning, match="list of checkpoints.* goes on from ckpt-1.* epoch 2"):
        training.fit(network(), DATA, 2, folder=begun)
    assert len(training.fit(network(), DATA, 3, folder=begun)["loss"]) == 3
    names = sorted(path.name for path in begun.glob("*.index"))
    assert names == ["ckpt-2.index", "ckpt-3.index", "ckpt-best.index"]
    assert (begun / "ckpt-best.index").read_text() == "of the user"


def test_a_file_that_is_no_list_of_checkpoints_is_not_replaced(tmp_path):
    (tmp_path / "checkpoint").write_text("of the user")
    with pytest.raises(ValueError, match="No checkpoint in .* can be read"):
        training.fit(network(), DATA, 1, folder=tmp_path)
    assert (tmp_path / "checkpoint").read_text() == "of the user"


def test_a_run_does_not_begin_anew_over_checkpoints_that_cannot_be_read(tmp_path):
    training.fit(network(), DATA, 2, folder=tmp_path)
    for path in tmp_path.glob("ckpt-*.index"):
        path.write_bytes(b"x")
    with pytest.raises(ValueError, match="No checkpoint in .* can be read"):
        training.fit(network(), DATA, 2, folder=tmp_path)


def other_rate(model):
    model.optimizer.learning_rate = 0.5
    return model, DATA


def other_activation(model):
    model.layers[3].negative_slope = 0.2
    return model, DATA


def other_data(images=IMAGES, labels=LABELS, **options):
    """A change of the data alone; 16 images in a batch unless the options say otherwise."""
    data = training.batches(images, labels, **{"batch_size": 16, "seed": 3} | options)
    return lambda model: (model, data)


def other_function(model):
    return model, lambda epoch: DATA(epoch)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (other_rate, "optimizer learning_rate was 0.00999.* and is 0.5"),
        (other_activation, "network layer 4 negative_slope was 0.0 and is 0.2"),
        (other_data(batch_size=8), "data batches was 3 and is 6"),
        (other_data(batch_size=17), "data batch_size was 16 and is 17"),  # 3 batches again
        (other_data(seed=4), "data seed was 3 and is 4"),
        (other_data(augment=lambda image, seed: image), "data augment was None and is <lambda>"),
        (other_data(IMAGES[:-1], LABELS[:-1]), r"images was float32 \(46, .* is float32 \(45, "),
        (other_data(IMAGES + 1), "data images was .* with the digest .* and is"),
        (other_data(labels=(LABELS + 1) % 3), "setting: data labels was .* and is"),
        (other_function, "data made by was training.batches and is another function"),
    ],
)
def test_a_run_with_another_setting_does_not_go_on(begun, change, difference):
    model, data = change(network())
    with pytest.raises(ValueError, match=difference):
        training.fit(model, data, 2, folder=begun)


def weighted_loss(labels, predictions, weight):
    return weight * keras.losses.sparse_categorical_crossentropy(labels, predictions)


def loss_with(weight):
    return lambda labels, predictions: weighted_loss(labels, predictions, weight)


def setting_with(loss, rate=0.25):
    dropout = keras.layers.Dropout(np.float32(rate))
    model = keras.Sequential([keras.Input((3,)), dropout, dense(3, 1)])
    model.compile("sgd", loss)
    return _setting.of(model, DATA)


@pytest.mark.parametrize("bind", [lambda weight: partial(weighted_loss, weight=weight), loss_with])
def test_numbers_bound_to_a_loss_and_those_of_numpy_are_compared(bind):
    before = setting_with(bind(1.0))
    assert not _setting.differences(before, setting_with(bind(np.float64(1))))
    changes = _setting.differences(before, setting_with(bind(np.float32(50)), 0.75))
    assert sorted(changes) == [
        "loss with weight was 1.0 and is 50.0",
        "network layer 1 rate was 0.25 and is 0.75",
    ]


def test_a_digest_sees_every_byte_of_small_arrays_and_a_part_of_large_ones(monkeypatch):
    image, changed = np.zeros((2, 9), "float32"), np.zeros((2, 9), "float32")
    changed[1, 8] = 1
    assert _setting._digest(image) == _setting._digest(tf.constant(image))
    assert _setting._digest(image) != _setting._digest(changed)
    monkeypatch.setattr(_setting, "_LOOKED_AT", 3)
    monkeypatch.setattr(_setting, "_BLOCK", 2)
    large, ends = np.zeros(1000, "uint8"), np.zeros(1000, "uint8")
    ends[-1] = 1
    assert _setting._digest(large) == _setting._digest(np.where(np.arange(1000) == 1, 1, large))
    assert _setting._digest(large) != _setting._digest(ends)
    assert _setting._digest(np.float32(1)) == _setting._digest(tf.constant(1.0))


def test_a_run_of_an_earlier_medlearn_goes_on():
    """It wrote less of the data, and "partial" or "float32" for what has numbers inside."""
    now = setting_with(partial(weighted_loss, weight=1.0))
    before = json.loads(json.dumps(now))
    before["data"] = {name: before["data"][name] for name in ("batches", "of")}
    before["loss"] = "partial"
    before["network"]["layer 1"]["rate"] = "float32"
    now["network"]["layer 1"]["table"] = _setting._described(np.ones(3))
    before["network"]["layer 1"]["table"] = "ndarray"
    assert not _setting.differences(before, now)
    before["data"]["batches"] = 4
    assert _setting.differences(before, now) == ["data batches was 4 and is 3"]


def test_an_own_layer_without_a_configuration_is_trained_and_goes_on(tmp_path):
    class Shift(keras.layers.Layer):
        def __init__(self, by):
            super().__init__()
            self.by = by

        def call(self, inputs):
            return inputs + self.by

    def model():
        image = keras.Input((8, 8, 3))
        outputs = dense(3, 2, activation="softmax")(keras.layers.Flatten()(Shift(0.1)(image)))
        network = keras.Model(image, outputs)
        network.compile("sgd", "sparse_categorical_crossentropy")
        return network

    training.fit(model(), DATA, 1, folder=tmp_path)
    assert len(training.fit(model(), DATA, 2, folder=tmp_path)["loss"]) == 2


def test_weights_that_are_not_finite_replace_no_checkpoint(first_epoch, tmp_path):
    spoiled = IMAGES.copy()
    spoiled[7, 2, 2] = np.nan
    data = training.batches(spoiled, LABELS, batch_size=16, seed=3)

    def later_spoiled(epoch):
        return data(epoch) if epoch else DATA(epoch)

    with pytest.raises(ValueError, match="is not finite after step . of epoch 2: look for NaN"):
        training.fit(network(), later_spoiled, 2, folder=tmp_path)
    with pytest.raises(ValueError, match="is not finite"):
        training.fit(network(), data, 1)
    kept = network()
    training.fit(kept, later_spoiled, 1, folder=tmp_path)
    expect_same(kept.weights, first_epoch[0].weights, 0)


def test_a_loss_that_is_not_finite_replaces_no_checkpoint_though_the_weights_are(tmp_path):
    def loss(labels, predictions):
        found = keras.losses.sparse_categorical_crossentropy(abs(labels), predictions)
        return found + tf.where(labels < 0, np.nan, 0.0)

    def model():
        built = network(compiled=False)
        built.compile("sgd", loss)
        return built

    def later_negative(epoch):
        return DATA(epoch).map(lambda images, labels: (images, -labels if epoch else labels))

    spoiled = model()
    with pytest.raises(ValueError, match="The loss is not finite after step 3 of epoch 2: look"):
        training.fit(spoiled, later_negative, 3, folder=tmp_path)
    assert all(np.isfinite(weights).all() for weights in spoiled.get_weights())
    assert [path.name for path in tmp_path.glob("*.index")] == ["ckpt-1.index"]


def test_a_checkpoint_that_cannot_be_written_is_one_sentence_and_the_run_goes_on(begun):
    (begun / "ckpt-2_temp").write_text("where TensorFlow would make a folder")
    with pytest.raises(OSError, match=r"Checkpoint 2 cannot be written to .*the one before stays"):
        training.fit(network(), DATA, 2, folder=begun)
    (begun / "ckpt-2_temp").unlink()
    went_on, whole = network(), network()
    training.fit(went_on, DATA, 2, folder=begun)
    training.fit(whole, DATA, 2)
    expect_same(went_on.weights, whole.weights, 0)
    (begun / "file").touch()
    with pytest.raises(OSError, match="The folder for checkpoints .* cannot be made"):
        training.fit(network(), DATA, 1, folder=begun / "file")


# ---- batches -------------------------------------------------------------------------------------


def epoch_of(data, epoch=0):
    """Images and labels of one epoch, in the order of its batches."""
    batches = [(images.numpy(), labels.numpy()) for images, labels in data(epoch)]
    return np.concatenate([images for images, _ in batches]), np.concatenate(
        [labels for _, labels in batches]
    )


def test_an_epoch_holds_each_image_once_with_its_label():
    numbers = np.arange(10)
    data = training.batches(numbers * 2, numbers, batch_size=4, seed=0)
    assert [len(labels) for _, labels in data(0)] == [4, 4, 2]
    images, labels = epoch_of(data)
    assert sorted(labels) == list(numbers) and list(labels) != list(numbers)
    assert (images == 2 * labels).all()


def test_the_order_depends_on_the_seed_and_the_epoch_alone():
    numbers = np.arange(40)

    def order(seed, epoch):
        return epoch_of(training.batches(numbers, numbers, seed=seed), epoch)[1].tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2) and order(0, 1) != order(1, 1)


def test_augmentation_depends_on_image_epoch_and_seed_and_not_on_the_batch():
    zeros, numbers = np.zeros((6, 2), "float32"), np.arange(6)

    def add_noise(image, seed):
        return image + tf.random.stateless_uniform((2,), seed)

    def values(batch_size, seed=0, epoch=0):
        options = {"batch_size": batch_size, "seed": seed, "augment": add_noise}
        images, labels = epoch_of(training.batches(zeros, numbers, **options), epoch)
        return images[np.argsort(labels)]

    np.testing.assert_array_equal(values(1), values(4))
    assert len(np.unique(values(4)[:, 0])) == 6
    assert (values(4) != values(4, seed=1)).all() and (values(4) != values(4, epoch=1)).all()


def test_batches_without_images_labels_or_size_are_refused():
    with pytest.raises(ValueError, match="2 images, 1 labels"):
        training.batches([1, 2], [1])
    with pytest.raises(ValueError, match="0 images"):
        training.batches([], [])
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
        training.batches([1], [1], batch_size=0)
    with pytest.raises(ValueError, match="labels are string.*np.unique"):
        training.batches([1, 2], ["ill", "well"])
    for images in ([[1, 2], [1]], None):
        with pytest.raises(ValueError, match="images are no array"):
            training.batches(images, [0, 1])


# ---- what is refused -----------------------------------------------------------------------------


class OwnStep(keras.Model):
    def train_step(self, data):
        return {}


def own_step():
    image = keras.Input((8, 8, 3))
    model = OwnStep(image, keras.layers.Dense(3)(keras.layers.Flatten()(image)))
    model.compile("sgd", "mse")
    return model


def unbuilt():
    model = keras.Sequential([keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: network(compiled=False), "compiled"),
        (lambda: "model", "compiled"),
        (unbuilt, "no weights yet"),
        (own_step, "train_step of its own"),
    ],
)
def test_models_that_the_loop_cannot_train_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        training.fit(build(), DATA)


def test_arguments_that_do_not_fit_are_refused(tmp_path):
    model = network()
    for data, options, message in [
        (IMAGES, {}, "data is ndarray"),
        (DATA(0), {"folder": tmp_path}, "function of the epoch"),
        (DATA, {"every": 2}, "needs a folder"),
        (DATA, {"folder": tmp_path, "every": 0}, "every must be a whole number"),
        (DATA, {"epochs": -1}, "epochs must be a whole number"),
        (lambda epoch: DATA(0).take(0), {}, "hold no batch"),
        (DATA, {"validation": (IMAGES, LABELS)}, "validation is tuple"),
        (DATA, {"validation": DATA(0).take(0)}, "validation holds no batch"),
        (DATA, {"validation": DATA(0).filter(lambda *_: False)}, "validation holds no batch"),
    ]:
        with pytest.raises(ValueError, match=message):
            training.fit(model, data, **options)


@pytest.mark.parametrize("number, given", [(3, "3"), (-1, "-1"), (np.nan, "NaN")])
def test_a_label_without_an_output_is_named(number, given):
    labels = LABELS.astype(float)
    labels[5] = number
    spoiled = training.batches(IMAGES, labels, batch_size=16)
    sentence = rf"A label is {given}, and the network's outputs stand for the labels in \[0, 3\)"
    with pytest.raises(ValueError, match=sentence):
        training.fit(network(), spoiled)
    with pytest.raises(ValueError, match=sentence):
        training.fit(network(), DATA, validation=spoiled(0))


# ---- two logical devices -------------------------------------------------------------------------


@pytest.mark.slow
def test_two_devices_equal_one(tmp_path):
    """In a new process: devices must be made before TensorFlow's first operation."""
    report = tmp_path / "report.json"
    run = subprocess.run(
        [sys.executable, str(TWO_DEVICES), str(report)], timeout=240, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    results = json.loads(report.read_text())
    for losses in ("synchronized BatchNorm", "a loss that is one number"):
        weights, history = results[losses]
        assert weights < 1e-5 and history < 1e-5, losses
    assert results["float16"] > 1e-3  # the smallest change of a weight
    assert results["steps"] == 4  # a last batch that is too small to be shared is left out
    assert results["resumed"] == 0  # to the bit
    assert "clipnorm would clip each replica's gradient" in results["clipping"]


def test_the_digest_of_a_flat_array_takes_little_room():
    flat = np.arange(8_000_000, dtype=np.uint8)
    tracemalloc.start()
    digest = _setting._digest(flat)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest.endswith(hashlib.sha256(flat.tobytes()).hexdigest()[:12])
    assert most < 50_000_000  # an index of 8 bytes for every entry would be 64 MB
