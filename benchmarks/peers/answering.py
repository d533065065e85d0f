"""What the programs here that are timed have in common; ../features_speed.py calls them."""

from collections.abc import Callable
from pathlib import Path
import sys
import time

import numpy as np


def answer(works: dict[str, Callable], folder: str, versions: str, to=None) -> None:
    """Leave the result of each work in vectors.npz, then time each work that the input names.

    Parameters
    ----------
    works : dict
        Functions without arguments, by name.
    folder : str
        Where vectors.npz is written.
    versions : str
        The first line of the output.
    to : file, optional
        The output; standard output if not given. A line for each name: seconds of the clock and
        of the processor.
    """
    np.savez(Path(folder, "vectors.npz"), **{name: work() for name, work in works.items()})
    print(versions, file=to, flush=True)
    for line in sys.stdin:
        clock, processor_clock = time.perf_counter(), time.process_time()
        works[line.strip()]()
        seconds, processor_seconds = (
            time.perf_counter() - clock,
            time.process_time() - processor_clock,
        )
        print(seconds, processor_seconds, file=to, flush=True)
