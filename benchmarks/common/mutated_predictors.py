"""Saved predictors broken by seed: `inference.load` refuses them, or loads them alike.

`MUTATIONS` maps what is broken to a function of a seed, as in mutated_archives.py. Checksums refuse
what is broken by accident; where an attacker would adapt them, they are made anew here, too.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from common.mutated_archives import ALIKE, REFUSED
from common.mutations import mutated
from medlearn import inference
from medlearn._keras import keras

MODEL, SETTINGS = "model.keras", "predictor.json"
_VALUES = (None, "", "x", -1, 0, 1e400, [], {}, [1], {"a": 1}, [[[]]], True, 10**30, "\ud800")


@cache
def _sound() -> dict[str, bytes]:
    """Return the files of a small classifier."""
    image = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    predictor = inference.bundle(model, ("well", "ill"), images, temperature=1.5, ask_below=0.6)
    with tempfile.TemporaryDirectory() as folder:
        saved = predictor.save(Path(folder, "model"))
        return {path.name: path.read_bytes() for path in saved.iterdir()}


def _attempt(files: dict[str, bytes], seed: int, must_be_alike: bool) -> str:
    """Load a folder of these files, predict, and say how that ended."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        try:
            predictor = inference.load(folder)
        except (ValueError, FileNotFoundError) as error:
            sentence = str(error)
            assert sentence and "\n" not in sentence, f"seed {seed}: not one sentence: {sentence!r}"
            return REFUSED
    if must_be_alike:
        assert predictor.temperature == 1.5 and predictor.ask_below == 0.6, f"seed {seed}"
        assert predictor.classes == ("well", "ill"), f"seed {seed}"
    predictor.predict(np.full((1, 16, 16, 3), 128, np.uint8))
    return ALIKE


def settings(seed: int) -> str:
    """Broken settings, with the checksums as they were."""
    sound = _sound()
    return _attempt(sound | {SETTINGS: mutated(sound[SETTINGS], seed)}, seed, must_be_alike=True)


def model(seed: int) -> str:
    """A broken model, with the checksum as it was: never loaded, unless nothing changed."""
    sound = _sound()
    return _attempt(sound | {MODEL: mutated(sound[MODEL], seed)}, seed, must_be_alike=True)


def forged_settings(seed: int) -> str:
    """One impossible value among the settings, with checksums that fit."""
    rng = np.random.default_rng(seed)
    values = json.loads(_sound()[SETTINGS])
    names = [name for name in values if name not in ("format", "sha256")]
    value = _VALUES[int(rng.integers(len(_VALUES)))]
    name = names[int(rng.integers(len(names)))]
    if isinstance(values[name], dict) and rng.random() < 0.5:
        inner = list(values[name])
        values[name][inner[int(rng.integers(len(inner)))]] = value
    else:
        values[name] = value
    return _attempt(_sound() | {SETTINGS: _signed(values)}, seed, must_be_alike=False)


def forged_model(seed: int) -> str:
    """A broken model with a checksum that fits: only Keras can tell."""
    sound = _sound()
    broken = mutated(sound[MODEL], seed)
    values = json.loads(sound[SETTINGS])
    values["sha256"][MODEL] = hashlib.sha256(broken).hexdigest()
    return _attempt({MODEL: broken, SETTINGS: _signed(values)}, seed, must_be_alike=True)


def _signed(values: dict) -> bytes:
    """Return the settings with the checksum that `Predictor.save` would write."""
    signed = {name: value for name, value in values.items() if name != "sha256"}
    text = json.dumps(signed, sort_keys=True)
    digests = values["sha256"] | {SETTINGS: hashlib.sha256(text.encode()).hexdigest()}
    return json.dumps(values | {"sha256": digests}).encode()


MUTATIONS: dict[str, Callable[[int], str]] = {
    "mutated settings of a predictor": settings,
    "mutated model of a predictor": model,
    "forged settings of a predictor": forged_settings,
    "forged model of a predictor": forged_model,
}
