"""The examples in docstrings run and print what they say."""

import doctest
import importlib

import pytest
from lessons import ROOT

ROOMS = sorted(
    path.stem
    for path in (ROOT / "medlearn").iterdir()
    if (path.is_dir() or path.suffix == ".py") and not path.name.startswith("__")
)


def modules_with_examples(room):
    """Names of the modules of a room whose docstrings hold examples."""
    folder = ROOT / "medlearn" / room
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    for path in paths:
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("room", [room for room in ROOMS if any(modules_with_examples(room))])
def test_examples(room):
    for name in modules_with_examples(room):
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, f"{name}: its examples do not print what they say"
