"""Layers that adapt while plain `fit` trains: the gradient's sign and scale, the loss that is added, what is learned."""

import subprocess
import sys

import numpy as np
import pytest

from medlearn._keras import keras, tf
from medlearn.adaptation import distances, layers


def encoder(width=4, units=3, seed=1):
    vector = keras.Input((width,), name="vector")
    dense = keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed))
    return keras.Model(vector, dense(vector), name="encoder")


def head(classes=2, seed=2):
    return keras.layers.Dense(
        classes, "softmax", kernel_initializer=keras.initializers.GlorotUniform(seed)
    )


def data(n=64, m=48, width=4, shift=3.0):
    random, labels = np.random.default_rng(0), np.arange(n) % 2
    source = random.normal(size=(n, width)).astype(np.float32)
    source[:, 0] += 4 * labels
    target = random.normal(size=(m, width)).astype(np.float32)
    target[:, 0] += 4 * (np.arange(m) % 2)
    target[:, 1] += shift
    return source, labels, target


# ---- GradientReversal ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 2.5])
def test_the_value_passes_and_the_gradient_turns_round(weight):
    inputs = tf.constant([[1.0, -2.0]])
    reverse = layers.GradientReversal(weight)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = reverse(inputs)
        loss = tf.reduce_sum(outputs * [[3.0, 5.0]])
    np.testing.assert_allclose(outputs, inputs)
    np.testing.assert_allclose(
        tape.gradient(loss, inputs), [[-3 * weight, -5 * weight]], rtol=1e-5, atol=1e-6
    )


def test_the_weight_grows_along_the_ramp():
    critic = layers.DomainDiscriminator(weight=2.0)
    critic.build((None, 3))
    ramp, seen = layers.reversal_schedule(critic, epochs=5), []
    for epoch in range(5):
        ramp.on_epoch_begin(epoch)
        seen.append(float(critic.reverse.strength))
    assert seen[0] == 0 and seen == sorted(seen) and seen[-1] == pytest.approx(2.0, abs=1e-3)


# ---- Align and Critic --------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [distances.coral_distance, distances.mmd])
def test_align_adds_weight_times_distance_and_passes_through(distance):
    source, _, target = data()
    layer = layers.AlignmentLoss(distance, 0.5)
    passed = layer([source, target, source])
    np.testing.assert_array_equal(passed[0], source)
    np.testing.assert_array_equal(passed[1], target)
    assert len(passed) == 3
    np.testing.assert_allclose(
        float(layer.losses[0]), 0.5 * float(distance(source, target)), rtol=1e-5
    )


def test_a_fresh_critic_that_cannot_know_pays_log_2():
    same = np.zeros((8, 4), np.float32)
    assert float(layers.DomainDiscriminator()(same, same)) == pytest.approx(np.log(2), abs=1e-6)


def test_the_critic_learns_and_the_encoder_is_pushed_the_other_way():
    source, _, target = data()
    model, critic = encoder(), layers.DomainDiscriminator(weight=1.0, units=8)
    critic(model(source), model(target))
    with tf.GradientTape() as tape:
        loss = critic(model(source), model(target))
    guess, kernel = critic.guess.trainable_variables[0], model.trainable_variables[0]
    for_critic, for_encoder = tape.gradient(loss, [guess, kernel])
    guess.assign_sub(1e-2 * for_critic)
    assert float(critic(model(source), model(target))) < float(
        loss
    )  # down the critic's own gradient
    guess.assign_add(1e-2 * for_critic)
    kernel.assign_sub(1e-2 * for_encoder)
    assert float(critic(model(source), model(target))) > float(
        loss
    )  # the encoder's step made it worse


def test_units_and_seed_of_the_critic_matter():
    source, _, target = data()
    values = [
        float(layers.DomainDiscriminator(units=units, seed=seed)(source, target))
        for units, seed in ((8, 0), (8, 0), (16, 0), (8, 1))
    ]
    assert values[0] == values[1] and len(set(values)) == 3


@pytest.mark.parametrize(
    "distance", [distances.mmd, layers.DomainDiscriminator(0.7, units=5, seed=3)], ids=["function", "layer"]
)
def test_a_saved_model_is_the_same_model(distance, tmp_path):
    source, _, target = data()
    model = layers.alignment_model(encoder(), head(), distance, 0.25)
    model({"source": source, "target": target})
    model.save(tmp_path / "aligned.keras")
    again = keras.models.load_model(tmp_path / "aligned.keras")
    given = {"source": source, "target": target}
    np.testing.assert_allclose(again(given), model(given), rtol=1e-6)
    np.testing.assert_allclose(float(again.losses[0]), float(model.losses[0]), rtol=1e-6)


# ---- the network of two inputs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "on"),
    [
        (distances.coral_distance, "features"),
        (distances.mmd, "features"),
        (distances.class_confusion, "predictions"),
        (layers.DomainDiscriminator(), "features"),
        (layers.DomainDiscriminator(), "products"),
    ],
    ids=["coral", "mmd", "mcc", "dann", "cdan"],
)
def test_plain_fit_trains_encoder_and_head_which_the_classifier_shares(distance, on):
    source, labels, target = data()
    body, top = encoder(), head()
    model = layers.alignment_model(body, top, distance, 1.0, on=on)
    classifier = keras.Model(body.input, top(body.output))
    before = classifier.get_weights()
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(
        layers.paired_batches(source, labels, target, batch_size=16),
        steps_per_epoch=8,
        epochs=8,
        verbose=0,
    )
    assert all(not np.array_equal(old, new) for old, new in zip(before, classifier.get_weights()))
    assert (classifier.predict(source, verbose=0).argmax(1) == labels).mean() > 0.9
    np.testing.assert_allclose(
        model({"source": source, "target": target}), classifier(source), rtol=1e-5, atol=1e-6
    )


def test_aligning_brings_the_domains_together_and_weight_0_does_not():
    source, labels, target = data()
    left = {}
    for weight in (0.0, 5.0):
        body = encoder()
        model = layers.alignment_model(body, head(), distances.mmd, weight)
        model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
        model.fit(layers.paired_batches(source, labels, target), steps_per_epoch=10, epochs=15, verbose=0)
        left[weight] = float(
            distances.mmd(body.predict(source, verbose=0), body.predict(target, verbose=0))
        )
    assert left[5.0] < left[0.0] / 4


ONE_STEP = """
import sys
import numpy as np
from medlearn._keras import keras, tf
devices = int(sys.argv[1])
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * devices)
from medlearn.adaptation import layers
strategy = tf.distribute.MirroredStrategy([f"CPU:{n}" for n in range(devices)]) if devices > 1 else tf.distribute.get_strategy()
with strategy.scope():
    vector = keras.Input((4,))
    body = keras.Model(vector, keras.layers.Dense(3, kernel_initializer="ones")(vector))
    apart = lambda source, target: keras.ops.mean(keras.ops.square(source - target))      # a mean over rows: halves average to the whole
    model = layers.alignment_model(body, keras.layers.Dense(2, "softmax", kernel_initializer="ones"), apart, 0.5)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
random = np.random.default_rng(0)
pair = {"source": random.normal(size=(16, 4)).astype("float32"), "target": random.normal(size=(16, 4)).astype("float32")}
model.fit(pair, np.arange(16) % 2, batch_size=16, shuffle=False, verbose=0)
print(" ".join(f"{value:.5f}" for value in body.get_weights()[0].ravel()))
"""


def test_a_step_on_two_replicas_is_the_step_on_one():
    kernels = [
        subprocess.run(
            [sys.executable, "-c", ONE_STEP, str(devices)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        for devices in (1, 2)
    ]
    one, two = (np.array(done.stdout.split()[-12:], float) for done in kernels)
    np.testing.assert_allclose(two, one, atol=2e-5)
    assert np.abs(one - 1).max() > 0.01


def test_batches_are_endless_seeded_and_paired():
    source, labels, target = data(10, 7)

    def first(seed):
        ((pair, told),) = layers.paired_batches(source, labels, target, batch_size=8, seed=seed).take(1)
        return pair["source"].numpy(), told.numpy(), pair["target"].numpy()

    one, again, other = first(0), first(0), first(1)
    np.testing.assert_array_equal(one[0], again[0])
    assert not np.array_equal(one[0], other[0]) and not np.array_equal(one[2], other[2])
    for vector, label in zip(*one[:2]):
        assert label == labels[np.flatnonzero((source == vector).all(1))[0]]
    assert (
        len(one[2]) == 8
        and sum(1 for _ in layers.paired_batches(source, labels, target, batch_size=4).take(50)) == 50
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.AlignmentLoss(distances.mmd, -1), "weight=-1"),
        (
            lambda: layers.alignment_model(encoder(), head(), distances.mmd, on="pixels"),
            "features, predictions, products",
        ),
        (
            lambda: layers.paired_batches(np.zeros((4, 3)), np.zeros(5), np.zeros((4, 3))),
            "4 images, 5 labels",
        ),
        (
            lambda: layers.paired_batches(np.zeros((4, 3)), np.zeros(4), np.zeros((4, 2))),
            "all of one size",
        ),
        (
            lambda: layers.paired_batches(np.zeros((4, 3)), np.zeros(4), np.zeros((0, 3))),
            "at least one image",
        ),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
