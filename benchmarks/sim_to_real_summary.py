"""What do the committed choices of sim_to_real.py and sim_to_real_cells.py achieve?

    python benchmarks/sim_to_real_summary.py

A quarter of a CPU-minute; results/sim_to_real.csv and sim_to_real_cells.csv become
results/sim_to_real_summary.csv.

Segmentation: `score` is the mean Dice of cytoplasm and nucleus, over images and seeds. A validator
chooses anew for each pair, seed and half of the target; its choice on the half that was adapted on
answers for the other half. The committed choice is by certainty, which the simulated pairs speak
for; "without simulator" chooses among what learned from the source alone. (Until 2026-11-28 it was
by agreement with the vote of all, settled before the first row of `wbc`: shares of .02 and .71 on
the simulated, .03 and .47 on the real pairs. "simulated too" and the change came after these had
been seen, so wbc is no fresh witness for them.) `share` is the share of the gap between source only
and oracle that is closed, left empty where the gap is under two standard errors. For "virtual"
sources the gap is that of the other real laboratory, so that 1 is as good as the oracle and 0 as
good as the rival; `below_oracle` is what is missing to the oracle. A row counts the seeds that it,
source only and oracle have in common.

Cells: `score` is accuracy, `macro_f1` beside it, and `share` of macro-F1's gap between source only
and oracle of adaptation.csv, on the same halves and the seeds that both tables hold. "granules" are
the same predictions, told apart only as granulocytes and others. The committed choice is the
candidate that agrees most often with the vote of all (adaptation_summary.py); "by rehearsal" the
one of the highest mean accuracy in simulated laboratories that are not in the source. "best of all"
was picked with the labels open: no method, only a ceiling.
"""

from collections import Counter
from functools import lru_cache

from common import table  # first: it sets the threads
from common import bootstrap, choices, classification_pairs, laboratories, segmentation_pairs
import numpy as np
import pandas as pd

from medlearn import metrics

COMMITTED = "certainty"
BySeed = dict[int, np.ndarray]


# ---- segmentation --------------------------------------------------------------------------------


def _segmentation(rows: pd.DataFrame) -> list[dict]:
    """A line for each pair and method or choice."""
    dice = {
        pair: _dice_of_choices(rows[rows.pair == pair], pair) for pair in segmentation_pairs.PAIRS
    }
    lines = []
    for pair, values_of in dice.items():
        bounds = dice[segmentation_pairs.reference_pair(pair)]
        if "oracle" not in bounds:
            continue
        for name, values in values_of.items():
            line = {"task": "segmentation", "pair": pair, "choice": name}
            lines.append(line | _segmentation_scores(pair, values, bounds))
    return lines


def _segmentation_scores(pair: str, values: BySeed, bounds: dict[str, BySeed]) -> dict:
    """Score, share of the gap and distance to the oracle, of the seeds that all three have."""
    low, high = bounds["source only"], bounds["oracle"]
    seeds = bootstrap.common_seeds(values, low, high)
    target = segmentation_pairs.PAIRS[pair].target
    draws = bootstrap.Patients(
        {seed: segmentation_pairs.load(target, seed).patients for seed in seeds}
    )
    score, lowest, highest = (
        draws.mean({seed: part[seed] for seed in seeds}) for part in (values, low, high)
    )
    share = bootstrap.share_of_gap(score, lowest, highest)
    return {
        "seeds": len(seeds),
        **score.columns("score"),
        **(share.columns("share") if share else {}),
        **bootstrap.difference(highest, score).columns("below_oracle"),
    }


def _dice_of_choices(rows: pd.DataFrame, pair: str) -> dict[str, BySeed]:
    """For each method and each validator's choice the mean Dice of every image, by seed.

    Seeds of which a candidate is missing are left out.
    """
    dice: dict[str, BySeed] = {}
    for seed, group in rows.groupby("seed"):
        if set(segmentation_pairs.methods(pair)) <= set(group.method):
            for name, values in _dice_of_seed(group, pair, int(seed)).items():
                dice.setdefault(name, {})[int(seed)] = values
    return dice


def _dice_of_seed(rows: pd.DataFrame, pair: str, seed: int) -> dict[str, np.ndarray]:
    """Mean Dice of every image by each method, and by each validator's choice."""
    dice = {
        row.method: np.nanmean(_parsed(row.dice_per_image), axis=0) for row in rows.itertuples()
    }
    methods = dict(dice)
    candidates = rows[rows.method != "oracle"]
    if len(candidates) > 1:
        for validator in segmentation_pairs.VALIDATORS:
            begin = "committed" if validator == COMMITTED else "chosen"
            chosen = _composed(candidates, methods, validator, pair, seed)
            dice[f"{begin} by {validator}"] = chosen
    alone = candidates[~candidates.method.str.startswith("simulated too")]
    if len(alone) < len(candidates):
        chosen = _composed(alone, methods, COMMITTED, pair, seed)
        dice["committed without simulator"] = chosen
    return dice


def _parsed(text: str) -> np.ndarray:
    """Dice (2, N) of the column `dice_per_image`, which holds thousandths."""
    return np.array([part.split() for part in text.split("; ")], float) / 1000


def _composed(
    rows: pd.DataFrame, dice: dict[str, np.ndarray], validator: str, pair: str, seed: int
) -> np.ndarray:
    """Each half by the candidate that the validator prefers on the other half."""
    target = segmentation_pairs.load(segmentation_pairs.PAIRS[pair].target, seed)
    composed = np.empty(len(target))
    for half, (_, predicted) in enumerate(laboratories.halves(target, seed)):
        values = rows[validator].str.split().str[half].astype(float)
        composed[predicted] = dice[rows.method[values.idxmax()]][predicted]
    return composed


# ---- cells ---------------------------------------------------------------------------------------

FIXED = {  # choices that are a method's name
    "as it is": "frame, lite0, none, probe",
    "standardised": "frame, lite0, standardise, probe",
    "cut out": "cut out, lite0, none, probe",
    "tuned": "frame, tuned, none, probe",
    "looks": "frame, looks, none, probe",
}


def _cells(rows: pd.DataFrame) -> list[dict]:
    """A line for each target, source, choice and task, of the seeds with every candidate."""
    rows = _complete(rows)
    rehearsed = rows[rows.target.isin(classification_pairs.REHEARSED)]
    accuracy = rehearsed.accuracy.astype(float).groupby(rehearsed.method).mean()
    by_rehearsal = accuracy.idxmax() if len(accuracy) else None
    real = rows[rows.target.isin(classification_pairs.REAL)]
    lines = []
    for (target, source), group in real.groupby(["target", "source"], sort=False):
        for choice in _choices_of(source, by_rehearsal):
            runs = [_chosen(run, choice, by_rehearsal) for _, run in group.groupby("seed")]
            chosen = pd.concat(runs)
            if len(chosen):
                lines += _cell_lines(chosen, target, source, choice)
    return lines


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of targets, sources and seeds of which every candidate is in the table."""
    planned = Counter()
    for seed in classification_pairs.SEEDS:
        planned.update((*row[:2], seed) for row in classification_pairs.rows(seed))
    groups = rows.groupby(["target", "source", "seed"], sort=False)
    return groups.filter(lambda group: len(group) == planned[group.name])


def _choices_of(source: str, by_rehearsal: str | None) -> list[str]:
    """Names of the choices that are made among the candidates of a source."""
    if source == "majority":
        return ["frame"]
    if source == "oracle":
        return ["frame", "best of all"]
    rehearsed = ["by rehearsal"] if source == "virtual" and by_rehearsal else []
    return [*FIXED, "committed", "best of all", *rehearsed]


def _chosen(rows: pd.DataFrame, choice: str, by_rehearsal: str | None) -> pd.DataFrame:
    """The row of one seed that is chosen; empty where the source has no such candidate."""
    if choice == "best of all":
        return rows.loc[[rows.accuracy.astype(float).idxmax()]]
    if choice == "committed":
        return rows[rows.predictions == choices.consensus(rows, 0)].iloc[:1]
    if choice == "by rehearsal":
        return rows[rows.method == by_rehearsal]
    if choice == "frame":
        return rows[rows.method.isin(["", "frame, lite0"])]
    return rows[rows.method == FIXED[choice]]


def _cell_lines(chosen: pd.DataFrame, target: str, source: str, choice: str) -> list[dict]:
    """The classes of one choice and, unless it was picked with the labels open, the granules."""
    predictions = {int(row.seed): choices.digits(row.predictions) for row in chosen.itertuples()}
    tasks = ("cells",) if choice == "best of all" else ("cells", "granules")
    return [
        {
            "task": task,
            "pair": f"{source}>{target}",
            "choice": choice,
            "method": "; ".join(dict.fromkeys(chosen.method)),
            "seeds": len(predictions),
            **_cell_scores(target, task, predictions),
        }
        for task in tasks
    ]


def _cell_scores(target: str, task: str, predictions: BySeed) -> dict:
    """Accuracy, macro-F1, and macro-F1's share of the gap."""
    data = classification_pairs.load(target, 0)
    labels = data.labels
    if task == "granules":
        has_granules = laboratories.has_granules(data)
        labels = has_granules[labels]
        predictions = {seed: has_granules[classes] for seed, classes in predictions.items()}
    truth = dict.fromkeys(predictions, labels)
    draws = bootstrap.Patients(dict.fromkeys(predictions, data.patients))
    accuracy = draws.score(metrics.accuracy, truth, predictions)
    macro_f1 = draws.score(metrics.macro_f1, truth, predictions)
    bounds = [_bound(target, task, method) for method in ("source only", "oracle")]
    seeds = bootstrap.common_seeds(predictions, *bounds)
    share = None
    if seeds:
        score, low, high = (
            draws.score(metrics.macro_f1, truth, {seed: part[seed] for seed in seeds})
            for part in (predictions, *bounds)
        )
        share = bootstrap.share_of_gap(score, low, high)
    return {
        **accuracy.columns("score"),
        **macro_f1.columns("macro_f1"),
        **(share.columns("share") if share else {}),
    }


@lru_cache
def _bound(target: str, task: str, method: str) -> BySeed:
    """Predictions of a method of adaptation.csv for a target, by seed."""
    way = {"wbc a": "b>a", "wbc b": "a>b"}[target]
    pair = f"wbc {way}" if task == "cells" else f"wbc granules {way}"
    rows = table.read("adaptation", text=("predictions",))
    rows = rows[(rows.pair == pair) & (rows.method == method)]
    return {int(row.seed): choices.digits(row.predictions) for row in rows.itertuples()}


if __name__ == "__main__":
    lines = []
    if table.path("sim_to_real").exists():
        text = (*segmentation_pairs.VALIDATORS, "dice_per_image")
        lines += _segmentation(table.read("sim_to_real", text=text))
    if table.path("sim_to_real_cells").exists():
        text = (*classification_pairs.VALIDATORS, "predictions", "method")
        lines += _cells(table.read("sim_to_real_cells", text=text))
    laboratories.log_opening("sim_to_real_summary", "all", 0, "all", "summarise")
    table.write("sim_to_real_summary", lines)
