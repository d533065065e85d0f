"""A segmenter on a frozen encoder in one call: lesson 12 teaches it, 20 and 21 adapt it."""

import numpy as np

from medlearn import _checks, networks, transfer
from medlearn._keras import keras
from medlearn.networks import losses
from medlearn.teaching import progress

BATCH, RATE = 8, 5e-3


def train(
    encoder: keras.Model,
    images: np.ndarray,
    masks: np.ndarray,
    classes: int,
    *,
    steps: int = 150,
    seed: int = 0,
) -> keras.Model:
    """Return a U-Net on a frozen encoder that has learned these masks.

    The coarsest map of the encoder is left out: images of 64 pixels do not need it. The loss is
    cross-entropy plus Dice, the learning rate of Adam falls to zero along a cosine.

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
        Number of batches of eight images, at least 1.
    seed : int
        Draws the weights and the order of the images.

    Raises
    ------
    ValueError
        For images and masks that do not fit, as `networks.segmenter` and Keras say it.
    """
    images = _checks.images(images)
    layers = networks.skip_layers(encoder)[:-1]
    model = networks.segmenter(encoder, classes, layers=layers, size=images.shape[1:3], seed=seed)
    transfer.freeze(model.get_layer(encoder.name))
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    loss = losses.Combined(losses.cross_entropy, losses.dice)
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    order = np.resize(np.random.default_rng(seed).permutation(len(images)), steps * BATCH)
    with progress.bar(text="training", total=steps) as bar:
        tick = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        model.fit(
            images[order],
            masks[order],
            batch_size=BATCH,
            shuffle=False,
            verbose=0,
            callbacks=[tick],
        )
    return model
