"""Control charts: a number per week, limits from quiet weeks, and an alarm outside them.

    chart = charts.Ewma(weight=0.3, width=3).fit(quiet_weeks)
    chart.watch(new_weeks).alarms

The number may be the mean confidence, the mean outlier score or the share of a class: anything that
needs no labels. An alarm says that something has changed, and not that it does harm.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

_FEWEST_WEEKS = 8


class Watch(NamedTuple):
    """A chart of some weeks; each array has one entry per week.

    Attributes
    ----------
    averages : numpy.ndarray, shape (weeks,)
        The moving average.
    low, high : numpy.ndarray, shape (weeks,)
        Its limits.
    alarms : numpy.ndarray of bool, shape (weeks,)
        True where the average is outside.
    """

    averages: np.ndarray
    low: np.ndarray
    high: np.ndarray
    alarms: np.ndarray


class Ewma:
    """An exponentially weighted moving average of weekly numbers, with limits from quiet weeks.

    The average of a week is weight * number + (1 - weight) * average of the week before, and begins
    at the mean of the quiet weeks. The limits allow `width` standard deviations of this average to
    either side. They presume that quiet weeks are independent, and that there were enough of them:
    the spread of few weeks is known badly, and then false alarms are more frequent than the width
    suggests (Jones et al. 2001).

    Parameters
    ----------
    weight : float
        Of the newest week, above 0 and at most 1. With 1 each week stands alone (Shewhart's chart);
        a smaller weight finds small and lasting changes.
    width : float
        Above 0. Of Shewhart's chart of normal numbers, 3 gives a false alarm in 370 weeks.

    References
    ----------
    Roberts 1959, doi:10.1080/00401706.1959.10489860; Lucas & Saccucci 1990,
    doi:10.1080/00401706.1990.10484583 (weights and widths); Jones, Champ & Rigdon 2001,
    doi:10.1198/004017001750386279 (estimated limits).

    Examples
    --------
    >>> quiet = [0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0]
    >>> Ewma(weight=1.0, width=2.0).fit(quiet).watch([1.0, 9.0]).alarms.tolist()
    [False, True]
    """

    def __init__(self, weight: float = 0.3, width: float = 3.0):
        if not 0 < weight <= 1:
            raise ValueError(
                f"weight={weight!r} is the share of the newest week, above 0 and at most 1; "
                "try 0.3."
            )
        if not 0 < width < np.inf:
            raise ValueError(f"width={width!r} counts standard deviations, above 0; try 3.")
        self.weight = weight
        self.width = width

    def fit(self, quiet_weeks: ArrayLike) -> Self:
        """Learn mean and standard deviation of weeks in which nothing had changed.

        Parameters
        ----------
        quiet_weeks : array_like, shape (weeks,)
            A number per week, of at least eight weeks.

        Raises
        ------
        ValueError
            For fewer weeks, NaN, and weeks that are all equal.
        """
        quiet = _numbers("quiet_weeks", quiet_weeks)
        if len(quiet) < _FEWEST_WEEKS:
            raise ValueError(
                f"There are {len(quiet)} quiet weeks, but the limits need at least "
                f"{_FEWEST_WEEKS}: watch for longer before you rely on an alarm."
            )
        self._mean, self._deviation = quiet.mean(), quiet.std(ddof=1)
        if not self._deviation > 0:
            raise ValueError(
                "All quiet weeks have the same number, so any change would alarm: "
                "give a number that varies."
            )
        return self

    def watch(self, weeks: ArrayLike) -> Watch:
        """Return the chart of new weeks.

        Parameters
        ----------
        weeks : array_like, shape (weeks,)
            A number per week, in the order of time.

        Returns
        -------
        Watch
            The averages, their limits and the alarms.

        Raises
        ------
        ValueError
            Without a fit, and for NaN or no week.
        """
        if not hasattr(self, "_mean"):
            raise ValueError("The chart has no limits yet: call fit(quiet_weeks) first.")
        numbers = _numbers("weeks", weeks)
        average, averages = self._mean, []
        for number in numbers:
            average = self.weight * number + (1 - self.weight) * average
            averages.append(average)
        ages = np.arange(1, len(numbers) + 1)
        shrunk = self.weight / (2 - self.weight) * (1 - (1 - self.weight) ** (2 * ages))
        reach = self.width * self._deviation * np.sqrt(shrunk)
        low, high = self._mean - reach, self._mean + reach
        outside = (np.array(averages) < low) | (np.array(averages) > high)
        return Watch(np.array(averages), low, high, outside)


def _numbers(name: str, weeks: ArrayLike) -> np.ndarray:
    numbers = np.asarray(weeks, float)
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{name} should be one finite number per week, (weeks,); the shape is {numbers.shape}, "
            f"and {np.count_nonzero(~np.isfinite(numbers))} are not finite."
        )
    return numbers
