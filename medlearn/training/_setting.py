"""What a run was set up with: kept in its checkpoints, compared when it goes on."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from functools import partial
from numbers import Number
from typing import Any

import numpy as np

from medlearn._keras import keras, leaves, tf
from medlearn.training import _data

_LEFT_OUT = {"name"}  # automatic names count on from model to model
_ARRAYS = ("ndarray", "EagerTensor")  # what an earlier medlearn kept of an array
_SHOWN = 3  # differences in a message
_LONGEST = 60  # characters of a value in a message
_LOOKED_AT = 1 << 30  # bytes of an array that its digest is made of, at most
_BLOCK = 1 << 26  # bytes of them at a time
_PER_INDEX = 64  # bytes that an entry counts for at least, since its index takes room as well


def of(model: keras.Model, data: "Callable[[int], tf.data.Dataset]") -> dict[str, Any]:
    """Return network, loss, optimizer and data of a run as what JSON can hold.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    data : callable
        From the epoch to its batches. Those of `training.batches` say what they were made of; of
        other ones the number and the shapes of the batches are known, and no pixel.
    """
    dataset, is_ours = data(0), isinstance(data, _data.Batches)
    layers = [{"class": type(layer).__name__} | _config(layer) for layer in leaves(model)]
    setting = {
        "network": {f"layer {number}": config for number, config in enumerate(layers, start=1)},
        "loss": _described(model.loss),
        "optimizer": {"class": type(model.optimizer).__name__} | _config(model.optimizer),
        "data": {
            "batches": int(dataset.cardinality()),
            "of": [str(spec) for spec in dataset.element_spec],
            "made by": "training.batches" if is_ours else "another function",
        }
        | (_described(vars(data)) if is_ours else {}),
    }
    return json.loads(json.dumps(setting, default=_described))


def differences(before: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """Return a phrase for each setting that differs, the first few.

    Parameters
    ----------
    before, current : dict
        Of an earlier run and of this one, as `of` returns them.
    """
    old, new = dict(_flat(before)), dict(_flat(current))
    if "made by" not in before["data"]:
        new = _as_before(old, new)
    paths = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    phrases = [
        f"{path} was {_short(old.get(path))} and is {_short(new.get(path))}"
        for path in paths[:_SHOWN]
    ]
    return phrases + ([f"{len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else [])


def _short(value: Any) -> str:
    """A value on one line; of a long one, such as the code of a function, its beginning."""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _as_before(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The present setting as an earlier medlearn wrote it, which knew some things by name only."""
    shared = {path: part for path, part in new.items() if path in old}
    shared |= {path: old[path] for path in shared if old[path] in _ARRAYS}
    named = {path: part for path, part in old.items() if isinstance(part, str)}
    for path, name in named.items():
        if not path.startswith("data ") and not isinstance(shared.get(path), str):
            shared[path] = name
    return shared


def _described(value: object) -> Any:
    """A loss, or another object in a configuration, without its address in memory."""
    if isinstance(value, dict):
        return {str(name): _described(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_described(part) for part in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tf.Tensor | np.ndarray) and value.dtype != object:  # no texts
        return _digest(value)
    if isinstance(value, partial):
        arguments = dict(enumerate(value.args)) | value.keywords
        return {"of": _described(value.func), "with": _described(arguments)}
    own_name = getattr(value, "__name__", type(value).__name__)
    enclosed = _enclosed(value)
    if enclosed:
        return {"of": own_name, "with": _described(enclosed)}
    config = _config(value)
    return {"class": own_name} | config if config else own_name


def _enclosed(value: object) -> dict[str, Any]:
    """The numbers and arrays that a function brought along from the place where it was made."""
    if not inspect.isfunction(value) or value.__closure__ is None:
        return {}
    kinds = Number | np.ndarray | np.generic | tf.Tensor
    try:
        enclosed = inspect.getclosurevars(value).nonlocals
    except ValueError:  # one of its names has no value yet
        return {}
    return {name: part for name, part in enclosed.items() if isinstance(part, kinds)}


def _digest(array: "np.ndarray | tf.Tensor") -> str:
    """Type, shape and a hash of an array; of one above 1 GB, of entries evenly spaced in it."""
    entries = array[None] if len(array.shape) == 0 else array
    size = max(1, np.asarray(entries[:1]).nbytes)  # of one entry
    count = min(len(entries), max(1, _LOOKED_AT // size))
    content, step = hashlib.sha256(), max(1, _BLOCK // max(size, _PER_INDEX))
    take = tf.gather if tf.is_tensor(entries) else np.take
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count)) * (len(entries) - 1) // max(1, count - 1)
        content.update(np.asarray(take(entries, rows, axis=0)).tobytes())
    kind = np.asarray(entries[:1]).dtype
    return f"{kind} {tuple(array.shape)} with the digest {content.hexdigest()[:12]}"


def _config(value: object) -> dict[str, Any]:
    """What an object of Keras was made with; nothing if it cannot say, as some own layers."""
    try:
        return value.get_config() if hasattr(value, "get_config") else {}
    except NotImplementedError:
        return {}


def _flat(setting: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single setting, such as ("optimizer learning_rate", 0.01)."""
    if isinstance(setting, list):
        setting = dict(enumerate(setting))
    if not isinstance(setting, dict):
        yield path, setting
        return
    for name, part in setting.items():
        if name not in _LEFT_OUT:
            yield from _flat(part, f"{path} {name}".strip())
