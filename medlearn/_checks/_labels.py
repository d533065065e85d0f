"""The checks of labels, predictions, scores and probabilities: one row per image."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn._checks._numbers import Undefined


def probabilities(values: ArrayLike) -> np.ndarray:
    """Return class probabilities as float64 of shape (N, classes), with rows that sum to 1."""
    values = np.asarray(values, float)
    if values.ndim == 2 and values.shape[1] == 1:  # one sigmoid: the probability of class 1
        values = np.concatenate([1 - values, values], axis=1)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise ValueError(
            "Class probabilities have the shape (N, classes) with two classes or more, "
            f"not {values.shape}."
        )
    return _probability_rows(values)


def column(name: str, values: ArrayLike) -> np.ndarray:
    """Check a column: one entry per image.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    values : array_like, shape (N,) or (N, 1)
        Numbers or text, also as a column of pandas.

    Returns
    -------
    numpy.ndarray, shape (N,)
        The entries, as numbers or as text.

    Raises
    ------
    ValueError
        For None, another shape, no entry, missing values of any type, and numbers beside text.
    """
    if values is None:
        raise ValueError(f"{name} is missing: give one entry per image.")
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"{name} is one entry per image, a list of length N; its shape is {array.shape}."
            + (_hint_of_hot_rows(array) if name == "labels" else "")
        )
    missing = _missing(array)
    if missing.any():
        remedy = _REMEDIES.get(name, "did training diverge?")
        gap = "NaN" if array.dtype.kind == "f" else "missing"
        raise ValueError(f"{name} holds {missing.sum()} {gap} among {len(array)} entries; {remedy}")
    return _of_one_type(name, array) if array.dtype.kind == "O" else array


def same_length(**arrays: np.ndarray) -> None:
    """Raise ValueError unless all arrays have one entry per image."""
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{len(array)} {name}" for name, array in arrays.items())
        raise ValueError(f"Each image needs one of each: {counts}.")


def labels_and_predictions(
    labels: ArrayLike, predictions: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Check labels and predicted classes.

    Parameters
    ----------
    labels, predictions : array_like, shape (N,)
        Classes, both text or both numbers.

    Returns
    -------
    tuple of numpy.ndarray
        Both, each of shape (N,).

    Raises
    ------
    ValueError
        For lengths that differ, NaN, text beside numbers, and probabilities instead of classes.
    """
    labels = column("labels", labels)
    predictions = _predicted_classes(predictions)
    same_length(labels=labels, predictions=predictions)
    if (labels.dtype.kind in "US") != (predictions.dtype.kind in "US"):
        raise ValueError(
            f"labels are {labels.dtype} but predictions are {predictions.dtype}: "
            "give both as text or both as numbers."
        )
    return labels, predictions


def binary_labels(labels: ArrayLike, both: bool = True) -> np.ndarray:
    """Check labels of a binary question.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 (no) or 1 (yes).
    both : bool
        Whether each of the two must occur.

    Returns
    -------
    numpy.ndarray, shape (N,)
        True where the label is 1.

    Raises
    ------
    ValueError
        For other labels.
    Undefined
        With `both`, if all labels are the same.
    """
    labels = column("labels", labels)
    values = np.unique(labels)
    if labels.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        listed = ", ".join(map(str, values[:5].tolist()))
        raise ValueError(
            f"labels are 0 (no) or 1 (yes) here, not {listed}; "
            f"ask for one class: labels == {values[-1].item()!r}."
        )
    if both and len(values) < 2:
        missing = "1 (yes)" if values[0] == 0 else "0 (no)"
        raise Undefined(
            f"All {len(labels)} images have the same label, none is {missing}: "
            "this score needs both; are the folds stratified?"
        )
    return labels.astype(bool)


def binary_labels_and_scores(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Check labels of a binary question and their scores.

    Parameters
    ----------
    labels : array_like, shape (N,)
        0 (no) or 1 (yes); both occur.
    scores : array_like, shape (N,)
        Numbers; a higher one makes 1 more likely.

    Returns
    -------
    tuple of numpy.ndarray
        The labels as booleans and the scores as float64, each of shape (N,).

    Raises
    ------
    ValueError
        As `binary_labels`, for NaN, and for lengths that differ.
    """
    labels = binary_labels(labels)
    scores = column("scores", scores)
    same_length(labels=labels, scores=scores)
    return labels, scores.astype(float)


def labels_and_probabilities(labels: ArrayLike, values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Check labels and the probability of each class.

    Parameters
    ----------
    labels : array_like, shape (N,)
        Class indices from 0 to K - 1.
    values : array_like, shape (N, K)
        Probabilities; each row sums to 1. Of two classes, the probability of class 1, shape (N,)
        or (N, 1), is enough.

    Returns
    -------
    tuple of numpy.ndarray
        Labels as int, shape (N,), and probabilities as float64, shape (N, K).

    Raises
    ------
    ValueError
        For a label without a column, NaN, values outside 0 to 1, and rows that do not sum to 1.
    """
    values = np.asarray(values, float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    values = _probability_rows(values)
    if values.ndim == 1:
        labels = binary_labels(labels, both=False).astype(int)
        values = np.stack([1 - values, values], axis=1)
    labels, columns = column("labels", labels), values.shape[1]
    same_length(labels=labels, probabilities=values)
    if labels.dtype.kind not in "biu" or labels.min() < 0 or labels.max() >= columns:
        is_text = labels.dtype.kind in "US"
        present = "text" if is_text else f"{labels.min()} to {labels.max()}"
        raise ValueError(
            f"labels must be whole numbers from 0 to {columns - 1}, for there are {columns} "
            f"columns of probabilities; here they are {present}."
        )
    return labels.astype(int), values


_REMEDIES = {
    "patients": "give each patient who is unknown an id of their own.",
    "labels": "leave out the images that nobody labelled.",
}


def _missing(array: np.ndarray) -> np.ndarray:
    """Return where an entry is NaN, None, NaT or pandas' NA."""
    if array.dtype.kind == "f":
        return np.isnan(array)
    if array.dtype.kind != "O":
        return np.zeros(len(array), bool)
    import pandas as pd  # late: only columns of objects, which pandas makes, need it

    return pd.isna(array)


def _hint_of_hot_rows(labels: np.ndarray) -> str:
    """Return what to do with rows of zeros and ones; nothing for other labels."""
    if labels.ndim != 2 or not len(labels) or labels.dtype.kind not in "biuf":
        return ""
    if not np.isin(labels, (0, 1)).all():
        return ""
    if (labels.sum(axis=1) == 1).all():
        return " Each row has a single 1: take labels.argmax(axis=1)."
    return (
        " These rows name several classes of an image, or none (multi-label): the model needs one "
        "sigmoid per class, keras.layers.Dense(classes, activation='sigmoid'), and the loss "
        "'binary_crossentropy'; check and score each column by itself."
    )


def _of_one_type(name: str, array: np.ndarray) -> np.ndarray:
    """Return objects as text or as numbers."""
    entries = array.tolist()
    is_text = [isinstance(entry, str) for entry in entries]
    if all(is_text):
        return np.array(entries, str)
    if any(is_text):
        raise ValueError(
            f"{name} mixes text such as {entries[is_text.index(True)]!r} and numbers such as "
            f"{entries[is_text.index(False)]!r}: give all as text, or all as numbers."
        )
    return np.array(entries)


def _predicted_classes(predictions: ArrayLike) -> np.ndarray:
    """Return predicted classes (N,); refuse probabilities in their place."""
    if np.ndim(predictions) == 2 and np.shape(predictions)[1] > 1:
        raise ValueError(
            f"predictions are one class per image, (N,), not {np.shape(predictions)}; "
            "of probabilities (N, classes) take .argmax(axis=1)."
        )
    predictions = column("predictions", predictions)
    if predictions.dtype.kind == "f":
        fractions = predictions[predictions != np.floor(predictions)]
        if len(fractions):
            raise ValueError(
                f"predictions such as {fractions[0]:.3g} are no classes; "
                "decide first, for example scores >= 0.5."
            )
    return predictions


def _probability_rows(values: np.ndarray) -> np.ndarray:
    if values.ndim not in (1, 2) or not values.size:
        raise ValueError(
            "probabilities have the shape (N,), of the positive class, or (N, classes); "
            f"here it is {values.shape}."
        )
    undefined = (~np.isfinite(values)).reshape(len(values), -1).any(axis=1).sum()
    if undefined:
        raise ValueError(
            f"probabilities hold NaN or infinite values for {undefined} of {len(values)} images; "
            "did training diverge?"
        )
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"probabilities run from {low:.3g} to {high:.3g}, not from 0 to 1; "
            "if these are logits, apply a softmax."
        )
    if values.ndim == 2:
        sums = values.sum(axis=1)
        worst = abs(sums - 1).argmax()
        if abs(sums[worst] - 1) > 1e-3:
            raise ValueError(
                "Each image's probabilities must sum to one; "
                f"those of image {worst} sum to {sums[worst]:.3g}."
            )
    return values
