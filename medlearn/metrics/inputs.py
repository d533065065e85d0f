"""What goes into a score, looked over: each mistake gets one sentence."""

import numpy as np
from numpy.typing import ArrayLike


class Undefined(ValueError):
    """A score that these images do not define, such as the sensitivity where nobody is ill."""


def checked_column(name: str, values: ArrayLike) -> np.ndarray:
    """The values as an array with one entry per image and no NaN; raises ValueError."""
    if values is None:
        raise ValueError(f"{name} is missing: give one entry per image.")
    array = np.asarray(values)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} is one entry per image, a list of length N; its shape is {array.shape}.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} holds {np.isnan(array).sum()} NaN among {len(array)} entries; did training diverge?")
    return array


def check_same_length(**arrays: np.ndarray) -> None:
    """Raise ValueError unless all arrays have one entry per image."""
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{len(array)} {name}" for name, array in arrays.items())
        raise ValueError(f"Each image needs one of each: {counts}.")


def check_level(level: float) -> None:
    """Raise ValueError unless the level of an interval is above 0 and below 1."""
    if not 0 < level < 1:
        raise ValueError(f"level is the share of repetitions inside, above 0 and below 1, not {level!r}; usual is 0.95.")


def checked_classes(labels: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predicted classes (N,), of one length and one kind; raises ValueError."""
    labels, predictions = checked_column("labels", labels), _decided(predictions)
    check_same_length(labels=labels, predictions=predictions)
    if (labels.dtype.kind in "US") != (predictions.dtype.kind in "US"):
        raise ValueError(f"labels are {labels.dtype} but predictions are {predictions.dtype}: give both as text or as numbers.")
    return labels, predictions


def _decided(predictions: ArrayLike) -> np.ndarray:
    """Predicted classes (N,); raises ValueError for probabilities in their place."""
    if np.ndim(predictions) == 2:
        raise ValueError(f"predictions are one class an image, (N,), not {np.shape(predictions)}; of probabilities (N, classes) "
                         "take .argmax(axis=1).")
    predictions = checked_column("predictions", predictions)
    if predictions.dtype.kind == "f" and (predictions != np.floor(predictions)).any():
        broken = predictions[predictions != np.floor(predictions)][0].item()
        raise ValueError(f"predictions such as {broken:.3g} are no classes; decide first, for example scores >= 0.5.")
    return predictions


def checked_yes_no(labels: ArrayLike, both: bool = True) -> np.ndarray:
    """Labels (N,) of a question of yes and no as booleans; raises ValueError, and Undefined if `both` but one is missing."""
    labels = checked_column("labels", labels)
    found = np.unique(labels)
    if labels.dtype.kind not in "biuf" or not np.isin(found, (0, 1)).all():
        shown = ", ".join(map(str, found[:5].tolist()))
        raise ValueError(f"labels are 0 (no) or 1 (yes) here, not {shown}; ask for one class: labels == {found[-1].item()!r}.")
    if both and len(found) < 2:
        what = "1 (yes)" if found[0] == 0 else "0 (no)"
        raise Undefined(
            f"All {len(labels)} images have the same label, none is {what}: this score needs both; are the folds stratified?"
        )
    return labels.astype(bool)


def checked_scores(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Labels of yes and no, both present, and their scores (N,): higher means more likely yes; raises ValueError."""
    labels, scores = checked_yes_no(labels), checked_column("scores", scores)
    check_same_length(labels=labels, scores=scores)
    return labels, scores.astype(float)


def checked_probabilities(labels: ArrayLike, values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Labels int (N,) and a probability for each class (N, K); of yes and no, the one of yes (N,) is enough.

    Raises ValueError for NaN, values outside 0..1, rows that do not sum to one, and labels without a column.
    """
    values = _rows_of_probabilities(np.asarray(values, float))
    if values.ndim == 1:
        labels, values = checked_yes_no(labels, both=False).astype(int), np.stack([1 - values, values], axis=1)
    labels, columns = checked_column("labels", labels), values.shape[1]
    check_same_length(labels=labels, probabilities=values)
    if labels.dtype.kind not in "biu" or labels.min() < 0 or labels.max() >= columns:
        given = "text" if labels.dtype.kind in "US" else f"{labels.min()} to {labels.max()}"
        raise ValueError(f"labels must be whole numbers from 0 to {columns - 1}, for there are {columns} columns of "
                         f"probabilities; here they are {given}.")
    return labels.astype(int), values


def _rows_of_probabilities(values: np.ndarray) -> np.ndarray:
    if values.ndim not in (1, 2) or not values.size:
        raise ValueError(f"probabilities have the shape (N,), of yes, or (N, classes); here it is {values.shape}.")
    undefined = np.isnan(values.reshape(len(values), -1)).any(axis=1).sum()
    if undefined:
        raise ValueError(f"probabilities hold NaN for {undefined} of {len(values)} images; did training diverge?")
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        raise ValueError(f"probabilities run from {low:.3g} to {high:.3g}, not from 0 to 1; if these are logits, apply a softmax.")
    sums = values.sum(axis=1) if values.ndim == 2 else np.ones(1)
    worst = abs(sums - 1).argmax()
    if abs(sums[worst] - 1) > 1e-3:
        raise ValueError(f"Each image's probabilities must sum to one; those of image {worst} sum to {sums[worst]:.3g}.")
    return values
