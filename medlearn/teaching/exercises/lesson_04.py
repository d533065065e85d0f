"""Lesson 04: which learning rate, when to stop, and a training to be mended."""

import numpy as np

from medlearn.teaching.exercises import _practice_training as practice
from medlearn.teaching.exercises._forms import Condition, Function


def _of_last_epoch(losses):
    return min(losses, key=lambda rate: losses[rate][-1])


def _of_mean(losses):
    return min(losses, key=lambda rate: np.mean(losses[rate]))


def _loss_itself(losses):
    return min(map(min, losses.values()))


def _trips_over_nan(losses):
    return min(losses, key=lambda rate: np.min(losses[rate]))


def _larger_of_equals(losses):
    lowest = {rate: np.nanmin(values) for rate, values in losses.items()}
    return max(rate for rate in lowest if lowest[rate] == min(lowest.values()))


def _stops_late(losses, patience, is_better):
    """Early stopping whose counter of epochs is never set back."""
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


def _forgets_the_start(losses, patience):
    return 1 + _ties_worse(losses[1:], patience)


def _ties_worse(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return best


EXERCISES = [
    Function(
        id="04.1",
        name="best_rate",
        cases=[
            (({1e-4: [0.9, 0.8, 0.7], 1e-3: [0.9, 0.4, 0.5], 1e-2: [0.9, 3.0, 2.0]},), 1e-3),
            (({1e-4: [0.9, 0.8, 0.5], 1e-3: [0.9, 0.3, 0.6]},), 1e-3),
            (({1e-5: [0.5, 0.49, 0.47], 1e-4: [0.5, 0.3, 0.9]},), 1e-4),
            (({0.1: [0.6, float("nan"), float("nan")], 0.01: [0.6, 0.55, 0.5]},), 0.01),
            (({0.01: [0.6, 0.2, float("nan")], 0.001: [0.6, 0.55, 0.5]},), 0.01),
            (({1e-2: [0.6, 0.4], 1e-3: [0.6, 0.4], 1e-4: [0.6, 0.5]},), 1e-3),
        ],
        wrong=[
            (
                _of_last_epoch,
                "Early stopping keeps the best epoch, not the last one: compare the lowest losses.",
            ),
            (_of_mean, "The mean over the epochs is not what early stopping keeps."),
            (_loss_itself, "That is the loss; the rate that reached it is asked for."),
            (_trips_over_nan, "A training that diverged ends in NaN: leave those epochs out."),
            (_larger_of_equals, "If two rates reach the same loss, take the smaller step."),
        ],
        hints=[
            "For each rate, which number does early stopping keep?",
            "Sort the rates first, so that the smaller one comes first among equals; and mind NaN.",
        ],
    ),
    Function(
        id="04.2",
        name="kept",
        cases=[
            (([0.9, 0.5, 0.6, 0.7, 0.3], 2), 1),
            (([0.9, 0.5, 0.7, 0.6, 0.3], 2), 1),
            (([0.9, 0.5, 0.6, 0.4, 0.5], 2), 3),
            (([0.9, 0.8, 0.7], 1), 2),
            (([0.9, 0.5, 0.6, 0.4, 0.5, 0.3], 2), 5),
            (([0.9, 0.5, 0.5, 0.5, 0.2], 2), 1),
            (([0.3, 0.5, 0.4, 0.35, 0.2], 2), 0),
        ],
        wrong=[
            (
                lambda losses, patience: int(np.argmin(losses)),
                "The lowest of all; but the fit may have stopped before it got there.",
            ),
            (
                lambda losses, patience: len(losses) - 1,
                "That is the last epoch; the best weights are given back, not the last.",
            ),
            (
                lambda losses, patience: patience - 1,
                "Patience counts epochs *since the best one*, not from the beginning.",
            ),
            (
                _never_reset,
                "Patience counts epochs *in a row*: after a better one the count begins anew.",
            ),
            (_ties_are_better, "An epoch that is as good as the best one is no better."),
            (_forgets_the_start, "Epoch 0, the start, is a candidate too."),
        ],
        hints=[
            "Remember the best epoch so far, and compare each next loss with its loss.",
            "Go through 0.9, 0.5, 0.6, 0.4 with a pencil: at each epoch, which is the best, and "
            "how long ago was it?",
        ],
    ),
    Condition(
        id="04.3",
        name="mended",
        test=practice.is_sound,
        wrong=[
            (
                practice.with_fault("form"),
                practice.has_another_form,
                "Return two things: the model, and the snapshot that was taken after phase 1.",
            ),
            (
                practice.with_fault("freezing"),
                practice.moves_in_phase_1,
                "In phase 1 weights of the encoder moved: only the head may learn there.",
            ),
            (
                practice.with_fault("compiling"),
                practice.last_block_is_still,
                "In phase 2 the last block did not move. When does Keras read `trainable`?",
            ),
            (
                practice.with_fault("norms"),
                practice.norms_move,
                "In phase 2 a batch normalisation layer moved: which function of the lesson holds "
                "them still?",
            ),
            (
                practice.with_fault("blocks"),
                practice.first_block_moves,
                "In phase 2 a block near the image moved too: only `block_14` and the head learn.",
            ),
            (
                practice.with_fault("rate"),
                practice.moves_too_far,
                "The contracts are silent, but block_14 is further from its pretrained weights "
                "than half of their length: what it knew is gone. Choose a smaller rate there.",
            ),
            (
                practice.with_fault("checks"),
                practice.accepts_wrong_inputs,
                "It learns from images from 0 to 1, or from labels without an image of one class. "
                "Let it refuse both, before the first `fit`, with the two checks of section 1.",
            ),
        ],
        hints=[
            "Mend one fault at a time. After each `fit`, ask what moved.",
            "There are five faults: two inputs nobody checks, an encoder that learns too early, a "
            "change that is never compiled, layers that must stand still, and a rate.",
        ],
    ),
]
