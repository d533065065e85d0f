"""What do broken files and killed processes do to the readers?

    python benchmarks/reliability.py [--only TEXT]        # adds the missing rows: an hour
    python benchmarks/reliability.py --long               # ten times as many files: a night
    python benchmarks/reliability.py --only traps         # folders with traps
    python benchmarks/reliability.py --only kills         # long commands, 20 kills each
    python benchmarks/reliability.py --only nbval         # 20 runs of all lessons: hours

Fills results/reliability.csv; the lessons are played only where `--only` says so.

Every row is a kind of harm, done with the seeds from `first` on. Columns: tried (files, kills);
refused (a documented exception of one sentence), problem (listed in the table of problems) and
alike (read: an archive as if nothing had been broken; a picture of one's own, which carries no
checksum, perhaps with other pixels); surprises (an undocumented exception, something read as
something else, or a file that takes SLOW CPU-seconds; each is printed with its seed); killed (in
the act) and repaired (by the next call, with nothing half-written read before); the longest single
file in CPU-seconds, and all of them in seconds. A row with surprises stays in the table until it is
removed by hand, once they are mended.

The tests do the same harm, less often. It is written in common/mutations.py (files of a user's
own), common/mutated_folders.py (traps in a folder: paths, links, devices, sizes, a second reader),
common/mutated_archives.py (NPZ and ZIP), common/mutated_sets.py (decoded sets of the cache),
common/mutated_predictors.py (what `inference.load` reads; forged: with checksums that fit),
common/faults.py (kills of readers and writers) and tests/killed_commands.py (kills of commands).
The set-up of the environment is killed by its own test, as often as MEDLEARN_KILLS says:
`MEDLEARN_KILLS=20 python -m pytest tests/test_course_setup.py -k kill`.
"""

from collections.abc import Callable
from functools import partial
import time
import traceback

from common import table  # first: it sets the threads
from common import faults, mutated_archives, mutated_folders, mutated_predictors, mutated_sets
from common import mutations

FILES, KILLS = 1000, 100
COMMAND_KILLS, NBVAL_RUNS = 20, 20
ROUNDS, LONG = 2, 20  # rows of FILES seeds for each kind of broken file
SLOW = 10.0  # CPU-seconds that no single file may take
KEY = ("harm", "first")
OUTCOMES = ("refused", "problem", "alike", "surprises")
COLUMNS = ("tried", *OUTCOMES, "killed", "repaired", "longest", "seconds")


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
COMMANDS = {f"kills of {command}": command for command in faults.COMMANDS}
NBVAL = "nbval of all lessons"


def measure(harm: str, first: int) -> dict:
    """Return the results of one row."""
    start = time.monotonic()
    if harm in KILLED:
        seeds = range(first, first + KILLS)
        result = {"tried": KILLS, **faults.kills(KILLED[harm], seeds)}
    elif harm in COMMANDS:
        result = {"tried": COMMAND_KILLS, **faults.kills_of(COMMANDS[harm], COMMAND_KILLS)}
    elif harm == NBVAL:
        result = faults.nbval()
    else:
        result = _mutated(harm, range(first, first + FILES))
    return result | {"seconds": round(time.monotonic() - start, 1)}


def _mutated(harm: str, seeds: range) -> dict:
    counts, longest = dict.fromkeys(OUTCOMES, 0), 0.0
    for seed in seeds:
        start = time.process_time()
        outcome = _tried(harm, seed)
        seconds = time.process_time() - start
        if seconds > SLOW:
            print(f"{harm}: seed {seed} took {seconds:.0f} s", flush=True)
            outcome = "surprises"
        counts[outcome] += 1
        longest = max(longest, seconds)
    return {"tried": len(seeds), **counts, "longest": round(longest, 2)}


def _tried(harm: str, seed: int) -> str:
    """The outcome of one file; whatever is not foreseen is printed, and is a surprise."""
    try:
        outcome = MUTATIONS[harm](seed)
    except Exception:
        print(f"{harm}: seed {seed}\n{traceback.format_exc()}", flush=True)
        return "surprises"
    return "alike" if outcome == "read" else outcome


def rows(only: str = "", is_long: bool = False) -> list[tuple[str, int]]:
    """Return harm and first seed of all rows, those with other seeds last.

    Parameters
    ----------
    only : str
        What `--only` says: the lessons are played if it names them.
    is_long : bool
        Whether broken files have all their seeds.
    """
    if only and only in NBVAL:
        return [(NBVAL, number) for number in range(NBVAL_RUNS)]
    seeds = [FILES * number for number in range(LONG if is_long else ROUNDS)]
    first = [(harm, 0) for harm in (*MUTATIONS, *KILLED, *COMMANDS)]
    return first + [(harm, seed) for seed in seeds[1:] for harm in MUTATIONS]


if __name__ == "__main__":
    arguments = table.command_line(__doc__, long="ten times as many broken files")
    listed = rows(arguments.only, arguments.long)
    table.grow("reliability", arguments, KEY, COLUMNS, listed, measure)
