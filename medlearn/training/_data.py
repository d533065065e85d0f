"""Batches that depend on the epoch alone, so that a run that was killed can go on within one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import tf


def batches(
    images: ArrayLike,
    labels: ArrayLike,
    *,
    batch_size: int = 32,
    seed: int = 0,
    augment: Callable | None = None,
) -> Callable[[int], "tf.data.Dataset"]:
    """Return a function from an epoch to its batches, which are shuffled anew in each epoch.

    The same epoch is the same to the bit in every process.

    Parameters
    ----------
    images : array_like, shape (N, ...)
        All images; they are kept in memory.
    labels : array_like, shape (N, ...)
        One entry per image.
    batch_size : int
        Images in a batch of all workers together; the last batch may be smaller.
    seed : int
        Random seed of the order and of `augment`.
    augment : callable, optional
        Called with one image and a seed, int32 of shape (2,), for TensorFlow's stateless
        operations such as ``tf.image.stateless_random_flip_left_right``; returns the image that is
        trained on. Its seed depends on `seed`, the epoch and the index of the image alone.

    Returns
    -------
    callable
        Called with the epoch, from 0, it returns a tf.data.Dataset of batches (images, labels).

    Raises
    ------
    ValueError
        If there are no images, not one label per image, images or labels that are no numbers, or
        no whole `batch_size` of 1 or more.
    """
    tensors = _tensor("images", images), _tensor("labels", labels)
    image_count, label_count = map(len, tensors)
    if image_count != label_count or not image_count:
        raise ValueError(
            "Each image needs its label, and there must be at least one: here are "
            f"{image_count} images, {label_count} labels."
        )
    _checks.whole_number("batch_size", batch_size, 1)
    return Batches(*tensors, batch_size, seed, augment)


@dataclass(frozen=True, eq=False, repr=False)
class Batches:
    """What `batches` returns: a function of the epoch that can say what it was made of."""

    images: "tf.Tensor"
    labels: "tf.Tensor"
    batch_size: int
    seed: int
    augment: Callable | None

    def __call__(self, epoch: int) -> "tf.data.Dataset":
        """Return the batches of an epoch, counted from 0."""
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.images))
        salt = int(generator.integers(2**31))

        def take(indices):
            batch = tf.gather(self.images, indices)
            if self.augment is not None:
                batch = _augmented(batch, indices, salt, self.augment)
            return batch, tf.gather(self.labels, indices)

        indices = tf.data.Dataset.from_tensor_slices(order).batch(self.batch_size)
        return indices.map(take, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def _tensor(name: str, values: ArrayLike) -> "tf.Tensor":
    """Images or labels as a tensor of numbers with at least one axis."""
    try:
        tensor = tf.convert_to_tensor(values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} are no array ({str(error).rstrip('.')}); expected numbers, of the same shape "
            "for each image."
        ) from error
    if tensor.dtype == tf.string or tensor.shape.rank == 0:
        raise ValueError(
            f"{name} are {tensor.dtype.name} of shape {tuple(tensor.shape)}; expected numbers, one "
            "entry for each image. Text becomes class indices by np.unique(labels, "
            "return_inverse=True)."
        )
    return tensor


def _augmented(images, indices, salt: int, augment):
    """Each image changed by `augment`, with a seed made of the epoch's salt and its index."""
    seeds = tf.stack([tf.fill(tf.shape(indices), salt), tf.cast(indices, tf.int32)], axis=1)
    return tf.map_fn(lambda pair: augment(*pair), (images, seeds), fn_output_signature=images.dtype)
