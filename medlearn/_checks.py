"""One check of a kind for the whole package, so that every function accepts and refuses the same inputs.

Each check returns what was given as a NumPy array, or raises a ValueError that says what was
given, what is expected and what to do next.
"""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

_CHUNK = 256  # images whose range is looked at together, so that a memory map is streamed


class Undefined(ValueError):
    """A score that these images do not define, such as the sensitivity where nobody is ill."""


# ---- numbers ---------------------------------------------------------------------------------------


def whole_number(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return a whole number from `low` to `high`, both included; True and 2.0 are none."""
    bounded = isinstance(value, Integral) and not isinstance(value, bool)
    if not bounded or value < low or (high is not None and value > high):
        limits = f"from {low:,} to {high:,}" if high is not None else f"of at least {low:,}"
        raise ValueError(f"{name} must be a whole number {limits}; it was {value!r}.")
    return int(value)


def level(level: float) -> None:
    """Raise ValueError unless the level of an interval is above 0 and below 1."""
    if not 0 < level < 1:
        raise ValueError(
            f"level is the confidence of the interval, above 0 and below 1, not {level!r}; usual is 0.95."
        )


# ---- images ----------------------------------------------------------------------------------------


def one_array(values: ArrayLike, name: str = "images") -> np.ndarray:
    """Return one array; raise ValueError for a list of arrays of several shapes."""
    if isinstance(values, list | tuple):
        shapes = sorted({np.shape(value) for value in values})
        if len(shapes) > 1:
            raise ValueError(
                f"The {name} have several sizes, such as {shapes[0]} and {shapes[1]}: crop or resize "
                "them to one size first."
            )
    return np.asarray(values)


def images(values: ArrayLike, model=None, *, name: str = "images") -> np.ndarray:
    """Check colour images of one size with values from 0 to 255.

    Images that were already divided by 255 look black to an encoder that scales them itself. A
    batch that is black all over is accepted: nothing in it says that it was divided.

    Parameters
    ----------
    values : array_like, shape (N, H, W, 3)
        uint8 or any floating type, 0 to 255. Not copied; a memory map is read in parts.
    model : keras.Model, optional
        A model whose input size the images must have.
    name : str
        What the images are called in an error, such as ``"source images"``.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, 3)
        The same values and type.

    Raises
    ------
    ValueError
        For several sizes, another shape or type, no image, NaN, or another range.
    """
    values = one_array(values, name)
    _check_shape(values, model, name)
    if values.dtype != np.uint8 and values.dtype.kind != "f":
        raise ValueError(
            f"The {name} are of type {values.dtype}, but uint8 or float from 0 to 255 is expected: "
            "window them to that range first."
        )
    _check_range(values, name)
    return values


def _check_shape(values: np.ndarray, model, name: str) -> None:
    expected = tuple(model.input_shape[1:]) if model is not None else (None, None, 3)
    sides = ", ".join(str(side or name_) for side, name_ in zip(expected, "HWC", strict=True))
    owner = f"{model.name} takes" if model is not None else "expected is"
    if values.ndim != 4 or values.shape[-1] != expected[-1]:
        raise ValueError(
            f"The {name} have the shape {values.shape}, but {owner} (N, {sides}){_shape_hint(values)}."
        )
    if not len(values):
        raise ValueError(f"There is no image: the array of {name} is empty.")
    if any(
        side not in (None, given) for side, given in zip(expected, values.shape[1:], strict=True)
    ):
        raise ValueError(
            f"The {name} have the shape {values.shape}, but {model.name} was built for (N, {sides}): "
            "load the images, or the backbone, with that size."
        )


def _shape_hint(values: np.ndarray) -> str:
    if values.ndim == 3 and values.shape[-1] == 3:
        return "; a single image goes in as images[None]"
    if values.ndim == 3:
        return "; grey images go in as np.repeat(images[..., None], 3, axis=-1)"
    if values.ndim == 4 and values.shape[-1] == 1:
        return "; grey images go in as np.repeat(images, 3, axis=-1)"
    return ""


def _check_range(values: np.ndarray, name: str) -> None:
    chunks = [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
    low, high = min(chunk.min() for chunk in chunks), max(chunk.max() for chunk in chunks)
    if values.dtype.kind == "f" and not all(np.isfinite(chunk).all() for chunk in chunks):
        raise ValueError(
            f"The {name} hold values that are not finite (NaN or infinite): mend those images or leave them out."
        )
    if low < 0 or high > 255 or 0 < high <= 1:
        raise ValueError(
            f"The {name} run from {low:g} to {high:g}, but 0 to 255 is expected: give them as they "
            "are, without rescaling or preprocessing, which the encoder does itself."
        )


# ---- vectors and probabilities -----------------------------------------------------------------------


def vectors(values: ArrayLike, name: str = "features") -> np.ndarray:
    """Return feature vectors as finite float64 of shape (N, D)."""
    values = np.asarray(values, float)
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(
            f"The {name} should be one vector per image, (N, D), not {values.shape}; "
            "features.extract makes such vectors."
        )
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).any(1).sum())
        raise ValueError(
            f"{bad} of {len(values)} vectors of the {name} hold NaN or infinite values; drop or mend them."
        )
    return values


def feature_pair(
    source: ArrayLike, target: ArrayLike, minimum: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of two domains as float64, or raise ValueError.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features of the two domains.
    minimum : int
        How many images each domain needs.
    """
    source, target = vectors(source, "source features"), vectors(target, "target features")
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"Source features have {source.shape[1]} columns, target features {target.shape[1]}: "
            "take both from the same layer of the same encoder."
        )
    for domain, features in (("source", source), ("target", target)):
        if len(features) < minimum:
            raise ValueError(
                f"The {domain} has {len(features)} image(s), but its statistics need at least "
                f"{minimum}: add images."
            )
    return source, target


def probabilities(values: ArrayLike) -> np.ndarray:
    """Return class probabilities as float64 of shape (N, classes), with rows that sum to 1."""
    values = np.asarray(values, float)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise ValueError(
            f"Class probabilities have the shape (N, classes) with two classes or more, not {values.shape}."
        )
    return _probability_rows(values)


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
    sums = values.sum(axis=1) if values.ndim == 2 else np.ones(1)
    worst = abs(sums - 1).argmax()
    if abs(sums[worst] - 1) > 1e-3:
        raise ValueError(
            f"Each image's probabilities must sum to one; those of image {worst} sum to {sums[worst]:.3g}."
        )
    return values


# ---- one entry per image -----------------------------------------------------------------------------


def column(name: str, values: ArrayLike) -> np.ndarray:
    """Return one entry per image, shape (N,), without NaN."""
    if values is None:
        raise ValueError(f"{name} is missing: give one entry per image.")
    array = np.asarray(values)
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"{name} is one entry per image, a list of length N; its shape is {array.shape}."
        )
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(
            f"{name} holds {np.isnan(array).sum()} NaN among {len(array)} entries; did training diverge?"
        )
    return array


def same_length(**arrays: np.ndarray) -> None:
    """Raise ValueError unless all arrays have one entry per image."""
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{len(array)} {name}" for name, array in arrays.items())
        raise ValueError(f"Each image needs one of each: {counts}.")


def labels_and_predictions(
    labels: ArrayLike, predictions: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predicted classes, both (N,) and both text or both numbers."""
    labels, predictions = column("labels", labels), _decided(predictions)
    same_length(labels=labels, predictions=predictions)
    if (labels.dtype.kind in "US") != (predictions.dtype.kind in "US"):
        raise ValueError(
            f"labels are {labels.dtype} but predictions are {predictions.dtype}: "
            "give both as text or both as numbers."
        )
    return labels, predictions


def _decided(predictions: ArrayLike) -> np.ndarray:
    """Return predicted classes (N,); refuse probabilities in their place."""
    if np.ndim(predictions) == 2:
        raise ValueError(
            f"predictions are one class per image, (N,), not {np.shape(predictions)}; "
            "of probabilities (N, classes) take .argmax(axis=1)."
        )
    predictions = column("predictions", predictions)
    if predictions.dtype.kind == "f" and (predictions != np.floor(predictions)).any():
        fraction = predictions[predictions != np.floor(predictions)][0].item()
        raise ValueError(
            f"predictions such as {fraction:.3g} are no classes; decide first, for example scores >= 0.5."
        )
    return predictions


def binary_labels(labels: ArrayLike, both: bool = True) -> np.ndarray:
    """Return labels 0 and 1 as booleans (N,); with `both`, each must occur, else Undefined."""
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
    """Return labels 0 and 1, both present, and their scores (N,): higher means more likely 1."""
    labels, scores = binary_labels(labels), column("scores", scores)
    same_length(labels=labels, scores=scores)
    return labels, scores.astype(float)


def labels_and_probabilities(labels: ArrayLike, values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels int (N,) and a probability for each class (N, K).

    Of two classes, the probability of class 1 alone, (N,), is enough.
    """
    values = _probability_rows(np.asarray(values, float))
    if values.ndim == 1:
        labels = binary_labels(labels, both=False).astype(int)
        values = np.stack([1 - values, values], axis=1)
    labels, columns = column("labels", labels), values.shape[1]
    same_length(labels=labels, probabilities=values)
    if labels.dtype.kind not in "biu" or labels.min() < 0 or labels.max() >= columns:
        given = "text" if labels.dtype.kind in "US" else f"{labels.min()} to {labels.max()}"
        raise ValueError(
            f"labels must be whole numbers from 0 to {columns - 1}, for there are {columns} columns "
            f"of probabilities; here they are {given}."
        )
    return labels.astype(int), values
