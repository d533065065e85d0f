"""Rivals on equal features: their grids, when a candidate has failed, and choices among the others.

The protocol is PROTOCOL.md, amendment of the rivals. The libraries run in their own environment
(peers/grids.py), in one process for all pairs.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import subprocess
import tempfile

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from common import arena_rows, bootstrap, peers
from medlearn import metrics
from medlearn.selection import validators

OURS, OURS_WITH_IMAGES, ORACLE = "medlearn", "medlearn, image recipes", "oracle"
SOURCE_ONLY = "source only"
BESIDE = "(beside the grid)"
HARM = 0.02
REPEATS = 2000
ONE_CLASS = 0.98  # share of the target images that get the same class
GRIDS = {  # the names of peers/grids.py
    "SKADA": (
        SOURCE_ONLY,
        "default CORAL",
        "default OT",
        "default OT, entropic",
        "subspace, 20 axes",
        "subspace, 50 axes",
        "OT, entropic, .05",
        "OT, entropic, .1",
        "OT, linear, 1",
        "scaler per domain",
        "scaler per domain, CORAL",
        "scaler per domain, OT",
        f"default subspace {BESIDE}",
        f"default OT, classes {BESIDE}",
        f"default OT, linear {BESIDE}",
    ),
    "POT": (
        SOURCE_ONLY,
        "default exact",
        "default Sinkhorn",
        "linear, .1",
        "linear, 1",
        "group lasso, .05",
        "group lasso, .1",
        "unbalanced, .05",
        f"default group lasso {BESIDE}",
        f"default linear {BESIDE}",
        "Sinkhorn, .02",
        "Sinkhorn, .05",
        "Sinkhorn, .1",
        "Sinkhorn, .2",
    ),
    "ADAPT": (
        SOURCE_ONLY,
        "default CORAL",
        "default subspace",
        "default kernel mean matching",
        "default DANN",
        "default DeepCORAL",
        "default CDAN",
        "default MCD",
        "subspace, 20 axes",
        "scaled per domain, CORAL",
        "scaled per domain, DANN",
        "scaled per domain, DeepCORAL, .01",
    ),
}
AS_THEY_ARE, MATCHED = "as they are", "scale+reinhard"
METHODS = {
    OURS: arena_rows.CANDIDATES,
    OURS_WITH_IMAGES: tuple(
        f"{images}: {name}" for images in (AS_THEY_ARE, MATCHED) for name in arena_rows.CANDIDATES
    ),
    **GRIDS,
    ORACLE: (ORACLE,),
}
OWN_SCORERS = {
    "SKADA": ("circular", "entropy", "neighbourhood", "embedded"),  # the first: of the headline
    "POT": (),
    "ADAPT": ("covariance",),
}


class Worker:
    """The process of peers/grids.py; it starts with the first pair."""

    def __init__(self):
        self._process: subprocess.Popen | None = None

    def fit(self, library: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what the methods of a library give, each array with a row for each method.

        Parameters
        ----------
        library : str
            Name in `GRIDS`.
        arrays : mapping of str to array
            The inputs that peers/grids.py lists.
        """
        with tempfile.TemporaryDirectory() as folder:
            inputs, outputs = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
            np.savez(inputs, **arrays)
            self._ask(f"{library.lower()}\t{inputs}\t{outputs}\n")
            with np.load(outputs) as results:
                answers = dict(results)
        if tuple(answers["names"]) != GRIDS[library]:
            raise ValueError(f"The grid of {library} is {list(answers['names'])}.")
        return answers

    def _ask(self, line: str) -> None:
        if self._process is None:
            command = [peers.python("peers", "requirements.txt"), peers.PROGRAMS / "grids.py"]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        self._process.stdin.write(line)
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise RuntimeError("peers/grids.py ended: run it by hand to see why.")


# ---- candidates ----------------------------------------------------------------------------------


def failure(
    target: np.ndarray, held_out: np.ndarray, held_out_labels: np.ndarray, error: str = ""
) -> str:
    """Return why a candidate has failed, as is seen without target labels; "" if it has not.

    Parameters
    ----------
    target, held_out : float array of shape (M, classes) and (H, classes)
        Probabilities of the target images that were adapted to, and of held-out source images.
    held_out_labels : int array of shape (H,)
        Class indices.
    error : str
        The error that was raised, if any.
    """
    if error:
        return error.replace("\n", " ")
    if not (np.isfinite(target).all() and np.isfinite(held_out).all()):
        return "not finite"
    counts = np.bincount(target.argmax(1), minlength=target.shape[1])
    if counts.max() >= ONE_CLASS * len(target):
        return "one class"
    chance = 1 / len(np.unique(held_out_labels))
    if metrics.balanced_accuracy(held_out_labels, held_out.argmax(1)) <= chance:
        return "source validation at chance"
    return ""


def consensus(names: Sequence[str], probabilities: np.ndarray, failed: Sequence[str]) -> np.ndarray:
    """Return how often each candidate agrees with the vote of the grid; NaN for one that failed.

    Candidates beside the grid have no vote.

    Parameters
    ----------
    names, failed : sequences of str
        The candidates, and why each has failed.
    probabilities : float array of shape (candidates, M, classes)
        Of the target images that were adapted to.
    """
    values = np.full(len(names), np.nan)
    in_grid = [
        index
        for index, (name, why) in enumerate(zip(names, failed))
        if not why and not name.endswith(BESIDE)
    ]
    if len(in_grid) > 1:
        values[in_grid] = validators.consensus(probabilities[in_grid].argmax(2))
    elif in_grid:
        values[in_grid] = 1.0
    return values


def own_score(text: str, scorer: str) -> float:
    """Return a score of a text such as "entropy=-0.21 circular=0.88"; NaN where there is none.

    Parameters
    ----------
    text : str
        Scores by the library's own names.
    scorer : str
        One of these names.
    """
    scores = dict(part.split("=") for part in str(text).split() if "=" in part)
    return float(scores.get(scorer, "nan"))


# ---- choices -------------------------------------------------------------------------------------


def choose(rows: pd.DataFrame, value: Callable[[pd.DataFrame], Sequence[float]]) -> str:
    """Return the name of the candidate with the highest value, of those that have not failed.

    Parameters
    ----------
    rows : DataFrame
        The rows of one pair and library.
    value : callable
        From rows to a value for each; NaN counts as the lowest.

    Returns
    -------
    str
        "source only" if no candidate of the grid is left or has a value.
    """
    is_open = (rows.failed == "") & ~rows.method.str.endswith(BESIDE)
    candidates = rows[is_open]
    values = np.asarray(value(candidates), float)
    if len(candidates) == 0 or np.isnan(values).all():
        return SOURCE_ONLY
    return candidates.method.iloc[int(np.nanargmax(values))]


# ---- lines of the summary ------------------------------------------------------------------------


def line(gains: pd.Series, ours: pd.Series) -> dict[str, float]:
    """Return gain, harm, failures and the distance from ours as columns of a table.

    Parameters
    ----------
    gains : Series
        Gains over source only by the number of the pair, without the pairs where it has failed.
    ours : Series
        Our gains on all pairs.
    """
    failed = {"count": len(ours), "failed": len(ours) - len(gains)}
    if len(gains) == 0:
        return failed
    harmed = gains[gains < -HARM]
    low, high = binomtest(len(harmed), len(gains)).proportion_ci(method="exact")
    harm = {"harm": len(harmed) / len(gains), **bootstrap.ends("harm", low, high)}
    ahead = ours[gains.index] - gains
    depth = {"depth": harmed.mean() if len(harmed) else 0.0}
    return failed | _mean("gain", gains) | harm | depth | _mean("ahead", ahead)


def _mean(name: str, values: pd.Series) -> dict[str, float]:
    """The mean over pairs with a percentile bootstrap interval, as columns."""
    draws = np.random.default_rng(0).integers(len(values), size=(REPEATS, len(values)))
    means = values.to_numpy()[draws].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {name: values.mean(), **bootstrap.ends(name, low, high)}
