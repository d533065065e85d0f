"""Rank correlations of many pairs of rows at once, for a bootstrap: x and y (R, M) give (R,)."""

from collections.abc import Callable

import numpy as np
from scipy import stats

_COMPARISONS_AT_ONCE = 2_000_000  # entries of an array (rows, M, M): 16 MB


def weighted_tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the weighted tau of each row: -1 to 1, NaN for a row where all values are tied.

    A pair weighs as much as the sum of 1 / rank of its two entries. The ranking is once that by x
    and once that by y, and the two results are averaged. Tied pairs count for neither side.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (R, M)
        Finite values.

    References
    ----------
    Vigna 2015 (doi:10.1145/2736277.2741088).
    """
    return _in_blocks(_weighted_tau, x, y)


def kendall(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of each row, NaN for a row where all values are tied.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (R, M)
        Finite values.

    References
    ----------
    Kendall 1945, doi:10.1093/biomet/33.3.239.
    """
    return _in_blocks(_unweighted_tau, x, y)


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Spearman's rho of each row, NaN for a row where all values are tied.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (R, M)
        Finite values.

    References
    ----------
    Spearman 1904, doi:10.2307/1412159.
    """
    x, y = _centred_ranks(x), _centred_ranks(y)
    return _normalised((x * y).sum(1), (x**2).sum(1) * (y**2).sum(1))


def _in_blocks(correlate: Callable, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlate a few rows at a time, to bound the memory."""
    step = max(1, _COMPARISONS_AT_ONCE // x.shape[1] ** 2)
    starts = range(0, len(x), step)
    return np.concatenate(
        [correlate(x[start : start + step], y[start : start + step]) for start in starts]
    )


def _weighted_tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    ranked_by_x = _tau(x, y, _rank_weights(x, y))
    ranked_by_y = _tau(x, y, _rank_weights(y, x))
    return (ranked_by_x + ranked_by_y) / 2


def _unweighted_tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _tau(x, y, np.ones(x.shape))


def _tau(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Concordant less discordant pairs; a pair weighs the sum of the weights (R, M) of its two."""
    signs_x, signs_y = _pair_signs(x), _pair_signs(y)
    concordance = _weighted_sum(signs_x * signs_y, weights)
    untied_x = _weighted_sum(np.abs(signs_x), weights)
    untied_y = _weighted_sum(np.abs(signs_y), weights)
    return _normalised(concordance, untied_x * untied_y)


def _rank_weights(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """1 / rank (R, M): the largest of `first` has rank 1; ties go by `second`, then by index."""
    ascending = np.lexsort((second, first), axis=1)  # stable: of equal entries the later is larger
    position = np.argsort(ascending, axis=1)
    return 1 / (first.shape[1] - position)


def _pair_signs(values: np.ndarray) -> np.ndarray:
    """The sign of the difference of each pair of entries, (R, M, M)."""
    return np.sign(values[:, :, None] - values[:, None])


def _weighted_sum(pairs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("rij,ri->r", pairs, weights)


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    ranks = stats.rankdata(values, axis=1)
    return ranks - ranks.mean(1, keepdims=True)


def _normalised(covariance: np.ndarray, product: np.ndarray) -> np.ndarray:
    """covariance / sqrt(product), NaN where the product is 0."""
    defined = product > 0
    return np.where(defined, covariance / np.sqrt(np.where(defined, product, 1)), np.nan)
