"""Scores as means over seeds, with intervals from a bootstrap of seeds and of whole patients.

Each draw takes patients and seeds anew, so that an interval holds both sources of chance; of a
single seed it can only hold the patients. Everything that is compared is scored on the same draws,
so that what is hard for all cancels out in a difference. Differences and shares refuse scores of
unequal seeds.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from medlearn.metrics import _resamples


class Scores(NamedTuple):
    """A score as mean over `seeds`, and on every draw of seeds and patients, (repeats,)."""

    seeds: tuple[int, ...]
    value: float
    draws: np.ndarray

    def columns(self, name: str) -> dict[str, float]:
        """Return the value and the ends of its 95 % interval as columns of a table."""
        low, high = np.quantile(self.draws, [0.025, 0.975])
        return {name: self.value, **ends(name, low, high)}


class Patients:
    """Bootstrap draws of seeds and patients, the same ones for everything that is scored by them.

    Parameters
    ----------
    patients : mapping of int to array of shape (N,)
        Patient ids of the images, for each seed. The same id in two seeds is the same patient.
    repeats : int
        Number of draws.
    """

    def __init__(self, patients: Mapping[int, np.ndarray], repeats: int = 1000):
        names = np.unique(np.concatenate(list(patients.values())))
        self.index = {seed: np.searchsorted(names, ids) for seed, ids in patients.items()}
        chances = np.full(len(names), 1 / len(names))
        draws = np.random.default_rng(0).multinomial(len(names), chances, size=repeats)
        everybody = np.ones(len(names), int)
        self.counts = np.vstack([everybody, draws])

    def score(
        self, metric: Callable, labels: Mapping[int, np.ndarray], predictions: Mapping[int, object]
    ) -> Scores:
        """Return a metric's mean over seeds.

        Parameters
        ----------
        metric : callable
            A function of (labels, predictions), such as ``metrics.macro_f1``.
        labels : mapping of int to array of shape (N,)
            The truth, for each seed.
        predictions : mapping of int to array of shape (N,)
            What a method predicts, for each seed that it was run with.
        """
        scores = [
            _resamples.resampled_scores(metric, labels[seed], values, self.index[seed], self.counts)
            for seed, values in predictions.items()
        ]
        return self._over_seeds(predictions, scores)

    def mean(self, values: Mapping[int, np.ndarray]) -> Scores:
        """Return the mean over images, NaN left out, and over seeds.

        Parameters
        ----------
        values : mapping of int to array of shape (N,)
            A score of each image, for each seed.
        """
        scores = [self._weighted(seed, scores) for seed, scores in values.items()]
        return self._over_seeds(values, scores)

    def _weighted(self, seed: int, values: np.ndarray) -> np.ndarray:
        defined = ~np.isnan(values)
        weights = self.counts[:, self.index[seed][defined]]
        return weights @ values[defined] / weights.sum(1)

    def _over_seeds(self, seeds: Iterable[int], scores: list[np.ndarray]) -> Scores:
        order = np.argsort(list(seeds))
        by_seed = np.array(scores)[order]
        weights = seed_weights(len(by_seed), len(self.counts) - 1)
        means = (weights.T * by_seed).sum(axis=0)
        return Scores(tuple(sorted(seeds)), float(means[0]), means[1:])


def seed_weights(seeds: int, repeats: int) -> np.ndarray:
    """Return the weight of each seed in the mean and in each draw, (1 + repeats, seeds).

    A bootstrap of few seeds scatters too little, by (seeds - 1) / seeds of its variance; so the
    weights are moved away from the even ones by the root of the inverse.

    Parameters
    ----------
    seeds : int
        Number of seeds; of a single one every weight is 1.
    repeats : int
        Number of draws.

    References
    ----------
    Rao & Wu, Resampling inference with complex survey data, J. Am. Stat. Assoc. 83:231, 1988.
    """
    even = np.full((1, seeds), 1 / seeds)
    if seeds == 1:
        return np.ones((1 + repeats, 1))
    counts = np.random.default_rng(seeds).multinomial(seeds, even[0], size=repeats)
    moved = (counts / seeds - even) * np.sqrt(seeds / (seeds - 1))
    return np.vstack([even, even + moved])


def common_seeds(*by_seed: Iterable[int]) -> list[int]:
    """Return the seeds that all of the mappings or lists have, in order."""
    return sorted(set.intersection(*(set(seeds) for seeds in by_seed)))


def difference(first: Scores, second: Scores) -> Scores:
    """Return the first score minus the second, on the same draws.

    Parameters
    ----------
    first, second : Scores
        Scores of the same seeds and draws.

    Raises
    ------
    ValueError
        If one of them was measured with other seeds than the other.
    """
    if first.seeds != second.seeds:
        raise ValueError(
            f"A difference needs the same seeds on both sides, not {list(first.seeds)} and "
            f"{list(second.seeds)}: score both with `common_seeds`."
        )
    return Scores(first.seeds, first.value - second.value, first.draws - second.draws)


def share_of_gap(score: Scores, low: Scores, high: Scores) -> Scores | None:
    """Return how much of the gap between two bounds a score closes: 0 at `low`, 1 at `high`.

    Parameters
    ----------
    score, low, high : Scores
        Scores of the same seeds and draws, such as a choice, source only, and the oracle.

    Returns
    -------
    Scores or None
        None where the gap is under two standard errors: then there is nothing to close.
    """
    gap, gain = difference(high, low), difference(score, low)
    if gap.value <= 2 * gap.draws.std():
        return None
    return Scores(gap.seeds, gain.value / gap.value, gain.draws / gap.draws)


def ends(name: str, low: float, high: float) -> dict[str, float]:
    """Return the ends of an interval as columns of a table.

    Parameters
    ----------
    name : str
        Name of the column that holds the value.
    low, high : float
        The ends.
    """
    return {f"{name}_low": low, f"{name}_high": high}
