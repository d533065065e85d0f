"""What do broken files and killed processes do to the readers?

    python benchmarks/reliability.py [--only TEXT]   # adds the missing rows

About ten minutes; fills results/reliability.csv.

Every row is a kind of harm. Columns: tried (files, kills); refused (a documented exception of one
sentence), problem (listed in the table of problems) and alike (read: an archive as if nothing had
been broken; a picture of one's own, which carries no checksum, perhaps with other pixels); killed
(in the act) and repaired (by the next call, with nothing half-written read before); the longest
single file in CPU-seconds, and all of them in seconds. An undocumented exception, an archive read
as something else, or a file that takes SLOW CPU-seconds ends the benchmark with an error.

The tests do the same harm, less often. It is written in common/mutations.py (files of a user's
own), common/mutated_folders.py (traps in a folder: paths, links, devices, sizes, a second reader),
common/mutated_archives.py (NPZ and ZIP), common/mutated_sets.py (decoded sets of the cache),
common/mutated_predictors.py (what `inference.load` reads; forged: with checksums that fit) and
common/faults.py (kills).
"""

from collections.abc import Callable
from functools import partial
import time

from common import table  # first: it sets the threads
from common import faults, mutated_archives, mutated_folders, mutated_predictors, mutated_sets
from common import mutations

FILES, KILLS = 1000, 100
SLOW = 10.0  # CPU-seconds that no single file may take
KEY = ("harm",)
COLUMNS = ("tried", "refused", "problem", "alike", "killed", "repaired", "longest", "seconds")


def _outcome(file_format: str, seed: int) -> str:
    return mutations.trial(file_format, seed)["outcome"]


MUTATIONS: dict[str, Callable[[int], str]] = {
    **mutated_archives.MUTATIONS,
    **mutated_predictors.MUTATIONS,
    **mutated_sets.MUTATIONS,
    **mutated_folders.MUTATIONS,
    **{
        f"mutated {file_format.upper().replace('_', ' ')}": partial(_outcome, file_format)
        for file_format in mutations.FORMATS
    },
}
KILLED = {f"kill during {phase}": phase for phase in faults.KILLS}


def measure(harm: str) -> dict:
    """Return the results of one row."""
    start = time.monotonic()
    if harm in KILLED:
        result = {"tried": KILLS, **faults.kills(KILLED[harm], range(KILLS))}
    else:
        result = _mutated(harm)
    return result | {"seconds": round(time.monotonic() - start, 1)}


def _mutated(harm: str) -> dict:
    outcomes, longest = [], 0.0
    for seed in range(FILES):
        start = time.process_time()
        outcomes.append(MUTATIONS[harm](seed))
        longest = max(longest, time.process_time() - start)
        assert longest < SLOW, f"{harm}: seed {seed} took {longest:.0f} s"
    return {
        "tried": FILES,
        "refused": outcomes.count("refused"),
        "problem": outcomes.count("problem"),
        "alike": outcomes.count("alike") + outcomes.count("read"),
        "longest": round(longest, 2),
    }


ROWS = [(harm,) for harm in (*MUTATIONS, *KILLED)]

if __name__ == "__main__":
    table.grow("reliability", __doc__, KEY, COLUMNS, ROWS, measure)
