"""Pretraining without labels: the last blocks of an encoder learn from pairs of views (VICReg).

    maps = pretraining.view_maps(encoder, images, augment, from_="block_11")
    pretrained, history = pretraining.pretrain(encoder, maps, from_="block_11")

A view is an image after random changes that leave its meaning alone. Two views of one image should
get the same vector. The blocks before `from_` stay frozen, so their maps are computed once.
"""

from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _folding, _keras, _progress
from medlearn._keras import keras, tf
from medlearn.transfer import _stages

_EPSILON = 1e-4  # inside the square root of the variance, sec. 4.1 of the paper
_WARM_UP = 0.1  # share of the steps in which the learning rate rises
_WEIGHT_DECAY = 1e-4

# encoder -> {(from_, width, shapes of the weights): what trains them}; its first step takes seconds
_LEARNERS: WeakKeyDictionary = WeakKeyDictionary()


class Terms(NamedTuple):
    """The three terms of VICReg, before they are weighted: numbers of at least 0."""

    invariance: "tf.Tensor"
    variance: "tf.Tensor"
    covariance: "tf.Tensor"


def vicreg_loss(first: ArrayLike, second: ArrayLike) -> Terms:
    """Return the three terms of VICReg for two views of the same images.

    Parameters
    ----------
    first, second : array_like, shape (n, D)
        Floating-point embeddings of the first and of the second view of n images, at least 2.

    Returns
    -------
    Terms
        ``invariance``: mean squared difference of the two embeddings of an image, over images and
        dimensions (the paper's code takes this mean; its eq. 5 sums over the dimensions).
        ``variance``: by how much the standard deviation of a dimension over the images falls short
        of 1, mean over the dimensions, sum over the views. ``covariance``: squared covariances of
        different dimensions, sum divided by D, sum over the views.

    Raises
    ------
    ValueError
        For embeddings of different shapes, another number of axes, or fewer than 2 images.

    References
    ----------
    Bardes, Ponce, LeCun 2022 (arXiv:2105.04906), eq. 1 to 6.

    Examples
    --------
    >>> collapsed = np.ones((4, 3))
    >>> terms = vicreg_loss(collapsed, collapsed)
    >>> [round(float(term), 2) for term in terms]
    [0.0, 1.98, 0.0]
    """
    ops = keras.ops
    one, other = ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    if len(one.shape) != 2 or one.shape != other.shape or one.shape[0] == 1:
        raise ValueError(
            f"Embeddings {tuple(one.shape)} and {tuple(other.shape)}: expected are two arrays "
            "(n, D) of the same n images, at least 2."
        )
    pairs = [_variance_and_covariance(embeddings) for embeddings in (one, other)]
    return Terms(
        ops.mean(ops.square(one - other)), pairs[0][0] + pairs[1][0], pairs[0][1] + pairs[1][1]
    )


def _variance_and_covariance(embeddings) -> tuple:
    """Eq. 1 and 2, and eq. 3 and 4, of one view."""
    ops = keras.ops
    centred = embeddings - ops.mean(embeddings, axis=0)
    degrees_of_freedom = ops.cast(ops.shape(embeddings)[0] - 1, embeddings.dtype)
    covariances = ops.matmul(ops.transpose(centred), centred) / degrees_of_freedom
    variances = ops.diagonal(covariances)
    shortfall = ops.mean(ops.relu(1 - ops.sqrt(variances + _EPSILON)))
    between = ops.sum(ops.square(covariances)) - ops.sum(ops.square(variances))
    return shortfall, between / embeddings.shape[1]


def view_maps(
    encoder: keras.Model,
    images: ArrayLike,
    augment: Callable[[np.ndarray, int], np.ndarray],
    *,
    from_: str = "block_11",
    views: int = 4,
    batch_size: int = 32,
    seed: int = 0,
) -> np.ndarray:
    """Return what the blocks that will learn see: maps of several views of each image.

    Parameters
    ----------
    encoder : keras.Model
        A functional model of images, such as `networks.copy_up_to` returns.
    images : array_like, shape (N, H, W, 3)
        uint8 or float, 0 to 255, without labels.
    augment : callable
        From images and a seed to one changed view of each, of the same shape.
    from_ : str
        The first block that will learn, as in `unfreeze`.
    views : int
        Views of each image, at least 2. More views cost time here, not in training.
    batch_size : int
        Images that are computed together.
    seed : int
        View number v is drawn with the seed ``seed + v``.

    Returns
    -------
    numpy.ndarray, float16, shape (views, N, h, w, channels)

    Raises
    ------
    ValueError
        For images that do not fit the encoder, views of another shape, an unknown block, and fewer
        than two views.
    """
    images = _checks.images(images, model=encoder)
    _checks.whole_number("views", views, 2)
    start = _start(encoder, from_)
    compute = _folding.compiled_maps(keras.Model(encoder.input, start))
    maps = []
    with _progress.bar(text="views", total=views * len(images), unit=" images") as bar:
        for view in range(views):
            changed = _checks.images(augment(images, seed + view), model=encoder, name="views")
            if len(changed) != len(images):
                raise ValueError(
                    f"augment returned {len(changed)} views of {len(images)} images: one view of "
                    "each image is needed, in the same order."
                )
            batches = np.split(changed, range(batch_size, len(changed), batch_size))
            for batch in batches:
                maps.append(compute(batch).astype(np.float16))
                bar.update(len(batch))
    joined = np.concatenate(maps)
    return joined.reshape(views, len(images), *joined.shape[1:])


def pretrain(
    encoder: keras.Model,
    maps: np.ndarray,
    *,
    from_: str = "block_11",
    epochs: int = 5,
    batch_size: int = 64,
    learning_rate: float = 3e-4,
    weights: tuple[float, float, float] = (25.0, 25.0, 1.0),
    width: int = 256,
    seed: int = 0,
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Return a copy of an encoder whose last blocks learned from pairs of views, without labels.

    The encoder's output is averaged over the map; a projector of two dense layers turns it into the
    embedding that the loss sees, and is thrown away at the end. BatchNorm of the encoder stays as
    it is. The optimizer is AdamW, its rate rises for a tenth of the steps and then falls to zero.

    Parameters
    ----------
    encoder : keras.Model
        The model that made the maps. It stays as it is.
    maps : numpy.ndarray, shape (views, N, h, w, channels)
        What `view_maps` returned, with the same `from_`.
    from_ : str
        The first block that learns.
    epochs : int
        In an epoch each image is seen once, in two of its views. 0 trains nothing.
    batch_size : int
        Images in a step, 2 to N. Images that do not fill a batch are left out of the epoch.
    learning_rate : float
        The highest rate, above 0.
    weights : tuple of three floats
        Of invariance, variance and covariance, at least 0. Without the variance the embeddings
        collapse.
    width : int
        Units of the projector's layers.
    seed : int
        Draws the projector, the batches and the pairs of views.

    Returns
    -------
    model : keras.Model
        The trained copy, from images to maps, as the encoder is.
    history : dict of str to list of float
        For each epoch the means over its steps: ``"loss"`` (weighted sum), ``"invariance"``,
        ``"variance"``, ``"covariance"`` (not weighted), and ``"spread"``: the standard deviation of
        an embedding's dimension over the batch, mean over the dimensions. A spread near 0 is a
        collapse.

    Raises
    ------
    ValueError
        For maps that do not fit the encoder, an unknown block, and options out of range.

    References
    ----------
    Bardes, Ponce, LeCun 2022 (arXiv:2105.04906); there the whole encoder learns, with a projector
    of three layers.
    """
    view_count, image_count = _checked_shape(maps, encoder, from_)
    _check_options(epochs, batch_size, image_count, learning_rate, weights)
    learner = _learner(encoder, from_, width)
    learner.restart(_blocks(encoder, from_).get_weights(), seed)
    rates = _rates(learning_rate, epochs * (image_count // batch_size))
    random = np.random.default_rng(seed)
    names = ("loss", *Terms._fields, "spread")
    history: dict[str, list[float]] = {name: [] for name in names}
    for epoch in _progress.bar(range(epochs), "epochs"):
        steps: list[np.ndarray] = []
        for rows in _batches(random, image_count, batch_size):
            views = _two_views(random, view_count, batch_size)
            rate = rates(epoch * (image_count // batch_size) + len(steps))
            pair = (tf.constant(maps[view, rows]) for view in views)
            steps.append(learner.step(*pair, rate, tf.constant(weights, tf.float32)).numpy())
        for name, value in zip(names, np.mean(steps, axis=0)):
            history[name].append(float(value))
    copy = _stages.freeze(_keras.copied(encoder))
    _blocks(copy, from_).set_weights(learner.blocks.get_weights())
    return copy, history


def _blocks(encoder: keras.Model, from_: str) -> keras.Model:
    """The part of an encoder that learns; it shares the encoder's weights."""
    return keras.Model(_start(encoder, from_), encoder.output, name=encoder.name)


def _learner(encoder: keras.Model, from_: str, width: int) -> "_Learner":
    learners = _LEARNERS.setdefault(encoder, {})
    blocks = _blocks(encoder, from_)
    key = from_, width, tuple(tuple(weight.shape) for weight in blocks.weights)
    if key not in learners:
        learners[key] = _Learner(_keras.copied(blocks), from_, width)
    return learners[key]


class _Learner:
    """A copy of the blocks that learn, with the projector behind them; each training restarts it.

    Attributes
    ----------
    blocks : keras.Model
        The copy.
    step : callable
        From two batches of maps, a learning rate and the three weights to the loss, its terms and
        the spread.
    """

    def __init__(self, blocks: keras.Model, from_: str, width: int):
        self.blocks, self._width = _stages.unfreeze(blocks, from_), width
        self._projector = _projector(blocks.output.shape[-1], width, seed=0)
        self._variables = blocks.trainable_variables + self._projector.trainable_variables
        self._optimizer = keras.optimizers.AdamW(1e-3, weight_decay=_WEIGHT_DECAY)
        self._optimizer.build(self._variables)
        self._memory = [variable.numpy() for variable in self._optimizer.variables]
        self.step = tf.function(self._step, autograph=False)

    def restart(self, weights: list[np.ndarray], seed: int) -> None:
        """Take the weights of the blocks, a new projector, and an optimizer without memory.

        Parameters
        ----------
        weights : list of numpy.ndarray
            Of the blocks.
        seed : int
            Draws the projector.
        """
        self.blocks.set_weights(weights)
        fresh = _projector(self.blocks.output.shape[-1], self._width, seed)
        self._projector.set_weights(fresh.get_weights())
        for variable, value in zip(self._optimizer.variables, self._memory, strict=True):
            variable.assign(value)

    def _step(self, first, second, rate, weights):
        with tf.GradientTape() as tape:
            pair = self._embedded(first, second)
            terms = vicreg_loss(*pair)
            loss = sum(weight * term for weight, term in zip(tf.unstack(weights), terms))
        self._optimizer.learning_rate = rate
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply_gradients(zip(gradients, self._variables))
        spread = tf.reduce_mean(tf.math.reduce_std(pair[0], axis=0))
        return tf.stack([loss, *terms, spread])

    def _embedded(self, first, second) -> list:
        maps = tf.cast(tf.concat([first, second], axis=0), tf.float32)
        vectors = tf.reduce_mean(self.blocks(maps, training=True), axis=(1, 2))
        return tf.split(self._projector(vectors, training=True), 2)


def _projector(channels: int, width: int, seed: int) -> keras.Model:
    layers, glorot = keras.layers, keras.initializers.GlorotUniform
    vectors = keras.Input((channels,))
    x = layers.Dense(width, use_bias=False, kernel_initializer=glorot(seed))(vectors)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dense(width, use_bias=False, kernel_initializer=glorot(seed + 1))(x)
    return keras.Model(vectors, x, name="projector")


def _rates(highest: float, steps: int):
    warm_up = round(_WARM_UP * steps)
    schedule = keras.optimizers.schedules.CosineDecay
    return schedule(0.0, max(steps - warm_up, 1), warmup_target=highest, warmup_steps=warm_up)


def _batches(random: np.random.Generator, count: int, batch_size: int) -> list[np.ndarray]:
    order = random.permutation(count)[: count // batch_size * batch_size]
    return np.split(order, count // batch_size)


def _two_views(
    random: np.random.Generator, views: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Two different views for each image of a batch."""
    first = random.integers(views, size=count)
    return first, (first + random.integers(1, views, size=count)) % views


def _start(encoder: keras.Model, from_: str):
    """The tensor that goes into the first layer of a block."""
    encoder_itself, first = _stages.find(encoder, from_)
    return encoder_itself.layers[first].input


def _checked_shape(maps: np.ndarray, encoder: keras.Model, from_: str) -> tuple[int, int]:
    expected = tuple(_start(encoder, from_).shape[1:])
    shape = np.shape(maps)
    fits = len(shape) == 5 and all(
        side in (None, actual) for side, actual in zip(expected, shape[2:], strict=True)
    )
    if not fits or shape[0] < 2:
        raise ValueError(
            f"maps have the shape {shape}, but {from_!r} of {encoder.name} takes "
            f"(views, N, {', '.join(map(str, expected))}) with at least 2 views: make them with "
            "view_maps and the same from_."
        )
    return shape[0], shape[1]


def _check_options(epochs, batch_size, image_count, learning_rate, weights) -> None:
    _checks.whole_number("epochs", epochs, 0)
    _checks.whole_number("batch_size", batch_size, 2, image_count)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate={learning_rate!r} is above 0; try 3e-4.")
    if len(weights) != 3 or min(weights) < 0:
        raise ValueError(
            f"weights={weights!r} are three numbers of at least 0, for invariance, variance and "
            "covariance; try (25, 25, 1)."
        )
