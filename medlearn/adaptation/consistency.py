"""Adaptation by consistency: a student agrees with its own average on perturbed target images."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import copied, keras, tf

_NOISE = 25  # standard deviation of the noise, in grey levels, at perturb=1
_BRIGHTNESS = 100  # largest change of brightness, in grey levels, at perturb=1


def mean_teacher(
    model: keras.Model,
    source_images: ArrayLike,
    source_labels: ArrayLike,
    target_images: ArrayLike,
    *,
    loss: Callable,
    steps: int = 100,
    weight: float = 1.0,
    decay: float = 0.98,
    perturb: float = 0.3,
    learning_rate: float = 1e-3,
    batch_size: int = 8,
    seed: int = 0,
) -> keras.Model:
    """Return the teacher: a copy of a trained model that followed the average of a student.

    In each step the student sees a batch of each domain with random contrast, brightness and noise.
    Its loss is that of the source plus `weight` times the squared difference between its
    predictions of the perturbed target images and the teacher's of the clean ones. After the step
    the teacher's weights become decay * teacher + (1 - decay) * student. Weights that are frozen in
    `model` stay, and so do all BatchNorm statistics.

    Parameters
    ----------
    model : keras.Model
        From images (N, H, W, 3) to class probabilities, per image or per pixel. It stays as it is.
    source_images, target_images : array_like, shape (N, H, W, 3) and (M, H, W, 3)
        uint8 or float, 0 to 255, of one size.
    source_labels : array_like, shape (N,) or (N, H, W)
        Whole numbers: labels of the images, or their masks.
    loss : callable
        From labels and probabilities to a scalar, as Keras' losses are.
    steps : int
        Number of steps.
    weight : float
        Weight of the agreement with the teacher.
    decay : float
        How much of the teacher stays at each step: 0 or more, below 1.
    perturb : float
        Strength of the perturbations, 0 to 1.
    learning_rate : float
        Of Adam, above 0.
    batch_size : int
        Images of each domain per step.
    seed : int
        Draws batches and perturbations.

    Returns
    -------
    keras.Model
        The teacher.

    Raises
    ------
    ValueError
        For images or labels that do not fit, and options out of range.

    References
    ----------
    Tarvainen & Valpola 2017 (arXiv:1703.01780), eq. 2; for segmentation Perone et al. 2019
    (arXiv:1811.06042).
    """
    source = _checks.images(source_images, model, name="source images")
    target = _checks.images(target_images, model, name="target images")
    labels = _checked_labels(source_labels, source, target)
    _check_options(steps, batch_size, decay, perturb)
    student, teacher = copied(model), copied(model)
    pairs = list(zip(student.trainable_weights, teacher.trainable_weights, strict=True))
    agreement = _Agreement(student, teacher, loss, weight, perturb, seed)
    learner = _learner(agreement, source.shape[1:], labels.shape[1:])
    learner.compile(keras.optimizers.Adam(learning_rate), jit_compile=False)
    random = np.random.default_rng(seed)
    source_rows = _random_rows(random, len(source), steps * batch_size)
    target_rows = _random_rows(random, len(target), steps * batch_size)
    learner.fit(
        [source[source_rows], labels[source_rows], target[target_rows]],
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[_MovingAverage(pairs, decay)],
    )
    return teacher


def _learner(agreement: "_Agreement", image_shape: tuple, label_shape: tuple) -> keras.Model:
    inputs = [
        keras.Input(image_shape, dtype="float32"),
        keras.Input(label_shape, dtype="int32"),
        keras.Input(image_shape, dtype="float32"),
    ]
    return keras.Model(inputs, agreement(inputs))


class _Agreement(keras.layers.Layer):
    """The student's predictions of the source, with the losses on both domains."""

    def __init__(self, student, teacher, loss, weight: float, perturb: float, seed: int):
        super().__init__()
        teacher.trainable = False
        self.student, self.teacher = student, teacher
        self.loss, self.weight, self.perturb = loss, weight, perturb
        self.random = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        source, labels, target = inputs
        probabilities = self.student(self._perturbed(source), training=False)
        self.add_loss(self.loss(labels, probabilities))
        expected = keras.ops.stop_gradient(self.teacher(target, training=False))
        actual = self.student(self._perturbed(target), training=False)
        disagreement = keras.ops.sum(keras.ops.square(actual - expected), axis=-1)
        self.add_loss(self.weight * keras.ops.mean(disagreement))
        return probabilities

    def _perturbed(self, images):
        random, strength = keras.random, self.perturb
        shape = (keras.ops.shape(images)[0], 1, 1, images.shape[-1])
        contrast = random.uniform(shape, -strength, strength, seed=self.random)
        brightness = random.uniform(shape, -strength, strength, seed=self.random)
        noise = random.normal(keras.ops.shape(images), seed=self.random) * (_NOISE * strength)
        perturbed = (images - 128) * (1 + contrast) + 128 + _BRIGHTNESS * brightness + noise
        return keras.ops.clip(perturbed, 0, 255)


class _MovingAverage(keras.callbacks.Callback):
    """After each step, move the teacher's weights towards the student's."""

    def __init__(self, pairs: "list[tuple[tf.Variable, tf.Variable]]", decay: float):
        super().__init__()
        self.pairs, self.decay = pairs, decay

    def on_train_batch_end(self, batch, logs=None):
        for student_weight, teacher_weight in self.pairs:
            teacher_weight.assign(self.decay * teacher_weight + (1 - self.decay) * student_weight)


def _random_rows(random: np.random.Generator, count: int, total: int) -> np.ndarray:
    """`total` indices below `count`; each occurs as often as any other, or once more."""
    repeats = -(-total // count)
    return np.concatenate([random.permutation(count) for _ in range(repeats)])[:total]


def _checked_labels(labels: ArrayLike, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    if source.shape[1:] != target.shape[1:]:
        raise ValueError(
            f"Source images are {source.shape[1:]} and target images {target.shape[1:]} "
            "(height, width, channels): load both with one size."
        )
    labels = np.asarray(labels)
    if labels.shape not in (source.shape[:1], source.shape[:3]) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"source_labels should be whole numbers ({len(source)},) or masks {source.shape[:3]}; "
            f"they are {labels.dtype} of shape {labels.shape}."
        )
    return labels


def _check_options(steps: int, batch_size: int, decay: float, perturb: float) -> None:
    _checks.whole_number("steps", steps, 1)
    _checks.whole_number("batch_size", batch_size, 1)
    if not 0 <= decay < 1:
        raise ValueError(
            f"decay={decay!r} is a share of the teacher: at least 0, below 1; try 0.98."
        )
    if not 0 <= perturb <= 1:
        raise ValueError(f"perturb={perturb!r} is a strength from 0 to 1; try 0.3.")
