"""Tests of all possible totals of a finite population at once, by betting without replacement."""

import math

import numpy as np

# Chosen on the development half of benchmarks/duels.py. They decide how soon, never how surely.
_LARGEST_STAKE = 0.95
_PRIOR_SQUARE = 0.7  # mean square of a relative gain, before any is known ...
_PRIOR_DRAWS = 5  # ... and how many draws it counts for
_SPARE_DRAWS = 5  # a stake is made for so many draws more than remain
_LEAST_PART = 0.25  # of a stake, where less would be enough
_ROUNDING = 1e-9
_SMALLEST = 1e-250


class Bets:
    """Wealth of bets against "the total is at most T" and "at least T", for all T at once.

    A unit with the limit c is drawn with a chance proportional to c; its gain x is between -c and
    c. If the total is T, the mean of x / c over the next draw is m = (T - S) / C, where S is the
    gain so far and C the sum of the limits that are left. So a bettor who stakes a part of the
    wealth on x / c > m expects no profit, and who is nevertheless rich has evidence against T:
    the chance that the wealth ever reaches w is at most 1 / w (Ville).

    Parameters
    ----------
    totals : numpy.ndarray, shape (K,)
        The totals T to test, increasing, 0 among them.
    limit : float
        The sum of all limits.
    threshold : float
        The wealth that excludes a total; the bets against it end there.
    draws : float
        About how many draws are allowed; the stakes depend on it.
    whole : bool
        Whether only these totals are possible, or also those between them.
    """

    def __init__(
        self, totals: np.ndarray, limit: float, threshold: float, draws: float, whole: bool
    ):
        self.totals, self.threshold, self.whole = totals, threshold, whole
        self.zero = int(np.searchsorted(totals, 0))
        self.left, self.gain = limit, 0.0
        self.draws = draws
        self.relative_gains: list[float] = []
        self.wealth = np.ones((2, len(totals)))  # against "at most T", against "at least T"
        self.evidence: list[np.ndarray] = []

    def settle(self, gain: float, limit: float) -> None:
        """Pay the bets on one unit.

        Parameters
        ----------
        gain : float
            The gain of the unit that was drawn.
        limit : float
            Its largest possible gain.
        """
        relative = float(np.clip(gain / limit, -1, 1))
        means = (self.totals - self.gain) / self.left
        stake = self._stake()
        self.wealth[0] = self._paid(self.wealth[0], stake, relative, means)
        self.wealth[1] = self._paid(self.wealth[1], stake, -relative, -means)
        self.relative_gains.append(relative)
        self.gain += gain
        self.left = max(self.left - limit, 0.0)
        self.wealth[0, self.totals < self.gain - self.left - _ROUNDING] = np.inf
        self.wealth[1, self.totals > self.gain + self.left + _ROUNDING] = np.inf
        self.evidence.append(self.wealth[:, self.zero].copy())

    def _paid(
        self, wealth: np.ndarray, stake: float, relative: float, means: np.ndarray
    ) -> np.ndarray:
        """Wealth after bets that this relative gain is above the means."""
        chance = (1 + means) / 2  # where it is not between 0 and 1, there is nothing to bet on
        is_open = (chance > _ROUNDING) & (chance < 1 - _ROUNDING) & (wealth < self.threshold)
        chance = np.where(is_open, chance, 0.5)
        held = np.where(is_open, np.maximum(wealth, _SMALLEST), 1.0)
        # No more than what reaches the threshold after the largest gain: the rest is kept.
        enough = (self.threshold - held) / held / (1 / chance - 1) + _ROUNDING
        stakes = np.clip(enough, _LEAST_PART * stake, stake)
        payoff = (1 + relative) / 2 / chance
        return np.where(is_open, held * (1 + stakes * (payoff - 1)), wealth)

    def _stake(self) -> float:
        """The part of the wealth to stake, by past gains only.

        It is that for a fixed number of draws (Waudby-Smith & Ramdas 2024), made anew for the draws
        that remain.
        """
        squares = sum(gain**2 for gain in self.relative_gains)
        past = len(self.relative_gains)
        variance = (_PRIOR_DRAWS * _PRIOR_SQUARE + squares) / (_PRIOR_DRAWS + past)
        draws = max(self.draws - past, 0) + _SPARE_DRAWS
        stake = math.sqrt(2 * math.log(self.threshold) / (draws * variance))
        return min(stake, _LARGEST_STAKE)

    def interval(self) -> tuple[float, float]:
        """Return limits of the total: the ends of what is not excluded.

        The more extreme a total, the richer the bets against it, so what is excluded are two ends.
        """
        possible = np.flatnonzero((self.wealth < self.threshold).all(0))
        if not len(possible):  # bad luck of the draw, which has a chance of alpha at most
            return self.estimate(), self.estimate()
        first, last = possible[0], possible[-1]
        if not self.whole:  # up to the nearest totals that are excluded
            first, last = max(first - 1, 0), min(last + 1, len(self.totals) - 1)
        return float(self.totals[first]), float(self.totals[last])

    def excludes_zero(self, above: bool) -> bool:
        """Return whether a total of 0 is excluded, and all beyond it.

        Parameters
        ----------
        above : bool
            Whether "0 or more" is excluded; else "0 or less".
        """
        return bool(self.wealth[int(above), self.zero] >= self.threshold)

    def estimate(self) -> float:
        """Return the total, estimated by the mean relative gain of the draws."""
        mean = sum(self.relative_gains) / max(len(self.relative_gains), 1)
        return self.gain + self.left * mean
