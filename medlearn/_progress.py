"""Progress bars that go to stdout, vanish when done, and stay away where nobody watches."""

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
) -> tqdm:
    """A tqdm bar over `iterable`, or one to `update()` by hand up to `total`; with `bytes` it counts in MB.

    stdout and not stderr, so that saved notebooks hold no red boxes; text and not a widget, so that they hold no state.
    """
    return tqdm(
        iterable,
        desc=text,
        total=total,
        unit=unit or ("B" if bytes else "it"),
        unit_scale=bytes,
        file=sys.stdout,
        leave=False,
        disable=not watched(),
        dynamic_ncols=True,
        mininterval=0.2,
        delay=0.5,
    )


def watched() -> bool:
    """Whether somebody may be looking at stdout: a terminal, or a notebook in a front end.

    Headless runners of notebooks (nbclient, nbval, papermill) tell the kernel that it cannot ask for input; JupyterLab,
    VS Code and Colab tell it that it can.
    """
    if sys.stdout is not None and sys.stdout.isatty():
        return True
    get_ipython = sys.modules["IPython"].get_ipython if "IPython" in sys.modules else lambda: None
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))
