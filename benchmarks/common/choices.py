"""Choices among candidates without target labels, and how they score.

A choice is made anew for each half of the target. It is a function of (rows, half): the rows of one
pair and seed, and 0 or 1 for the half that was adapted on. It returns the predictions, as text with
a digit for each image, of the row that it chooses; they answer for the other half.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from common import bootstrap, candidates, laboratories
from medlearn import datasets, metrics
from medlearn.selection import validators

REPEATS = 300
Choice = Callable[[pd.DataFrame, int], str]
VALIDATORS = {  # columns of adaptation.csv and their names in summaries
    "source_accuracy": "source validation",
    "certainty": "certainty",
    "information": "information",
    "neighbourhood": "neighbourhood",
    "weighted": "weighted",
}


# ---- the choices ---------------------------------------------------------------------------------


def named(rows: pd.DataFrame, half: int, method: str) -> str:
    """Choose the method of a name.

    Parameters
    ----------
    rows, half
        See the head of this file.
    method : str
        Its name.
    """
    return rows.loc[rows.method == method, "predictions"].item()


def highest(rows: pd.DataFrame, half: int, validator: str) -> str:
    """Choose the candidate of the highest validator on the half that was adapted on.

    Parameters
    ----------
    rows, half
        See the head of this file.
    validator : str
        A column that holds two numbers, one for each half.
    """
    candidates = _without_oracle(rows)
    values = candidates[validator].str.split().str[half].astype(float)
    return candidates.predictions[values.idxmax()]


def consensus(rows: pd.DataFrame, half: int) -> str:
    """Choose the candidate whose predictions agree most often with the vote of all candidates.

    Parameters
    ----------
    rows, half
        See the head of this file; the vote counts both halves.
    """
    candidates = _without_oracle(rows)
    predictions = np.array([digits(text) for text in candidates.predictions])
    return candidates.predictions.iloc[int(validators.consensus(predictions).argmax())]


def best(rows: pd.DataFrame, half: int) -> str:
    """Choose the candidate of the highest macro-F1, with the labels open: a ceiling, no method.

    Parameters
    ----------
    rows, half
        See the head of this file.
    """
    candidates = _without_oracle(rows)
    return candidates.predictions[candidates.macro_f1.astype(float).idxmax()]


def within(rows: pd.DataFrame, half: int, methods: Collection[str], choose: Choice) -> str:
    """Choose among some methods only.

    Parameters
    ----------
    rows, half
        See the head of this file.
    methods : collection of str
        Their names.
    choose : callable
        Another choice.
    """
    return choose(rows[rows.method.isin(methods)], half)


def own_oracle(rows: pd.DataFrame, half: int, choose: Choice) -> str:
    """Choose the oracle that works on the same images and statistics as what a choice takes.

    Parameters
    ----------
    rows, half
        See the head of this file.
    choose : callable
        A choice among the candidates. Of candidates with equal predictions the first counts.
    """
    chosen = rows.method[rows.predictions == choose(rows, half)].iloc[0]
    return named(rows, half, candidates.oracle_of(chosen))


def _without_oracle(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows.method.str.startswith("oracle")]


def digits(text: str) -> np.ndarray:
    """Return predictions that are written as one digit an image, int (N,)."""
    return np.array(list(text), int)


# ---- their scores --------------------------------------------------------------------------------


def compose(rows: pd.DataFrame, target: datasets.Dataset, seed: int, choose: Choice) -> np.ndarray:
    """Return the predictions of a target, each half by what was chosen on the other, int (N,).

    Parameters
    ----------
    rows : DataFrame
        The rows of one pair and seed.
    target : Dataset
        The target.
    seed : int
        Seed of the division into halves.
    choose : callable
        The choice.
    """
    predictions = np.zeros(len(target), int)
    for half, (_, predicted) in enumerate(laboratories.halves(target, seed)):
        predictions[predicted] = digits(choose(rows, half))[predicted]
    return predictions


def score(
    pair: str, rows: pd.DataFrame, seeds: Iterable[int], choices: Mapping[str, Choice]
) -> dict[str, bootstrap.Scores]:
    """Return the score of each choice, on the same draws of patients.

    The score is accuracy where classes are balanced (simulated sets), and macro-F1 for `wbc`.

    Parameters
    ----------
    pair : str
        Name of the pair in `laboratories.PAIRS`.
    rows : DataFrame
        The rows of this pair.
    seeds : iterable of int
        Seeds to score.
    choices : mapping
        Choices by their names.
    """
    data, _, domain, _ = laboratories.PAIRS[pair]
    targets = {seed: laboratories.load(data, domain, seed) for seed in seeds}
    labels = {
        seed: laboratories.opened_labels(pair, "all", seed, "summarise", target)
        for seed, target in targets.items()
    }
    patients = {seed: target.patients for seed, target in targets.items()}
    draws = bootstrap.Patients(patients, REPEATS)
    metric = metrics.macro_f1 if data == "wbc" else metrics.accuracy
    scores = {}
    for name, choose in choices.items():
        predictions = {
            seed: compose(rows[rows.seed == seed], target, seed, choose)
            for seed, target in targets.items()
        }
        scores[name] = draws.score(metric, labels, predictions)
    return scores


def line(pair: str, name: str, scores: Mapping[str, bootstrap.Scores]) -> dict[str, object]:
    """Return one line of a summary: the score and its share of the gap, with intervals.

    Parameters
    ----------
    pair, name : str
        Names of the pair and of the choice.
    scores : mapping
        Scores by the names of choices, "source only" and "oracle" among them.
    """
    score = scores[name]
    share = bootstrap.share_of_gap(score, scores["source only"], scores["oracle"])
    return {
        "pair": pair,
        "choice": name,
        "seeds": len(score.seeds),
        **score.columns("score"),
        **(share.columns("share") if share else {}),
    }
