"""Lesson 04: the pull towards the start, the size of a step, and when to stop."""

import numpy as np

from medlearn.teaching.exercises._forms import Function

_WEIGHTS, _START = np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.0])
_MATRIX = np.array([[0.5, -1.0], [2.0, 0.0]])


def _towards_zero(weights, start, strength):
    return strength / 2 * (weights**2).sum()


def _whole(weights, start, strength):
    return strength * ((weights - start) ** 2).sum()


def _absolute(weights, start, strength):
    return strength / 2 * np.abs(weights - start).sum()


def _mean_square(weights, start, strength):
    return strength / 2 * ((weights - start) ** 2).mean()


def _straight(depth, step, steps, top=1e-3, decay=0.5):
    return top * decay**depth * (1 - step / steps)


def _without_depth(depth, step, steps, top=1e-3, decay=0.5):
    return top * (1 + np.cos(np.pi * step / steps)) / 2


def _not_lifted(depth, step, steps, top=1e-3, decay=0.5):
    return top * decay**depth * np.cos(np.pi * step / steps)


def _of_fixed_top(depth, step, steps, top=1e-3, decay=0.5):
    return _without_depth(depth, step, steps) * decay**depth


def _of_fixed_decay(depth, step, steps, top=1e-3, decay=0.5):
    return _without_depth(depth, step, steps, top) * 0.5**depth


def _stops_late(losses, patience, is_better):
    """Early stopping whose counter of passes is never set back."""
    best, without_gain = 0, 0
    for epoch, loss in enumerate(losses[1:], 1):
        if is_better(loss, losses[best]):
            best = epoch
            continue
        without_gain += 1
        if without_gain >= patience:
            break
    return best


def _never_reset(losses, patience):
    return _stops_late(losses, patience, np.less)


def _ties_are_better(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss <= losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return best


EXERCISES = [
    Function(
        id="04.1",
        name="pull",
        cases=[
            ((_WEIGHTS, _START, 0.5), 1.25),
            ((_START, _START, 3.0), 0.0),
            ((_MATRIX, -_MATRIX, 0.1), 1.05),
        ],
        wrong=[
            (
                _towards_zero,
                "That pulls towards zero, which is weight decay; here home is `start`.",
            ),
            (_whole, "Nearly: half of it, so that the gradient has no 2."),
            (_absolute, "Square the distances; absolute values are another regulariser (L1)."),
            (_mean_square, "Add up over the weights; a mean would pull less in a larger layer."),
        ],
        hints=[
            "How far is each weight from where it started?",
            "Twice as far must cost four times as much, and no distance nothing.",
        ],
    ),
    Function(
        id="04.2",
        name="rate",
        cases=[
            ((0, 0, 100), 1e-3),
            ((2, 0, 100), 2.5e-4),
            ((1, 25, 100), 5e-4 * (1 + 0.5**0.5) / 2),
            ((3, 100, 100), 0.0),
            ((1, 50, 100, 0.8), 0.2),
            ((2, 30, 60, 1.0, 0.1), 0.005),
        ],
        wrong=[
            (_straight, "That falls in a straight line; the cosine is flat at both ends."),
            (_without_depth, "The schedule is right; the depth is missing."),
            (_not_lifted, "A cosine runs from 1 to -1; here it must end at 0."),
            (_of_fixed_top, "`top` is an argument: use it instead of a number."),
            (_of_fixed_decay, "`decay` is an argument: use it instead of a number."),
        ],
        hints=[
            "Two factors that know nothing of each other: one for the depth, one for the step.",
            "From block to block the rate shrinks by the same factor. For the step, bend a cosine "
            "until it is 1 at the beginning, one half in the middle and 0 at the end.",
        ],
    ),
    Function(
        id="04.3",
        name="kept",
        cases=[
            (([0.9, 0.5, 0.6, 0.7, 0.3], 2), 1),
            (([0.9, 0.5, 0.7, 0.6, 0.3], 2), 1),
            (([0.9, 0.5, 0.6, 0.4, 0.5], 2), 3),
            (([0.9, 0.8, 0.7], 1), 2),
            (([0.9, 0.5, 0.6, 0.4, 0.5, 0.3], 2), 5),
            (([0.9, 0.5, 0.5, 0.5, 0.2], 2), 1),
        ],
        wrong=[
            (
                lambda losses, patience: int(np.argmin(losses)),
                "The lowest of all; but the fit may have stopped before it got there.",
            ),
            (
                lambda losses, patience: len(losses) - 1,
                "That is the last pass; the best weights are given back, not the last.",
            ),
            (
                lambda losses, patience: patience - 1,
                "Patience counts passes *since the best one*, not from the beginning.",
            ),
            (
                _never_reset,
                "Patience counts passes *in a row*: after a better pass the count begins anew.",
            ),
            (_ties_are_better, "A pass that is as good as the best one is no better."),
        ],
        hints=[
            "Remember the best pass so far, and compare each next loss with its loss.",
            "Go through 0.9, 0.5, 0.6, 0.4 with a pencil: at each pass, which is the best, and "
            "how long ago was it?",
        ],
    ),
]
