"""Lesson 00: a protocol without contrast, a domain, a smear that a network cannot read."""

import numpy as np

from medlearn.instruments import mri
from medlearn.instruments.mri import physics
from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_DIALS = {"blur_um": (0.1, 1.2), "gradient": (0, 0.6), "noise": (0, 20)}


def _signals(protocol):
    """White and grey matter in a scanner of three tesla."""
    site = mri.Site("yours", 3.0, **protocol)
    brightness = dict(zip(physics.TISSUES, np.abs(physics.signals(site)).tolist(), strict=True))
    return brightness["white matter"], brightness["grey matter"]


def _contrast(protocol):
    white, grey = _signals(protocol)
    return (white - grey) / (white + grey)


def _is_equally_bright(protocol):
    return abs(_contrast(protocol)) <= 0.02 and sum(_signals(protocol)) / 2 >= 0.1


def _is_dark(protocol):
    return sum(_signals(protocol)) / 2 < 0.1


def _has_bright_grey(protocol):
    return protocol["sequence"] == "T2w" and _contrast(protocol) < 0


def _has_bright_white(protocol):
    return protocol["sequence"] == "T2w" and _contrast(protocol) > 0


def _is_allowed(settings):
    if set(settings) != set(_DIALS):
        return False
    return all(low <= settings[name] <= high for name, (low, high) in _DIALS.items())


def _is_outside(settings, reads):
    return not _is_allowed(settings)


def _is_read(settings, reads):
    return settings["blur_um"] < 0.6


def _is_unreadable(settings, reads):
    return _is_allowed(settings) and reads(settings) < 0.5


EXERCISES = [
    Condition(
        id="00.1",
        name="protocol",
        test=_is_equally_bright,
        wrong=[
            (
                {"sequence": "T2w", "tr_ms": 1500, "te_ms": 600},
                _is_dark,
                "Hardly any signal is left: that is a black picture. "
                "Listen earlier, or wait longer before you excite again.",
            ),
            (
                {"sequence": "T2w", "tr_ms": 4000, "te_ms": 95},
                _has_bright_grey,
                "Grey matter is brighter. White matter recovers faster, so a shorter TR favours "
                "it.",
            ),
            (
                {"sequence": "T2w", "tr_ms": 600, "te_ms": 15},
                _has_bright_white,
                "White matter is brighter. It also fades faster, so a longer TE takes its lead "
                "away.",
            ),
        ],
        hints=[
            "Set `tr_ms` near T1 and turn `te_ms`.",
            "At TR = 4000 ms grey matter leads at every TE; try a TR between 1000 and 2000 ms.",
        ],
    ),
    Value(
        id="00.2",
        name="same_domain",
        expected=Sealed("00.2", "text", ("ac27e5d6",)),
        choices=["a", "b", "c"],
        wrong=[
            ("a", "Another lamp gives the same cell another colour, as the console shows."),
            ("c", "The patients are the same; where do the pictures come from?"),
        ],
        hints=[
            "A domain is where pictures come from, not whom they show.",
            "In which case could you not tell old and new pictures apart by colour or sharpness?",
        ],
    ),
    Condition(
        id="00.3",
        name="settings",
        test=_is_unreadable,
        wrong=[
            (
                {"blur_um": 9, "gradient": 0.05, "noise": 1},
                _is_outside,
                "Outside the range of a dial: there you could not read it either.",
            ),
            (
                {"blur_um": 0.3, "gradient": 0.4, "noise": 5},
                _is_read,
                "The network is still right more often than wrong, and you have hardly touched "
                "the focus.",
            ),
        ],
        hints=[
            "Try each dial at the end of its range, with the others at rest.",
            "What tells two classes apart is fine texture: which dial takes that away?",
        ],
    ),
]
