"""Batches that are a function of the epoch, so that a run that was killed finds its place again."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from medlearn._keras import tf


def batches(
    images: ArrayLike,
    labels: ArrayLike,
    *,
    batch_size: int = 32,
    seed: int = 0,
    augment: Callable | None = None,
) -> Callable[[int], "tf.data.Dataset"]:
    """A function of the epoch, from 0, that gives its batches (images, labels), shuffled anew each epoch.

    images: (N, ...), labels: (N, ...). batch_size is that of all workers together; the last batch may be smaller.
    augment: a function of one image and a seed, int32 (2,), for the stateless operations such as
    `tf.image.stateless_random_flip_left_right`. The seed depends on `seed`, the epoch and the image's place in
    `images` and on nothing else, so the same epoch is the same to the bit in every process.
    Raises ValueError for lengths that differ, no images, or a batch_size below 1.
    """
    if len(images) != len(labels) or not len(images):
        raise ValueError(
            f"Each image needs its label, and there must be some: {len(images)} images, {len(labels)} labels."
        )
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r} is the number of images in a step: 1 or more.")
    images, labels = tf.convert_to_tensor(images), tf.convert_to_tensor(labels)

    def of_epoch(epoch: int) -> "tf.data.Dataset":
        generator = np.random.default_rng([seed, epoch])
        order, salt = generator.permutation(len(images)), int(generator.integers(2**31))

        def pick(rows):
            chosen = tf.gather(images, rows)
            if augment is not None:
                seeds = tf.stack([tf.fill(tf.shape(rows), salt), tf.cast(rows, tf.int32)], 1)
                chosen = tf.map_fn(
                    lambda pair: augment(*pair), (chosen, seeds), fn_output_signature=images.dtype
                )
            return chosen, tf.gather(labels, rows)

        rows = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return rows.map(pick, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)

    return of_epoch
