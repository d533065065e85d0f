"""Whether features are near one another by class or by domain."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks


def robustness_index(
    features: ArrayLike,
    labels: ArrayLike,
    domains: ArrayLike,
    patients: ArrayLike | None = None,
    *,
    neighbours: int = 10,
) -> float:
    """Return the robustness index of features of several domains.

    Among the nearest neighbours of each image, by the angle between features, count those of the
    same class and another domain (S), and those of another class and the same domain (O). The
    index is S / (S + O): 1 if the class alone decides which images are near, 0 if the domain alone
    does. Give as many images of each class from each domain, or their numbers decide as well.

    The index needs the labels of all domains. It describes an encoder; it is not for choosing
    among adapted models.

    Parameters
    ----------
    features : array_like, shape (N, D)
        Of all domains together.
    labels : array_like, shape (N,)
        Class indices or names.
    domains : array_like, shape (N,)
        Names of at least two domains.
    patients : array_like, shape (N,), optional
        Patient ids. Images of the same patient are then not counted as neighbours.
    neighbours : int
        Per image, at least 1 and fewer than N.

    Returns
    -------
    float
        0 to 1; NaN if no neighbour is of either sort.

    Raises
    ------
    ValueError
        If the lengths differ, or there are too few images or a single domain.

    References
    ----------
    de Jong et al. 2025 (arXiv:2501.18055); as a share, Kömen et al. 2025 (arXiv:2507.17845).

    Examples
    --------
    >>> features = [[1, 0.1], [1, 0.2], [0.1, 1], [0.2, 1]]
    >>> robustness_index(features, [0, 0, 1, 1], ["a", "b", "a", "b"], neighbours=1)
    1.0
    >>> robustness_index(features, [0, 1, 0, 1], ["a", "a", "b", "b"], neighbours=1)
    0.0
    """
    features = _checks.vectors(features)
    labels, domains = _checks.column("labels", labels), _checks.column("domains", domains)
    _checks.same_length(features=features, labels=labels, domains=domains)
    _check_domains(domains)
    _checks.whole_number("neighbours", neighbours, 1, len(features) - 1)
    patients = (
        np.arange(len(features)) if patients is None else _checks.column("patients", patients)
    )
    _checks.same_length(features=features, patients=patients)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions = features / np.maximum(lengths, np.finfo(float).tiny)
    same_class_elsewhere = other_class_in_domain = 0
    for index in range(len(features)):
        candidates = np.flatnonzero(patients != patients[index])
        similarity = directions[candidates] @ directions[index]
        nearest = candidates[np.argsort(-similarity, kind="stable")[:neighbours]]
        same_class = labels[nearest] == labels[index]
        same_domain = domains[nearest] == domains[index]
        same_class_elsewhere += int((same_class & ~same_domain).sum())
        other_class_in_domain += int((~same_class & same_domain).sum())
    counted = same_class_elsewhere + other_class_in_domain
    return same_class_elsewhere / counted if counted else float("nan")


def _check_domains(domains: np.ndarray) -> None:
    names = np.unique(domains)
    if len(names) < 2:
        raise ValueError(
            f"All images are of one domain, {names[0].item()!r}; "
            "the robustness index needs two or more."
        )
