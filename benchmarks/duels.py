"""How many labels does a duel of two models need, and how often is its verdict wrong?

    python benchmarks/duels.py [--only test] [--minutes 9]   # adds the missing rows
    python benchmarks/duels_summary.py                       # then: shares over pairs

A minute for each ten pairs, and half a CPU-minute more for a pair that is not in the cache yet;
fills results/duels.csv.

A row is one adapted model on one pair of simulated laboratories (common/duel_pairs.py) against the
model that was trained on the source alone. The truth are all labels of the target: `gain` is the
difference of the accuracies. `duel_` is `selection.duel` with its defaults, at most 40 labels;
`patient_` draws whole patients; `random_` is the same test on labels of all images at random.
`_wrong` is the share of wrong answers, `_15` and `_40` the shares decided within so many labels.
`duel_labels` are the labels of each duel, 99 if it stayed undecided. `bound_` is what no test with
the same error can exceed in finding "better" or "worse", even one that is made for that number of
labels and knows how often either model is right on the disagreements. `chosen` is the mean gain if
the adapted model replaces the first where the answer is "better"; `trained_15` and `trained_40` are
gains of a probe that also learns from so many labels at random.

The stakes of the test were chosen on the development half: pairs of even number, and those below 5.
The other half was opened once, for this table.

Aims, and what the test half of 2026-11-29 reaches. Wrong answers in at most 5 %: 0.1 % of the
duels. Of models that are ten points or more better or worse, 75 % decided within 40 labels: 86 %
[77, 93] (the bound: 91 %), but 70 % [54, 86] where the difference is 10 to 15 points (bound 77 %).
Half of them within 15 labels: missed, it takes 18 and the bound is 12. With the same 40 labels at
random over all images 49 % were decided, by patient 44 %. Forty random labels are worth more as
training than as a choice: a probe that learns from them gains 23 points, the mean over these models
of what a duel adopts is 10; but labels that were trained on are spent as evidence.

Tried on the development half, and left out: drawing images more often where the probabilities make
one model's success likely, with weights that correct for it (2 to 5 % fewer labels); mixtures of
stakes and stakes by counts of past answers (no better than one stake); stakes that shrink near the
threshold (82 % within 40 labels in place of 80 %, but a median of 23 in place of 20).
"""

from datetime import date
from functools import lru_cache
import subprocess

from common import table  # first: it sets the threads
from common import duel_pairs, duel_rivals
import numpy as np

from medlearn import selection

KEY = ("half", "pair", "shift", "candidate")
TRUTH = ("images", "disagreements", "wins", "losses", "gain")
DESIGNS = ("duel", "patient", "random")
OF_DESIGN = ("wrong", "15", "40")
BOUNDS = ("bound_15", "bound_40", "bound_median")
GAINS = ("chosen", "trained_15", "trained_40")
COLUMNS = (
    *TRUTH,
    *(f"{design}_{name}" for design in DESIGNS for name in OF_DESIGN),
    "duel_labels",
    *BOUNDS,
    *GAINS,
    "commit",
    "date",
)
PAIRS = 42
ALPHA, WORTH, MOST, EARLY = 0.05, 0.02, 40, 15
SEEDS = {"duel": 20, "patient": 10, "random": 6}
TRAININGS = 3
UNDECIDED_LABELS = 99


def rows() -> list[tuple]:
    """Return the keys of all rows."""
    keys = []
    for number in range(PAIRS):
        half = "development" if number % 2 == 0 or number < 5 else "test"
        shift = duel_pairs.SHIFTS[number % len(duel_pairs.SHIFTS)]
        for matcher in duel_pairs.MATCHERS:
            for learner in duel_pairs.LEARNERS:
                keys.append((half, number, shift, f"{matcher}, {learner}"))
    return [key for key in keys if key[-1] != "none, probe"]


def measure(half: str, number: int, shift: str, candidate: str) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    half, shift, candidate : str
        What `rows` says of it; the candidate is a name of `duel_pairs`.
    number : int
        Number of the pair.
    """
    pair = duel_pairs.load(number)
    first = pair.probabilities[0].argmax(1)
    second = pair.probabilities[pair.names.index(candidate)].argmax(1)
    relative = (second == pair.labels).astype(int) - (first == pair.labels)
    gain = float(relative.mean())
    wins, losses = int((relative > 0).sum()), int((relative < 0).sum())
    ties = int((first != second).sum()) - wins - losses
    result = dict(zip(TRUTH, (len(first), wins + losses + ties, wins, losses, round(gain, 4))))
    for design in DESIGNS:
        verdicts = _verdicts(design, first, second, pair)
        result |= _shares(design, verdicts, gain)
        if design == "duel":
            labels = [str(_labels(verdict)) for verdict in verdicts]
            result["duel_labels"] = " ".join(labels)
            share_better = np.mean([verdict.answer == "better" for verdict in verdicts])
            result["chosen"] = round(gain * float(share_better), 4)
    for labelled in (EARLY, MOST):
        result[f"bound_{labelled}"] = _bound(wins, losses, ties, labelled)
        trained = duel_rivals.gain_of_training(number, labelled, TRAININGS)
        result[f"trained_{labelled}"] = round(trained, 4)
    median = duel_rivals.median_bound(wins, losses, ties, MOST, ALPHA / 2)
    result["bound_median"] = median or UNDECIDED_LABELS
    return result | {"commit": _commit(), "date": date.today()}


def _verdicts(design: str, first, second, pair: duel_pairs.Pair) -> list[selection.Verdict]:
    verdicts = []
    for seed in range(SEEDS[design]):
        if design == "random":
            verdict = duel_rivals.random_labels(first, second, pair.labels, seed)
        else:
            patients = pair.patients if design == "patient" else None
            verdict = selection.duel(first, second, pair.labels, patients, seed=seed)
        verdicts.append(verdict)
    return verdicts


def _shares(design: str, verdicts: list[selection.Verdict], gain: float) -> dict[str, float]:
    labels = np.array([_labels(verdict) for verdict in verdicts])
    wrong = np.mean([_is_wrong(verdict.answer, gain) for verdict in verdicts])
    shares = {"wrong": wrong, "15": (labels <= EARLY).mean(), "40": (labels <= MOST).mean()}
    return {f"{design}_{name}": round(float(share), 4) for name, share in shares.items()}


def _labels(verdict: selection.Verdict) -> int:
    return UNDECIDED_LABELS if verdict.answer == "undecided" else len(verdict.asked)


def _is_wrong(answer: str, gain: float) -> bool:
    if answer == "no difference worth having":
        return abs(gain) > WORTH + 1e-9
    return (answer == "better" and gain <= 1e-9) or (answer == "worse" and gain >= -1e-9)


def _bound(wins: int, losses: int, ties: int, labelled: int) -> float:
    return round(duel_rivals.bound(wins, losses, ties, labelled, ALPHA / 2), 4)


@lru_cache
def _commit() -> str:
    """The commit that is checked out, in short."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    table.grow("duels", __doc__, KEY, COLUMNS, rows(), measure)
