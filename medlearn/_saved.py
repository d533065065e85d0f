"""Saved models: Keras finds the losses and layers of this package when it loads a model.

Keras looks up the classes of other packages only if they were registered before. Registering needs
their modules and these need TensorFlow, so they are imported as soon as Keras is, by whomever.
"""

import importlib
import importlib.util
import sys
from contextlib import suppress

MODULES = (
    "medlearn.adaptation.distances",
    "medlearn.adaptation.layers",
    "medlearn.backbones._tokens",
    "medlearn.networks._normalisation",
    "medlearn.networks._resizing",
    "medlearn.networks.detection._losses",
    "medlearn.networks.losses",
    "medlearn.networks.volumes._layers",
)


def register_with_keras() -> None:
    """Register now if Keras is loaded, and else when it will be."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register() -> None:
    with suppress(ImportError):  # Keras on another backend: none of our networks runs there
        for module in MODULES:
            importlib.import_module(module)


class _AfterKeras:
    """Finds Keras as Python does, and registers once it is loaded."""

    searching = False

    def find_spec(self, fullname, path=None, target=None):
        """Return the specification of Keras, whose loader then registers, and None of all else."""
        if fullname != "keras" or self.searching:
            return None
        self.searching = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.searching = False
        if spec is not None and spec.loader is not None:
            self._register_after(spec.loader)
        return spec

    def _register_after(self, loader) -> None:
        load = loader.exec_module

        def load_and_register(module):
            load(module)
            sys.meta_path.remove(self)
            _register()

        loader.exec_module = load_and_register
