"""The plain recipe of fine-tuning: small steps at a rate that was chosen, and early stopping."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import keras, tf
from medlearn.transfer import _boundary, _contracts, _inputs, _layerwise, _stages

_RATES = (1e-4, 1e-3)


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What `fine_tune` found.

    Attributes
    ----------
    model : keras.Model
        With the weights of the best epoch, which may be epoch 0, the start.
    rate : float
        The chosen learning rate.
    epoch : int
        The epoch whose weights the model has.
    losses : dict of float to list of float
        For each learning rate the validation log losses, that of the start first.
    """

    model: keras.Model
    rate: float
    epoch: int
    losses: dict[float, list[float]]


def fine_tune(
    new_model: Callable[[], keras.Model],
    training: tuple[ArrayLike, ArrayLike],
    validation: tuple[ArrayLike, ArrayLike],
    *,
    from_: str,
    rates: Sequence[float] = _RATES,
    epochs: int = 4,
    batch_size: int = 16,
    patience: int = 2,
    seed: int = 0,
) -> FineTuned:
    """Fine-tune a classifier once per learning rate, and keep the best epoch on validation images.

    The blocks from `from_` to the head learn, those near the image with smaller steps, while a
    cosine lowers the rate. Batch normalisation stands still. Training stops when the validation
    loss has had no new minimum for `patience` epochs. The start is a candidate as well: give it a
    head that was found first, such as a linear probe by `networks.set_head`. Where nothing before
    `from_` acts at random, the maps of the frozen part are computed once for all epochs and rates.

    Parameters
    ----------
    new_model : callable
        Returns a new classifier of images of 0 to 255, with the weights to start from. It is called
        once; each rate starts from these weights.
    training, validation : (array_like, array_like)
        Images (N, H, W, 3) and labels (N,), of patients who are in one of the two only.
    from_ : str
        The first block that learns, as in `unfreeze`.
    rates : sequence of float
        Learning rates to try.
    epochs : int
        At most so many for each rate.
    batch_size : int
        Images per step.
    patience : int
        Epochs without a new minimum after which training stops.
    seed : int
        Of the order of the images.

    Returns
    -------
    FineTuned
        The model, its rate and epoch, and all losses.

    Raises
    ------
    ValueError
        For images or labels that do not fit the model, and arguments out of range.
    AssertionError
        If what should have learned did not move, or what should stand still did.

    References
    ----------
    Howard & Ruder 2018 (arXiv:1801.06146), Kumar et al. 2022 (arXiv:2202.10054); lesson 04.
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("patience", patience)):
        _checks.whole_number(name, value, 1)
    if not len(rates) or not all(0 < rate < 1 for rate in rates):
        raise ValueError(f"rates are learning rates above 0 and below 1, not {rates!r}.")
    model = new_model()
    _inputs.check_preprocessing(np.asarray(training[0]), model)
    _inputs.check_labels(np.asarray(training[1]), model)
    _stages.unfreeze(model, from_=from_)
    learner, training, validation = _learner(model, from_, training, validation)
    run = _Run(
        model, learner, _batches(training, batch_size, seed), _batches(validation, batch_size)
    )
    losses: dict[float, list[float]] = {}
    best = run.at_start, float(rates[0]), 0
    weights = run.start
    for rate in rates:
        losses[rate] = run.train(rate, epochs, patience)
        epoch = int(np.argmin(losses[rate]))
        if losses[rate][epoch] < best[0]:
            best = losses[rate][epoch], rate, epoch
            weights = model.get_weights()
    model.set_weights(weights)
    return FineTuned(model, *best[1:], losses)


def _learner(model: keras.Model, from_: str, training, validation):
    """What is trained, and on what: the learning part on maps of the frozen part, if it can be."""
    parts = _boundary.divided(model, from_)
    count = len(training[0]) + len(validation[0])
    if parts is None or not _boundary.fits(parts[0], count):
        return model, training, validation
    lower, upper = parts
    pairs = [
        (_boundary.maps_of(lower, images), labels) for images, labels in (training, validation)
    ]
    return upper, *pairs


class _Run:
    """One compiled learner that is trained several times from one start, once per learning rate.

    The learner is the model, or the part of it that learns; they share their weights.
    """

    def __init__(self, model: keras.Model, learner: keras.Model, training, validation):
        self.model, self.learner = model, learner
        self.training, self.validation = training, validation
        log_loss = keras.metrics.SparseCategoricalCrossentropy(name="log_loss")
        optimizer = _layerwise.layerwise_optimizer(keras.optimizers.Adam(), learner)
        learner.compile(optimizer, "sparse_categorical_crossentropy", metrics=[log_loss])
        learner.optimizer.build(learner.trainable_variables)
        self.start = model.get_weights()
        self._memory = [variable.numpy() for variable in learner.optimizer.variables]
        self.at_start = learner.evaluate(validation, verbose=0)[1]

    def train(self, rate: float, epochs: int, patience: int) -> list[float]:
        """Train from the start; return the validation losses, that of the start first.

        Parameters
        ----------
        rate : float
            Highest learning rate.
        epochs : int
            At most so many.
        patience : int
            Epochs without a new minimum after which it stops.
        """
        model, learner = self.model, self.learner
        model.set_weights(self.start)
        for variable, value in zip(learner.optimizer.variables, self._memory, strict=True):
            variable.assign(value)
        before = _contracts.snapshot(model)
        stop = keras.callbacks.EarlyStopping(
            "val_log_loss", mode="min", patience=patience, restore_best_weights=True
        )
        callbacks = [_Cosine(rate, epochs * len(self.training)), stop]
        options = {"epochs": epochs, "callbacks": callbacks, "shuffle": False, "verbose": 0}
        history = learner.fit(self.training, validation_data=self.validation, **options)
        _contracts.assert_moved(model, before)
        _contracts.assert_bn_still(model, before)
        return [self.at_start, *history.history["val_log_loss"]]


class _Cosine(keras.callbacks.Callback):
    """Lowers the learning rate to zero along half a cosine, step by step."""

    def __init__(self, rate: float, steps: int):
        super().__init__()
        self._rates = iter(0.5 * rate * (1 + np.cos(np.pi * np.arange(steps) / steps)))

    def on_train_batch_begin(self, batch, logs=None):
        """Set the rate of this step.

        Parameters
        ----------
        batch : int
            Number of the step in its epoch.
        logs : dict, optional
            Not used.
        """
        self.model.optimizer.learning_rate = next(self._rates)


def _batches(pair: tuple[ArrayLike, ArrayLike], batch_size: int, seed: int | None = None):
    """Batches of images and labels; with a seed shuffled anew in each epoch."""
    data = tf.data.Dataset.from_tensor_slices(tuple(map(np.asarray, pair)))
    if seed is not None:
        data = data.shuffle(len(data), seed=seed)
    return data.batch(batch_size).prefetch(tf.data.AUTOTUNE)
