"""Test-time adaptation by entropy (TENT): scale and offset of BatchNorm learn."""

import numpy as np

from medlearn._keras import keras, leaves, tf
from medlearn.adaptation import statistics


def tent(
    model: keras.Model,
    images: np.ndarray,
    *,
    epochs: int = 1,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    seed: int = 0,
) -> keras.Model:
    """Return a copy of a model, adapted to target images by entropy minimisation (TENT).

    The statistics of BatchNormalization are re-estimated on the target images and then stay. Only
    scale and offset (gamma and beta) of these layers learn, with Adam, until the predictions of the
    target have less entropy. Entropy falls whether predictions are right or wrong: many epochs end
    in one class for all images.

    Parameters
    ----------
    model : keras.Model
        From images to class probabilities, per image or per pixel. It stays as it is.
    images : numpy.ndarray, shape (N, H, W, 3)
        Target images, 0 to 255, without labels.
    epochs : int
        How often all images are seen.
    learning_rate : float
        Of Adam, above 0.
    batch_size : int
        Images per step.
    seed : int
        Shuffles the images.

    Returns
    -------
    keras.Model
        The adapted copy.

    Raises
    ------
    ValueError
        For a model without BatchNormalization, or images that do not fit it.

    References
    ----------
    Wang et al. 2021 (arXiv:2006.10726), eq. 1. There the statistics are those of each batch; here
    they are those of all images.
    """
    images = np.asarray(images)
    adapted = statistics.reestimate_batchnorm(model, images, batch_size)
    adapted.trainable = True
    for layer in leaves(adapted):
        layer.trainable = isinstance(layer, keras.layers.BatchNormalization)
    inputs = keras.Input(images.shape[1:])
    learner = keras.Model(inputs, _EntropyLoss(adapted)(inputs))
    learner.compile(keras.optimizers.Adam(learning_rate), jit_compile=False)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        shuffled = images[random.permutation(len(images))]
        learner.fit(shuffled, batch_size=batch_size, shuffle=False, verbose=0)
    return adapted


def mean_entropy(probabilities: "tf.Tensor") -> "tf.Tensor":
    """Return the mean entropy, in nats, of class probabilities (..., classes); a scalar tensor."""
    log_probabilities = keras.ops.log(probabilities + 1e-7)
    return -keras.ops.mean(keras.ops.sum(probabilities * log_probabilities, axis=-1))


class _EntropyLoss(keras.layers.Layer):
    """The model as it predicts, with the mean entropy of its predictions as the loss."""

    def __init__(self, model: keras.Model):
        super().__init__()
        self.model = model

    def call(self, images):
        # training=False must be set inside a layer: of a Functional model, `fit` overrides it.
        probabilities = self.model(images, training=False)
        self.add_loss(mean_entropy(probabilities))
        return probabilities
