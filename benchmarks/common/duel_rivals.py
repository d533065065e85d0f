"""What duels are compared with: labels at random, training on labels, and the best test."""

from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from common import duel_pairs
from medlearn import selection

_NULLS = 5  # populations without a gain that the best test is held against


def random_labels(
    first: np.ndarray, second: np.ndarray, labels: np.ndarray, seed: int
) -> selection.Verdict:
    """Return the verdict of the same test on labels of all images at random.

    Parameters
    ----------
    first, second, labels : int array of shape (N,)
        Predictions of both models, and the truth.
    seed : int
        Seed of the draw.
    """
    scores = np.stack([first == labels, second == labels], axis=1).astype(float)
    return selection.duel_scores(np.ones(len(labels)), lambda index: scores[index], seed=seed)


@lru_cache
def gain_of_training(number: int, labelled: int, seeds: int) -> float:
    """Return what a probe gains that also learns from labels of the target.

    It is the accuracy on the images that were not labelled, less that of the source-only probe. The
    labelled target images together weigh as much as the source.

    Parameters
    ----------
    number : int
        Number of the pair.
    labelled : int
        How many target images are labelled, drawn at random.
    seeds : int
        The number of draws to average.
    """
    pair = duel_pairs.load(number)
    source_only = pair.probabilities[0].argmax(1)
    gains = []
    for seed in range(seeds):
        order = np.random.default_rng([number, seed]).permutation(len(pair.labels))
        train_rows, test_rows = order[:labelled], order[labelled:]
        features = np.concatenate([pair.source, pair.target[train_rows]])
        labels = np.concatenate([pair.source_labels, pair.labels[train_rows]])
        weights = np.repeat([1.0, len(pair.source) / labelled], [len(pair.source), labelled])
        model = duel_pairs.probe().fit(features, labels, logisticregression__sample_weight=weights)
        correct = model.predict(pair.target[test_rows]) == pair.labels[test_rows]
        gains.append(correct.mean() - (source_only == pair.labels)[test_rows].mean())
    return float(np.mean(gains))


def bound(wins: int, losses: int, ties: int, draws: int, level: float) -> float:
    """Return the chance to decide within so many labels that no test of this level can exceed.

    It is the power of the best test (Neyman & Pearson) of the true population against one without a
    gain: a test of "no gain" must hold for that one, too, and is not told the truth. The least
    power over several populations without a gain is still a bound.

    Parameters
    ----------
    wins, losses, ties : int
        Disagreements on which one model is right, the other is, and neither is.
    draws : int
        How many of them are labelled, at random.
    level : float
        The accepted chance of an error.
    """
    wins, losses = max(wins, losses), min(wins, losses)
    total = wins + losses + ties
    if draws >= total:
        return float(wins > losses)
    won, lost = np.meshgrid(np.arange(draws + 1), np.arange(draws + 1), indexing="ij")
    possible = won + lost <= draws
    counts = np.stack([won[possible], lost[possible]])
    counts = np.stack([*counts, draws - counts.sum(0)])
    truth = _log_chance(counts, (wins, losses, ties))
    powers = []
    for even in np.unique(np.linspace(losses, (wins + losses) // 2, _NULLS).round().astype(int)):
        null = _log_chance(counts, (even, even, total - 2 * even))
        powers.append(_power(truth, null, level))
    return min(powers)


def median_bound(wins: int, losses: int, ties: int, most: int, level: float) -> int | None:
    """Return the fewest labels after which the best test decides half the time, if within `most`.

    Parameters
    ----------
    wins, losses, ties : int
        As for `bound`.
    most : int
        The largest number of labels.
    level : float
        The accepted chance of an error.
    """
    for draws in range(1, most + 1):
        if bound(wins, losses, ties, draws, level) >= 0.5:
            return draws
    return None


def _log_chance(counts: np.ndarray, population: tuple[int, int, int]) -> np.ndarray:
    """Log-probabilities of drawing such counts without replacement."""
    sizes = np.array(population)[:, None]
    chance = _log_choose(sizes, counts).sum(0)
    return chance - _log_choose(np.array(sum(population)), counts[:, 0].sum())


def _log_choose(of: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    possible = chosen <= of
    complement = np.where(possible, of - chosen, 0)
    value = gammaln(of + 1) - gammaln(chosen + 1) - gammaln(complement + 1)
    return np.where(possible, value, -np.inf)


def _power(truth: np.ndarray, null: np.ndarray, level: float) -> float:
    """Power of the likelihood-ratio test, randomised at its border."""
    possible = np.isfinite(truth)
    truth, null = truth[possible], null[possible]
    order = np.argsort(null - truth)
    error, power = np.exp(null[order]), np.exp(truth[order])
    spent = np.cumsum(error)
    accepted = np.clip((level - (spent - error)) / np.maximum(error, 1e-300), 0, 1)
    return float((power * accepted).sum())
