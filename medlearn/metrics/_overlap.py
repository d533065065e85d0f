"""How much of a region was found: overlap of masks, per image or per patient.

Masks and predictions are whole numbers (N, H, W), one class a pixel; a score looks at one class, `value`. Empty regions:
where neither mask nor prediction holds the class there is nothing to overlap, and the score is NaN (or what `empty` says);
where only one of them does, it is 0. So a false alarm costs, and an image that is rightly left alone does not help.
"""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics._intervals import Interval, interval, paired_difference


def dice(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    patients: ArrayLike | None = None,
    empty: float = np.nan,
) -> np.ndarray:
    """Twice the common area over the sum of both areas, 0..1: of each image (N,), or with `patients` of each patient (P,).

    With `patients` (N,), the areas of all images of a patient are summed first, as if they were one volume, and patients
    are in sorted order. Raises ValueError for shapes that differ, values that are not whole numbers, and a class 0, which
    is the background. Source: Dice, Ecology 26:297, 1945.
    """
    common, true, predicted = _areas(masks, predictions, positive, patients)
    return _ratio(2 * common, true + predicted, empty)


def iou(
    masks: ArrayLike,
    predictions: ArrayLike,
    positive: int = 1,
    *,
    patients: ArrayLike | None = None,
    empty: float = np.nan,
) -> np.ndarray:
    """The common area over the area of the union, 0..1 (Jaccard index): dice / (2 - dice), always the smaller number.

    Arguments, results and errors as for `dice`. Source: Jaccard, New Phytologist 11:37, 1912.
    """
    common, true, predicted = _areas(masks, predictions, positive, patients)
    return _ratio(common, true + predicted - common, empty)


def mean_score(
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """Mean of a score over images (N,) with its interval from a bootstrap of whole patients; NaN is left out.

    scores: one a image, as `dice`, `iou` or the surface measures give them; patients: (N,) ids. For scores per patient,
    give `np.unique(patients)`. Raises ValueError if nothing is left or the mean is infinite, as `interval` for the rest.
    """
    scores = np.asarray(scores, float)
    _check_finite(scores)
    return interval(_mean, scores, scores, patients, level=level, repeats=repeats, seed=seed)


def mean_difference(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """Mean of score a minus mean of score b on the same images (N,), with its interval over patients; above zero, a is larger.

    Each mean leaves out its own NaN: of two models, one may raise a false alarm where the other rightly finds nothing.
    Arguments and errors as for `mean_score`.
    """
    a, b = np.asarray(scores_a, float), np.asarray(scores_b, float)
    _check_finite(a)
    _check_finite(b)
    return paired_difference(_mean, a, a, b, patients, level=level, repeats=repeats, seed=seed)


def checked_masks(masks: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Masks and predictions as arrays (N, H, W) of whole numbers with one shape; raises ValueError, one sentence."""
    masks, predictions = _checked("masks", masks), _checked("predictions", predictions)
    if masks.shape != predictions.shape:
        raise ValueError(
            f"masks are {masks.shape} but predictions {predictions.shape}: each pixel needs one of each; resize the "
            "prediction to the mask, not the mask."
        )
    return masks, predictions


def _checked(name: str, values: ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(
            f"{name} have different sizes: score images of one size together, the others on their own."
        ) from None
    if array.ndim != 3 or not array.size:
        hint = (
            "; for probabilities take .argmax(-1) first"
            if array.ndim == 4
            else "; a single one goes in as mask[None]"
            if array.ndim == 2
            else ""
        )
        raise ValueError(
            f"{name} are whole numbers (N, H, W), one class a pixel; here the shape is {array.shape}{hint}."
        )
    if array.dtype.kind not in "biu":
        raise ValueError(
            f"{name} are {array.dtype}, but a mask holds whole numbers, one class a pixel; for probabilities take .argmax(-1)."
        )
    return array


def region(masks: np.ndarray, predictions: np.ndarray, value: int) -> tuple[np.ndarray, np.ndarray]:
    """Where masks and predictions are of the class, as booleans (N, H, W); raises ValueError for the background or bad masks."""
    masks, predictions = checked_masks(masks, predictions)
    if value == 0 or not isinstance(value, int | np.integer):
        raise ValueError(
            f"value={value!r} is not a class of the masks: whole numbers from 1 on (0 is the background)."
        )
    return masks == value, predictions == value


def _areas(masks, predictions, value, patients) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    true, predicted = region(masks, predictions, value)
    areas = tuple(each.sum((1, 2)) for each in (true & predicted, true, predicted))
    if patients is None:
        return areas
    patients = _checks.column("patients", patients)
    _checks.same_length(masks=true, patients=patients)
    patient = np.unique(patients, return_inverse=True)[1]
    return tuple(np.bincount(patient, each) for each in areas)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, empty: float) -> np.ndarray:
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), empty)


def _mean(_, scores: np.ndarray) -> float:
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else np.nan


def _check_finite(scores: np.ndarray) -> None:
    if np.isinf(scores).any():
        raise ValueError(
            f"{np.isinf(scores).sum()} of {scores.size} scores are infinite (a region was missed, so it has no distance): "
            "report their share, and the median, or choose a distance for them with `missed`."
        )
