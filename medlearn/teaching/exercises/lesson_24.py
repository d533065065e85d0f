"""Lesson 24: gradients of uneven shares, scaling efficiency, and where to cache."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value


def _naive_mean(gradients, counts):
    return np.mean(gradients, axis=0)


def _plain_sum(gradients, counts):
    return np.sum(gradients, axis=0)


def _weighted_sum(gradients, counts):
    return np.asarray(counts) @ np.asarray(gradients)


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
    Value(
        id="24.3",
        name="cache_after",
        expected=Sealed("24.3", "text", ("322ee92d 352d3a9d e5806c63 f5282ae2",)),
        choices=["read", "decode", "turn", "batch"],
        wrong=[
            (
                "read",
                "Possible, and best where decoded images do not fit; "
                "but decoding is then done in each epoch.",
            ),
            ("turn", "Then every epoch shows the first epoch's random turns."),
            ("batch", "Then turns and batches are those of the first epoch for ever."),
        ],
        hints=[
            "What is the same in every epoch?",
            "What the cache holds is frozen: which step must not be frozen?",
        ],
    ),
]
