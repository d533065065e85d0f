"""Networks of the recipes of transfer learning, each with its learning rate.

A network is compiled once for a number of classes and steps, and set back to its start for each
task.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from common import cells
from common.cells import BATCH, VIEWS
from medlearn import networks, transfer
from medlearn._keras import keras

PASSES = {  # over all eight views, by the number of labels per class
    "2": 5,
    "5": 5,
    "10": 5,
    "20": 5,
    "50": 3,
    "100": 3,
    "200": 3,
    "all": 3,
}
Build = Callable[[str], tuple[keras.Model, float]]


def large_head_model(data: str) -> tuple[keras.Model, float]:
    """Return two dense layers on vectors of block 14, and their learning rate."""
    model = keras.Sequential(
        [
            keras.Input((192,)),
            keras.layers.Dense(1024, "relu"),
            keras.layers.Dense(1024, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(cells.class_count(data), "softmax"),
        ]
    )
    return model, 1e-4


def scratch_model(data: str) -> tuple[keras.Model, float]:
    """Return a small convolutional network, and its learning rate."""
    model = keras.Sequential(
        [keras.Input((64, 64, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1)]
    )
    for channels in (16, 32, 64, 128):
        model.add(keras.layers.Conv2D(channels, 3, padding="same", use_bias=False))
        model.add(keras.layers.BatchNormalization(momentum=0.9))
        model.add(keras.layers.ReLU())
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dropout(0.2))
    model.add(keras.layers.Dense(cells.class_count(data), "softmax"))
    return model, 3e-3


def staged_model(data: str) -> tuple[keras.Model, float]:
    """Return a copy of the upper blocks under a head, held by L2-SP, and its learning rate."""
    copy = keras.models.clone_model(cells.upper())  # other rows start from cells.upper() itself
    copy.set_weights(cells.upper().get_weights())
    model = networks.classifier(copy, cells.class_count(data))
    transfer.l2_sp(model, alpha=0.01, beta=0.0)
    return transfer.unfreeze(model, from_="block_12"), 1e-3


def plain_model(data: str) -> tuple[keras.Model, float]:
    """Return a copy of the upper blocks under a random head, all of it free, and its rate."""
    copy = keras.models.clone_model(cells.upper())
    copy.set_weights(cells.upper().get_weights())
    return networks.classifier(copy, cells.class_count(data)), 1e-3


@lru_cache
def _compiled(build: Build, data: str, labels_per_class: str, images: int) -> tuple:
    """A compiled model, and its variables and its optimiser's with their first values."""
    model, rate = build(data)
    passes = PASSES[labels_per_class] * (3 if build is scratch_model else 1)
    cosine = keras.optimizers.schedules.CosineDecay(rate, passes * -(-images * VIEWS // BATCH))
    adam = keras.optimizers.Adam(cosine)
    if build is staged_model:
        adam = transfer.layerwise_optimizer(adam, model, decay=0.5)
    model.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
    adam.build(model.trainable_variables)
    return model, [(variable, variable.numpy()) for variable in (*model.weights, *adam.variables)]


def ready(build: Build, data: str, labels_per_class: str, images: int) -> keras.Model:
    """Return the compiled model at its start.

    Parameters
    ----------
    build : callable
        One of the functions above that return a model and its learning rate.
    data : str
        Name of the cells.
    labels_per_class : str
        A key of `PASSES`.
    images : int
        Number of training images.
    """
    model, start = _compiled(build, data, labels_per_class, images)
    for variable, value in start:
        variable.assign(value)
    return model


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a model's `predict` without its progress bar."""

    def predict(values):
        return model.predict(values, verbose=0)

    return predict


def size_of(model: keras.Model) -> int:
    """Return the number of trainable parameters."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
