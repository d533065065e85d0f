"""Who goes where: images are split by patient or by domain, so that nobody is trained on and tested on."""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedGroupKFold


def by_patient(
    patients: ArrayLike, test: float = 0.3, seed: int = 0, labels: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split images into train and test so that no patient is on both sides.

    patients: (N,) ids, one per image. test: share of the patients (not of the images) to test, above 0 and
    below 1; at least one patient ends on each side. labels: (N,) classes; if given, patients are stratified by
    their majority class (systematic sampling: Cochran, Sampling Techniques, 3rd ed., ch. 8), so that each
    class has its share of the test patients to within one; if one side then lacks a class, a warning says so. Every
    patient is equally likely to be tested.

    Returns two sorted arrays of image indices, train and test. They depend on the seed and on the patients,
    not on the order of the images. Raises ValueError for fewer than two patients, a share outside 0..1 or
    labels of another length.
    """
    names, patient = _patients(patients)
    if not 0 < test < 1:
        raise ValueError(
            f"test is a share of the patients, above 0 and below 1, not {test!r}; try test=0.3."
        )
    if len(names) < 2:
        raise ValueError(
            f"All {len(patient)} images come from one patient; a split by patient needs two."
        )
    random = np.random.default_rng(seed)
    order = random.permutation(len(names))
    if labels is not None:
        order = order[
            np.argsort(_majority(patient, _labels(labels, patient))[order], kind="stable")
        ]
    wanted = min(max(round(test * len(names)), 1), len(names) - 1)
    every = len(names) / wanted
    steps = np.floor((np.arange(wanted) + random.random()) * every).astype(int)
    picked = order[np.minimum(steps, len(names) - 1)]  # rounding may reach one past the end
    tested = np.isin(patient, picked)
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    if labels is not None:
        _warn_of_lost_classes(_labels(labels, patient), patient, train, test)
    return train, test


def by_domain(domains: ArrayLike, patients: ArrayLike, test: str) -> tuple[np.ndarray, np.ndarray]:
    """Keep one domain for the test: train on all others, without the patients who are tested.

    domains: (N,) names of laboratories or scanners, one per image. patients: (N,) ids; a patient who was at several
    domains is tested, so their images elsewhere are in neither part. test: the domain to test on.

    Returns two sorted arrays of image indices, train and test. Raises ValueError for an unknown domain, for domains and
    patients of different lengths, and if nobody is left to train on.
    """
    _, patient = _patients(patients)
    domains = np.asarray(domains)
    if domains.shape != patient.shape:
        raise ValueError(
            f"Each image needs its domain: {len(patient)} patient ids, but domains have the shape {domains.shape}."
        )
    tested = domains == test
    if not tested.any():
        raise ValueError(
            f"There is no image of domain {test!r}; there are {', '.join(map(str, np.unique(domains)))}."
        )
    train = np.flatnonzero(~np.isin(patient, patient[tested]))
    if not len(train):
        raise ValueError(
            f"Nobody is left to train on: every patient has images of {test!r}. Split by_patient first, "
            "then choose each part's domain."
        )
    return train, np.flatnonzero(tested)


def folds(
    patients: ArrayLike, labels: ArrayLike, k: int = 5, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield k (train, test) pairs of sorted index arrays: each image is tested once, no patient on both sides.

    patients, labels: (N,), one per image. Classes are spread over the folds as evenly as the patients allow
    (scikit-learn's StratifiedGroupKFold). Raises ValueError, at the call, for k below 2, fewer patients than
    folds, classes all smaller than k, labels of another length, NaN, or patients so uneven that a fold stays empty;
    warns of a class that some training part lacks, such as one with a single patient, and of a test part of one class only.
    """
    names, patient = _patients(patients)
    labels = _labels(labels, patient)
    if k < 2:
        raise ValueError(f"Cross-validation needs at least k=2 folds, not {k}.")
    if len(names) < k:
        raise ValueError(
            f"{k} folds need at least {k} patients; there are {len(names)}: choose a smaller k."
        )
    largest = np.unique(labels, return_counts=True)[1].max()
    if largest < k:
        raise ValueError(
            f"{k} folds need a class of {k} images; the largest has {largest}: choose a smaller k."
        )
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # a class with fewer images than folds is usual for rare cells
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        pairs = list(splitter.split(labels, labels, patient))
    if not all(len(test) for _, test in pairs):
        raise ValueError(
            f"The patients are too uneven for {k} folds, one would be empty: choose a smaller k."
        )
    _warn_of_lost_classes(labels, patient, *(train for train, _ in pairs))
    _warn_of_one_class_folds(labels, [test for _, test in pairs])
    return iter(pairs)


def _patients(patients: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The distinct ids, and for each image the position of its id among them."""
    if patients is None:
        raise ValueError(
            "patients is missing: give each image its patient's id, or an id of its own, np.arange(N), if unknown."
        )
    ids = np.asarray(patients)
    if ids.dtype.kind == "f" and np.isnan(ids).any():
        raise ValueError(
            f"patients holds {np.isnan(ids).sum()} NaN; a patient who is unknown needs an id of their own."
        )
    if ids.ndim != 1 or not len(ids):
        raise ValueError(
            f"patients is one id per image, a list of length N; its shape is {ids.shape}."
        )
    return np.unique(ids, return_inverse=True)


def _labels(labels: ArrayLike, patient: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != patient.shape:
        raise ValueError(
            f"labels and patients go together, one of each per image; there are {len(patient)} patient ids, "
            f"but labels have the shape {labels.shape}."
        )
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(
            f"labels holds {np.isnan(labels).sum()} NaN; leave those images out before the split."
        )
    return labels


def _warn_of_lost_classes(labels: np.ndarray, patient: np.ndarray, *parts: np.ndarray) -> None:
    """Warn of the first class that one of the parts lacks: it cannot be learned there, or not be judged."""
    for value in np.unique(labels):
        if not all((labels[part] == value).any() for part in parts):
            owners = len(np.unique(patient[labels == value]))
            warnings.warn(
                f"Class {value} has images of {owners} patient{'s' * (owners > 1)} only, too few for every part of "
                "this split to hold some: bring more of its patients, or leave the class out.",
                stacklevel=3,
            )
            return


def _warn_of_one_class_folds(labels: np.ndarray, tests: list[np.ndarray]) -> None:
    """Warn of the first test part that holds one class only, if there are more."""
    for number, test in enumerate(tests):
        if (labels[test] == labels[test[0]]).all() and not (labels == labels[test[0]]).all():
            warnings.warn(
                f"Fold {number} of {len(tests)} tests images of class {labels[test[0]]} only: AUROC is undefined there, and other "
                "scores flatter; choose a smaller k, or score the predictions of all folds together.",
                stacklevel=3,
            )
            return


def _majority(patient: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Each patient's most frequent class (of equals, the first)."""
    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.zeros((patient.max() + 1, len(classes)), int)
    np.add.at(counts, (patient, codes), 1)
    return counts.argmax(axis=1)
