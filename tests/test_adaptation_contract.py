"""One contract for all of adaptation: no argument lets target labels in."""

import importlib
import inspect
import re

from medlearn import adaptation, monitoring, selection

MODULES = ["medlearn.adaptation._candidates"]
MODULES += [
    f"medlearn.adaptation.{name}"
    for name in dir(adaptation)
    if inspect.ismodule(getattr(adaptation, name))
]
MODULES += [f"medlearn.selection.{name}" for name in dir(selection) if name == "validators"]
MODULES += [f"medlearn.monitoring.{name}" for name in monitoring.__all__]
FORBIDDEN = re.compile(
    r"^(y|y_.*|.*_y|labels?|truth|classes_true|masks?|target_masks?"
    r"|.*target.*label.*|.*label.*target.*)$"
)


def offered(module):
    """Public functions of a module, and its public classes with their public methods."""
    for name, value in vars(module).items():
        ours = getattr(value, "__module__", "").startswith(
            ("medlearn.adaptation", "medlearn.selection", "medlearn.monitoring")
        )
        if name.startswith("_") or not ours or not callable(value):
            continue
        if inspect.isclass(value) and issubclass(value, tuple):
            continue  # a result, not an input
        yield name, value
        for method in ("fit", "transform", "transform_source", "transform_target", "call"):
            if inspect.isclass(value) and hasattr(value, method):
                yield f"{name}.{method}", getattr(value, method)


def leaks(functions):
    problems = []
    for name, function in functions:
        arguments = inspect.signature(function).parameters
        problems += [f"{name}: {argument}" for argument in arguments if FORBIDDEN.match(argument)]
    return problems


def test_no_argument_takes_target_labels():
    assert len(MODULES) > 10
    for module in MODULES:
        functions = list(offered(importlib.import_module(module)))
        assert functions, module
        assert leaks(functions) == [], module


def test_such_an_argument_is_found_and_source_labels_are_none():
    names = ["labels", "y", "target_labels", "labels_target", "y_target", "target_masks", "truth"]
    namespace = {}
    for name in names:
        exec(f"def adapt(source, source_labels, target, {name}): pass", namespace)
        assert leaks([("adapt", namespace["adapt"])]) == [f"adapt: {name}"]
    exec(
        "def adapt(source_labels, source_masks, target_probabilities, source_prior): pass",
        namespace,
    )
    assert leaks([("adapt", namespace["adapt"])]) == []
