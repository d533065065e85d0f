"""What users call is typed, says what its parameters are, and shows examples that run."""

import doctest
import importlib
import inspect

import lessons
import pytest

from tools.site import rooms

CALLED_BY_KERAS = {"build", "call", "compute_output_shape", "get_config"}


def public_functions():
    """The functions and methods of all rooms, by the name by which users call them."""
    for room in rooms.rooms():
        for module in [room, *(f"{room}.{name}" for name in rooms.submodules(room))]:
            for name, member in members(importlib.import_module(f"medlearn.{module}")):
                if inspect.isfunction(member):
                    yield f"{module}.{name}", member
                else:
                    for method, function in methods(member):
                        yield f"{module}.{name}.{method}", function


def members(module):
    """The functions and classes that a module offers: those of its map, or those it defines."""
    names = getattr(module, "__all__", None) or vars(module)
    for name in names:
        member = getattr(module, name)
        if name.startswith("_") or not (inspect.isfunction(member) or inspect.isclass(member)):
            continue
        if hasattr(module, "__all__") or member.__module__ == module.__name__:
            yield name, member


def methods(cls):
    """The methods that users call."""
    for name, function in vars(cls).items():
        is_public = not name.startswith("_") and name not in CALLED_BY_KERAS
        if is_public and inspect.isfunction(function):
            yield name, function


def parameters(function):
    every = inspect.signature(function).parameters.values()
    return [parameter for parameter in every if parameter.name not in ("self", "cls")]


def test_public_functions_are_typed():
    untyped = []
    for name, function in public_functions():
        signature = inspect.signature(function)
        missing = [p.name for p in parameters(function) if p.annotation is p.empty]
        if signature.return_annotation is signature.empty:
            missing.append("return")
        if missing:
            untyped.append(f"{name}: {', '.join(missing)}")
    lessons.expect_none(untyped)


def test_public_functions_explain_their_parameters():
    silent = []
    for name, function in public_functions():
        text = inspect.getdoc(function) or ""
        if not text or (len(parameters(function)) > 1 and "Parameters\n------" not in text):
            silent.append(name)
    lessons.expect_none(silent)


def modules_with_examples(room):
    """Names of the modules of a room whose docstrings hold examples."""
    folder = lessons.ROOT / "medlearn" / room
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    for path in paths:
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(lessons.ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__")


ROOMS = sorted(
    path.stem
    for path in (lessons.ROOT / "medlearn").iterdir()
    if (path.is_dir() or path.suffix == ".py") and not path.name.startswith("__")
)


@pytest.mark.parametrize("room", [room for room in ROOMS if any(modules_with_examples(room))])
def test_examples(room):
    for name in modules_with_examples(room):
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, f"{name}: its examples do not print what they say"
