"""The checks of feature vectors."""

import numpy as np
from numpy.typing import ArrayLike


def vectors(values: ArrayLike, name: str = "features") -> np.ndarray:
    """Check feature vectors.

    Parameters
    ----------
    values : array_like, shape (N, D)
        One vector per image.
    name : str
        What the vectors are called in an error.

    Returns
    -------
    numpy.ndarray, shape (N, D)
        The vectors as finite float64.

    Raises
    ------
    ValueError
        For another shape, NaN or infinite values.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(
            f"The {name} should be one vector per image, (N, D), not {values.shape}; "
            "features.extract makes such vectors."
        )
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{(~finite).sum()} of {len(values)} vectors of the {name} hold NaN or infinite "
            "values; drop or mend them."
        )
    return values


def feature_pair(
    source: ArrayLike, target: ArrayLike, minimum: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Check the features of two domains.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features of the two domains.
    minimum : int
        How many images each domain needs.

    Returns
    -------
    tuple of numpy.ndarray
        Both as finite float64.

    Raises
    ------
    ValueError
        As `vectors`, for widths that differ, and for fewer images than `minimum`.
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
