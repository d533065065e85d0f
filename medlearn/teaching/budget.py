"""How much a lesson may compute: one dictionary, two columns that differ in numbers only."""

import os

BUDGETS = {
    "cpu": {"size": 128, "images": 600, "draws": 5, "epochs": 8, "batch_size": 32},
    "gpu": {"size": 224, "images": 3000, "draws": 20, "epochs": 30, "batch_size": 64},
}


def name() -> str:
    """`"gpu"` where TensorFlow sees one, else `"cpu"`; the environment variable `MEDLEARN_BUDGET` overrides.

    Raises ValueError if the variable names neither.
    """
    wanted = os.environ.get("MEDLEARN_BUDGET")
    if wanted is None:
        from medlearn import _keras

        return "gpu" if _keras.gpu_name() else "cpu"
    if wanted not in BUDGETS:
        raise ValueError(
            f"MEDLEARN_BUDGET is {wanted!r}; expected one of {', '.join(BUDGETS)}, or leave it unset."
        )
    return wanted


def gpu_name() -> str | None:
    """The name of the first graphics card that TensorFlow can use, or None."""
    from medlearn import _keras

    return _keras.gpu_name()


def current() -> dict[str, int]:
    """The numbers of the budget in force: a fresh dictionary of `size` (pixels), `images`, `draws`, `epochs`, `batch_size`."""
    return dict(BUDGETS[name()])
