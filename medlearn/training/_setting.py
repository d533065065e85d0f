"""What a run was set up with: kept in its checkpoints, compared when it goes on."""

import json
from collections.abc import Iterator
from typing import Any

from medlearn._keras import keras, leaves

_LEFT_OUT = {"name"}  # automatic names count on from model to model
_SHOWN = 3  # differences in a message


def of(model: keras.Model, dataset) -> dict[str, Any]:
    """Return network, loss, optimizer and batches of a run as what JSON can hold.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    dataset : tf.data.Dataset
        The batches of the first epoch.
    """
    layers = [{"class": type(layer).__name__} | _config(layer) for layer in leaves(model)]
    setting = {
        "network": {f"layer {number}": config for number, config in enumerate(layers, start=1)},
        "loss": _described(model.loss),
        "optimizer": {"class": type(model.optimizer).__name__} | _config(model.optimizer),
        "data": {
            "batches": int(dataset.cardinality()),
            "of": [str(spec) for spec in dataset.element_spec],
        },
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
    paths = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    phrases = [f"{path} was {old.get(path)} and is {new.get(path)}" for path in paths[:_SHOWN]]
    return phrases + ([f"{len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else [])


def _described(value: object) -> Any:
    """A loss, or another object in a configuration, without its address in memory."""
    if isinstance(value, dict):
        return {str(name): _described(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_described(part) for part in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    own_name = getattr(value, "__name__", type(value).__name__)
    config = _config(value)
    return {"class": own_name} | config if config else own_name


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
