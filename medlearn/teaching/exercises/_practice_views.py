"""The open task of lesson 06: a loss of two views, tried on a tiny encoder.

An "image" is four facts about a cell and four about its photograph, mixed. Two views share the
cell: one fact is read almost without noise, three with some. `is_sound` trains a linear encoder
with a learner's loss once; the other rules look at what came out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

IMAGES, FACTS, STEPS, RATE = 128, 4, 300, 0.04
NOISE = np.array([0.1, 0.3, 0.3, 0.3])  # of each fact, in one view
LEAST_SPREAD, LEAST_RANK, LEAST_AGREEMENT = 0.1, 3.0, 0.7
_trials: dict[int, "_Trial"] = {}  # of the last function that was tried


@dataclass(frozen=True)
class _Trial:
    """What a training with the loss led to."""

    is_number: bool = True
    spread: float = 1.0  # standard deviation over the images, mean over the dimensions
    rank: float = FACTS  # effective number of different dimensions
    agreement: float = 1.0  # correlation of the two views, mean over the dimensions


def is_sound(loss: Callable) -> bool | None:
    """Train with a loss; true if it led to good embeddings, None if it returns nothing yet."""
    _trials.clear()
    trial = _tried(loss)
    if trial is None:
        return None
    _trials[id(loss)] = trial
    rules = (gives_no_number, collapses, copies_one_fact, keeps_the_photograph)
    return not any(rule(loss) for rule in rules)


def gives_no_number(loss: Callable) -> bool:
    """Whether it returns something else than one number that depends on the embeddings."""
    return not _trials[id(loss)].is_number


def collapses(loss: Callable) -> bool:
    """Whether all images got nearly the same embedding."""
    return _trials[id(loss)].spread < LEAST_SPREAD


def copies_one_fact(loss: Callable) -> bool:
    """Whether dimensions repeat each other."""
    return _trials[id(loss)].rank < LEAST_RANK


def keeps_the_photograph(loss: Callable) -> bool:
    """Whether the two views of a cell got different embeddings."""
    return _trials[id(loss)].agreement < LEAST_AGREEMENT


# ---- the trial -----------------------------------------------------------------------------------


def _tried(loss: Callable) -> _Trial | None:
    from medlearn._keras import keras, tf  # late: only this exercise needs TensorFlow

    first, second = (tf.constant(view, tf.float32) for view in _views())
    draw = np.random.default_rng(1).normal(scale=0.3, size=(2 * FACTS, FACTS))
    kernel, bias = tf.Variable(draw.astype("float32")), tf.Variable(tf.zeros(FACTS))
    returned = loss(first @ kernel + bias, second @ kernel + bias)
    if returned is None or returned is ...:
        return None
    if np.shape(returned) != ():
        return _Trial(is_number=False)
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build([kernel, bias])

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            value = loss(first @ kernel + bias, second @ kernel + bias)
        gradients = tape.gradient(value, [kernel, bias])
        if gradients[0] is None:
            return False
        pairs = [pair for pair in zip(gradients, (kernel, bias)) if pair[0] is not None]
        optimizer.apply_gradients(pairs)
        return True

    if not step():
        return _Trial(is_number=False)
    for _ in range(STEPS):
        step()
    return _measured(*((view @ kernel + bias).numpy() for view in (first, second)))


def _views() -> list[np.ndarray]:
    """Two views of each image, (IMAGES, 2 * FACTS)."""
    random = np.random.default_rng(0)
    mixing = np.linalg.qr(random.normal(size=(2 * FACTS, 2 * FACTS)))[0]
    cells = random.normal(size=(IMAGES, FACTS))
    views = []
    for _ in range(2):
        read = cells + NOISE * random.normal(size=cells.shape)
        photograph = 2 * random.normal(size=cells.shape)
        views.append(np.hstack([read, photograph]) @ mixing)
    return views


def _measured(first: np.ndarray, second: np.ndarray) -> _Trial:
    spread = float(first.std(axis=0).mean())
    if not np.isfinite(spread) or spread < LEAST_SPREAD:
        return _Trial(spread=0.0)
    centred = [(view - view.mean(axis=0)) / (view.std(axis=0) + 1e-6) for view in (first, second)]
    shares = np.linalg.eigvalsh(np.cov(centred[0], rowvar=False)).clip(1e-9)
    shares /= shares.sum()
    rank = float(np.exp(-(shares * np.log(shares)).sum()))
    return _Trial(spread=spread, rank=rank, agreement=float((centred[0] * centred[1]).mean()))


# ---- examples of each fault ----------------------------------------------------------------------


def _over_the_wrong_axis(first, second):
    """The loss of the lesson's task: deviations within an image, not over the images."""
    from medlearn._keras import keras

    deviations = keras.ops.std(first, axis=1)
    shortfall = keras.ops.mean(keras.ops.relu(1 - deviations))
    return 25 * keras.ops.mean((first - second) ** 2) + 25 * shortfall


def _without_covariance(first, second):
    """Deviations over the images, and nothing that keeps dimensions different."""
    from medlearn.transfer import pretraining

    terms = pretraining.vicreg_loss(first, second)
    return 25 * terms.invariance + 25 * terms.variance


def _without_agreement(first, second):
    """Spread in all directions, for whatever reason."""
    from medlearn.transfer import pretraining

    terms = pretraining.vicreg_loss(first, second)
    return 25 * terms.variance + terms.covariance


def _of_each_image(first, second):
    """A number for each image, not one."""
    return ((first - second) ** 2)[:, 0]


FAULTS: dict[str, Callable] = {
    "axis": _over_the_wrong_axis,
    "copies": _without_covariance,
    "agreement": _without_agreement,
    "number": _of_each_image,
}
