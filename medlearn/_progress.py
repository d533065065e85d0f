"""Progress bars on stdout: they vanish when done and are silent where nobody watches."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def bar(
    iterable: Iterable | None = None,
    text: str = "",
    *,
    total: int | None = None,
    unit: str = "",
    bytes: bool = False,
    silent: bool = False,
) -> tqdm:
    """Return a tqdm progress bar.

    It writes text to stdout: stderr would leave red boxes in saved notebooks, a widget its state.

    Parameters
    ----------
    iterable : iterable, optional
        What is counted while it is looped over. Without it, call `update()` on the bar.
    text : str
        Stands before the bar.
    total : int, optional
        The count at the end, where `iterable` has no length.
    unit : str
        Of the count, such as ``" images"``.
    bytes : bool
        Whether the count is of bytes; then it is printed in kB and MB.
    silent : bool
        Whether the bar stays away even where somebody watches.
    """
    return tqdm(
        iterable,
        desc=text,
        total=total,
        unit=unit or ("B" if bytes else "it"),
        unit_scale=bytes,
        file=sys.stdout,
        leave=False,
        disable=silent or not watched(),
        dynamic_ncols=True,
        mininterval=0.2,
        delay=0.5,
    )


def watched() -> bool:
    """Return whether stdout is a terminal or a notebook in a front end.

    Headless runners of notebooks (nbclient, nbval, papermill) tell the kernel that it cannot ask
    for input; JupyterLab, VS Code and Colab tell it that it can.
    """
    if sys.stdout is not None and sys.stdout.isatty():
        return True
    if "IPython" not in sys.modules:
        return False
    kernel = getattr(sys.modules["IPython"].get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))
