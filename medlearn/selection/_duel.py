"""Which of two models is better, by an expert's labels of the images on which they differ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import Interval
from medlearn.selection._bets import Bets

BETTER, WORSE = "better", "worse"
NO_DIFFERENCE, UNDECIDED = "no difference worth having", "undecided"
_POINTS = 2001  # on the axis of possible gains, where gains are not whole numbers
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Verdict:
    """The outcome of a duel.

    Attributes
    ----------
    answer : {"better", "worse", "no difference worth having", "undecided"}
        About the second model, compared with the first.
    sentence : str
        The reason in words.
    asked : tuple of int
        Indices of the images whose labels were asked for, in order.
    evidence : numpy.ndarray, shape (draws, 2)
        After each draw, the e-values for "better" and for "worse". The duel ends when one of them
        reaches 2 / alpha; beyond that they are not followed.
    gain : metrics.Interval
        Mean score of the second model minus that of the first, over all images; for classes, the
        difference of the accuracies. The estimate, and an interval with the confidence 1 - alpha
        whenever the duel stops.
    """

    answer: str
    sentence: str
    asked: tuple[int, ...]
    evidence: np.ndarray
    gain: Interval

    def __repr__(self) -> str:
        value, low, high = self.gain
        gain = f"gain {value:+.3f} [{low:+.3f}, {high:+.3f}]"
        return f"<Verdict: {self.answer}; {len(self.asked)} labels; {gain}>"

    def __str__(self) -> str:
        return self.sentence


def duel(
    first_probabilities: ArrayLike,
    second_probabilities: ArrayLike,
    ask: Callable[[int], Any] | ArrayLike,
    patients: ArrayLike | None = None,
    *,
    worth: float = 0.02,
    alpha: float = 0.05,
    most: int = 40,
    seed: int = 0,
) -> Verdict:
    """Compare two classifiers with few labels: those of images on which they disagree.

    Where two models predict the same class they are both right or both wrong, so those labels would
    say nothing. The disagreements are drawn at random, an expert labels one at a time, and after
    each label a test decides whether to stop. The test holds at whatever time it stops: the chance
    of a wrong answer is at most `alpha`, for any models and any images, however wrong their
    probabilities are. Wrong answers are: "better" without a gain, "worse" without a loss, and "no
    difference worth having" where accuracies differ by more than `worth`. Keep the first model
    unless the answer is "better". The score is accuracy, so frequent classes count most: a better
    accuracy can go with a worse balanced accuracy.

    The guarantee is about these images: chance comes from the draw alone. So images of one patient
    need not be independent, and `patients` may be left out. With `patients`, whole patients are
    drawn, with a chance proportional to their disagreements, and all disagreements of a patient are
    labelled together: convenient where a record must be opened, but it takes more labels. Neither
    extends the answer to patients who are not among these images.

    Of several duels, each has this chance of a wrong answer: for all together, give each
    ``alpha / duels``.

    Parameters
    ----------
    first_probabilities, second_probabilities : array_like, shape (N, classes) or (N,)
        Class probabilities of both models on the same images, or the predicted classes.
    ask : callable or array_like, shape (N,)
        ``ask(index)`` returns the true class of one image: a column of the probabilities, or a
        class as in the predictions. A list or array is opened one entry at a time; entries that are
        not drawn are never read.
    patients : array_like, shape (N,), optional
        Patient ids, to draw whole patients.
    worth : float
        The smallest difference in accuracy that matters, from 0 to 1.
    alpha : float
        The accepted chance of a wrong answer, above 0 and below 1.
    most : int
        The most labels that may be asked for. A patient whose disagreements would exceed it ends
        the duel. Fix `most` and `seed` before the first label: a call with other values is a second
        duel, so give each ``alpha / 2``.
    seed : int
        Seed of the draw.

    Returns
    -------
    Verdict
        The answer, the reason, the images that were asked for, and the interval of the gain.

    Raises
    ------
    ValueError
        For predictions of different lengths or kinds, an answer that is no class, and options
        outside their range.

    References
    ----------
    Betting without replacement: Waudby-Smith & Ramdas 2024, J. R. Stat. Soc. B 86:1
    (arXiv:2010.09686). Draws in proportion to size: Shekhar et al. 2023 (arXiv:2305.06884). Stakes
    made anew for the labels that remain: compare Voracek & Orabona 2025 (arXiv:2505.22422).

    Examples
    --------
    >>> from medlearn import selection
    >>> truth = [0, 1] * 20
    >>> verdict = selection.duel([0] * 40, truth, ask=truth)
    >>> verdict.answer, len(verdict.asked)
    ('better', 7)
    """
    first, second, classes = _predictions(first_probabilities, second_probabilities)
    gain_of = _ClassGain(first, second, classes, ask)
    draws = _Draws((first != second).astype(float), patients, most, seed)
    return _duel(draws, gain_of, worth, alpha, "disagreements", "accuracy")


def duel_scores(
    limits: ArrayLike,
    ask: Callable[[int], tuple[float, float]],
    patients: ArrayLike | None = None,
    *,
    worth: float = 0.02,
    alpha: float = 0.05,
    most: int = 40,
    seed: int = 0,
) -> Verdict:
    """Compare two models by a score per image, such as the Dice coefficient of an outline.

    As `duel`, with a score from 0 to 1 in place of right and wrong. `ask` gets the scores, not the
    mask: any score will do, and masks of any sizes. What the test needs besides is how much the
    two scores of an image can differ at most: for outlines, `selection.dice_limits` computes it
    from the two predictions. Images are drawn in proportion to it.

    Parameters
    ----------
    limits : array_like, shape (N,)
        The largest possible difference of the two scores of each image, 0 to 1: 0 where the models
        predict the same, and 1 where nothing is known.
    ask : callable
        ``ask(index)`` returns the scores of the first and of the second model on one image, once
        an expert has labelled it.
    patients : array_like, shape (N,), optional
        Patient ids, to draw whole patients.
    worth : float
        The smallest difference of the mean scores that matters, from 0 to 1.
    alpha : float
        The accepted chance of a wrong answer, above 0 and below 1.
    most : int
        The most images that may be asked for.
    seed : int
        Seed of the draw.

    Returns
    -------
    Verdict
        As for `duel`.

    Raises
    ------
    ValueError
        For limits outside 0 to 1, scores outside 0 to 1 or farther apart than the limit, and
        options outside their range.

    References
    ----------
    As for `duel`.

    Examples
    --------
    >>> from medlearn import selection
    >>> verdict = selection.duel_scores([0.5] * 100, ask=lambda index: (0.4, 0.8))
    >>> verdict.answer, len(verdict.asked)
    ('better', 11)
    """
    limits = _checks.column("limits", limits).astype(float)
    if limits.min() < 0 or limits.max() > 1:
        raise ValueError(
            f"limits run from {limits.min():g} to {limits.max():g}, but the scores of an image "
            "differ by 0 to 1; selection.dice_limits computes limits for outlines."
        )
    if not callable(ask):
        raise ValueError(
            f"ask is a {type(ask).__name__}, but a function is expected: ask(index) returns the "
            "scores of the first and of the second model on one image."
        )
    draws = _Draws(limits, patients, most, seed)
    return _duel(draws, _ScoreGain(ask, limits), worth, alpha, "images that differ", "mean score")


def dice_limits(first_masks: ArrayLike, second_masks: ArrayLike) -> np.ndarray:
    """Return how far apart the Dice coefficients of two outlines can be, whatever the truth is.

    With the Jaccard distance d of the two outlines it is 2 d / (1 + d): Jaccard distances to the
    truth differ by at most d, and the Dice coefficient 2 J / (1 + J) is steepest at J = 0.

    Parameters
    ----------
    first_masks, second_masks : array_like, shape (N, H, W)
        Masks of one structure, 0 or 1. Two empty masks are the same.

    Returns
    -------
    numpy.ndarray, shape (N,)
        From 0 (the same outline) to 1 (nothing in common).

    Raises
    ------
    ValueError
        For shapes that differ and other values than 0 and 1.

    References
    ----------
    The Jaccard distance is a metric: Kosub 2019 (doi:10.1016/j.patrec.2018.12.007).

    Examples
    --------
    >>> from medlearn import selection
    >>> selection.dice_limits([[[1, 1, 0]]], [[[0, 1, 1]]]).round(2).tolist()
    [0.8]
    """
    first, second = _checks.masks_and_predictions(first_masks, second_masks)
    if max(first.max(), second.max()) > 1 or min(first.min(), second.min()) < 0:
        raise ValueError(
            "dice_limits compares masks of one structure, 0 or 1; for a class of several, "
            "give masks == class_index."
        )
    first, second = first.astype(bool), second.astype(bool)
    union = (first | second).sum((1, 2))
    distance = (first ^ second).sum((1, 2)) / np.maximum(union, 1)
    return 2 * distance / (1 + distance)


def _predictions(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray, int | None]:
    """Predicted classes of both, and the number of classes where these are probabilities."""
    if np.ndim(first) != np.ndim(second):
        raise ValueError(
            f"One model is given with the shape {np.shape(first)}, the other with "
            f"{np.shape(second)}: give both as probabilities or both as predicted classes."
        )
    if np.ndim(first) < 2:
        return *_checks.labels_and_predictions(first, second), None
    first, second = _checks.probabilities(first), _checks.probabilities(second)
    if first.shape != second.shape:
        raise ValueError(
            f"The probabilities have the shapes {first.shape} and {second.shape}: both models "
            "must predict the same classes of the same images."
        )
    return first.argmax(1), second.argmax(1), first.shape[1]


class _ClassGain:
    """The gain on an image: 1 where only the second model is right, -1 where only the first is."""

    whole = True

    def __init__(self, first, second, classes, ask):
        entries = getattr(ask, "iloc", ask)  # a column of pandas by position
        self.first, self.second, self.classes = first, second, classes
        self.ask = ask if callable(ask) else entries.__getitem__
        if not callable(ask) and len(ask) != len(first):
            raise ValueError(f"There are {len(first)} images, but {len(ask)} labels to ask for.")

    def __call__(self, index: int) -> float:
        label = self.ask(index)
        self._check(label, index)
        return float(label == self.second[index]) - float(label == self.first[index])

    def _check(self, label: Any, index: int) -> None:
        is_text = isinstance(label, str)
        is_number = not is_text and np.ndim(label) == 0 and label is not None and label == label
        if self.classes is not None:
            if not is_number or label not in range(self.classes):
                raise ValueError(
                    f"The label of image {index} is {label!r}, but a class index from 0 to "
                    f"{self.classes - 1} is expected."
                )
        elif is_text != (self.first.dtype.kind in "US") or not (is_text or is_number):
            raise ValueError(
                f"The label of image {index} is {label!r}, but a class as in the predictions is "
                f"expected, such as {self.first[index].item()!r}."
            )


class _ScoreGain:
    """The gain on an image: the second score minus the first."""

    whole = False

    def __init__(self, ask, limits):
        self.ask, self.limits = ask, limits

    def __call__(self, index: int) -> float:
        scores = np.asarray(self.ask(index), float)
        if scores.shape != (2,) or not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError(
                f"ask({index}) returned {scores.tolist()}, but two scores from 0 to 1 are "
                "expected, of the first and of the second model."
            )
        gain = float(scores[1] - scores[0])
        limit = float(self.limits[index])
        if abs(gain) > limit + _ROUNDING:
            raise ValueError(
                f"The scores of image {index} differ by {abs(gain):.3f}, more than its limit "
                f"{limit:.3f}: the test would not hold. Are limits and scores of the same images?"
            )
        return gain


class _Draws:
    """Units in random order, without replacement, in proportion to their limits."""

    def __init__(self, limits, patients, most, seed):
        _checks.whole_number("most", most, 1)
        _checks.whole_number("seed", seed, 0)
        self.limits, self.most = limits, most
        units = self._units(patients)
        self.sizes = np.array([limits[unit].sum() for unit in units])
        # The first of independent exponential times is a draw in proportion to the rates.
        times = np.random.default_rng(seed).exponential(size=len(units)) / self.sizes
        self.units = [units[number] for number in np.argsort(times)]

    @property
    def expected(self) -> float:
        """About how many units may be drawn."""
        return self.most * len(self.units) / max(np.count_nonzero(self.limits), 1)

    def _units(self, patients: ArrayLike | None) -> list[np.ndarray]:
        """Indices of the images that are drawn together."""
        differing = np.flatnonzero(self.limits)
        if patients is None:
            return list(differing[:, None])
        patients = _checks.column("patients", patients)
        _checks.same_length(images=self.limits, patients=patients)
        ids = patients[differing]
        return [differing[ids == patient] for patient in np.unique(ids)]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Units, as long as their labels may be asked for."""
        labels = 0
        for unit in self.units:
            labels += len(unit)
            if labels > self.most:
                return
            yield unit


def _duel(draws, gain_of, worth, alpha, differing: str, score: str) -> Verdict:
    _checks.share("worth", worth)
    if not 0 < alpha < 1:
        raise ValueError(
            f"alpha={alpha!r} is the accepted chance of a wrong answer, above 0 and below 1; "
            "usual is 0.05."
        )
    count, limit = len(draws.limits), float(draws.limits.sum())
    totals = _totals(limit, worth * count, gain_of.whole)
    bets = Bets(totals, limit, 2 / alpha, draws.expected, gain_of.whole)
    asked: list[int] = []
    answer = _answer(bets, worth * count)
    for unit in draws if answer == UNDECIDED else ():
        gain = sum(gain_of(int(index)) for index in unit)
        asked += unit.tolist()
        bets.settle(gain, float(draws.limits[unit].sum()))
        answer = _answer(bets, worth * count)
        if answer != UNDECIDED:
            break
    low, high = bets.interval()
    gain = Interval(bets.estimate() / count, low / count, high / count)
    differ = int((draws.limits > 0).sum())
    facts = f"{len(asked)} of {differ} {differing} among {count} images were labelled. Over all"
    sentence = _sentence(answer, gain, f"{facts} {count} images the {score}", worth, alpha)
    return Verdict(answer, sentence, tuple(asked), np.array(bets.evidence).reshape(-1, 2), gain)


def _totals(limit: float, margin: float, whole: bool) -> np.ndarray:
    """Possible total gains: all whole numbers, or a fine axis with the totals that decide."""
    if whole:
        return np.arange(-round(limit), round(limit) + 1.0)
    axis = np.linspace(-limit, limit, _POINTS)
    return np.unique([*axis, 0, *np.clip([-margin, margin], -limit, limit)])


def _answer(bets: Bets, margin: float) -> str:
    low, high = bets.interval()
    if -margin - _ROUNDING <= low and high <= margin + _ROUNDING:
        return NO_DIFFERENCE
    if bets.excludes_zero(above=False):
        return BETTER
    return WORSE if bets.excludes_zero(above=True) else UNDECIDED


def _sentence(answer, gain: Interval, facts: str, worth, alpha) -> str:
    claims = {
        BETTER: "The second model is better",
        WORSE: "The second model is worse",
        NO_DIFFERENCE: f"The models differ by no more than {worth:g}, which is not worth having",
        UNDECIDED: "The duel is undecided: keep the first model",
    }
    return (
        f"{claims[answer]}. {facts} changes by an estimated {gain.value:+.3f} "
        f"[{gain.low:+.3f}, {gain.high:+.3f}], with {100 * (1 - alpha):.4g} % confidence."
    )
