"""Rank correlations of many pairs of rows at once, as a bootstrap asks for them: x and y (R, M) give (R,)."""

from collections.abc import Callable

import numpy as np
from scipy import stats

_COMPARISONS_AT_ONCE = 2_000_000  # entries of a (rows, M, M) block: 16 MB


def weighted_tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weighted tau (R,): a pair counts 1 / rank of each of its two, the mean of ranking by x and by y; -1 to 1.

    x, y: (R, M), finite. Ties count for neither side. NaN for a row where nothing is ranked. Source: Vigna 2015
    (doi:10.1145/2736277.2741088).
    """
    return _in_blocks(
        lambda x, y: (_tau(x, y, _shares(x, y)) + _tau(x, y, _shares(y, x))) / 2, x, y
    )


def kendall(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Kendall's tau-b (R,) of x and y (R, M), finite; NaN for a row where nothing is ranked. Source: Kendall 1945."""
    return _in_blocks(lambda x, y: _tau(x, y, np.ones(x.shape)), x, y)


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman's rho (R,) of x and y (R, M), finite; NaN for a row where nothing is ranked. Source: Spearman 1904."""
    x, y = (
        ranks - ranks.mean(1, keepdims=True)
        for ranks in (stats.rankdata(x, axis=1), stats.rankdata(y, axis=1))
    )
    return _ratio((x * y).sum(1), (x**2).sum(1) * (y**2).sum(1))


def _in_blocks(correlate: Callable, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    step = max(1, _COMPARISONS_AT_ONCE // x.shape[1] ** 2)
    return np.concatenate(
        [correlate(x[at : at + step], y[at : at + step]) for at in range(0, len(x), step)]
    )


def _tau(x: np.ndarray, y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Agreeing less opposed pairs, each weighted by the sum of the shares (R, M) of its two."""
    x, y = _signs(x), _signs(y)
    agreeing, by_x, by_y = (
        np.einsum("rij,ri->r", signs, shares) for signs in (x * y, np.abs(x), np.abs(y))
    )
    return _ratio(agreeing, by_x * by_y)


def _shares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """1 / rank (R, M), the highest ranked 1, by `first` and where that ties by `second`; of equal ones the later is ahead."""
    by_first, by_second, place = _signs(first), _signs(second), np.arange(first.shape[1])
    tied = by_first == 0
    ahead = (
        (by_first < 0) | tied & (by_second < 0) | tied & (by_second == 0) & (place > place[:, None])
    )
    return 1 / (1 + ahead.sum(2))


def _signs(values: np.ndarray) -> np.ndarray:
    """Sign of the difference of each to each, (R, M, M)."""
    return np.sign(values[:, :, None] - values[:, None])


def _ratio(covariance: np.ndarray, product: np.ndarray) -> np.ndarray:
    return np.where(product > 0, covariance / np.sqrt(np.where(product > 0, product, 1)), np.nan)
