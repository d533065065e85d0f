"""The usual scores of a classifier: scikit-learn computes them, here they get one vocabulary and clear errors."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics as sk

from medlearn import _checks


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of images whose predicted class is right, 0..1. labels, predictions: (N,) classes."""
    return float(sk.accuracy_score(*_checks.labels_and_predictions(labels, predictions)))


def balanced_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean sensitivity of the classes among the labels, 0..1: rare classes count as much as common ones.

    labels, predictions: (N,) classes. Source: Brodersen et al., ICPR 2010, doi:10.1109/ICPR.2010.764.
    """
    labels, predictions = _checks.labels_and_predictions(labels, predictions)
    return float(sk.recall_score(labels, predictions, labels=np.unique(labels), average="macro"))


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean over the classes of F1, the harmonic mean of sensitivity and precision, 0..1.

    labels, predictions: (N,) classes. The classes are those that occur among the labels or the predictions, as in
    scikit-learn: a class that is predicted but never true has F1 = 0 and lowers the mean.
    """
    return float(sk.f1_score(*_checks.labels_and_predictions(labels, predictions), average="macro"))


def kappa(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Cohen's kappa: agreement beyond chance, 1 for perfect, 0 for what the two frequencies alone would give.

    labels, predictions: (N,) classes, or two readers' answers. Raises ValueError if both hold one and the same
    class only. Source: Cohen, Educ. Psychol. Meas. 20:37, 1960.
    """
    labels, predictions = _checks.labels_and_predictions(labels, predictions)
    if len(np.unique(np.concatenate([labels, predictions]))) < 2:
        raise _checks.Undefined(
            "Both hold one and the same class, so kappa, the agreement beyond chance, is undefined."
        )
    return float(sk.cohen_kappa_score(labels, predictions))


def confusion(labels: ArrayLike, predictions: ArrayLike) -> np.ndarray:
    """Counts int (K, K): row = true class, column = predicted, for the sorted classes that occur in either.

    Of yes and no, [[true negatives, false positives], [false negatives, true positives]].
    """
    return sk.confusion_matrix(*_checks.labels_and_predictions(labels, predictions))


# ---- one class against the rest: `positive` is what is looked for ------------------------------------------


def sensitivity(labels: ArrayLike, predictions: ArrayLike, positive=1) -> float:
    """Of the images of the class `positive`, the share that is found, 0..1; also called recall.

    labels, predictions: (N,) classes. Raises ValueError if no label is `positive`.
    """
    labels, predictions = _one_class(labels, predictions, positive)
    if not labels.any():
        raise _checks.Undefined(
            f"None of {len(labels)} labels is {positive!r}, so there is no sensitivity to it."
        )
    return float(sk.recall_score(labels, predictions))


def specificity(labels: ArrayLike, predictions: ArrayLike, positive=1) -> float:
    """Of the images of all other classes, the share that is not called `positive`, 0..1.

    labels, predictions: (N,) classes. Raises ValueError if every label is `positive`.
    """
    labels, predictions = _one_class(labels, predictions, positive)
    if labels.all():
        raise _checks.Undefined(
            f"All {len(labels)} labels are {positive!r}, so there is no specificity."
        )
    return float(sk.recall_score(~labels, ~predictions))


def precision(labels: ArrayLike, predictions: ArrayLike, positive=1) -> float:
    """Of the images called `positive`, the share that is (positive predictive value), 0..1; 0 if none is called so.

    labels, predictions: (N,) classes. It falls as the class gets rarer, whatever the classifier.
    """
    return float(sk.precision_score(*_one_class(labels, predictions, positive), zero_division=0))


def f1(labels: ArrayLike, predictions: ArrayLike, positive=1) -> float:
    """Harmonic mean of precision and sensitivity, 0..1: near the smaller of the two; 0 if nothing is found.

    labels, predictions: (N,) classes. Raises ValueError if `positive` occurs neither among labels nor predictions.
    Source: van Rijsbergen, Information Retrieval, 1979, ch. 7.
    """
    labels, predictions = _one_class(labels, predictions, positive)
    if not (labels | predictions).any():
        raise _checks.Undefined(
            f"Neither labels nor predictions hold {positive!r}, so there is no F1 of it."
        )
    return float(sk.f1_score(labels, predictions))


# ---- scores instead of decisions: higher means more likely yes ---------------------------------------------


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve, 0..1: the chance that a random positive scores above a random negative (ties half).

    labels, scores: (N,), 0 or 1 and any number; or classes 0..K-1 and probabilities (N, K), for the mean of each class
    against the rest. Raises ValueError if a class has no image, for NaN, and for rows that do not sum to one.
    Source: Hanley & McNeil, Radiology 143:29, 1982.
    """
    return _each_class(sk.roc_auc_score, labels, scores)


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the precision-sensitivity curve as a step function, 0..1; guessing gives the share of positives.

    Arguments and errors as for `auroc`. Unlike it, this falls as the class gets rarer.
    """
    return _each_class(sk.average_precision_score, labels, scores)


def sensitivity_at_specificity(
    labels: ArrayLike, scores: ArrayLike, specificity: float = 0.9
) -> float:
    """The highest sensitivity, 0..1, of all thresholds on these images with at least this specificity.

    labels, scores: (N,), 0 or 1 and any number. A threshold chosen on the images that judge it flatters a little:
    choose it elsewhere (`threshold_at_specificity`) for a claim. Raises ValueError if a class has no image.
    """
    labels, scores = _checks.binary_labels_and_scores(labels, scores)
    if not 0 <= specificity <= 1:
        raise ValueError(f"specificity is a share from 0 to 1, not {specificity!r}.")
    alarms, found, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    return float(found[1 - alarms >= specificity - 1e-12].max())


def _one_class(labels, predictions, positive) -> tuple[np.ndarray, np.ndarray]:
    labels, predictions = _checks.labels_and_predictions(labels, predictions)
    if labels.dtype.kind in "US" and not isinstance(positive, str):
        raise ValueError(
            f"labels are text, so say which class is looked for: positive={labels[0].item()!r}, not {positive!r}."
        )
    return labels == positive, predictions == positive


def _each_class(score, labels, scores) -> float:
    if np.ndim(scores) != 2:
        return float(score(*_checks.binary_labels_and_scores(labels, scores)))
    labels, scores = _checks.labels_and_probabilities(labels, scores)
    missing = sorted(set(range(scores.shape[1])) - set(labels.tolist()))
    if missing:
        raise _checks.Undefined(
            f"No image is of class {', '.join(map(str, missing))}: leave out its column, or bring images of it."
        )
    return float(np.mean([score(labels == k, scores[:, k]) for k in range(scores.shape[1])]))
