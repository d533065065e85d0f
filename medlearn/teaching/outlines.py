"""A segmenter on a frozen encoder in one call: lesson 12 teaches it, 20 and 21 adapt it."""

import functools

import numpy as np

from medlearn import _checks, networks, transfer
from medlearn._keras import keras
from medlearn.networks import losses
from medlearn.teaching import progress

BATCH = 4
RATE = 5e-3
CHANNELS = 12  # of the decoder, at full resolution


def train(
    encoder: keras.Model,
    images: np.ndarray,
    masks: np.ndarray,
    classes: int,
    *,
    steps: int = 180,
    seed: int = 0,
) -> keras.Model:
    """Return a U-Net on a frozen encoder that has learned these masks.

    The encoder looks at each image once; the decoder learns from its maps, as
    `networks.encoder_maps` gives them. The coarsest map is left out: images of 64 pixels do not
    need it. The loss is cross-entropy plus Dice, the learning rate of Adam falls to zero along a
    cosine. A second call for the same encoder, size and classes is quicker.

    Parameters
    ----------
    encoder : keras.Model
        As `backbones.load` gives it for images of this size. Its weights are not changed.
    images : numpy.ndarray, shape (N, H, W, 3)
        0 to 255.
    masks : numpy.ndarray, shape (N, H, W)
        A class index per pixel.
    classes : int
        Number of classes, the background included.
    steps : int
        Number of batches of four images, at least 1.
    seed : int
        Draws the weights and the order of the images.

    Returns
    -------
    keras.Model
        Images in, probabilities (N, H, W, classes) out. It shares nothing but the encoder with the
        models of other calls.

    Raises
    ------
    ValueError
        For images and masks that do not fit, as `networks.segmenter` and Keras say it.
    """
    images = _checks.images(images)
    _checks.whole_number("steps", steps, 1)
    size = images.shape[1:3]
    model = _segmenter(encoder, classes, size, seed)
    order = np.resize(np.random.default_rng(seed).permutation(len(images)), steps * BATCH)
    distinct, positions = np.unique(order, return_inverse=True)
    maps = networks.encoder_maps(model, images[distinct], dtype="float16")
    learner = _learner(encoder, classes, size)
    _begin_anew(learner, networks.decoder(model).get_weights())
    for step in progress.bar(range(steps), "training"):
        learner.optimizer.learning_rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
        rows = positions[step * BATCH : (step + 1) * BATCH]
        batch = [values[rows].astype("float32") for values in maps]
        learner.train_on_batch(batch, masks[distinct[rows]])
    networks.decoder(model).set_weights(learner.get_weights())
    return model


def _segmenter(encoder: keras.Model, classes: int, size, seed: int) -> keras.Model:
    layers = networks.skip_layers(encoder)[:-1]
    model = networks.segmenter(
        encoder, classes, layers=layers, size=size, channels=CHANNELS, seed=seed
    )
    transfer.freeze(model.get_layer(encoder.name))
    return model


@functools.lru_cache(maxsize=4)
def _learner(encoder: keras.Model, classes: int, size) -> keras.Model:
    """A decoder that is ready to learn: TensorFlow needs seconds to prepare its first step."""
    learner = networks.decoder(_segmenter(encoder, classes, size, 0))
    loss = losses.Combined(losses.cross_entropy, losses.dice)
    learner.compile(keras.optimizers.Adam(RATE), loss, jit_compile=False)
    learner.optimizer.build(learner.trainable_variables)
    return learner


def _begin_anew(learner: keras.Model, weights: list[np.ndarray]) -> None:
    """Set the weights, and forget what the optimizer has gathered."""
    learner.set_weights(weights)
    for variable in learner.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
