"""One contract for all of adaptation: no argument exists through which the target's labels could come in."""

import importlib
import inspect
import pkgutil
import re

import pytest

from medlearn import adaptation

MODULES = [
    importlib.import_module(f"medlearn.adaptation.{each.name}")
    for each in pkgutil.iter_modules(adaptation.__path__)
]
VALIDATORS = [importlib.import_module("medlearn.selection.validators")]
FORBIDDEN = re.compile(
    r"^(y|y_.*|.*_y|labels?|truth|classes_true|.*target.*label.*|.*label.*target.*|masks?|target_masks?)$"
)


def offered(modules):
    """Public functions and the constructors and calls of public classes, by name."""
    for module in modules:
        for name, thing in vars(module).items():
            if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__:
                if inspect.isclass(thing):
                    yield f"{name}.__init__", thing.__init__
                    yield from (
                        (f"{name}.call", each) for each in [getattr(thing, "call", None)] if each
                    )
                elif callable(thing):
                    yield name, thing


def leaks(functions):
    return [
        f"{name} has an argument {argument!r}"
        for name, function in functions
        for argument in inspect.signature(function).parameters
        if FORBIDDEN.match(argument)
    ]


def test_no_argument_takes_target_labels():
    functions = [
        each
        for each in offered([*MODULES, *VALIDATORS])
        if each[0] not in ("Chosen.__init__", "Corrected.__init__")
    ]
    assert len(functions) > 20
    assert leaks(functions) == []


@pytest.mark.parametrize(
    "argument",
    ["labels", "y", "target_labels", "labels_target", "y_target", "target_masks", "truth"],
)
def test_such_an_argument_is_found(argument):
    namespace = {}
    exec(f"def adapt(source, source_labels, target, {argument}): pass", namespace)
    assert leaks([("adapt", namespace["adapt"])])


def test_source_labels_and_hard_names_are_no_leak():
    assert not leaks(
        [("fine", lambda source, source_labels, target, target_probabilities, source_prior: None)]
    )


def test_the_package_says_so():
    assert "No function here has an argument for target labels" in adaptation.__doc__
