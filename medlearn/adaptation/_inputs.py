"""What all of `adaptation` asks of its vectors, probabilities and images."""

import numpy as np
from numpy.typing import ArrayLike


def vector_pair(
    source: ArrayLike, target: ArrayLike, least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Source and target as float64 (N, D) and (M, D); raises ValueError with what to do unless they are that.

    `least`: how many vectors each domain needs.
    """
    source, target = (
        _vectors(name, values) for name, values in (("source", source), ("target", target))
    )
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"Source vectors have {source.shape[1]} columns, target vectors {target.shape[1]}: "
            "take both from the same layer of the same encoder."
        )
    for name, values in (("source", source), ("target", target)):
        if len(values) < least:
            raise ValueError(
                f"The {name} has {len(values)} image(s), but its statistics need at least {least}."
            )
    return source, target


def labels_of(source: np.ndarray, source_labels: ArrayLike) -> np.ndarray:
    """Source labels as int (N,), of at least two classes; raises ValueError otherwise."""
    labels = np.asarray(source_labels)
    if labels.shape != (len(source),) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"source_labels should be one whole number for each of the {len(source)} source images; "
            f"they are {labels.dtype} of shape {labels.shape}."
        )
    if len(np.unique(labels)) < 2:
        raise ValueError(
            "All source labels are of one class: there is nothing to tell apart in the target."
        )
    return labels


def probabilities(values: ArrayLike) -> np.ndarray:
    """Class probabilities as float64 (N, classes); raises ValueError unless each row is at least 0 and sums to 1."""
    values = np.asarray(values, float)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise ValueError(
            f"Class probabilities are (N, classes) with two classes or more, not {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).any(1).sum())} of {len(values)} rows of probabilities hold NaN "
            "or infinite values; look at the model that gave them."
        )
    if values.min() < 0 or np.abs(values.sum(1) - 1).max() > 1e-3:
        raise ValueError(
            "Each row of probabilities should be at least 0 and sum to 1; apply a softmax to logits first."
        )
    return values


def image_pair(images: ArrayLike, reference: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Images and reference as uint8 (N, H, W, 3); a single reference (H, W, 3) counts as one of many."""
    images, reference = np.asarray(images), np.asarray(reference)
    reference = reference[None] if reference.ndim == 3 else reference
    for name, values in (("images", images), ("reference", reference)):
        if values.ndim != 4 or values.shape[-1] != 3 or values.dtype != np.uint8 or not len(values):
            raise ValueError(
                f"The {name} should be uint8 (N, H, W, 3) with at least one picture; they are "
                f"{values.dtype} of shape {values.shape}."
            )
    return images, reference


def domains(source_images: ArrayLike, target_images: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, C) and (M, H, W, C) of two domains; raises ValueError unless they are finite and of one size."""
    source, target = np.asarray(source_images), np.asarray(target_images)
    for name, values in (("source", source), ("target", target)):
        if values.ndim != 4 or not len(values):
            raise ValueError(
                f"The {name} images should be (N, H, W, channels) with at least one picture, not {values.shape}."
            )
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise ValueError(
                f"The {name} images are {values.dtype} and hold something else than finite numbers; look at them first."
            )
    if source.shape[1:] != target.shape[1:]:
        raise ValueError(
            f"Source images are {source.shape[1:]} and target images {target.shape[1:]} (height, width, channels); "
            "load both with one size."
        )
    return source, target


def _vectors(name: str, values: ArrayLike) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(
            f"The {name} should be one vector an image, (N, D), not {values.shape}; "
            "features.extract makes such vectors."
        )
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).any(1).sum())
        raise ValueError(
            f"{bad} of {len(values)} {name} vectors hold NaN or infinite values; drop or mend them."
        )
    return values
