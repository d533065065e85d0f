"""Run by test_training.py in a process of its own: training on two logical CPU devices against training on one."""

import json
import sys
import tempfile

import numpy as np

from medlearn._keras import keras, tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

from medlearn import training  # noqa: E402
from medlearn.adaptation import layers  # noqa: E402

TWO, ONE = training.strategy(), tf.distribute.get_strategy()
IMAGES = (
    np.random.default_rng(0).normal(size=(45, 8, 8, 3)).astype("float32")
)  # batches of 16, 16, 13: 13 is shared unevenly
LABELS = np.random.default_rng(1).integers(0, 3, 45)


def network():
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False, kernel_regularizer="l2")(image)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization(synchronized=True)(x))
    model = keras.Model(image, keras.layers.Dense(3, "softmax")(x))
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def one_number(truth, guess):
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(truth, guess))


def linear_distance(source, target):
    """A distance whose mean over the replicas' shares is that of the batch, so that one and two devices must agree."""
    return keras.ops.mean(source) - keras.ops.mean(target)


def aligned():
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    encoder = keras.Model(image, keras.layers.Dense(5)(keras.layers.Flatten()(image)))
    model = layers.aligned(encoder, keras.layers.Dense(3, "softmax"), linear_distance, weight=2.0)
    model.compile("sgd", one_number)
    return model


def largest(ours, theirs):
    return max(
        float(np.abs(one.numpy().astype("float64") - two.numpy()).max())
        for one, two in zip(ours.weights, theirs.weights)
    )


def compare(build, data, validation=None):
    models, histories = [], []
    for strategy in (TWO, ONE):
        with strategy.scope():
            models.append(build())
        histories.append(training.fit(models[-1], data, 2, validation=validation))
    assert models[0].distribute_strategy.num_replicas_in_sync == 2
    return largest(*models), max(
        np.abs(np.subtract(histories[0][name], histories[1][name])).max() for name in histories[1]
    )


def small(optimizer=None, dropout=0.0, dtype="float32"):
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Dropout(dropout, seed=5)(keras.layers.Flatten()(image))
    model = keras.Model(
        image,
        keras.layers.Dense(3, "softmax", dtype="float32")(keras.layers.Dense(4, dtype=dtype)(x)),
    )
    model.compile(optimizer or keras.optimizers.Adam(0.01), one_number)
    return model


data = training.batches(IMAGES, LABELS, batch_size=16, seed=0)
weighted = lambda epoch: data(epoch).map(lambda x, y: (x, y, tf.cast(y, tf.float32)))
pairs = lambda epoch: layers.batches(IMAGES, LABELS, IMAGES + 1, batch_size=7, seed=epoch).take(3)
told = {
    "synchronized BatchNorm": compare(network, weighted, data(0)),
    "a loss that is one number": compare(aligned, pairs),
}

with TWO.scope():
    half = small(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)), dtype="mixed_float16"
    )
    whole, first, second = (small(dropout=0.3) for _ in range(3))
    clipped = small(keras.optimizers.SGD(0.01, clipnorm=1.0))

before, history = half.get_weights(), training.fit(half, data, 1)
moved = min(float(np.abs(now - was).max()) for now, was in zip(half.get_weights(), before))
told["float16"] = moved if np.isfinite(history["loss"]).all() else 0

odd = training.batches(
    IMAGES[:33], LABELS[:33], batch_size=16
)  # its last batch is one image, for two devices
with tempfile.TemporaryDirectory() as folder:
    training.fit(whole, odd, 2)
    training.fit(first, odd, 1, folder=folder)
    training.fit(second, odd, 2, folder=folder)
told["left out"], told["resumed"] = int(whole.optimizer.iterations.numpy()), largest(whole, second)

try:
    training.fit(clipped, data, 1)
except ValueError as error:
    told["clipping"] = str(error)

with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(told, file, default=float)
