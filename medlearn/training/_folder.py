"""The folder of a run: held by one training at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from medlearn import _files


@contextmanager
def alone(folder: Path, part: str) -> Iterator[None]:
    """Keep other trainings out of a folder; the system lets go of it for a process that dies.

    Where no lock can be kept, as on some shared disks or in a folder that one may only read,
    nobody is kept out.

    Parameters
    ----------
    folder : Path
        With the checkpoints of a run.
    part : str
        What this process writes there: each worker of one training has a part of its own.

    Raises
    ------
    OSError
        If another training holds it; the message says which one.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(_files.locked(folder / part, wait=False))
        except BlockingIOError as holder:
            raise OSError(
                f"Another training is at work in {folder} ({holder}): wait until it has ended, or "
                "choose a folder for each."
            ) from None
        except (OSError, NotImplementedError):
            pass
        yield
