"""Adaptation by certainty: the affine parameters of BatchNorm move until the model is surer of the images at hand."""

import numpy as np

from medlearn._keras import keras
from medlearn.adaptation import statistics


def tent(
    model: keras.Model,
    images: np.ndarray,
    *,
    epochs: int = 1,
    rate: float = 1e-3,
    batch_size: int = 32,
    seed: int = 0,
) -> keras.Model:
    """TENT: a copy of `model` whose BatchNorm has the statistics of `images`, and the scale and offset of least entropy.

    model: images (N, H, W, channels) to probabilities, of an image or of each pixel. images: of the target, without
    labels. Nothing but gamma and beta of the BatchNormalization layers learns, with Adam at `rate`; the statistics are
    re-estimated first and then stay. Entropy falls whether the answers are right or wrong: many epochs end in one class.
    `seed` shuffles the images. Raises ValueError as `statistics.reestimate_batchnorm`.
    Source: Wang et al. 2021 (arXiv:2006.10726), eq. 1; its statistics are those of each batch, here of all images.
    """
    images = np.asarray(images)
    adapted = statistics.reestimate_batchnorm(model, images, batch_size)
    _let_affine_parameters_learn(adapted)
    image = keras.Input(images.shape[1:])
    learner = keras.Model(image, _Certain(adapted)(image))
    learner.compile(keras.optimizers.Adam(rate), jit_compile=False)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        learner.fit(
            images[random.permutation(len(images))], batch_size=batch_size, shuffle=False, verbose=0
        )
    return adapted


def mean_entropy(probabilities):
    """Mean entropy, in nats, of probabilities (..., classes); a scalar."""
    return -keras.ops.mean(
        keras.ops.sum(probabilities * keras.ops.log(probabilities + 1e-7), axis=-1)
    )


class _Certain(keras.layers.Layer):
    """The model as it predicts, with the mean entropy of its answers as the loss."""

    def __init__(self, model: keras.Model):
        super().__init__()
        self.model = model

    def call(self, images):
        # Said here, inside a layer: as an argument of a Functional model, `fit` would override it.
        told = self.model(images, training=False)
        self.add_loss(mean_entropy(told))
        return told


def _let_affine_parameters_learn(model: keras.Model) -> None:
    model.trainable = True
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _let_affine_parameters_learn(layer)
        else:
            layer.trainable = isinstance(layer, keras.layers.BatchNormalization)
