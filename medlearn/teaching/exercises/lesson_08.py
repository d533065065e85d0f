"""Lesson 08: class weights, alarms that add up, and a gate for bad images."""

import functools

import numpy as np

from medlearn.curation import quality
from medlearn.instruments import smear
from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_CELLS = [90, 30, 10, 20]
_IMAGES = 40  # of each sort
_MOST_FALSE_ALARMS, _FEWEST_FOUND = 0.15, 0.6


@functools.cache
def _cells():
    """Good cells, new cells in focus, and cells that were photographed out of focus."""
    defocused = smear.adjust("lab-a", blur_um=0.5)
    laboratories = {101: "lab-a", 102: "lab-a", 103: defocused}
    return [
        smear.single_cells(laboratory, _IMAGES, size=128, seed=seed).images
        for seed, laboratory in laboratories.items()
    ]


def _rates(gate):
    """The shares of images in focus, and out of focus, that a gate stops; None for a stub."""
    good, in_focus, out_of_focus = (images.copy() for images in _cells())
    stopped = gate(good, np.concatenate([in_focus, out_of_focus]))
    if stopped is None or stopped is ...:
        return None
    stopped = np.asarray(stopped)
    if stopped.shape != (2 * _IMAGES,):
        raise ValueError(f"the gate returns {stopped.shape}, not one answer per new image")
    return stopped[:_IMAGES].astype(bool).mean(), stopped[_IMAGES:].astype(bool).mean()


def _stops_what_is_out_of_focus(gate):
    rates = _rates(gate)
    return None if rates is None else rates[0] <= _MOST_FALSE_ALARMS and rates[1] >= _FEWEST_FOUND


def _stops_too_few(gate):
    return _rates(gate)[1] < _FEWEST_FOUND


def _stops_too_many(gate):
    return _rates(gate)[0] > _MOST_FALSE_ALARMS


def _stop_nothing(good_images, new_images):
    return np.zeros(len(new_images), bool)


def _stop_if_any_measure_is_unusual(good_images, new_images):
    limits = quality.normal_range(quality.measure(good_images), outside=0.02)
    outside = quality.out_of_range(quality.measure(new_images), limits)
    return np.any(list(outside.values()), axis=0)


EXERCISES = [
    Value(
        id="08.1",
        name="class_weights",
        expected=Sealed(
            "08.1",
            "a list of 4 numbers",
            (
                "16709450 56df7615 68ba3f66 9e28ef2b bd195180",
                "06ab5bf3 8c85f08a b2755b6f",
                "70768f76 8e6419b5 dd67e933",
                "82079522 9e042a9d c6567611 eda83811",
            ),
        ),
        wrong=[
            (
                [count / 150 for count in _CELLS],
                "Those are the shares: the frequent class would count even more.",
            ),
            (
                [1 / count for count in _CELLS],
                "The proportions are right; now scale them so that the mean over the cells is 1.",
            ),
            (
                [150 / count for count in _CELLS],
                "All classes count the same, but each as much as the whole set. "
                "What is the mean weight of a cell?",
            ),
        ],
        hints=[
            "The weight falls as the number of cells rises: something divided by each count.",
            "Test your weights: cells times weight must be the same for each class, and all four "
            "together give the number of cells, 150.",
        ],
    ),
    Value(
        id="08.2",
        name="any_alarm",
        expected=Sealed("08.2", "a number", ("0aaa48a4 19200126 509a9232 b5a191b9 d46cfdd3",)),
        wrong=[
            (0.08, "Nearly: an image that rings two alarms is counted twice by that."),
            (0.98**4, "That is the share that raises no alarm at all."),
            (0.02, "That is one measure alone."),
            (0.02**4, "That is the share that rings all four."),
        ],
        hints=[
            "Which share stays silent with one measure? And with all four?",
            "An image rings at least one alarm, or it rings none: there is no third way.",
        ],
    ),
    Condition(
        id="08.3",
        name="gate",
        test=_stops_what_is_out_of_focus,
        wrong=[
            (
                _stop_nothing,
                _stops_too_few,
                "Too many images that are out of focus pass. Which measure changes when the lens "
                "is out of focus?",
            ),
            (
                _stop_if_any_measure_is_unusual,
                _stops_too_many,
                "Too many good images go back. Each measure has false alarms of its own, and they "
                "add up: see exercise 2.",
            ),
        ],
        hints=[
            "Print what `quality.measure` returns for cells in focus and for `through_lens`.",
            "One measure is enough. How far into its range may the limit be set?",
        ],
    ),
]
