"""What the programs here that are timed have in common; see ../features_speed.py, which asks them."""

from pathlib import Path
import sys
import time

import numpy as np


def answer(works, folder, versions, to=None):
    """Leave what each work gives in vectors.npz, then tell seconds and processor seconds of each work that a line of the input names."""
    np.savez(Path(folder, "vectors.npz"), **{name: work() for name, work in works.items()})
    print(versions, file=to, flush=True)
    for line in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        works[line.strip()]()
        print(time.perf_counter() - start, time.process_time() - used, file=to, flush=True)
