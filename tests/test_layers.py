"""Layers that adapt while plain `fit` trains: gradients, losses, and what is learned."""

import subprocess
import sys

import numpy as np
import pytest

from medlearn._keras import keras, tf
from medlearn.adaptation import distances, layers


def encoder(columns=4, units=3, seed=1):
    vector = keras.Input((columns,), name="vector")
    dense = keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed))
    return keras.Model(vector, dense(vector), name="encoder")


def head(classes=2, seed=2):
    glorot = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(classes, "softmax", kernel_initializer=glorot)


def data(n=64, m=48, columns=4, shift=3.0):
    """Two classes that the first column tells apart, in domains that the second tells apart."""
    random, labels = np.random.default_rng(0), np.arange(n) % 2
    source = random.normal(size=(n, columns)).astype(np.float32)
    source[:, 0] += 4 * labels
    target = random.normal(size=(m, columns)).astype(np.float32)
    target[:, 0] += 4 * (np.arange(m) % 2)
    target[:, 1] += shift
    return source, labels, target


# ---- gradient reversal -------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.0, 0.3, 2.5])
def test_the_value_passes_and_the_gradient_is_reversed(weight):
    inputs = tf.constant([[1.0, -2.0]])
    reversal = layers.GradientReversal(weight)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = reversal(inputs)
        loss = tf.reduce_sum(outputs * [[3.0, 5.0]])
    np.testing.assert_allclose(outputs, inputs)
    gradient = tape.gradient(loss, inputs)
    np.testing.assert_allclose(gradient, [[-3 * weight, -5 * weight]], rtol=1e-5, atol=1e-6)


def test_the_strength_grows_along_the_schedule():
    discriminator = layers.DomainDiscriminator(weight=2.0)
    discriminator.build((None, 3))
    schedule, strengths = layers.reversal_schedule(discriminator, epochs=5), []
    for epoch in range(5):
        schedule.on_epoch_begin(epoch)
        strengths.append(float(discriminator.reversal.strength))
    assert strengths[0] == 0 and strengths == sorted(strengths)
    assert strengths[-1] == pytest.approx(2.0, abs=1e-3)


# ---- alignment loss and domain discriminator ---------------------------------------------------


def test_the_alignment_loss_is_weight_times_distance_and_inputs_pass_through():
    source, _, target = data()
    layer = layers.AlignmentLoss(distances.mmd, 0.5)
    outputs = layer([source, target, source])
    assert len(outputs) == 3
    np.testing.assert_array_equal(outputs[0], source)
    np.testing.assert_array_equal(outputs[1], target)
    expected = 0.5 * float(distances.mmd(source, target))
    np.testing.assert_allclose(float(layer.losses[0]), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="weight=-1"):
        layers.AlignmentLoss(distances.mmd, -1)


def test_a_discriminator_that_can_only_guess_has_the_loss_log_2():
    zeros = np.zeros((8, 4), np.float32)
    loss = float(layers.DomainDiscriminator()(zeros, zeros))
    assert loss == pytest.approx(np.log(2), abs=1e-6)


def test_the_discriminator_descends_its_loss_and_the_encoder_ascends_it():
    source, _, target = data()
    model, discriminator = encoder(), layers.DomainDiscriminator(weight=1.0, units=8)
    discriminator(model(source), model(target))
    with tf.GradientTape() as tape:
        loss = discriminator(model(source), model(target))
    logit_kernel = discriminator.logit.trainable_variables[0]
    encoder_kernel = model.trainable_variables[0]
    gradients = tape.gradient(loss, [logit_kernel, encoder_kernel])
    logit_kernel.assign_sub(1e-2 * gradients[0])
    assert float(discriminator(model(source), model(target))) < float(loss)
    logit_kernel.assign_add(1e-2 * gradients[0])
    encoder_kernel.assign_sub(1e-2 * gradients[1])
    assert float(discriminator(model(source), model(target))) > float(loss)


def test_units_and_seed_of_the_discriminator_matter():
    source, _, target = data()
    options = ({"units": 8}, {"units": 8}, {"units": 16}, {"units": 8, "seed": 1})
    losses = [float(layers.DomainDiscriminator(**option)(source, target)) for option in options]
    assert losses[0] == losses[1] and len(set(losses)) == 3


@pytest.mark.parametrize(
    "distance",
    [distances.mmd, layers.DomainDiscriminator(0.7, units=5, seed=3)],
    ids=["function", "layer"],
)
def test_a_saved_model_is_the_same_model(distance, tmp_path):
    source, _, target = data()
    inputs = {"source": source, "target": target}
    model = layers.alignment_model(encoder(), head(), distance, 0.25)
    expected = model(inputs)
    model.save(tmp_path / "aligned.keras")
    loaded = keras.models.load_model(tmp_path / "aligned.keras")
    np.testing.assert_allclose(loaded(inputs), expected, rtol=1e-6)
    np.testing.assert_allclose(float(loaded.losses[0]), float(model.losses[0]), rtol=1e-6)


# ---- the model of two inputs -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "on"),
    [
        (distances.coral_distance, "features"),
        (distances.class_confusion, "predictions"),
        (layers.DomainDiscriminator(), "products"),
    ],
    ids=["coral", "mcc", "cdan"],
)
def test_plain_fit_trains_encoder_and_head_which_the_classifier_shares(distance, on):
    source, labels, target = data()
    body, top = encoder(), head()
    model = layers.alignment_model(body, top, distance, 1.0, on=on)
    classifier = keras.Model(body.input, top(body.output))
    before = classifier.get_weights()
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    batches = layers.paired_batches(source, labels, target, batch_size=16)
    model.fit(batches, steps_per_epoch=64, epochs=1, verbose=0)
    pairs = zip(before, classifier.get_weights(), strict=True)
    assert all(not np.array_equal(old, new) for old, new in pairs)
    probabilities = classifier.predict(source, verbose=0)
    assert (probabilities.argmax(1) == labels).mean() > 0.9
    outputs = model({"source": source, "target": target})
    np.testing.assert_allclose(outputs, probabilities, rtol=1e-5, atol=1e-6)


def test_alignment_brings_the_domains_together_and_weight_0_does_not():
    source, labels, target = data()
    remaining = {}
    for weight in (0.0, 5.0):
        body = encoder()
        model = layers.alignment_model(body, head(), distances.mmd, weight)
        model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
        batches = layers.paired_batches(source, labels, target)
        model.fit(batches, steps_per_epoch=60, epochs=1, verbose=0)
        features = body.predict(source, verbose=0), body.predict(target, verbose=0)
        remaining[weight] = float(distances.mmd(*features))
    assert remaining[5.0] < remaining[0.0] / 4


ONE_STEP = """
import sys
import numpy as np
from medlearn._keras import keras, tf
devices = int(sys.argv[1])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
from medlearn.adaptation import layers
strategy = tf.distribute.get_strategy()
if devices > 1:
    strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(devices)])
def apart(source, target):  # a mean over rows: the means of two halves average to that of the whole
    return keras.ops.mean(keras.ops.square(source - target))
with strategy.scope():
    vector = keras.Input((4,))
    body = keras.Model(vector, keras.layers.Dense(3, kernel_initializer="ones")(vector))
    top = keras.layers.Dense(2, "softmax", kernel_initializer="ones")
    model = layers.alignment_model(body, top, apart, 0.5)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
random = np.random.default_rng(0)
pair = {name: random.normal(size=(16, 4)).astype("float32") for name in ("source", "target")}
model.fit(pair, np.arange(16) % 2, batch_size=16, shuffle=False, verbose=0)
print(" ".join(f"{value:.5f}" for value in body.get_weights()[0].ravel()))
"""


@pytest.mark.slow
def test_a_step_on_two_replicas_is_the_step_on_one():
    kernels = []
    for devices in ("1", "2"):
        command = [sys.executable, "-c", ONE_STEP, devices]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        kernels.append(np.array(run.stdout.split()[-12:], float))
    np.testing.assert_allclose(kernels[1], kernels[0], atol=2e-5)
    assert np.abs(kernels[0] - 1).max() > 0.01


def test_batches_are_endless_seeded_and_paired():
    source, labels, target = data(10, 7)

    def first(seed):
        batches = layers.paired_batches(source, labels, target, batch_size=8, seed=seed)
        ((inputs, batch_labels),) = batches.take(1)
        return inputs["source"].numpy(), batch_labels.numpy(), inputs["target"].numpy()

    batch, again, different = first(0), first(0), first(1)
    np.testing.assert_array_equal(batch[0], again[0])
    assert not np.array_equal(batch[0], different[0]) and not np.array_equal(batch[2], different[2])
    for vector, label in zip(batch[0], batch[1], strict=True):
        assert label == labels[np.flatnonzero((source == vector).all(1))[0]]
    assert len(batch[2]) == 8
    assert sum(1 for _ in layers.paired_batches(source, labels, target).take(50)) == 50


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.alignment_model(encoder(), head(), distances.mmd, on="pixels"),
            "features, predictions, products",
        ),
        (
            lambda: layers.paired_batches(np.zeros((4, 3)), np.zeros(5), np.zeros((4, 3))),
            "5 source",
        ),
        (
            lambda: layers.paired_batches(np.zeros((4, 3)), np.zeros(4), np.zeros((4, 2))),
            "one size",
        ),
        (
            lambda: layers.paired_batches(np.zeros((4, 3)), np.zeros(4), np.zeros((0, 3))),
            "at least",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
