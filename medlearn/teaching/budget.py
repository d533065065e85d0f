"""How much a lesson may compute: one dictionary, two columns that differ in numbers only."""

import os

from medlearn import _keras

BUDGETS = {
    "cpu": {"size": 128, "images": 600, "draws": 5, "epochs": 8, "batch_size": 32},
    "gpu": {"size": 224, "images": 3000, "draws": 20, "epochs": 30, "batch_size": 64},
}


def name() -> str:
    """Return "gpu" where TensorFlow finds one, else "cpu"; ``MEDLEARN_BUDGET`` overrides.

    Raises
    ------
    ValueError
        If the environment variable names neither.
    """
    override = os.environ.get("MEDLEARN_BUDGET")
    if override is None:
        return "gpu" if _keras.gpu_name() else "cpu"
    if override not in BUDGETS:
        raise ValueError(
            f"MEDLEARN_BUDGET is {override!r}; expected one of {', '.join(BUDGETS)}, or leave it "
            "unset."
        )
    return override


def gpu_name() -> str | None:
    """Return the name of the first graphics card that TensorFlow can use, or None."""
    return _keras.gpu_name()


def current() -> dict[str, int]:
    """Return the numbers of the budget in force, as a fresh dictionary.

    Its keys are ``size`` (pixels), ``images``, ``draws``, ``epochs`` and ``batch_size``.

    Examples
    --------
    >>> from medlearn.teaching import budget
    >>> sorted(budget.current())
    ['batch_size', 'draws', 'epochs', 'images', 'size']
    """
    return dict(BUDGETS[name()])
