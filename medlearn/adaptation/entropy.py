"""Test-time adaptation by entropy (TENT): scale and offset of BatchNorm learn."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import copied, keras, leaves, tf
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
        How often all images are seen, at least 1.
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
        For a model without BatchNormalization, images that do not fit it, and options out of range.

    References
    ----------
    Wang et al. 2021 (arXiv:2006.10726), eq. 1. There the statistics are those of each batch; here
    they are those of all images.
    """
    images = np.asarray(images)
    _checks.whole_number("epochs", epochs, 1)
    _check_learning_rate(learning_rate)
    adapted = statistics.reestimate_batchnorm(model, images, batch_size)
    _let_batchnorm_learn(adapted)
    inputs = keras.Input(images.shape[1:])
    learner = keras.Model(inputs, _EntropyLoss(adapted)(inputs))
    learner.compile(keras.optimizers.Adam(learning_rate), jit_compile=False)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        shuffled = images[random.permutation(len(images))]
        learner.fit(shuffled, batch_size=batch_size, shuffle=False, verbose=0)
    return adapted


def tent_stream(
    model: keras.Model,
    inputs: ArrayLike,
    *,
    batch_size: int = 10,
    learning_rate: float = 1e-3,
    batch_statistics: bool = True,
    max_entropy: float | None = None,
    reset_below: float | None = None,
) -> np.ndarray:
    """Predict images in the order of their arrival; TENT learns from each batch as it passes.

    Each batch is predicted first; then one step of Adam on scale and offset of the
    BatchNormalization layers lowers the entropy of these predictions, for the batches to come.
    With `batch_statistics` each batch is normalised by its own mean and deviation, as published.
    Such a stream collapses where all images of a batch are of one class, for then the class is
    what the statistics remove. Three safeguards: keep the statistics of the model; do not learn
    from images with uncertain predictions (`max_entropy`); and return to the given model when the
    predictions become too certain (`reset_below`).

    Parameters
    ----------
    model : keras.Model
        From images or features to class probabilities. It stays as it is.
    inputs : array_like, shape (N, ...)
        Images or features of the target as the model takes them, in the order of their arrival,
        without labels.
    batch_size : int
        How many arrive at a time, such as the cells of one patient.
    learning_rate : float
        Of Adam, above 0.
    batch_statistics : bool
        Whether each batch is normalised by its own statistics, or by those in the model.
    max_entropy : float, optional
        Images with a higher entropy do not count in the loss; from 0 to 1, as a share of the
        entropy of equal probabilities. By default all count.
    reset_below : float, optional
        If the running mean of the entropy (weight of a new batch: 0.1) falls below this share of
        the entropy of equal probabilities, scale and offset become those of `model` again.

    Returns
    -------
    numpy.ndarray, shape (N, classes)
        Probabilities, each predicted before the model had learned from its own batch.

    Raises
    ------
    ValueError
        For a model without BatchNormalization, no inputs, and options out of range.

    References
    ----------
    Wang et al. 2021 (arXiv:2006.10726). Leaving out uncertain images: Niu et al. 2022, EATA
    (arXiv:2204.02610); the reset: Niu et al. 2023, SAR (arXiv:2302.12400).
    """
    inputs = _checks.one_array(inputs, "inputs")
    _checks.whole_number("batch_size", batch_size, 1)
    _check_stream(model, max_entropy, reset_below)
    _check_learning_rate(learning_rate)
    adapted = statistics.with_batch_statistics(model) if batch_statistics else copied(model)
    _let_batchnorm_learn(adapted)
    at_first = [variable.numpy() for variable in adapted.trainable_variables]
    equal = np.log(model.output_shape[-1])  # the entropy of equal probabilities
    step = _stream_step(adapted, learning_rate, equal * (1 if max_entropy is None else max_entropy))
    probabilities, running = [], None
    for start in range(0, len(inputs), batch_size):
        predicted, entropy = step(tf.constant(inputs[start : start + batch_size], tf.float32))
        probabilities.append(predicted.numpy())
        share = float(entropy) / equal
        running = share if running is None else 0.9 * running + 0.1 * share
        if reset_below is not None and running < reset_below:
            for variable, value in zip(adapted.trainable_variables, at_first, strict=True):
                variable.assign(value)
            running = None
    return np.concatenate(probabilities)


def _check_learning_rate(learning_rate: float) -> None:
    if not learning_rate > 0:
        raise ValueError(f"learning_rate={learning_rate!r} should be above 0; try 0.001.")


def _check_stream(model: keras.Model, max_entropy: float | None, reset_below: float | None) -> None:
    statistics.demand_batchnorm(model)
    for name, value in {"max_entropy": max_entropy, "reset_below": reset_below}.items():
        if value is not None and not 0 < value <= 1:
            raise ValueError(f"{name}={value!r} should lie between 0 and 1; try 0.4.")


def _stream_step(adapted: keras.Model, learning_rate: float, limit: float):
    """A function that predicts a batch, and then does a step; it returns both results."""
    variables = adapted.trainable_variables
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def step(batch):
        with tf.GradientTape() as tape:
            probabilities = adapted(batch, training=False)
            entropies = _entropies(probabilities)
            counts = tf.cast(entropies <= limit, tf.float32)
            loss = tf.reduce_sum(counts * entropies) / tf.maximum(tf.reduce_sum(counts), 1)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return probabilities, tf.reduce_mean(entropies)

    return step


def _let_batchnorm_learn(model: keras.Model) -> None:
    """Scale and offset of BatchNormalization learn, and nothing else."""
    model.trainable = True
    for layer in leaves(model):
        layer.trainable = isinstance(layer, keras.layers.BatchNormalization)


def mean_entropy(probabilities: "tf.Tensor") -> "tf.Tensor":
    """Return the mean entropy, in nats, of class probabilities (..., classes); a scalar tensor."""
    return keras.ops.mean(_entropies(probabilities))


def _entropies(probabilities: "tf.Tensor") -> "tf.Tensor":
    """The entropy (...) of each prediction (..., classes), in nats."""
    return -keras.ops.sum(probabilities * keras.ops.log(probabilities + 1e-7), axis=-1)


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
