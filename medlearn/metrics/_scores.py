"""The usual scores of a classifier: scikit-learn computes them, with one vocabulary and checks."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics as sk

from medlearn import _checks


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Return the share of images whose predicted class is right.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        For lengths that differ, NaN, and probabilities instead of classes.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.accuracy([0, 1, 1, 2], [0, 1, 1, 1])
    0.75
    """
    return float(sk.accuracy_score(*_checks.labels_and_predictions(labels, predictions)))


def balanced_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Return the mean sensitivity of the classes among the labels.

    Rare classes count as much as common ones.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As `accuracy`.

    References
    ----------
    Brodersen et al., The balanced accuracy and its posterior distribution, ICPR 2010
    (doi:10.1109/ICPR.2010.764).

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    labels, predictions = _checks.labels_and_predictions(labels, predictions)
    return float(sk.recall_score(labels, predictions, labels=np.unique(labels), average="macro"))


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Return the mean over the classes of F1, the harmonic mean of sensitivity and precision.

    The classes are those that occur among the labels or the predictions, as in scikit-learn: a
    class that is predicted but never true has F1 = 0 and lowers the mean.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As `accuracy`.
    """
    return float(sk.f1_score(*_checks.labels_and_predictions(labels, predictions), average="macro"))


def kappa(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Return Cohen's kappa: agreement beyond chance.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, or the answers of two readers.

    Returns
    -------
    float
        1 for perfect agreement, 0 for what the frequencies of the classes alone would give.

    Raises
    ------
    ValueError
        As `accuracy`, and if both hold one and the same class only.

    References
    ----------
    Cohen, A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20:37, 1960.
    """
    labels, predictions = _checks.labels_and_predictions(labels, predictions)
    if len(np.unique(np.concatenate([labels, predictions]))) < 2:
        raise _checks.Undefined(
            "Both hold one and the same class, so kappa, the agreement beyond chance, is undefined."
        )
    return float(sk.cohen_kappa_score(labels, predictions))


def confusion(labels: ArrayLike, predictions: ArrayLike) -> np.ndarray:
    """Return the confusion matrix: a row for each true class, a column for each predicted one.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.

    Returns
    -------
    numpy.ndarray of int, shape (K, K)
        Counts, over the sorted classes that occur in either. Of 0 and 1 it is
        [[true negatives, false positives], [false negatives, true positives]].

    Raises
    ------
    ValueError
        As `accuracy`.
    """
    return sk.confusion_matrix(*_checks.labels_and_predictions(labels, predictions))


# ---- one class against the rest -----------------------------------------------------------------


def sensitivity(labels: ArrayLike, predictions: ArrayLike, positive: int | str = 1) -> float:
    """Return the sensitivity (recall): the share of the images of a class that is found.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.
    positive : int or str
        The class to find.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As `accuracy`, and if no label is `positive`.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.sensitivity(["ill", "ill", "well"], ["ill", "well", "well"], positive="ill")
    0.5
    """
    labels, predictions = _one_against_rest(labels, predictions, positive)
    if not labels.any():
        raise _checks.Undefined(
            f"None of {len(labels)} labels is {positive!r}, so there is no sensitivity to it."
        )
    return float(sk.recall_score(labels, predictions))


def specificity(labels: ArrayLike, predictions: ArrayLike, positive: int | str = 1) -> float:
    """Return the specificity: the share of all other images that is not called `positive`.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.
    positive : int or str
        The class to find.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As `accuracy`, and if every label is `positive`.
    """
    labels, predictions = _one_against_rest(labels, predictions, positive)
    if labels.all():
        raise _checks.Undefined(
            f"All {len(labels)} labels are {positive!r}, so there is no specificity."
        )
    return float(sk.recall_score(~labels, ~predictions))


def precision(labels: ArrayLike, predictions: ArrayLike, positive: int | str = 1) -> float:
    """Return the precision (positive predictive value): the share of those called so that are so.

    It falls as the class gets rarer, whatever the classifier.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.
    positive : int or str
        The class to find.

    Returns
    -------
    float
        From 0 to 1; 0 if no prediction is `positive`.

    Raises
    ------
    ValueError
        As `accuracy`.
    """
    binary = _one_against_rest(labels, predictions, positive)
    return float(sk.precision_score(*binary, zero_division=0))


def f1(labels: ArrayLike, predictions: ArrayLike, positive: int | str = 1) -> float:
    """Return F1, the harmonic mean of precision and sensitivity: near the smaller of the two.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, as numbers or text.
    positive : int or str
        The class to find.

    Returns
    -------
    float
        From 0 to 1; 0 if no image of the class is found.

    Raises
    ------
    ValueError
        As `accuracy`, and if `positive` occurs neither among labels nor predictions.

    References
    ----------
    van Rijsbergen, Information Retrieval, 1979, chapter 7.
    """
    labels, predictions = _one_against_rest(labels, predictions, positive)
    if not (labels | predictions).any():
        raise _checks.Undefined(
            f"Neither labels nor predictions hold {positive!r}, so there is no F1 of it."
        )
    return float(sk.f1_score(labels, predictions))


# ---- scores instead of decisions -----------------------------------------------------------------


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the ROC curve (AUROC).

    It is the chance that a random positive scores above a random negative; ties count half.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1; or class indices from 0 to K - 1. Each occurs.
    scores : array_like, shape (N,) or (N, K)
        Numbers, higher ones make 1 more likely; or the probability of each class, for the mean of
        each class against the rest.

    Returns
    -------
    float
        From 0 to 1; guessing gives 0.5.

    Raises
    ------
    ValueError
        If a class has no image, for NaN, and for rows that do not sum to 1.

    References
    ----------
    Hanley & McNeil, The meaning and use of the area under a receiver operating characteristic (ROC)
    curve, Radiology 143:29, 1982.

    Examples
    --------
    >>> from medlearn import metrics
    >>> metrics.auroc([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8])
    0.75
    """
    return _mean_over_classes(sk.roc_auc_score, labels, scores)


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the precision-recall curve, as a step function.

    Unlike `auroc`, it falls as the class gets rarer.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1; or class indices from 0 to K - 1. Each occurs.
    scores : array_like, shape (N,) or (N, K)
        Numbers, higher ones make 1 more likely; or the probability of each class, for the mean of
        each class against the rest.

    Returns
    -------
    float
        From 0 to 1; guessing gives the share of positives.

    Raises
    ------
    ValueError
        As `auroc`.
    """
    return _mean_over_classes(sk.average_precision_score, labels, scores)


def sensitivity_at_specificity(
    labels: ArrayLike, scores: ArrayLike, specificity: float = 0.9
) -> float:
    """Return the highest sensitivity of all thresholds with at least this specificity.

    A threshold chosen on the images that it is judged on flatters a little; for a claim, choose it
    on others with `threshold_at_specificity`.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 or 1; both occur.
    scores : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.
    specificity : float
        From 0 to 1.

    Returns
    -------
    float
        Sensitivity from 0 to 1.

    Raises
    ------
    ValueError
        If a label does not occur, for NaN, and for a share outside 0 to 1.
    """
    labels, scores = _checks.binary_labels_and_scores(labels, scores)
    _checks.share("specificity", specificity)
    false_positive_rate, sensitivities, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    return float(sensitivities[1 - false_positive_rate >= specificity - 1e-12].max())


def _one_against_rest(labels, predictions, positive) -> tuple[np.ndarray, np.ndarray]:
    labels, predictions = _checks.labels_and_predictions(labels, predictions)
    if labels.dtype.kind in "US" and not isinstance(positive, str):
        raise ValueError(
            "labels are text, so name the class to find: "
            f"positive={labels[0].item()!r}, not {positive!r}."
        )
    return labels == positive, predictions == positive


def _mean_over_classes(score: Callable, labels: ArrayLike, scores: ArrayLike) -> float:
    """The score of a binary question, or the mean over each class against the rest."""
    if np.ndim(scores) != 2:
        return float(score(*_checks.binary_labels_and_scores(labels, scores)))
    labels, scores = _checks.labels_and_probabilities(labels, scores)
    classes = range(scores.shape[1])
    missing = sorted(set(classes) - set(labels.tolist()))
    if missing:
        raise _checks.Undefined(
            f"No image is of class {', '.join(map(str, missing))}: "
            "leave out its column, or bring images of it."
        )
    return float(np.mean([score(labels == index, scores[:, index]) for index in classes]))
