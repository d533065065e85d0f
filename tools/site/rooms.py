"""The pages of the reference: one for each room of `medlearn`, which Sphinx fills by autodoc."""

import importlib
import importlib.util
from pathlib import Path

from medlearn.teaching.language import say

TITLE = "Reference"
HEAD = """\
What each room of `medlearn` offers: ``from medlearn import splits``, then
``splits.by_patient(...)``. The pages are made from the docstrings, which say shapes, units, errors
and sources.
"""
CONTENTS = ".. toctree::\n\n"
WITHOUT_PAGE = ("keras", "tf")  # other libraries; they have documentation of their own


def rooms() -> list[str]:
    """Return the names of the rooms, such as ``"splits"`` and ``"instruments.mri"``."""
    names: list[str] = []
    for name in importlib.import_module("medlearn").__all__:
        if name in WITHOUT_PAGE:
            continue
        parts = submodules(name) if name == "instruments" else []
        names += [f"{name}.{part}" for part in parts] or [name]
    return sorted(names)


def submodules(room: str) -> list[str]:
    """Return the modules that a room offers, such as ``"boxes"`` for ``"metrics"``."""
    names = getattr(importlib.import_module(f"medlearn.{room}"), "__all__", [])
    return [name for name in names if _is_module(f"medlearn.{room}.{name}")]


def write(folder: Path) -> None:
    """Write a page for each room, and the page that lists them, into a new folder."""
    folder.mkdir()
    for room in rooms():
        (folder / f"{room}.rst").write_text(_page(room), encoding="utf-8")
    listed = "".join(f"   {room}\n" for room in rooms())
    title = say(TITLE)
    head = f"{title}\n{'=' * 2 * len(title)}\n\n{say(HEAD)}\n{CONTENTS}"  # Chinese signs are wide
    (folder / "index.rst").write_text(head + listed, encoding="utf-8")


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module without modules
        return False


def _page(room: str) -> str:
    """A room's page: its own functions, then those of its modules."""
    parts = [_heading(room, "="), _automodule(room)]
    for name in submodules(room):
        parts += [_heading(f"{room}.{name}", "-"), _automodule(f"{room}.{name}")]
    return "\n".join(parts)


def _heading(text: str, sign: str) -> str:
    return f"{text}\n{sign * len(text)}\n"


def _automodule(name: str) -> str:
    """The directive that documents a module; a map of names documents where they lead."""
    directive = f".. automodule:: medlearn.{name}\n   :members:\n"
    is_map = hasattr(importlib.import_module(f"medlearn.{name}"), "__all__")
    return directive + "   :imported-members:\n" * is_map
