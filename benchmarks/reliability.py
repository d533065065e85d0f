"""What broken files and killed processes do to the readers: every row is a kind of harm.

    python benchmarks/reliability.py [--only TEXT]     # adds the missing rows to results/reliability.csv

Columns: tried (files, kills); refused (a documented exception of one sentence), problem (listed in the table of
problems) and alike (read: an archive as if nothing had been broken; a picture of one's own, which carries no checksum,
perhaps with other pixels); killed (in the act) and repaired (by the next call, with nothing half-written read before);
the longest single file and all of them in seconds. An undocumented exception, an archive read as something else, or a
file that takes SLOW seconds ends the benchmark with an error.

The tests do the same harm, less often. It is written in common/mutations.py (files of a user's own),
common/mutated_archives.py (NPZ and ZIP) and common/faults.py (kills).
"""

import time

from common import faults, mutated_archives, mutations, table

HARM = mutated_archives.MUTATIONS | {
    f"mutated {kind.upper()}": lambda seed, kind=kind: mutations.trial(kind, seed)["outcome"]
    for kind in mutations.KINDS
}

FILES, KILLS = 3000, 100
SLOW = 5.0  # seconds that no single file may take
COLUMNS = ("tried", "refused", "problem", "alike", "killed", "repaired", "longest", "seconds")


def measure(what: str) -> dict:
    """One row; see the head of this file."""
    began = time.monotonic()
    result = (
        _killed(what.removeprefix("kill during "))
        if what.startswith("kill during ")
        else _mutated(what)
    )
    return result | {"seconds": round(time.monotonic() - began, 1)}


def _mutated(what: str) -> dict:
    outcomes, longest = [], 0.0
    for seed in range(FILES):
        began = time.monotonic()
        outcomes.append(HARM[what](seed))
        longest = max(longest, time.monotonic() - began)
        assert longest < SLOW, f"{what}: seed {seed} took {longest:.0f} s"
    return {
        "tried": FILES,
        "refused": outcomes.count("refused"),
        "problem": outcomes.count("problem"),
        "alike": outcomes.count("alike") + outcomes.count("read"),
        "longest": round(longest, 2),
    }


def _killed(phase: str) -> dict:
    return {"tried": KILLS, **faults.kills(phase, range(KILLS))}


ROWS = [(what,) for what in (*HARM, *(f"kill during {phase}" for phase in faults.KILLS))]

if __name__ == "__main__":
    table.grow("reliability", __doc__, key=("what",), columns=COLUMNS, rows=ROWS, measure=measure)
