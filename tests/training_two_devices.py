"""Run by test_training.py in a new process: training on two logical CPU devices and on one."""

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
# batches of 16, 16 and 13, which two devices share unevenly
IMAGES = np.random.default_rng(0).normal(size=(45, 8, 8, 3)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, 45)
DATA = training.batches(IMAGES, LABELS, batch_size=16, seed=0)


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


def mean_crossentropy(labels, predictions):
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, predictions))


def linear_distance(source, target):
    """Its mean over the replicas is that of the batch, so one and two devices must agree."""
    return keras.ops.mean(source) - keras.ops.mean(target)


def aligned():
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    encoder = keras.Model(image, keras.layers.Dense(5)(keras.layers.Flatten()(image)))
    head = keras.layers.Dense(3, "softmax")
    model = layers.alignment_model(encoder, head, linear_distance, weight=2.0)
    model.compile("sgd", mean_crossentropy)
    return model


def small(optimizer=None, dropout=0.0, dtype="float32"):
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Dropout(dropout, seed=5)(keras.layers.Flatten()(image))
    x = keras.layers.Dense(4, dtype=dtype)(x)
    model = keras.Model(image, keras.layers.Dense(3, "softmax", dtype="float32")(x))
    model.compile(optimizer or keras.optimizers.Adam(0.01), mean_crossentropy)
    return model


def largest_difference(weights, reference):
    return max(float(np.abs(a - b).max()) for a, b in zip(weights, reference, strict=True))


def compare(build, data, validation=None):
    """The largest difference of weights and of history between two devices and one."""
    models, histories = [], []
    for strategy in (TWO, ONE):
        with strategy.scope():
            models.append(build())
        histories.append(training.fit(models[-1], data, 2, validation=validation))
    assert models[0].distribute_strategy.num_replicas_in_sync == 2
    weights = largest_difference(*(model.get_weights() for model in models))
    on_two, on_one = histories
    return weights, max(np.abs(np.subtract(on_two[name], on_one[name])).max() for name in on_one)


def weighted(epoch):
    return DATA(epoch).map(lambda x, y: (x, y, tf.cast(y, tf.float32)))


def pairs(epoch):
    return layers.paired_batches(IMAGES, LABELS, IMAGES + 1, batch_size=7, seed=epoch).take(3)


results = {
    "synchronized BatchNorm": compare(network, weighted, DATA(0)),
    "a loss that is one number": compare(aligned, pairs),
}

with TWO.scope():
    scaled_sgd = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05))
    half = small(scaled_sgd, dtype="mixed_float16")
    whole, first, second = (small(dropout=0.3) for _ in range(3))
    clipped = small(keras.optimizers.SGD(0.01, clipnorm=1.0))

before, history = half.get_weights(), training.fit(half, DATA, 1)
changes = [np.abs(new - old).max() for new, old in zip(half.get_weights(), before)]
results["float16"] = min(changes) if np.isfinite(history["loss"]).all() else 0

# the last batch holds one image, which two devices cannot share
odd = training.batches(IMAGES[:33], LABELS[:33], batch_size=16)
with tempfile.TemporaryDirectory() as folder:
    training.fit(whole, odd, 2)
    training.fit(first, odd, 1, folder=folder)
    training.fit(second, odd, 2, folder=folder)
results["steps"] = int(whole.optimizer.iterations.numpy())
results["resumed"] = largest_difference(whole.get_weights(), second.get_weights())

try:
    training.fit(clipped, DATA, 1)
except ValueError as error:
    results["clipping"] = str(error)

with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(results, file, default=float)
