"""training.fit against Keras's own `fit`, against itself after an interruption, and on two logical devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from medlearn import training
from medlearn._keras import keras, tf
from medlearn.adaptation import distances, layers
from medlearn.training._place import Place

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


def vectors():
    image = keras.Input((8, 8, 3))
    return keras.Model(
        image,
        keras.layers.Dense(5, kernel_initializer=keras.initializers.GlorotUniform(2))(
            keras.layers.Flatten()(image)
        ),
    )


def keras_history(model, data, epochs, validation=None):
    """What Keras's own `fit` does with the same batches."""
    history = {}
    for epoch in range(epochs):
        told = model.fit(data(epoch), verbose=0, shuffle=False, validation_data=validation).history
        for name, (value,) in told.items():
            history.setdefault(name, []).append(value)
    return history


def expect_same(model, other, tolerance=1e-5):
    assert len(model.weights) == len(other.weights)
    for one, two in zip(model.weights, other.weights):
        np.testing.assert_allclose(one.numpy(), two.numpy(), atol=tolerance, err_msg=one.path)


def expect_same_history(ours, theirs, tolerance=1e-5):
    assert set(ours) == set(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], atol=tolerance, err_msg=name)


# ---- as Keras does it --------------------------------------------------------------------------------------


def test_weights_statistics_history_and_validation_equal_keras():
    ours, theirs = network(dropout=0.3), network(dropout=0.3)
    validation = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(20)
    expect_same_history(
        training.fit(ours, DATA, 3, validation=validation),
        keras_history(theirs, DATA, 3, validation),
    )
    expect_same(ours, theirs)
    for one, two in zip(ours.optimizer.variables, theirs.optimizer.variables):
        np.testing.assert_allclose(one.numpy(), two.numpy(), atol=1e-5)


def test_a_distance_added_to_the_loss_equals_keras():
    def aligned():
        model = layers.aligned(
            vectors(),
            keras.layers.Dense(
                3, "softmax", kernel_initializer=keras.initializers.GlorotUniform(4)
            ),
            distances.mmd,
            weight=1.0,
        )
        model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
        return model

    def pairs(epoch):
        return layers.batches(IMAGES, LABELS, IMAGES[::-1] + 1, batch_size=8, seed=epoch).take(4)

    ours, theirs, without = aligned(), aligned(), aligned()
    without.get_layer("align").weight = 0.0
    expect_same_history(training.fit(ours, pairs, 2), keras_history(theirs, pairs, 2))
    expect_same(ours, theirs)
    training.fit(without, pairs, 2)
    assert (
        max(abs(a.numpy() - b.numpy()).max() for a, b in zip(ours.weights, without.weights)) > 1e-3
    )


def test_sample_weights_and_two_outputs_equal_keras():
    weights = np.linspace(0, 2, len(LABELS)).astype("float32")

    def two_headed():
        image = keras.Input((8, 8, 3))
        told = vectors()(image)
        heads = [
            keras.layers.Dense(
                3, name=name, kernel_initializer=keras.initializers.GlorotUniform(seed)
            )(told)
            for seed, name in enumerate("ab")
        ]
        model = keras.Model(image, dict(zip("ab", heads)))
        model.compile(
            keras.optimizers.Adam(0.01),
            {"a": keras.losses.SparseCategoricalCrossentropy(True), "b": "mse"},
        )
        return model

    def data(epoch):
        targets = {"a": LABELS, "b": np.eye(3, dtype="float32")[LABELS]}
        return tf.data.Dataset.from_tensor_slices(
            (IMAGES, targets, dict.fromkeys("ab", weights))
        ).batch(16)

    ours, theirs = two_headed(), two_headed()
    history = training.fit(ours, data, 2)
    expect_same_history(history, keras_history(theirs, data, 2))
    expect_same(ours, theirs)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_equals_keras(dtype):
    def mixed():
        model = network(dtype=dtype, compiled=False)
        optimizer = keras.optimizers.SGD(0.05)
        model.compile(
            keras.optimizers.LossScaleOptimizer(optimizer)
            if dtype == "mixed_float16"
            else optimizer,
            "sparse_categorical_crossentropy",
        )
        return model

    ours, theirs = mixed(), mixed()
    before = [weight.numpy() for weight in ours.weights]
    expect_same_history(training.fit(ours, DATA, 2), keras_history(theirs, DATA, 2), tolerance=2e-3)
    expect_same(ours, theirs, tolerance=2e-3)
    assert all(weight.dtype == "float32" for weight in ours.weights)
    assert all(
        np.abs(weight.numpy() - was).max() > 1e-3 for weight, was in zip(ours.weights, before)
    )


def test_frozen_layers_stay_and_a_dataset_does_without_a_function():
    model = network()
    model.layers[1].trainable = False
    before = model.layers[1].get_weights()[0]
    history = training.fit(model, DATA(0), 2)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], before)
    assert len(history["loss"]) == 2 and history["loss"][1] < history["loss"][0]


# ---- crash and resume --------------------------------------------------------------------------------------


class PowerCut(Exception):
    pass


def cut_after(steps, monkeypatch):
    """Let the power fail when a further step is done, before it is noted."""
    add = Place.add

    def failing(place, loss, count):
        nonlocal steps
        if steps == 0:
            raise PowerCut
        steps -= 1
        add(place, loss, count)

    monkeypatch.setattr(Place, "add", failing)


def flip(image, seed):
    return tf.image.stateless_random_flip_left_right(image, seed) + tf.random.stateless_normal(
        (), seed
    )


@pytest.mark.parametrize(
    "at", [5, 3, 8]
)  # within an epoch, between two, in the last step of the last
def test_a_run_that_was_cut_ends_as_if_it_had_not_been(tmp_path, monkeypatch, at):
    data = training.batches(IMAGES, LABELS, batch_size=16, seed=3, augment=flip)
    whole = network(dropout=0.3)
    history = training.fit(whole, data, 3)
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_after(at, patch)
        training.fit(network(dropout=0.3), data, 3, folder=tmp_path, every=1)
    other = network(dropout=0.3)
    other.set_weights([weight.numpy() + 1 for weight in other.weights])
    assert training.fit(other, data, 3, folder=tmp_path, every=1) == history
    for one, two in zip(other.variables, whole.variables):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_without_the_seeds_of_dropout_it_would_not(tmp_path):
    """The test above can fail: dropout draws differ from step to step."""
    one, two = network(dropout=0.3), network(dropout=0.3)
    training.fit(one, lambda epoch: DATA(0), 1)
    training.fit(two, lambda epoch: DATA(0).take(1), 1)
    seeds = [[v.numpy() for v in each.variables if "seed" in v.path] for each in (one, two)]
    assert seeds[0] and (seeds[0][0] != seeds[1][0]).any()


def test_a_finished_run_is_left_as_it_is_and_more_epochs_go_on(tmp_path):
    model = network()
    first = training.fit(model, DATA, 2, folder=tmp_path)
    weights = model.get_weights()
    again = network()
    assert training.fit(again, DATA, 2, folder=tmp_path) == first
    for one, two in zip(again.get_weights(), weights):
        np.testing.assert_array_equal(one, two)
    more, whole = network(), network()
    assert training.fit(more, DATA, 3, folder=tmp_path) == training.fit(whole, DATA, 3)
    expect_same(more, whole, 0)


@pytest.mark.parametrize("every, saved", [(None, 2), (1, 8), (2, 4)])
def test_checkpoints_after_every_steps_and_each_epoch(tmp_path, every, saved):
    training.fit(network(), DATA, 2, folder=tmp_path, every=every)
    assert sorted(path.name for path in tmp_path.glob("*.index")) == [
        f"ckpt-{saved - 1}.index",
        f"ckpt-{saved}.index",
    ]


def test_no_folder_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training.fit(network(), DATA, 1)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    training.fit(network(), DATA, 1, folder=tmp_path)
    other = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    other.compile("sgd", "mse")
    with pytest.raises(ValueError, match="another model"):
        training.fit(other, DATA, 1, folder=tmp_path)


# ---- batches -----------------------------------------------------------------------------------------------


def drawn(data, epoch=0):
    return [tuple(part.numpy() for part in batch) for batch in data(epoch)]


def test_an_epoch_holds_each_image_once_with_its_label():
    numbers = np.arange(10)
    batches = drawn(training.batches(numbers * 2, numbers, batch_size=4, seed=0))
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    images, labels = map(np.concatenate, zip(*batches))
    assert (
        sorted(labels) == list(numbers)
        and (images == 2 * labels).all()
        and list(labels) != list(numbers)
    )


def test_order_is_of_the_seed_and_the_epoch_alone():
    numbers = np.arange(40)
    order = lambda seed, epoch: np.concatenate(
        [labels for _, labels in drawn(training.batches(numbers, numbers, seed=seed), epoch)]
    ).tolist()
    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2) and order(0, 1) != order(1, 1)


def test_augmentation_is_of_the_image_the_epoch_and_the_seed_and_not_of_the_batch():
    zeros, numbers = np.zeros((6, 2), "float32"), np.arange(6)
    noise = lambda image, seed: image + tf.random.stateless_uniform((2,), seed)

    def values(batch_size, seed=0, epoch=0):
        images, labels = map(
            np.concatenate,
            zip(
                *drawn(
                    training.batches(
                        zeros, numbers, batch_size=batch_size, seed=seed, augment=noise
                    ),
                    epoch,
                )
            ),
        )
        return images[np.argsort(labels)]

    np.testing.assert_array_equal(values(1), values(4))
    assert len(np.unique(values(4)[:, 0])) == 6
    assert (values(4) != values(4, seed=1)).all() and (values(4) != values(4, epoch=1)).all()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (([1, 2], [1]), "2 images, 1 labels"),
        (([], []), "0 images"),
        (([1], [1], 0), "batch_size=0"),
    ],
)
def test_what_makes_no_batches(arguments, sentence):
    images, labels, *size = arguments
    with pytest.raises(ValueError, match=sentence):
        training.batches(images, labels, **({"batch_size": size[0]} if size else {}))


# ---- what is refused ---------------------------------------------------------------------------------------


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
    "model, data, options, sentence",
    [
        (lambda: network(compiled=False), DATA, {}, "compiled"),
        (lambda: "model", DATA, {}, "compiled"),
        (unbuilt, DATA, {}, "no weights yet"),
        (own_step, DATA, {}, "train_step of its own"),
        (network, IMAGES, {}, "data is ndarray"),
        (network, DATA(0), {"folder": "here"}, "function of the epoch"),
        (network, DATA, {"every": 2}, "needs a folder"),
        (network, DATA, {"folder": "here", "every": 0}, "every=0"),
        (network, DATA, {"epochs": -1}, "epochs=-1"),
        (network, lambda epoch: DATA(0).take(0), {}, "hold no batch"),
    ],
)
def test_what_fit_refuses(model, data, options, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        training.fit(model(), data, **options)


# ---- two logical devices -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_devices(tmp_path_factory):
    """What a process with two logical CPU devices found; they must be made before TensorFlow's first operation."""
    told = tmp_path_factory.mktemp("two") / "told.json"
    run = subprocess.run(
        [sys.executable, str(TWO_DEVICES), str(told)],
        timeout=240,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(told.read_text())


@pytest.mark.parametrize("job", ["synchronized BatchNorm", "a loss that is one number"])
def test_two_devices_equal_one(two_devices, job):
    weights, history = two_devices[job]
    assert weights < 1e-5 and history < 1e-5


def test_half_precision_trains_on_two_devices(two_devices):
    assert two_devices["float16"] > 1e-3


def test_the_last_batch_too_small_to_be_shared_is_left_out(two_devices):
    assert two_devices["left out"] == 4


def test_clipping_is_refused_on_two_devices(two_devices):
    assert "clipnorm would clip each replica's gradient" in two_devices["clipping"]


def test_two_devices_resume_to_the_bit(two_devices):
    assert two_devices["resumed"] == 0
