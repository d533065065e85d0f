"""Lesson 02: how small a probe is, and pooling by hand."""

import numpy as np

from medlearn.teaching.exercises._forms import Function, Value

_MAPS = np.random.default_rng(20).normal(size=(2, 4, 6, 3))
_LARGE = np.random.default_rng(21).normal(size=(3, 2, 2, 5))


def _weights_and_biases(classes, features):
    return classes * (features + 1)


def _weights(classes, features):
    return classes * features


def _one_class(classes, features):
    return features + 1


def _one_bias(classes, features):
    return classes * features + 1


def _mean(maps, *axes):
    return np.mean(maps, axis=axes)


EXERCISES = [
    Value(
        id="02.1",
        name="n_parameters",
        expected=_weights_and_biases,
        wrong=[
            (_weights, "Nearly: each class also has a bias."),
            (_one_class, "That is one class; there are several."),
            (_one_bias, "Each class has a bias of its own."),
        ],
        hints=[
            "Each class multiplies each feature by a weight of its own.",
            "A `Dense` layer has two arrays: a kernel and a second, smaller one. "
            "Which shape has each?",
        ],
    ),
    Function(
        id="02.2",
        name="mean_pool",
        cases=[
            ((_MAPS,), np.einsum("nhwc->nc", _MAPS) / 24),
            ((_LARGE,), np.einsum("nhwc->nc", _LARGE) / 4),
        ],
        wrong=[
            (lambda maps: maps.max(axis=(1, 2)), "That keeps the largest value; average instead."),
            (lambda maps: maps.sum(axis=(1, 2)), "That is the sum; average instead."),
            (
                lambda maps: _mean(maps, 2, 3),
                "You averaged the channels away; which axes are height and width?",
            ),
            (lambda maps: _mean(maps, 1), "Height is gone, width is still there."),
            (lambda maps: _mean(maps, 0, 1, 2), "Each image keeps a vector of its own."),
        ],
        hints=[
            "`maps.mean(axis=...)` takes a tuple of axes.",
            "Which two of the four axes say where in the picture?",
        ],
    ),
]
