"""Adaptation by agreement: a student learns from the source's labels, and to answer for spoiled target images as its own average does for clean ones."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from medlearn._keras import keras
from medlearn.adaptation import _inputs


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
    spoil: float = 0.3,
    rate: float = 1e-3,
    batch_size: int = 8,
    seed: int = 0,
) -> keras.Model:
    """The teacher: a copy of a trained `model` that followed, step by step, the average of a student's weights.

    model: images (N, H, W, 3), 0 to 255, to probabilities, of an image or of each pixel. source_labels: int (N,) or
    masks (N, H, W); loss: of labels and probabilities. A step shows the student `batch_size` images of each domain with
    contrast, brightness and noise changed by up to `spoil` (0 to 1), and punishes errors on the source and, times
    `weight`, the squared distance from the teacher's answers to the target's clean images. After it the teacher's
    weights become decay * teacher + (1 - decay) * student. Weights that are frozen in `model` stay; so do BatchNorm
    statistics. `seed` draws batches and changes. The given model stays as it is. Raises ValueError for domains of
    different size or channels, an empty one, values that are not finite, and options out of range.
    Source: Tarvainen & Valpola 2017 (arXiv:1703.01780), eq. 2; for segmentation Perone et al. 2019 (arXiv:1811.06042).
    """
    source, target = _inputs.domains(source_images, target_images)
    labels = np.asarray(source_labels)
    _check(labels, source, steps, decay, spoil, batch_size)
    student, teacher = _copy(model), _copy(model)
    averaged = list(zip(student.trainable_weights, teacher.trainable_weights))
    learner = _learner(student, teacher, source, labels, (loss, weight, spoil, seed))
    learner.compile(keras.optimizers.Adam(rate), jit_compile=False)
    random = np.random.default_rng(seed)
    of_source, of_target = (
        _drawn(random, len(each), steps * batch_size) for each in (source, target)
    )
    learner.fit(
        [source[of_source], labels[of_source], target[of_target]],
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[_Average(averaged, decay)],
    )
    return teacher


def _learner(student, teacher, source, labels, options) -> keras.Model:
    shapes = source.shape[1:], labels.shape[1:], source.shape[1:]
    given = [
        keras.Input(shape, dtype=kind)
        for shape, kind in zip(shapes, ("float32", "int32", "float32"))
    ]
    return keras.Model(given, _Agreement(student, teacher, *options)(given))


class _Agreement(keras.layers.Layer):
    """The student's answers to source images, with both punishments as losses."""

    def __init__(self, student, teacher, loss, weight: float, spoil: float, seed: int):
        super().__init__()
        teacher.trainable = False
        self.student, self.teacher, self.loss, self.weight, self.spoil = (
            student,
            teacher,
            loss,
            weight,
            spoil,
        )
        self.draw = keras.random.SeedGenerator(seed)

    def call(self, given):
        images, labels, target = given
        told = self.student(self._spoiled(images), training=False)
        self.add_loss(self.loss(labels, told))
        wanted = keras.ops.stop_gradient(self.teacher(target, training=False))
        apart = keras.ops.square(self.student(self._spoiled(target), training=False) - wanted)
        self.add_loss(self.weight * keras.ops.mean(keras.ops.sum(apart, axis=-1)))
        return told

    def _spoiled(self, images):
        one = (keras.ops.shape(images)[0], 1, 1, images.shape[-1])
        contrast, brightness = (
            keras.random.uniform(one, -self.spoil, self.spoil, seed=self.draw) for _ in range(2)
        )
        grain = keras.random.normal(keras.ops.shape(images), seed=self.draw) * (25 * self.spoil)
        return keras.ops.clip(
            (images - 128) * (1 + contrast) + 128 + 100 * brightness + grain, 0, 255
        )


class _Average(keras.callbacks.Callback):
    def __init__(self, pairs, decay: float):
        super().__init__()
        self.pairs, self.decay = pairs, decay

    def on_train_batch_end(self, batch, logs=None):
        for new, mean in self.pairs:
            mean.assign(self.decay * mean + (1 - self.decay) * new)


def _copy(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def _drawn(random, count: int, wanted: int) -> np.ndarray:
    """So many indices below `count`, each as often as any other, or once more."""
    return np.concatenate([random.permutation(count) for _ in range(-(-wanted // count))])[:wanted]


def _check(labels, source, steps: int, decay: float, spoil: float, batch_size: int) -> None:
    if labels.shape not in (source.shape[:1], source.shape[:3]) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"source_labels should be whole numbers ({len(source)},) or masks {source.shape[:3]}; "
            f"they are {labels.dtype} of shape {labels.shape}."
        )
    if steps < 1 or batch_size < 1 or not 0 <= decay < 1 or not 0 <= spoil <= 1:
        raise ValueError(
            f"steps={steps!r} and batch_size={batch_size!r} should be at least 1, decay={decay!r} at least 0 "
            f"and below 1, spoil={spoil!r} from 0 to 1."
        )
