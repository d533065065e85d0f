"""Lesson 24: gradients of uneven shares, scaling efficiency, and a pipeline to be mended."""

from dataclasses import dataclass

import numpy as np

from medlearn._keras import tf
from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_FILES, _BATCH = 40, 16


def _naive_mean(gradients, counts):
    return np.mean(gradients, axis=0)


def _plain_sum(gradients, counts):
    return np.sum(gradients, axis=0)


def _weighted_sum(gradients, counts):
    return np.asarray(counts) @ np.asarray(gradients)


@dataclass
class _Epochs:
    """What a pipeline gave in two epochs: values per image, and how often files were read."""

    values: list[np.ndarray]
    largest_batch: int
    reads: int

    def files(self, epoch: int) -> np.ndarray:
        """Which files came, in order: the whole part of a value; its fraction is the variant."""
        return np.floor(self.values[epoch]).astype(int)


def _epochs(pipeline) -> _Epochs:
    """Let a pipeline read forty numbers for two epochs; none come if it returns nothing yet."""
    reads, variants = tf.Variable(0), tf.Variable(0)

    def read(file):
        reads.assign_add(1)
        return tf.strings.to_number(file)

    def vary(image):  # tf.random would begin anew with each epoch once a global seed is set
        number = tf.cast(variants.assign_add(1), tf.float32)
        return image + 0.9 * (0.618 * number % 1.0)

    data = pipeline([str(number) for number in range(_FILES)], read, vary)
    if data is None:
        return _Epochs([], 0, 0)
    epochs = [list(data.as_numpy_iterator()) for _ in range(2)]
    batches = [np.asarray(batch) for epoch in epochs for batch in epoch]
    is_batched = all(batch.ndim == 1 for batch in batches)
    values = [np.hstack(epoch) for epoch in epochs]
    largest = max(map(len, batches)) if is_batched else 0
    return _Epochs(values, largest, int(reads))


def _are_no_batches(pipeline) -> bool:
    return not 1 < _epochs(pipeline).largest_batch <= _BATCH


def _loses_images(pipeline) -> bool:
    epochs = _epochs(pipeline)
    return any(sorted(epochs.files(epoch)) != list(range(_FILES)) for epoch in (0, 1))


def _freezes(pipeline) -> bool:
    first, second = _epochs(pipeline).values
    return not (set(first) - set(second))


def _keeps_the_order(pipeline) -> bool:
    epochs = _epochs(pipeline)
    return bool(np.array_equal(epochs.files(0), epochs.files(1)))


def _reads_again(pipeline) -> bool:
    return _epochs(pipeline).reads > _FILES


def _is_mended(pipeline) -> bool | None:
    if not _epochs(pipeline).values:
        return None
    rules = (_are_no_batches, _loses_images, _freezes, _keeps_the_order, _reads_again)
    return not any(rule(pipeline) for rule in rules)


def _data(files):
    return tf.data.Dataset.from_tensor_slices(files)


def _cached_too_late(files, read, vary):
    return _data(files).map(read).map(vary).shuffle(len(files)).batch(_BATCH).cache()


def _without_cache(files, read, vary):
    return _data(files).shuffle(len(files)).map(read).map(vary).batch(_BATCH)


def _in_one_order(files, read, vary):
    return _data(files).map(read).cache().map(vary).batch(_BATCH)


def _from_one_third(files, read, vary):
    return _data(files).map(read).cache().shuffle(len(files)).map(vary).batch(_BATCH).take(1)


def _one_by_one(files, read, vary):
    return _data(files).map(read).cache().shuffle(len(files)).map(vary)


EXERCISES = [
    Function(
        id="24.1",
        name="combined",
        cases=[
            (([[3.0, 0.0], [0.0, 6.0]], [8, 4]), [2.0, 2.0]),
            (([[1.0], [5.0]], [1, 3]), [4.0]),
            (([[2.0, 4.0], [4.0, 2.0], [9.0, 0.0]], [2, 2, 1]), [4.2, 2.4]),
        ],
        wrong=[
            (_naive_mean, "That is the naive mean: the images of the smaller share count more."),
            (
                _plain_sum,
                "Adding mean gradients multiplies the learning rate by the workers; "
                "weigh each by its images.",
            ),
            (_weighted_sum, "That is a sum over all images; the mean is asked for."),
        ],
        hints=[
            "A mean loss times its number of images is a sum of losses; sums can be added.",
            "If all images were on one worker, what would it do? Get the same result from shares.",
        ],
    ),
    Value(
        id="24.2",
        name="efficiency",
        expected=Sealed("24.2", "a number", ("05848194 a143a389 adc3ae7c",)),
        wrong=[
            (5.0, "That is the speed-up; you pay for eight workers."),
            (0.2, "That is the share of the time that is left; ideal would be 1/8."),
            (1.6, "Upside down: ideal is 1, and nobody is above it for long."),
        ],
        hints=[
            "How much faster is it? How much faster would be ideal?",
            "How long would eight workers take if nothing were lost? Compare with what they take.",
        ],
    ),
    Condition(
        id="24.3",
        name="mended_pipeline",
        test=_is_mended,
        wrong=[
            (
                _cached_too_late,
                _freezes,
                "The second epoch repeats the first. What may a cache hold?",
            ),
            (_without_cache, _reads_again, "In the second epoch the files are read again."),
            (_in_one_order, _keeps_the_order, "Both epochs come in the same order."),
            (_from_one_third, _loses_images, "Some files are missing in an epoch, or come twice."),
            (_one_by_one, _are_no_batches, "Return batches (n, ...) of at most 16 images."),
        ],
        hints=[
            "Which steps give the same result in every epoch? They come before the cache.",
            "What is drawn at random, order and variants alike, comes after the cache.",
        ],
    ),
]
