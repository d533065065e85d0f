"""Run a learner's code for ten seconds at most, on any system and in any notebook.

A signal would need the main thread and a Unix system. The code therefore runs in a thread, which is
told to stop by an exception raised inside it (``PyThreadState_SetAsyncExc``). Python delivers it
between two instructions, so an endless loop stops; one long call into a compiled library stops when
it returns.
"""

import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SECONDS = 10.0
PATIENCE = 1.0  # seconds in which a thread that is told to stop should have stopped


class TooLong(Exception):
    """The code took longer than it may."""


class _Stop(BaseException):
    """Raised inside the thread; no ``except Exception`` of the learner catches it."""


def run(function: Callable[[], T], seconds: float | None = None) -> T:
    """Return what a function returns, or raise what it raises.

    Parameters
    ----------
    function : callable
        Without arguments.
    seconds : float, optional
        The limit; default: ten.

    Raises
    ------
    TooLong
        If it has not returned by then.
    """
    seconds = SECONDS if seconds is None else seconds
    results: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()  # what the learner prints appears below the cell

    def work() -> None:
        try:
            results.append(context.run(function))
        except BaseException as error:  # SystemExit as well: a learner's exit() ends no kernel
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True, name="medlearn check")
    thread.start()
    try:
        thread.join(seconds)
    finally:
        is_late = thread.is_alive()
        if is_late:  # or the learner interrupted the kernel
            _stop(thread)
    if is_late:
        raise TooLong(f"the code was stopped after {seconds:.0f} s")
    if errors:
        raise errors[0]
    return results[0]


def _stop(thread: threading.Thread) -> None:
    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Stop))
    thread.join(PATIENCE)
