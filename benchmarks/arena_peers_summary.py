"""On equal features: which library gains most over source only, how often does it harm or fail?

    python benchmarks/arena_peers_summary.py

Two CPU-seconds; results/arena_peers.csv becomes results/arena_peers_summary.csv.

A line is a choice from a grid, or one candidate everywhere ("fixed"). `gain` is the mean over pairs
of the balanced accuracy minus that of source only; `harm` is the share of pairs with a gain below
-.02, `depth` the mean gain of those. `failed` counts pairs where the candidate failed; there it is
not compared, and all other columns are about the other pairs. `ahead` is ours, chosen by consensus,
minus the line, on the same pairs. Intervals are percentiles of 2000 bootstrap draws of pairs, that
of `harm` is Clopper and Pearson's. "best of the grid" was picked with the labels open: a ceiling,
no method. "headline" marks what PROTOCOL.md compares.
"""

from collections.abc import Callable, Iterator
from functools import partial

from common import table  # first: it sets the threads
from common import rivals
import pandas as pd

NUMBERS = ("score", "source_accuracy", "certainty", "consensus")
BEST, CONSENSUS = "best of the grid", "consensus"
VALIDATORS = {
    CONSENSUS: "consensus",
    "certainty": "certainty",
    "source validation": "source_accuracy",
    BEST: "score",
}
CANDIDATES = sum(map(len, rivals.METHODS.values()))  # of a complete pair
Choice = Callable[[pd.DataFrame], str]


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pairs of which every candidate is in the table."""
    counts = rows.groupby("pair").method.transform("size")
    return rows[counts == CANDIDATES]


def _choices(library: str) -> dict[str, Choice]:
    """The choices from a library's grid by their names, the library's own first."""
    made = {
        f"own: {scorer}": partial(rivals.choose, value=partial(_own, scorer=scorer))
        for scorer in rivals.OWN_SCORERS.get(library, ())
    }
    for name, column in VALIDATORS.items():
        made[name] = partial(rivals.choose, value=partial(_column, column=column))
    return made


def _own(rows: pd.DataFrame, scorer: str) -> list[float]:
    return [rivals.own_score(text, scorer) for text in rows.own]


def _column(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows[column]


def _gains(rows: pd.DataFrame, baseline: pd.Series, choose: Choice) -> pd.Series:
    """The gain over source only on each pair."""
    gains = {}
    for pair, candidates in rows.groupby("pair"):
        scores = candidates.set_index("method").score
        chosen = choose(candidates)
        gains[pair] = scores.get(chosen, baseline[pair]) - baseline[pair]
    return pd.Series(gains)


def _fixed(rows: pd.DataFrame, baseline: pd.Series) -> pd.Series:
    """The gain of one candidate on the pairs where it has not failed."""
    left = rows[rows.failed == ""].set_index("pair")
    return left.score - baseline[left.index]


def _headline(library: str, choice: str) -> str:
    """Mark what the protocol compares."""
    preset = {f"own: {scorers[0]}" for scorers in rivals.OWN_SCORERS.values() if scorers}
    is_compared = library in rivals.GRIDS and choice in preset | {CONSENSUS}
    return "headline" if is_compared else ""


def _lines(rows: pd.DataFrame, pairs: str, with_fixed: bool) -> Iterator[dict]:
    """The lines of a set of pairs."""
    own = rows[rows.library == rivals.OURS]
    baseline = own[own.method == rivals.SOURCE_ONLY].set_index("pair").score
    own_gains = _gains(own, baseline, _choices(rivals.OURS)[CONSENSUS])
    for library in (rivals.OURS, *rivals.GRIDS, rivals.OURS_WITH_IMAGES):
        candidates = rows[rows.library == library]
        for name, choose in _choices(library).items():
            gains = _gains(candidates, baseline, choose)
            head = {"pairs": pairs, "library": library, "choice": name}
            yield head | rivals.line(gains, own_gains) | {"role": _headline(library, name)}
    if not with_fixed:
        return
    for (library, method), candidates in rows.groupby(["library", "method"], sort=False):
        if library == rivals.OURS_WITH_IMAGES or method == rivals.SOURCE_ONLY:
            continue  # its candidates stand in other lines; the gain of source only is 0
        head = {"pairs": pairs, "library": library, "choice": f"fixed: {method}"}
        yield head | rivals.line(_fixed(candidates, baseline), own_gains) | {"role": ""}


if __name__ == "__main__":
    measured = table.read("arena_peers", text=("failed", "own", "method", "library"))
    for column in NUMBERS:
        measured[column] = pd.to_numeric(measured[column], errors="coerce")
    measured.loc[measured.library == rivals.ORACLE, "failed"] = ""  # it is never adapted
    complete = _complete(measured)
    lines = list(_lines(complete, "all", with_fixed=True))
    for instrument, part in complete.groupby("instrument", sort=False):
        lines += _lines(part, instrument, with_fixed=False)
    table.write("arena_peers_summary", lines)
