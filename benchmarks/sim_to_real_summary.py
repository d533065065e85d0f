"""What sim_to_real.py and sim_to_real_cells.py found: committed choices, shares of the gap, intervals over patients.

    python benchmarks/sim_to_real_summary.py      # results/sim_to_real*.csv -> results/sim_to_real_summary.csv

Segmentation: `score` is the mean Dice of cytoplasm and nucleus, over images and seeds. A judge chooses anew for each pair, seed
and half of the target; its choice on the half that was adapted on answers for the other half. The committed choice is by
certainty, which the simulated pairs speak for; "without simulator" chooses among what learned from the source alone. (Until
2026-11-28 it was by agreement with the vote of all, settled before the first row of `wbc`: shares of .02 and .71 on the simulated, .03
and .47 on the real pairs. "simulated too" and the change came after these had been seen, so wbc is no fresh witness for them.)
`share` is the share of the gap between source only and oracle that is closed, left empty where the gap is under two standard
errors. For "virtual" sources the gap is that of the other real laboratory, so that 1 is as good as the oracle and 0 as good
as the rival; `below_oracle` is what is missing to the oracle.

Cells: `score` is accuracy, `macro_f1` beside it, and `share` of macro-F1's gap between source only and oracle of adaptation.csv,
on the same halves. "granules" are the same answers, told apart only as granulocytes and others. The committed choice is the
candidate that agrees most often with the vote of all (adaptation_summary.py); "by rehearsal" the one of the highest mean accuracy
in simulated laboratories that are not in the source. "best of all" was picked with the labels open: no method, only a ceiling.
"""

from collections import Counter
from functools import lru_cache

from common import table  # first: it sets the threads
import adaptation
import adaptation_summary
import numpy as np
import pandas as pd
import sim_to_real
import sim_to_real_cells

from medlearn import metrics
from medlearn.metrics import _resamples

JUDGE = "certainty"
REPEATS = 1000


# ---- segmentation ------------------------------------------------------------------------------------------------


def per_image(rows: pd.DataFrame, pair: str) -> dict[str, list[np.ndarray]]:
    """Of each method, or judge's choice, the mean Dice (N,) of every image of the target, a list over seeds."""
    told = {}
    for seed, group in rows[rows.pair == pair].groupby("seed"):
        if not set(sim_to_real.methods(pair)) <= set(group.method):
            continue
        scores = {row.method: np.nanmean(parsed(row.each), axis=0) for row in group.itertuples()}
        rivals, where = group[group.method != "oracle"], (pair, int(seed))
        alone = rivals[~rivals.method.str.startswith("simulated too")]
        for judge in sim_to_real.JUDGES if len(rivals) > 1 else ():
            scores[f"{'committed' if judge == JUDGE else 'chosen'} by {judge}"] = _composed(
                rivals, scores, judge, *where
            )
        if len(alone) < len(rivals):
            scores["committed without simulator"] = _composed(alone, scores, JUDGE, *where)
        for name, values in scores.items():
            told.setdefault(name, []).append(values)
    return told


def parsed(text: str) -> np.ndarray:
    """Dice (2, N) of what `each` holds."""
    return np.array([part.split() for part in text.split("; ")], float) / 1000


def _composed(group: pd.DataFrame, scores: dict, judge: str, pair: str, seed: int) -> np.ndarray:
    """Each half by the candidate that the judge prefers on the other half."""
    there = sim_to_real.laboratory(sim_to_real.PAIRS[pair][1], seed)
    composed = np.empty(len(there))
    for number, other in enumerate(adaptation.halves(there, seed)[::-1]):
        values = group[judge].str.split().str[number].astype(float)
        composed[other] = scores[group.method[values.idxmax()]][other]
    return composed


def segmentation(rows: pd.DataFrame) -> list[dict]:
    found = {pair: per_image(rows, pair) for pair in sim_to_real.PAIRS}
    lines = []
    for pair, methods in found.items():
        there = sim_to_real.PAIRS[pair][1]
        bounds = next(
            each
            for name, each in found.items()
            if sim_to_real.PAIRS[name][1] == there and not name.startswith("virtual")
        )
        if not methods or "oracle" not in bounds:
            continue
        data = {
            seed: sim_to_real.laboratory(there, seed) for seed in range(len(methods["source only"]))
        }
        low, high = (drawn(bounds[name][: len(data)], data) for name in ("source only", "oracle"))
        for name, values in methods.items():
            value = drawn(values, data)
            lines.append(
                {
                    "task": "segmentation",
                    "pair": pair,
                    "choice": name,
                    "seeds": len(values),
                    **row_of(value, low, high),
                }
            )
    return lines


def drawn(values: list[np.ndarray], data: dict) -> tuple[float, np.ndarray]:
    """The mean over images and seeds, and the same of bootstrap draws of patients that all methods share."""
    people = np.unique(np.concatenate([each.patients for each in data.values()]))
    counts = np.random.default_rng(0).multinomial(
        len(people), np.full(len(people), 1 / len(people)), size=REPEATS
    )
    means = [
        _weighted(each, counts[:, np.searchsorted(people, data[seed].patients)])
        for seed, each in enumerate(values)
    ]
    return float(np.mean([np.nanmean(each) for each in values])), np.mean(means, axis=0)


def _weighted(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    there = ~np.isnan(values)
    return counts[:, there] @ values[there] / counts[:, there].sum(1)


def row_of(value: tuple, low: tuple, high: tuple) -> dict:
    row = {"score": value[0], **adaptation_summary.interval_of("score", value[1])}
    if high[0] - low[0] > 2 * (high[1] - low[1]).std():
        row |= {
            "share": (value[0] - low[0]) / (high[0] - low[0]),
            **adaptation_summary.interval_of("share", (value[1] - low[1]) / (high[1] - low[1])),
        }
    return row | {
        "below_oracle": high[0] - value[0],
        **adaptation_summary.interval_of("below_oracle", high[1] - value[1]),
    }


# ---- cells -------------------------------------------------------------------------------------------------------


def cells(rows: pd.DataFrame) -> list[dict]:
    """A line for each target, source and choice, of the seeds of which every candidate is in the table."""
    wanted = {
        seed: Counter(row[:2] for row in sim_to_real_cells.rows(seed))
        for seed in sim_to_real_cells.SEEDS
    }
    rows = rows.groupby(["target", "source", "seed"], sort=False).filter(
        lambda each: len(each) == wanted[int(each.name[2])][each.name[:2]]
    )
    rehearsed = rows[rows.target.str.startswith("rehearsal")].assign(
        accuracy=lambda each: each.accuracy.astype(float)
    )
    by_rehearsal = rehearsed.groupby("method").accuracy.mean().idxmax() if len(rehearsed) else None
    return [
        line
        for (target, source), group in rows[rows.target.str.startswith("wbc")].groupby(
            ["target", "source"], sort=False
        )
        for name, choose in choices(source, by_rehearsal).items()
        for line in _line(group, target, source, name, choose)
    ]


def choices(source: str, by_rehearsal: str | None) -> dict:
    """Name: function from the rows of one seed to the row that is chosen."""

    def named(method):
        return lambda rows: rows[rows.method == method]

    def best(rows):
        return rows.loc[[rows.accuracy.astype(float).idxmax()]]

    if source in ("majority", "oracle"):
        return {
            "frame": named("frame, lite0" if source == "oracle" else ""),
            **({"best of all": best} if source == "oracle" else {}),
        }
    found = {
        "as it is": named("frame, lite0, none, probe"),
        "standardised": named("frame, lite0, standardise, probe"),
        "cut out": named("cut out, lite0, none, probe"),
        "tuned": named("frame, tuned, none, probe"),
        "looks": named("frame, looks, none, probe"),
        "committed": lambda rows: rows[
            rows.predictions == adaptation_summary.consensus(rows, 0)
        ].iloc[:1],
        "best of all": best,
    }
    return found | (
        {"by rehearsal": named(by_rehearsal)} if source == "virtual" and by_rehearsal else {}
    )


def _line(rows: pd.DataFrame, target: str, source: str, choice: str, choose) -> list[dict]:
    """The kinds of one choice and, unless it was picked with the labels open, the granules."""
    chosen = pd.concat([choose(group) for _, group in rows.groupby("seed")])
    if not len(chosen):
        return []
    truth = sim_to_real_cells.laboratory(target, 0)
    told = {int(row.seed): np.array(list(row.predictions), int) for row in chosen.itertuples()}
    method = "; ".join(dict.fromkeys(chosen.method))
    return [
        {
            "task": task,
            "pair": f"{source}>{target}",
            "choice": choice,
            "method": method,
            "seeds": len(told),
        }
        | _named(truth, target, task, told)
        for task in ("cells", "granules")
        if task == "cells" or choice != "best of all"
    ]


def _named(truth, target: str, task: str, told: dict[int, np.ndarray]) -> dict:
    """Accuracy, macro-F1 and share of the gap of the answers of each seed."""
    labels = truth.labels
    if task == "granules":
        granular = np.isin(truth.classes, adaptation.GRANULES).astype(int)
        labels, told = granular[labels], {seed: granular[each] for seed, each in told.items()}
    value, draws = drawn(
        [each == labels for each in told.values()], dict.fromkeys(range(len(told)), truth)
    )
    f1 = resampled(truth, labels, list(told.values()))
    row = {
        "score": value,
        **adaptation_summary.interval_of("score", draws),
        "macro_f1": f1[0],
        **adaptation_summary.interval_of("macro_f1", f1[1:]),
    }
    low, high = (bound(target, task, name) for name in ("source only", "oracle"))
    both = [seed for seed in told if seed in low and seed in high]
    if not both:
        return row
    scores = [resampled(truth, labels, [each[seed] for seed in both]) for each in (told, low, high)]
    return row | {
        name: value
        for name, value in row_of(*((each[0], each[1:]) for each in scores)).items()
        if name.startswith("share")
    }


def resampled(truth, labels: np.ndarray, told: list[np.ndarray]) -> np.ndarray:
    """Macro-F1, mean over seeds, of everybody and of bootstrap draws of patients."""
    people, places = np.unique(truth.patients, return_inverse=True)
    draws = np.random.default_rng(0).multinomial(
        len(people), np.full(len(people), 1 / len(people)), size=REPEATS
    )
    counts = np.vstack([np.ones(len(people), int), draws])
    return np.mean(
        [
            _resamples.resampled_scores(metrics.macro_f1, labels, each, places, counts)
            for each in told
        ],
        axis=0,
    )


@lru_cache
def bound(target: str, task: str, method: str) -> dict[int, np.ndarray]:
    """Answers of a row of adaptation.csv for a target, by seed."""
    way = {"wbc a": "b>a", "wbc b": "a>b"}[target]
    pair = f"wbc {way}" if task == "cells" else f"wbc granules {way}"
    rows = table.read("adaptation", text=("predictions",))
    rows = rows[(rows.pair == pair) & (rows.method == method)]
    return {int(row.seed): np.array(list(row.predictions), int) for row in rows.itertuples()}


if __name__ == "__main__":
    lines = []
    if table.path("sim_to_real").exists():
        lines += segmentation(table.read("sim_to_real", text=(*sim_to_real.JUDGES, "each")))
    if table.path("sim_to_real_cells").exists():
        lines += cells(
            table.read(
                "sim_to_real_cells", text=(*sim_to_real_cells.JUDGES, "predictions", "method")
            )
        )
    adaptation.log_opening("sim_to_real_summary", "all", 0, "all", "summarise")
    summary = pd.DataFrame(lines).round(4)
    summary.to_csv(table.path("sim_to_real_summary"), index=False, lineterminator="\n")
    print(summary.to_string(index=False))
