"""Lesson 01: lengths in millimetres, a leak detector, and what must stay together."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value

_WARD = np.array(["a", "a", "a", "b", "c", "c", "d", "e"])


def _in_pixels(first, second, spacing):
    return np.hypot(second[0] - first[0], second[1] - first[1])


def _one_factor(first, second, spacing):
    return _in_pixels(first, second, spacing) * spacing[0]


def _swapped(first, second, spacing):
    return np.hypot((second[0] - first[0]) * spacing[1], (second[1] - first[1]) * spacing[0])


def _added(first, second, spacing):
    return abs(second[0] - first[0]) * spacing[0] + abs(second[1] - first[1]) * spacing[1]


def _share_of_patients(patients, train, test):
    return len(set(patients[train]) & set(patients[test])) / len(set(patients[test]))


def _share_of_training(patients, train, test):
    return np.isin(patients[train], patients[test]).mean()


def _share_of_indices(patients, train, test):
    return np.isin(test, train).mean()


def _number_of_images(patients, train, test):
    return np.isin(patients[test], patients[train]).sum()


EXERCISES = [
    Function(
        id="01.1",
        name="length_mm",
        cases=[
            (((0, 0), (3, 4), (1.0, 1.0)), 5.0),
            (((2, 1), (5, 5), (5.0, 2.0)), 17.0),
            (((9, 9), (9, 4), (3.0, 0.5)), 2.5),
            (((7, 2), (1, 2), (0.7, 9.0)), 4.2),
            (((10, 20), (4, 12), (0.5, 0.75)), 45**0.5),
        ],
        wrong=[
            (_in_pixels, "That is a length in pixels; the spacing is not used."),
            (_one_factor, "One factor for both directions is right for square pixels only."),
            (
                _swapped,
                "The two spacings are swapped: the first belongs to the rows, that is, downwards.",
            ),
            (
                _added,
                "That is the way along the rows and the columns; the straight line is shorter.",
            ),
        ],
        hints=[
            "How many mm down, how many mm to the right?",
            "Three rows at 5 mm from row to row: how far down is that? Then the straight line.",
        ],
    ),
    Function(
        id="01.2",
        name="leaked",
        cases=[
            ((_WARD, np.array([0, 3, 4, 7]), np.array([1, 2, 5, 6])), 0.75),
            ((_WARD, np.array([0, 1, 2]), np.array([3, 6])), 0.0),
            ((_WARD, np.array([6, 0]), np.array([1, 3, 7])), 1 / 3),
            ((_WARD, np.array([4]), np.array([5])), 1.0),
        ],
        wrong=[
            (
                _share_of_patients,
                "That is the share of the test patients; a patient with many images counts more "
                "among the images.",
            ),
            (
                _share_of_training,
                "That is the share of the training images; look from the test's side.",
            ),
            (
                _share_of_indices,
                "That compares the indices of images; two images of one patient have different "
                "indices.",
            ),
            (_number_of_images, "That is a number of images; a share is asked for."),
        ],
        hints=[
            "Which patient does each test image belong to?",
            "`np.isin(a, b)` says of each entry of `a` whether it is in `b`.",
        ],
    ),
    Value(
        id="01.3",
        name="how_many_groups",
        expected=Sealed("01.3", "a number", ("a6bde6ac",)),
        wrong=[
            (4, "Those are the patients; the duplicates tie some of them together."),
            (3, "Those are the pictures; the first two images also share a patient."),
            (1, "Nothing ties the first three images to the last two."),
            (5, "Those are the images; some of them belong together."),
        ],
        hints=[
            "Draw five dots, and a line for each shared patient and each shared picture.",
            "Count the islands of your drawing.",
        ],
    ),
]
