"""The calibrated rule of `choose`: extremely randomised trees, refitted from a table.

_calibration.csv holds the development pairs of the arena (benchmarks/PROTOCOL.md): for each
candidate its label-free quantities and its gain over source only. The trees are fitted to it when
they are first needed, in less than a second, always with the same seed. A table can be read and
checked; stored trees could not, and would need a pickle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor

from medlearn import _files
from medlearn.selection import _evidence

_PATH = Path(__file__).with_name("_calibration.csv")
_SHIFTED = _evidence.OF_CANDIDATE[:-1]  # all but agreement, which is 1 for source only
_MARGIN = 0.05  # of the width of a range, on both sides of it
_USUAL = 0.9  # this share of the calibration's pairs is no farther from its nearest other pair
_DISTANT = ("classes", "home", "gap", "spread", "overlap")
_MEANS = ("consensus", "agreement", "reverse", "structure", "information")
_ABOUT_PAIR = ("home", "gap", "overlap", "classes")
# More than this is outside the range only in the direction that is said.
_ONLY_LOW = {"source_images", "target_images", "home"}
_ONLY_HIGH = {"gap", "overlap", "imbalance"}
_WORDS = {
    "classes": "number of classes",
    "source_images": "number of source images (log10)",
    "target_images": "number of target images (log10)",
    "home": "cross-validated balanced accuracy in the source (above chance)",
    "gap": "distance of the means of the features (in standard deviations)",
    "spread": "ratio of the standard deviations of the features (log)",
    "overlap": "overlap of the two domains",
    "certainty": "certainty of the predictions",
    "information": "mutual information of images and predictions",
    "neighbourhood": "soft neighbourhood density",
    "consensus": "agreement with the vote of the candidates",
    "reverse": "reverse validation",
    "structure": "how well the predictions follow the target's features",
    "imbalance": "difference of the predicted class shares from those of the source",
    "agreement": "agreement with source only",
}


@dataclass(frozen=True)
class Rule:
    """A regression of the gain, the range of its pairs, and what counts as a clear gain.

    Attributes
    ----------
    regression : scikit-learn regressor
        Predicts the gain from the columns of `design`.
    ranges : dict of str to tuple of float
        Lowest and highest value of each quantity.
    neighbours : Neighbours
        The pairs of the calibration, to see whether another pair is like them.
    error : float
        What is subtracted from a predicted gain to get its lower bound.
    threshold : float
        The lower bound must be above it.
    """

    regression: RegressorMixin
    ranges: dict[str, tuple[float, float]]
    neighbours: "Neighbours"
    error: float
    threshold: float

    def predict(self, pair: Mapping[str, float], table: pd.DataFrame) -> np.ndarray:
        """Return the predicted gain of each candidate; that of source only is 0.

        Parameters
        ----------
        pair : mapping of str to float
            What `_evidence.of_pair` returns.
        table : DataFrame
            Rows of `_evidence.of_candidates`, source only first.
        """
        predicted = self.regression.predict(design(pair, table).to_numpy())
        predicted[0] = 0.0
        return predicted

    def outside(self, values: Mapping[str, float], names: Iterable[str]) -> list[str]:
        """Return a phrase for each quantity that lies outside the range of the calibration.

        Parameters
        ----------
        values : mapping of str to float
            Values by the names of quantities.
        names : iterable of str
            Quantities to check.
        """
        phrases = []
        for name in names:
            low, high = self.ranges[name]
            margin = _MARGIN * (high - low) + 1e-9
            too_low = values[name] < low - margin and name not in _ONLY_HIGH
            too_high = values[name] > high + margin and name not in _ONLY_LOW
            if too_low or too_high:
                phrases.append(
                    f"the {_WORDS[name]} is {values[name]:.2f}, in the calibration "
                    f"{low:.2f} to {high:.2f}"
                )
        return phrases


@dataclass(frozen=True)
class Neighbours:
    """Pairs as points: their quantities, standardised, and how far apart they usually are."""

    points: np.ndarray  # (pairs, quantities)
    mean: np.ndarray
    deviation: np.ndarray
    farthest: float  # usual distance of a pair to its nearest other pair, at most

    def unusual(self, point: np.ndarray) -> str:
        """Return a phrase if a pair is farther from all pairs than is usual, else ""."""
        distances = np.linalg.norm(self.points - (point - self.mean) / self.deviation, axis=1)
        if distances.min() <= self.farthest:
            return ""
        return (
            f"they resemble none of its pairs (distance to the nearest {distances.min():.1f}, "
            f"usual up to {self.farthest:.1f})"
        )


def neighbours(points: np.ndarray) -> Neighbours:
    """Return the points of pairs (pairs, quantities), ready to be compared with another pair."""
    mean, deviation = points.mean(0), points.std(0) + 1e-9
    standardised = (points - mean) / deviation
    distances = np.linalg.norm(standardised[:, None] - standardised[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    farthest = float(np.quantile(distances.min(1), _USUAL, method="lower"))
    return Neighbours(standardised, mean, deviation, farthest)


def point(pair: Mapping[str, float], table: pd.DataFrame) -> np.ndarray:
    """Return a pair as a point: quantities of the pair, of source only, and means of the others.

    Parameters
    ----------
    pair : mapping of str to float
        What `_evidence.of_pair` returns.
    table : DataFrame
        Rows of `_evidence.of_candidates`, source only first.
    """
    means = table.iloc[1:][list(_MEANS)].mean()
    of_pair = [pair[name] for name in _DISTANT]
    return np.array([*of_pair, *table.iloc[0][list(_SHIFTED)], *means], float)


def design(pair: Mapping[str, float], table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns from which the gain is predicted, a row for each candidate.

    Parameters
    ----------
    pair : mapping of str to float
        What `_evidence.of_pair` returns.
    table : DataFrame
        Rows of `_evidence.of_candidates`, source only first.
    """
    columns = {name: table[name] for name in _evidence.OF_CANDIDATE}
    for name in _SHIFTED:
        columns[f"{name} of source only"] = np.full(len(table), table[name].iloc[0])
        columns[f"change of {name}"] = table[name] - table[name].iloc[0]
    for name in _ABOUT_PAIR:
        columns[name] = np.full(len(table), pair[name])
    return pd.DataFrame(columns, index=table.index)


def trees() -> ExtraTreesRegressor:
    """Return the regression, unfitted."""
    return ExtraTreesRegressor(200, min_samples_leaf=5, max_features=0.5, random_state=0)


def fit(
    calibration: pd.DataFrame,
    error: float,
    threshold: float,
    regression: RegressorMixin | None = None,
) -> Rule:
    """Return the rule of a table of pairs.

    Parameters
    ----------
    calibration : DataFrame
        Columns "pair", "candidate", those of `_evidence` and "gain"; source only first in a pair.
    error, threshold : float
        See `Rule`.
    regression : scikit-learn regressor, optional
        Unfitted; by default `trees`.
    """
    parts, points = [], []
    for _, rows in calibration.groupby("pair", sort=False):
        pair = rows.iloc[0][list(_evidence.OF_PAIR)].astype(float)
        parts.append(design(pair, rows).iloc[1:])
        points.append(point(pair, rows))
    columns = pd.concat(parts)
    gains = calibration.loc[columns.index, "gain"]
    regression = trees() if regression is None else regression
    names = (*_evidence.OF_PAIR, *_evidence.OF_CANDIDATE)
    ranges = {name: (calibration[name].min(), calibration[name].max()) for name in names}
    fitted = regression.fit(columns.to_numpy(), gains)
    return Rule(fitted, ranges, neighbours(np.array(points)), error, threshold)


@lru_cache(maxsize=1)
def load() -> Rule:
    """Return the rule that the package ships."""
    with open(_PATH, encoding="utf-8") as stream:
        constants = stream.readline().split()
        calibration = pd.read_csv(stream)
    return fit(calibration, float(constants[2]), float(constants[4]))


def write(calibration: pd.DataFrame, error: float, threshold: float) -> None:
    """Write the table that `load` reads; only benchmarks/arena_chooser.py does so.

    Parameters
    ----------
    calibration, error, threshold
        As in `fit`.
    """
    table = calibration.round(4).to_csv(index=False, lineterminator="\n")
    _files.write_text(_PATH, f"# error {error} threshold {threshold}\n{table}")
