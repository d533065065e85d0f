"""The open task of lesson 05: a training of adapters, tried on a network of two small blocks.

`is_sound` tries a learner's function once. The other rules look at that trial.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = 3
_ADAPTED = frozenset(f"block_{block}_{part}" for block in (0, 1) for part in ("query", "value"))
_trials: dict[int, "_Trial"] = {}  # of the last function that was tried


@dataclass(frozen=True)
class _Trial:
    """What a training did: whether pretrained weights or the head moved, and which adapters."""

    is_pair: bool = True
    has_adapters: bool = True
    pretrained: bool = False
    head: bool = True
    adapters: frozenset[str] = frozenset()


# ---- rules ---------------------------------------------------------------------------------------


def is_sound(training: Callable) -> bool | None:
    """Try a training; true if it has none of the faults, None if it returns nothing yet."""
    _trials.clear()
    trial = _tried(training)
    if trial is None:
        return None
    _trials[id(training)] = trial
    return trial == _Trial(adapters=_ADAPTED)


def has_another_form(training: Callable) -> bool:
    """Whether it returns something else than a model and a snapshot of it."""
    return not _trials[id(training)].is_pair


def snapshot_is_early(training: Callable) -> bool:
    """Whether the snapshot knows no adapters."""
    return not _trials[id(training)].has_adapters


def kernels_move(training: Callable) -> bool:
    """Whether a pretrained weight moved."""
    return _trials[id(training)].pretrained


def adapters_are_still(training: Callable) -> bool:
    """Whether no adapter moved."""
    return not _trials[id(training)].adapters


def other_layers_learn(training: Callable) -> bool:
    """Whether the adapters that moved are not those of queries and values."""
    return _trials[id(training)].adapters != _ADAPTED


def head_is_still(training: Callable) -> bool:
    """Whether the head did not move."""
    return not _trials[id(training)].head


# ---- the trial -----------------------------------------------------------------------------------


def _tried(training: Callable) -> _Trial | None:
    from medlearn import transfer  # late: only this exercise needs TensorFlow

    encoder = _encoder()
    start = _digests(transfer.snapshot(encoder))
    returned = training(encoder, *_images(), CLASSES)
    if returned is None:
        return None
    if not _is_pair(returned):
        return _Trial(is_pair=False)
    model, snapshot = returned
    before, after = _digests(snapshot), _digests(transfer.snapshot(model))
    if not start.keys() <= after.keys() or "head/kernel" not in before:
        return _Trial(is_pair=False)
    if before.keys() != after.keys() or not any("lora" in name for name in after):
        return _Trial(has_adapters=False)
    moved = {name for name in after if before[name] != after[name]}
    return _Trial(
        pretrained=any(start[name] != after[name] for name in start),
        head="head/kernel" in moved,
        adapters=frozenset(name.split("/")[0] for name in moved if "lora" in name),
    )


def _is_pair(returned: Any) -> bool:
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        return False
    model, snapshot = returned
    is_snapshot = isinstance(snapshot, tuple) and all(len(entry) == 2 for entry in snapshot)
    return hasattr(model, "get_layer") and is_snapshot


def _digests(snapshot) -> dict[str, str]:
    """The digest of each weight by layer and name, such as block_0_query/kernel."""
    return {"/".join(path.split("/")[-2:]): digest for path, digest in snapshot}


def _images() -> tuple[np.ndarray, np.ndarray]:
    """Eight images each of a red, a green and a blue class."""
    labels = np.arange(24) % CLASSES
    noise = np.random.default_rng(0).uniform(0, 60, (24, 8, 8, 3))
    return (noise + 180 * np.eye(CLASSES)[labels][:, None, None]).astype("float32"), labels


def _encoder():
    """Patches and two blocks of dense layers, named as those of a vision transformer."""
    from medlearn._keras import keras

    image = keras.Input((8, 8, 3))
    maps = keras.layers.Rescaling(1 / 255, name="scale")(image)
    draw = keras.initializers.HeNormal(7)
    maps = keras.layers.Conv2D(6, 4, 4, kernel_initializer=draw, name="patches")(maps)
    for block in (0, 1):
        for number, part in enumerate(("query", "key", "value")):
            draw = keras.initializers.HeNormal(10 * block + number)
            name = f"block_{block}_{part}"
            maps = keras.layers.Dense(6, kernel_initializer=draw, name=name)(maps)
    return keras.Model(image, maps, name="practice_encoder")


# ---- examples of each fault ----------------------------------------------------------------------


def _training(encoder, images, labels, classes, *, fault: str = ""):
    """A training of adapters with one fault, or none."""
    from medlearn import networks, transfer
    from medlearn._keras import keras

    model = networks.classifier(encoder, classes, dropout=0.0)
    early = transfer.snapshot(model)
    if fault != "none":
        transfer.add_lora(model, layers=("query", "key") if fault == "keys" else ("query", "value"))
    inside = model.get_layer(encoder.name)
    if fault == "frozen":
        transfer.freeze(inside)
    if fault == "thawed":
        transfer.unfreeze(model, from_=encoder.name)
    if fault == "head":
        model.layers[-1].trainable = False
    before = early if fault == "early" else transfer.snapshot(model)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size=8, epochs=2, verbose=0)
    return model if fault == "form" else (model, before)


def with_fault(fault: str) -> Callable:
    """Return the training with one fault: "frozen", "thawed", "keys", "head" and others."""
    return functools.partial(_training, fault=fault)
