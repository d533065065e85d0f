"""Many random pairs of simulated domains: which adaptation helps, which harms, and who foresees it?

    python benchmarks/arena.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/arena_summary.py                       # then: choices and intervals

About 8 CPU-seconds for a pair, a quarter of an hour for all rows; fills results/arena.csv.

A row is one candidate of `adaptation.candidates` on one pair (common/arena_pairs.py), as
PROTOCOL.md says. What is fitted to the target sees the first half of its patients. `score`
(balanced accuracy), `accuracy` and `auroc` are those of the second half, `transductive` is the
score of the first. All other columns are measured without target labels: validators, and the
evidence of `selection.choose`. "oracle" learns from the labels of the first half.
"""

from datetime import date
from functools import lru_cache
import subprocess
import warnings

from common import table  # first: it sets the threads
from common import arena_pairs, arena_rows

from medlearn import adaptation

KEY = ("half", "pair", "instrument", "kind", "method")
COLUMNS = (*arena_rows.SCORES, *arena_rows.OF_SOURCE, *arena_rows.EVIDENCE, "commit", "date")
METHODS = (*arena_rows.CANDIDATES, "oracle")


def measure(half: str, number: int, instrument: str, kind: str, method: str) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    half, instrument, kind : str
        What `arena_pairs` says of this pair.
    number : int
        Number of the pair.
    method : str
        Name in `METHODS`.
    """
    columns = _pair(number)[method]
    stamp = {"commit": _commit(), "date": date.today()}
    return {name: columns.get(name, "") for name in COLUMNS} | stamp


@lru_cache(maxsize=1)
def _pair(number: int) -> dict[str, dict[str, float]]:
    """The columns of every method on one pair."""
    pair = arena_pairs.load(number)
    task = arena_rows.Task(
        arena_rows.vectors(pair.source.images),
        pair.source.labels,
        arena_rows.vectors(pair.target.images),
        pair.target.labels,
        *pair[2:],
    )
    return arena_rows.measured(task, adaptation.candidates(*task.unlabelled))


@lru_cache
def _commit() -> str:
    """The commit that is checked out, in short."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


ROWS = [
    (half, number, arena_pairs.instrument_of(number), arena_pairs.kind_of(number), method)
    for half in ("development", "test")
    for number in arena_pairs.numbers(half)
    for method in METHODS
]

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # small halves lack a class now and then
    table.grow("arena", __doc__, KEY, COLUMNS, ROWS, measure)
