"""How much does each choice gain over the pairs of the arena, and how often does it harm?

    python benchmarks/arena_summary.py

Half a CPU-minute; fills results/arena_summary.csv and results/arena_properties.csv.

A row of the summary is a choice on one half of the arena and one group of its pairs. On the
development half `choose` is a rule that was fitted to all other pairs; on the test half it is the
rule of the package. The other choices are single validators ("take the candidate with the highest
value"), fixed candidates, and the best candidate, which nobody can know. `harm` is the share of
pairs in which the choice scores more than two points below source only. Intervals are over pairs
(PROTOCOL.md).

A row of arena_properties.csv is a property of a pair that needs no target label, with its rank
correlations over the pairs of both halves: with the score of source only, with the gain of the best
candidate, and with the gain of two fixed candidates.
"""

from collections.abc import Iterator
from functools import partial

from common import table  # first: it sets the threads
from common import arena_choices
import pandas as pd

from medlearn.selection import _evidence, _rule

CHOOSER = "choose"


def choices(half: str, rows: pd.DataFrame) -> dict[str, dict[int, str]]:
    """Return the candidate that each choice takes on each pair.

    Parameters
    ----------
    half : {"development", "test"}
        Half of the arena.
    rows : DataFrame
        Its candidates.
    """
    rule = _rule.load()
    rules = partial(_package_rule, rule)
    if half == "development":
        rules = arena_choices.left_out_rules(arena_choices.calibration(rows), rule).get
    decided = arena_choices.decisions(rules, rows)
    result = {CHOOSER: {pair: choice.name for pair, choice in decided.items()}}
    for column, name in arena_choices.VALIDATORS.items():
        result[name] = arena_choices.highest(rows, column)
    for method in rows.method.unique():
        result[f"always {method}"] = dict.fromkeys(rows.pair.unique(), method)
    result["best candidate"] = arena_choices.highest(rows, "score_gain")
    return result


def _package_rule(rule: _rule.Rule, pair: int) -> _rule.Rule:
    return rule


def groups(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield names of groups of pairs, and their rows."""
    yield "all", rows
    for column in ("instrument", "kind"):
        for name, group in rows.groupby(column):
            yield str(name), group


def lines() -> Iterator[dict[str, object]]:
    """Yield the rows of the summary; the test half has none until it is measured."""
    for half in ("development", "test"):
        rows = arena_choices.read(half)
        if rows.empty:
            continue
        for name, names in choices(half, rows).items():
            for group, members in groups(rows):
                of_group = {pair: names[pair] for pair in members.pair.unique()}
                key = {"half": half, "group": group, "choice": name}
                yield key | arena_choices.line(members, of_group)


def properties() -> Iterator[dict[str, object]]:
    """Yield the rank correlations of each property of a pair."""
    rows = pd.concat([arena_choices.read("development"), arena_choices.read("test")])
    by_method = rows.set_index(["method", "pair"])
    source_only = by_method.loc[arena_choices.SOURCE_ONLY]
    outcomes = {
        "source_only_score": source_only.score,
        "best_gain": rows.groupby("pair").score_gain.max(),
        "standardise_gain": by_method.loc["standardise"].score_gain,
        "coral_self_training_gain": by_method.loc["coral, self-training"].score_gain,
    }
    for name in (*_evidence.OF_PAIR, *_evidence.OF_CANDIDATE[:-1]):
        values = source_only[name]
        line = {"property": name, "pairs": len(values)}
        for outcome, column in outcomes.items():
            line[outcome] = values.corr(column, method="spearman")
        yield line


if __name__ == "__main__":
    table.write("arena_summary", lines())
    table.write("arena_properties", properties())
