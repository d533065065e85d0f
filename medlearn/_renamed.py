"""Names of the last release: found for one more, with a warning that gives the new name."""

import functools
import warnings
from collections.abc import Callable


def with_old_names(
    package: str, getattr_: Callable[[str], object], new_names: dict[str, str]
) -> Callable[[str], object]:
    """Return a module's ``__getattr__`` that also knows the names of an earlier release.

    Parameters
    ----------
    package : str
        The module's ``__name__``.
    getattr_ : callable
        The module's ``__getattr__`` so far.
    new_names : dict of str
        New name by old name; a new name in a submodule is dotted, such as
        ``"detection.decode"``.
    """

    def __getattr__(name: str) -> object:
        if name not in new_names:
            return getattr_(name)
        new = new_names[name]
        warnings.warn(
            f"{package}.{name} is now {package}.{new}; the old name goes with the next release.",
            DeprecationWarning,
            stacklevel=2,
        )
        first, *submodules = new.split(".")
        return functools.reduce(getattr, submodules, getattr_(first))

    return __getattr__
