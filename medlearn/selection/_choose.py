"""Choose one of several adapted models without target labels, or keep source only and say why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.selection import _evidence, _rule

_FEWEST_IMAGES = 10  # of each domain
_ADVICE = (
    "To know more, label a few target images: selection.duel compares two candidates on the "
    "images on which they disagree."
)


class Model(Protocol):
    """What a candidate must be able to do."""

    def predict_proba(self, features: ArrayLike, /) -> np.ndarray:
        """Return class probabilities (N, classes) of target images from their features."""


class PredictedGain(NamedTuple):
    """Predicted change of balanced accuracy against source only, and a lower bound.

    The bound lies below the value by the 90 % quantile of the errors on calibration pairs that
    were left out. It is no confidence interval, least of all for the best of several.
    """

    value: float
    low: float


@dataclass(frozen=True, eq=False)
class Choice:
    """What `choose` decided.

    Attributes
    ----------
    name : str
        Name of the chosen candidate; the first one ("source only") where the choice abstained.
    reason : str
        Why, in sentences.
    best : str
        Candidate with the highest predicted gain, also where the choice abstained: the one to
        compare with source only by a few labels (`duel`).
    gain : PredictedGain
        Predicted gain in balanced accuracy of this candidate.
    table : pandas.DataFrame
        A row for each candidate: predicted gain, its lower bound, whether the candidate lies in
        the range of the calibration, and the label-free quantities.
    abstained : bool
        Whether source only is kept because a gain is not clear.
    """

    name: str
    reason: str
    best: str
    gain: PredictedGain
    table: pd.DataFrame
    abstained: bool


def choose(
    candidates: Mapping[str, Model | ArrayLike],
    source_features: ArrayLike,
    source_labels: ArrayLike,
    target_features: ArrayLike,
    *,
    seed: int = 0,
) -> Choice:
    """Return the candidate with the highest predicted gain, or source only and the reason.

    The gain of each candidate over source only is predicted from quantities that need no target
    labels. The rule was calibrated on pairs of simulated laboratories and scanners (see
    benchmarks/PROTOCOL.md). Three conditions come before a change: the two domains lie in the range
    of those pairs, the candidate does too, and the lower bound of its predicted gain is high
    enough. Otherwise source only is kept. On real images that will often be the case; then label a
    few images.

    Parameters
    ----------
    candidates : mapping of str to model or array_like
        Source only first. Each is a model with `predict_proba`, as `adaptation.candidates` returns,
        or the class probabilities (M, classes) of the target images. A column stands for each
        source label, in sorted order.
    source_features : array_like, shape (N, D)
        Features of labelled source images, at least 10, by a frozen encoder.
    source_labels : array_like, shape (N,)
        Whole numbers, at least two classes.
    target_features : array_like, shape (M, D)
        Features of the target images, at least 10, to which the candidates were adapted.
    seed : int
        Seed of the folds of cross-validation.

    Returns
    -------
    Choice
        With `name`, `reason`, `gain`, `table` and `abstained`.

    Raises
    ------
    ValueError
        For fewer than two candidates, and for features, labels or probabilities that do not fit.

    References
    ----------
    This course. The prediction of accuracy on unlabelled domains by regression over many domains
    is that of Deng & Zheng 2021, CVPR (arXiv:2007.02915).

    Examples
    --------
    >>> from medlearn import adaptation, selection
    >>> random = np.random.default_rng(0)
    >>> labels = np.arange(60) % 2
    >>> source = random.normal(size=(60, 3)) + labels[:, None]
    >>> models = adaptation.candidates(source, labels, source)
    >>> selection.choose(models, source, labels, source).name
    'source only'
    """
    source, target = _checks.feature_pair(source_features, target_features, _FEWEST_IMAGES)
    classes = _class_indices(source_labels, len(source))
    seed = _checks.whole_number("seed", seed, 0)
    probabilities = _probabilities(candidates, target, classes.max() + 1)
    rule = _rule.load()
    pair = _evidence.of_pair(source, classes, target, seed)
    evidence = _evidence.of_candidates(probabilities, source, classes, target, seed)
    return decide(rule, pair, pd.DataFrame.from_dict(evidence, orient="index"))


def decide(rule: _rule.Rule, pair: Mapping[str, float], evidence: pd.DataFrame) -> Choice:
    """Return the choice that follows from label-free quantities.

    Parameters
    ----------
    rule : Rule
        The calibrated rule.
    pair : mapping of str to float
        What `_evidence.of_pair` returns.
    evidence : DataFrame
        Rows of `_evidence.of_candidates`, source only first.
    """
    table = evidence.copy()
    predicted = rule.predict(pair, evidence)
    outside = [rule.outside(row, _evidence.OF_CANDIDATE) for row in evidence.to_dict("records")]
    table.insert(0, "predicted_gain", predicted)
    table.insert(1, "lower_bound", predicted - rule.error)
    table.insert(2, "in_range", [not problems for problems in outside])
    pair_outside = rule.outside(pair, _evidence.OF_PAIR)
    unusual = rule.neighbours.unusual(_rule.point(pair, evidence))
    if unusual:
        pair_outside = [*pair_outside, unusual]
    source_only = str(table.index[0])
    rivals = table.iloc[1:]
    considered = rivals[rivals.in_range]
    pool = considered if len(considered) else rivals
    best = str(pool.predicted_gain.idxmax())
    gain = PredictedGain(*map(float, pool.loc[best, ["predicted_gain", "lower_bound"]]))
    problem = ""
    if pair_outside:
        problem = (
            f"the two domains lie outside the range of the calibration: {_listed(pair_outside)}"
        )
    elif not len(considered):
        phrases = outside[list(table.index).index(best)]
        problem = f"{best!r} lies outside the range of the calibration: {_listed(phrases)}"
    elif gain.low <= rule.threshold:
        problem = f"the gain of the best candidate, {best!r}, is not clear: predicted {_of(gain)}"
    if problem:
        reason = f"{source_only!r} is kept, because {problem}. {_ADVICE}"
        return Choice(source_only, reason, best, gain, table, True)
    reason = (
        f"{best!r} has a predicted gain in balanced accuracy of {_of(gain)}. The pair lies in the "
        "range of the calibration, which was made on simulated images."
    )
    return Choice(best, reason, best, gain, table, False)


def _of(gain: PredictedGain) -> str:
    return f"{gain.value:+.2f} (lower bound {gain.low:+.2f})"


def _listed(problems: list[str]) -> str:
    return "; ".join(problems)


def _class_indices(source_labels: ArrayLike, count: int) -> np.ndarray:
    labels = np.asarray(source_labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"source_labels should be one whole number for each of the {count} source images; "
            f"they are {labels.dtype} of shape {labels.shape}."
        )
    values, indices = np.unique(labels, return_inverse=True)
    if len(values) < 2:
        raise ValueError("All source labels are of one class: give images of at least two classes.")
    return indices


def _probabilities(
    candidates: Mapping[str, Model | ArrayLike], target: np.ndarray, classes: int
) -> dict[str, np.ndarray]:
    """Checked probabilities of the target images by each candidate."""
    if not isinstance(candidates, Mapping) or len(candidates) < 2:
        raise ValueError(
            "candidates should map the names of two models or more to models or probabilities, "
            "source only first, as adaptation.candidates returns."
        )
    tables = {}
    for name, candidate in candidates.items():
        predict = getattr(candidate, "predict_proba", None)
        values: Any = predict(target) if predict else candidate
        table = _checks.probabilities(values)
        if table.shape != (len(target), classes):
            raise ValueError(
                f"The probabilities of {name!r} have the shape {table.shape}, but there are "
                f"{len(target)} target images and {classes} classes of source labels."
            )
        tables[str(name)] = table
    return tables
