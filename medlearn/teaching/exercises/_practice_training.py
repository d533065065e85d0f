"""The open task of lesson 04: a training in two phases, tried on a network of two blocks.

`is_sound` tries a learner's function once. The other rules look at that trial.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = 3
FARTHEST = 0.5  # of the length of the pretrained weights
_trials: dict[int, "_Trial"] = {}  # of the last function that was tried


@dataclass(frozen=True)
class _Trial:
    """What a training did; `phase_1` and `phase_2` are the layers of the encoder that moved."""

    is_pair: bool = True
    phase_1: frozenset[str] = frozenset()
    phase_2: frozenset[str] = frozenset()
    distance: float = 0.0
    refuses: bool = True


# ---- rules ---------------------------------------------------------------------------------------


def is_sound(training: Callable) -> bool | None:
    """Try a training; true if it has none of the faults, None if it returns nothing yet."""
    _trials.clear()
    trial = _tried(training)
    if trial is None:
        return None
    _trials[id(training)] = trial
    sound_layers = trial.phase_1 == set() and trial.phase_2 == {"block_14_conv"}
    return trial.is_pair and sound_layers and trial.distance <= FARTHEST and trial.refuses


def has_another_form(training: Callable) -> bool:
    """Whether it returns something else than a model and a snapshot of it."""
    return not _trials[id(training)].is_pair


def moves_in_phase_1(training: Callable) -> bool:
    """Whether the encoder moved before the snapshot."""
    return bool(_trials[id(training)].phase_1)


def last_block_is_still(training: Callable) -> bool:
    """Whether the last block did not move after the snapshot."""
    return "block_14_conv" not in _trials[id(training)].phase_2


def norms_move(training: Callable) -> bool:
    """Whether a BatchNorm layer moved after the snapshot."""
    return any(name.endswith("_bn") for name in _trials[id(training)].phase_2)


def first_block_moves(training: Callable) -> bool:
    """Whether the block near the image moved after the snapshot."""
    return "block_13_conv" in _trials[id(training)].phase_2


def moves_too_far(training: Callable) -> bool:
    """Whether the last block forgot what it was pretrained for."""
    return _trials[id(training)].distance > FARTHEST


def accepts_wrong_inputs(training: Callable) -> bool:
    """Whether images from 0 to 1, or labels that lack a class, are learned from."""
    return not _trials[id(training)].refuses


# ---- the trial -----------------------------------------------------------------------------------


def _tried(training: Callable) -> _Trial | None:
    from medlearn import transfer  # late: only this exercise needs TensorFlow

    encoder, images, labels = _encoder(), *_images()
    start = encoder.get_layer("block_14_conv").get_weights()[0]
    before = _digests(transfer.snapshot(encoder))
    returned = training(encoder, images, labels, CLASSES)
    if returned is None:
        return None
    if not _is_pair(returned):
        return _Trial(is_pair=False)
    model, between = returned
    middle, after = _digests(between), _digests(transfer.snapshot(model))
    if not before.keys() <= middle.keys() or not before.keys() <= after.keys():
        return _Trial(is_pair=False)
    end = model.get_layer(encoder.name).get_layer("block_14_conv").get_weights()[0]
    trial = _Trial(
        phase_1=_moved(before, middle, before),
        phase_2=_moved(middle, after, before),
        distance=float(np.linalg.norm(end - start) / np.linalg.norm(start)),
    )
    is_right_so_far = not trial.phase_1 and trial.phase_2 == {"block_14_conv"}
    if not is_right_so_far or trial.distance > FARTHEST:
        return trial
    refuses = all(_refuses(training, *inputs) for inputs in _wrong_inputs(images, labels))
    return _Trial(True, trial.phase_1, trial.phase_2, trial.distance, refuses)


def _is_pair(returned: Any) -> bool:
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        return False
    model, snapshot = returned
    is_snapshot = isinstance(snapshot, tuple) and all(len(entry) == 2 for entry in snapshot)
    return hasattr(model, "get_layer") and is_snapshot


def _digests(snapshot) -> dict[str, str]:
    """The digest of each weight by layer and name, such as block_14_conv/kernel."""
    return {"/".join(path.split("/")[-2:]): digest for path, digest in snapshot}


def _moved(before: dict, after: dict, names: dict) -> frozenset[str]:
    return frozenset(name.split("/")[0] for name in names if before[name] != after[name])


def _wrong_inputs(images: np.ndarray, labels: np.ndarray):
    yield images / 255, labels
    yield images, np.minimum(labels, CLASSES - 2)


def _refuses(training: Callable, images: np.ndarray, labels: np.ndarray) -> bool:
    try:
        training(_encoder(), images, labels, CLASSES)
    except (ValueError, AssertionError):
        return True
    return False


def _images() -> tuple[np.ndarray, np.ndarray]:
    """Eight images each of a red, a green and a blue class."""
    labels = np.arange(24) % CLASSES
    noise = np.random.default_rng(0).uniform(0, 60, (24, 8, 8, 3))
    return (noise + 180 * np.eye(CLASSES)[labels][:, None, None]).astype("float32"), labels


def _encoder():
    """Two blocks with fixed random weights; they are called as the last two of EfficientNet."""
    from medlearn._keras import keras

    image = keras.Input((8, 8, 3))
    maps = keras.layers.Rescaling(1 / 255, name="scale")(image)
    for block in (13, 14):
        draw = keras.initializers.HeNormal(block)
        convolution = keras.layers.Conv2D(
            8, 3, padding="same", kernel_initializer=draw, name=f"block_{block}_conv"
        )
        norm = keras.layers.BatchNormalization(name=f"block_{block}_bn")
        maps = keras.layers.ReLU(name=f"block_{block}")(norm(convolution(maps)))
    return keras.Model(image, maps, name="practice_encoder")


# ---- examples of each fault ----------------------------------------------------------------------


def _training(encoder, images, labels, classes, *, fault: str = ""):
    """A training in two phases with one fault, or none."""
    from medlearn import networks, transfer
    from medlearn._keras import keras

    model = networks.classifier(encoder, classes)
    if fault != "checks":
        transfer.check_preprocessing(images, model)
        transfer.check_labels(labels, model)
    inside = model.get_layer(encoder.name)
    if fault != "freezing":
        transfer.freeze(inside)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=2, verbose=0)
    between = transfer.snapshot(model)
    transfer.unfreeze(model, from_="block_13" if fault == "blocks" else "block_14")
    if fault == "norms":
        inside.get_layer("block_14_bn").trainable = True
    if fault != "compiling":
        rate = 0.5 if fault == "rate" else 1e-3
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=2, verbose=0)
    return model if fault == "form" else (model, between)


def with_fault(fault: str) -> Callable:
    """Return the training with one fault: "freezing", "compiling", "norms", "rate" and others."""
    return functools.partial(_training, fault=fault)
